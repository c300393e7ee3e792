// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/audit/path.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace untrombone::audit {
namespace {

using core::IpAddress;

constexpr const char* kHere = "here";
constexpr const char* kElsewhere = "another site";
constexpr const char* kUnknown = "unknown";

/// The longest prefix of `list` around `ip` that `accept` takes.
template <typename List, typename Accept>
auto longest(const List& list, const IpAddress& ip, Accept accept) -> decltype(list.data()) {
  decltype(list.data()) best = nullptr;
  for (const auto& entry : list) {
    if (!entry.prefix.contains(ip) || !accept(entry)) continue;
    if (best == nullptr || entry.prefix.length() > best->prefix.length()) best = &entry;
  }
  return best;
}

const SegmentFacts* segment_of(const Snapshot& snapshot, const IpAddress& ip) {
  const auto found =
      std::find_if(snapshot.segments.begin(), snapshot.segments.end(),
                   [&](const SegmentFacts& segment) { return segment.settings->subnet_of(ip) != nullptr; });
  return found == snapshot.segments.end() ? nullptr : &*found;
}

/// Where traffic from the routed network comes in, as bgpd prefers it.
Hop enter(const Snapshot& snapshot, const IpAddress& ip) {
  if (!snapshot.bgp) return {"enter", kUnknown, "no bgpd answers here", false};
  const BgpEntry* const entry = longest(
      *snapshot.bgp, ip, [](const BgpEntry& candidate) { return candidate.own || candidate.others > 0; });
  if (entry == nullptr) return {"enter", kUnknown, "bgpd has no route for it", false};
  const std::string prefix = entry->prefix.to_string();
  if (entry->own_best) return {"enter", kHere, fmt::format("bgpd prefers our own {}", prefix), false};
  return {"enter", kElsewhere, fmt::format("bgpd prefers {} of {}", prefix, entry->best_peer), false};
}

/// How this edge would send it on.
Hop route(const Snapshot& snapshot, const IpAddress& ip, const SegmentFacts& segment) {
  if (!snapshot.rib) return {"route", kUnknown, "no zebra answers here", false};
  const RibRoute* const ours =
      longest(*snapshot.rib, ip, [](const RibRoute& candidate) { return candidate.selected; });
  unsigned other = 0;
  for (const core::IpPrefix& prefix : snapshot.other_rib.value_or(std::vector<core::IpPrefix>())) {
    if (prefix.contains(ip)) other = std::max(other, prefix.length());
  }
  if (ours != nullptr && ours->prefix.length() >= other) {
    return {"route", kHere, fmt::format("our {} out of {}", ours->prefix.to_string(), segment.interface),
            false};
  }
  const core::IpPrefix prefix(ip, other);
  const bool subnet = prefix == *segment.settings->subnet_of(ip);
  return {"route", kHere,
          subnet ? fmt::format("the subnet {} out of {}", prefix.to_string(), segment.interface)
                 : fmt::format("{}, which is not ours", prefix.to_string()),
          false};
}

Hop leave(const Snapshot& snapshot, const IpAddress& ip, const SegmentFacts& segment, Place place) {
  if (place == Place::kRemote) return {"leave", kElsewhere, "its own site's gateway is nearest", false};
  if (!segment.guard)
    return {"leave", kUnknown, "the guard is switched off: either site's gateway answers", true};
  const bool bites = snapshot.guard && snapshot.guard->present && !snapshot.guard->dormant;
  const auto guarded = [&](const std::string& port) {
    return std::any_of(
        segment.settings->gateways.begin(), segment.settings->gateways.end(), [&](const IpAddress& gateway) {
          return gateway.family() == ip.family() &&
                 std::find(snapshot.guard->guarded.begin(), snapshot.guard->guarded.end(),
                           std::pair(port, gateway.to_string())) != snapshot.guard->guarded.end();
        });
  };
  if (bites && std::all_of(segment.dci_ports.begin(), segment.dci_ports.end(), guarded)) {
    return {"leave", kHere, "the guard keeps the other gateways off the DCI", false};
  }
  return {"leave", kUnknown, "the guard does not bite: another site's gateway may answer", true};
}

}  // namespace

bool HostPath::is_trombone() const {
  return std::any_of(hops.begin(), hops.end(), [](const Hop& hop) { return hop.detour; });
}

HostPath trace_path(const Snapshot& snapshot, const IpAddress& ip) {
  HostPath path;
  const SegmentFacts* const segment = segment_of(snapshot, ip);
  if (segment == nullptr) return path;
  const auto host = std::find_if(snapshot.hosts.begin(), snapshot.hosts.end(),
                                 [&](const HostFact& candidate) { return candidate.ip == ip; });
  if (host != snapshot.hosts.end()) path.place = host->place();
  const Hop entry = enter(snapshot, ip);
  path.hops.push_back(entry);
  if (entry.where == kHere) path.hops.push_back(route(snapshot, ip, *segment));
  const bool local = path.place == Place::kLocal;
  if (path.place != Place::kUnknown && (entry.where == kHere) != local && entry.where != kUnknown) {
    path.hops.push_back(
        {"cross", "the DCI", local ? "from the other site to here" : "from here to the other site", true});
  }
  const std::string where = path.place == Place::kUnknown ? kUnknown : local ? kHere : kElsewhere;
  path.hops.push_back({"host", where,
                       host == snapshot.hosts.end() ? "nobody knows it" : "MAC " + host->mac.to_string(),
                       false});
  path.hops.push_back(leave(snapshot, ip, *segment, path.place));
  return path;
}

}  // namespace untrombone::audit
