// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/vlan_table.hpp"

#include <algorithm>
#include <utility>

namespace untrombone::daemon {

void VlanTable::take(const netlink::VlanMessage& message) {
  Device& device = (dumped_ ? *dumped_ : devices_)[message.device];
  for (const netlink::VlanRange& range : message.ranges) {
    const std::size_t last = std::min<std::size_t>(range.last.value, kVlans - 1);
    for (std::size_t vlan = range.first.value; vlan <= last; ++vlan) {
      device.members[vlan] = !message.removed;
      device.untagged[vlan] = !message.removed && range.untagged;
    }
    // The VLAN that was the PVID until now says nothing when another one takes its place.
    const bool has_pvid = range.first <= device.pvid && device.pvid <= range.last;
    if (range.pvid && !message.removed) {
      device.pvid = range.first;
    } else if (has_pvid) {
      device.pvid = {};
    }
  }
}

void VlanTable::start_dump() { dumped_.emplace(); }

void VlanTable::finish_dump() {
  if (dumped_) devices_ = std::move(*dumped_);
  dumped_.reset();
}

void VlanTable::forget(core::Ifindex device) { devices_.erase(device); }

std::optional<VlanMembership> VlanTable::membership(core::Ifindex device, core::VlanId vlan) const {
  const auto found = devices_.find(device);
  if (found == devices_.end() || vlan.value >= kVlans || !found->second.members[vlan.value])
    return std::nullopt;
  return VlanMembership{found->second.untagged[vlan.value]};
}

core::VlanId VlanTable::pvid(core::Ifindex device) const {
  const auto found = devices_.find(device);
  return found == devices_.end() ? core::VlanId{} : found->second.pvid;
}

}  // namespace untrombone::daemon
