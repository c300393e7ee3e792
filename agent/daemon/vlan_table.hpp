// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <bitset>
#include <cstddef>
#include <map>
#include <optional>

#include "agent/core/types.hpp"
#include "netlink/messages.hpp"

namespace untrombone::daemon {

/// How a port takes part in a VLAN.
struct VlanMembership {
  bool untagged = false;  ///< frames of the VLAN go out without a tag
  bool operator==(const VlanMembership&) const = default;
};

/// The VLANs of all bridge ports, and of the bridges themselves, as the kernel tells them.
class VlanTable {
 public:
  /// Notes a change; between start_dump() and finish_dump() it is part of what replaces the table.
  void take(const netlink::VlanMessage& message);
  void start_dump();
  void finish_dump();
  /// The device is gone, and its VLANs with it.
  void forget(core::Ifindex device);

  /// nullopt when the device is no member of the VLAN.
  [[nodiscard]] std::optional<VlanMembership> membership(core::Ifindex device, core::VlanId vlan) const;
  /// The VLAN of frames that come in without a tag; 0 when there is none, and they are dropped.
  [[nodiscard]] core::VlanId pvid(core::Ifindex device) const;

 private:
  static constexpr std::size_t kVlans = 4096;
  struct Device {
    std::bitset<kVlans> members;
    std::bitset<kVlans> untagged;
    core::VlanId pvid;
  };
  using Devices = std::map<core::Ifindex, Device>;

  Devices devices_;
  std::optional<Devices> dumped_;  ///< what the dump under way has listed
};

}  // namespace untrombone::daemon
