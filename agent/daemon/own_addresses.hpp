// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <set>
#include <vector>

#include "agent/core/event.hpp"
#include "agent/daemon/config.hpp"
#include "agent/daemon/topology.hpp"
#include "netlink/messages.hpp"

namespace untrombone::daemon {

/// The edge itself, as the kernel shows it: what it has of addresses and MACs in each segment, none of which is a host.
/// Addresses of the segment's own interface only: with VRFs, another one's may be a guest's here.
class OwnAddresses {
 public:
  explicit OwnAddresses(const Config& config);

  void take(const netlink::AddressMessage& address);
  void take(const netlink::LinkMessage& link);
  /// Something was taken that update() has not looked at.
  [[nodiscard]] bool changed() const { return changed_; }
  /// The addresses are told again from here on; those that are not told until finish_dump() are gone.
  void start_dump();
  void finish_dump();
  /// What is different since the last time, as events for the core. `probe_macs`: senders of our probes, by segment.
  std::vector<core::Event> update(const Topology& topology, const std::vector<core::MacAddress>& probe_macs);

 private:
  struct Segment {
    std::set<core::IpAddress> ips;
    std::set<core::MacAddress> macs;
  };
  using Key = std::pair<core::Ifindex, core::IpAddress>;

  [[nodiscard]] Segment derive(core::SegmentId id, const SegmentView& view,
                               const core::MacAddress& probe_mac) const;

  const Config& config_;
  std::map<core::Ifindex, core::MacAddress> macs_;
  std::map<Key, bool> addresses_;  ///< and whether the dump under way, or an event since it began, told it
  std::vector<Segment> segments_;
  bool changed_ = false;
};

}  // namespace untrombone::daemon
