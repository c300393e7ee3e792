// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/own_addresses.hpp"

#include <algorithm>
#include <iterator>

namespace untrombone::daemon {
namespace {

using core::IpAddress;
using core::MacAddress;
using core::SegmentId;

/// Reports what is only in `before` as gone, what is only in `after` as new.
template <typename Event, typename Value>
void add_changes(SegmentId id, const std::set<Value>& before, const std::set<Value>& after,
                 std::vector<core::Event>& events) {
  std::vector<Value> changed;
  std::set_difference(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(changed));
  for (const Value& value : changed) events.emplace_back(Event{id, value, false});
  changed.clear();
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::back_inserter(changed));
  for (const Value& value : changed) events.emplace_back(Event{id, value, true});
}

}  // namespace

OwnAddresses::OwnAddresses(const Config& config) : config_(config), segments_(config.segments.size()) {}

void OwnAddresses::take(const netlink::AddressMessage& address) {
  changed_ = true;
  const Key key{address.interface, address.ip};
  if (address.removed) {
    addresses_.erase(key);
  } else {
    addresses_[key] = true;
  }
}

void OwnAddresses::take(const netlink::LinkMessage& link) {
  if (link.removed) {
    macs_.erase(link.index);
  } else {
    macs_[link.index] = link.mac;
  }
}

void OwnAddresses::start_dump() {
  for (auto& [key, told] : addresses_) told = false;
}

void OwnAddresses::finish_dump() {
  if (std::erase_if(addresses_, [](const auto& entry) { return !entry.second; }) != 0) changed_ = true;
}

std::vector<core::Event> OwnAddresses::update(const Topology& topology,
                                              const std::vector<MacAddress>& probe_macs) {
  changed_ = false;
  segments_.resize(config_.segments.size());  // a reload may have added some
  std::vector<core::Event> events;
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    const Segment before = std::exchange(segments_[i], derive({i}, topology.segment({i}), probe_macs[i]));
    add_changes<core::OwnAddress>({i}, before.ips, segments_[i].ips, events);
    add_changes<core::OwnMac>({i}, before.macs, segments_[i].macs, events);
  }
  return events;
}

OwnAddresses::Segment OwnAddresses::derive(SegmentId id, const SegmentView& view,
                                           const MacAddress& probe_mac) const {
  Segment own;
  for (const auto& [key, told] : addresses_) {
    if (view.interface && key.first == view.interface) own.ips.insert(key.second);
  }
  if (const auto& probe = config_.segments[id.value].probe_address) own.ips.insert(*probe);
  own.macs.insert(probe_mac);
  const auto add_mac_of = [&](core::Ifindex index) {
    const auto found = macs_.find(index);
    if (found != macs_.end()) own.macs.insert(found->second);
  };
  add_mac_of(view.bridge);
  for (const auto& entry : view.ports) add_mac_of(entry.first);
  own.macs.erase(MacAddress{});
  return own;
}

}  // namespace untrombone::daemon
