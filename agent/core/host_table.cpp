// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/host_table.hpp"

#include <algorithm>

namespace untrombone::core {

TimePoint Host::due() const {
  const TimePoint answer_due = answer_by == kUnasked ? kNever : answer_by;
  return std::min(
      {settle_at, answer_due, probe_at, greet_at, linger_until, forget_at, frozen_until, expected_until});
}

std::string_view to_string(Evidence evidence) {
  switch (evidence) {
    case Evidence::kNone: return "none";
    case Evidence::kFdb: return "fdb";
    case Evidence::kArp: return "arp";
    case Evidence::kRarp: return "rarp";
    case Evidence::kNd: return "nd";
  }
  return "?";
}

std::size_t hash_value(const StationKey& key) { return hash_mix(hash_value(key.mac), key.segment.value); }
std::size_t hash_value(const HostKey& key) { return hash_mix(hash_value(key.ip), key.segment.value); }

HostIndex HostTable::find(SegmentId segment, const IpAddress& ip) const {
  const auto found = by_ip_.find({segment, ip});
  return found == by_ip_.end() ? kNoHost : found->second;
}

const Station* HostTable::find_station(SegmentId segment, const MacAddress& mac) const {
  const auto found = stations_.find({segment, mac});
  return found == stations_.end() ? nullptr : &found->second;
}

HostIndex HostTable::add(SegmentId segment, const IpAddress& ip, const MacAddress& mac) {
  HostIndex index = 0;
  if (free_.empty()) {
    index = static_cast<HostIndex>(hosts_.size());
    hosts_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Host& host = hosts_[index];
  host.ip = ip;
  host.segment = segment;
  host.mac = mac;
  by_ip_.emplace(HostKey{segment, ip}, index);
  link(index);
  return index;
}

void HostTable::rebind(HostIndex index, const MacAddress& mac) {
  unlink(index);
  hosts_[index].mac = mac;
  link(index);
}

void HostTable::remove(HostIndex index) {
  unlink(index);
  by_ip_.erase({hosts_[index].segment, hosts_[index].ip});
  hosts_[index] = Host{};
  free_.push_back(index);
}

void HostTable::prune(const StationKey& key) {
  const auto found = stations_.find(key);
  if (found != stations_.end() && found->second.hosts == 0 &&
      (!found->second.port || !found->second.listed)) {
    stations_.erase(found);
  }
}

void HostTable::link(HostIndex index) {
  Host& host = hosts_[index];
  Station& owner = station(host.segment, host.mac);
  host.next_of_mac = owner.first_host;
  owner.first_host = index;
  ++owner.hosts;
}

void HostTable::unlink(HostIndex index) {
  Host& host = hosts_[index];
  const auto owner = stations_.find({host.segment, host.mac});
  HostIndex* slot = &owner->second.first_host;
  while (*slot != index) slot = &hosts_[*slot].next_of_mac;
  *slot = host.next_of_mac;
  host.next_of_mac = kNoHost;
  --owner->second.hosts;
  prune(owner->first);
}

}  // namespace untrombone::core
