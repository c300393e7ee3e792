// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/audit/compare.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <boost/unordered/unordered_flat_set.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/audit/compare_guard.hpp"
#include "agent/audit/prefix_index.hpp"
#include "bgp/frr_policy.hpp"

namespace untrombone::audit {
namespace {

using core::IpAddress;
using core::IpPrefix;

/// The tables of one snapshot, indexed, and what was found in them.
class Comparison {
 public:
  Comparison(const Snapshot& snapshot, std::vector<Finding>& findings)
      : snapshot_(snapshot), marks_{snapshot.routes.tag, snapshot.community_as}, findings_(findings) {
    for (const HostFact& host : snapshot.hosts) {
      hosts_.add(IpPrefix::host(host.ip), &host);
      if (host.place() == Place::kLocal) locals_.push_back(host.ip);
    }
    std::sort(locals_.begin(), locals_.end());
    if (snapshot.rib) {
      for (const RibRoute& route : *snapshot.rib) rib_.add(route.prefix, &route);
    }
    if (snapshot.bgp) {
      for (const BgpEntry& entry : *snapshot.bgp) bgp_.add(entry.prefix, &entry);
    }
  }

  void run() {
    if (snapshot_.rib) {
      redistributed_ = is_anything_redistributed();
      for (const RibRoute& route : *snapshot_.rib) check_route(route);
      for (const HostFact& host : snapshot_.hosts) check_host(host);
      if (snapshot_.bgp) check_ghosts();
      if (snapshot_.fib) check_kernel();
      check_covered_remotes();
    }
    for (const HostFact& host : snapshot_.hosts) check_place(host);
  }

 private:
  void add(FindingId id, std::string segment, std::string subject, std::string expected, std::string observed,
           std::string hint) {
    findings_.push_back({id, std::move(segment), std::move(subject), std::move(expected), std::move(observed),
                         std::move(hint)});
  }

  [[nodiscard]] const SegmentFacts* segment_of(const IpPrefix& prefix) const {
    for (const SegmentFacts& segment : snapshot_.segments) {
      const IpPrefix* const subnet = segment.settings->subnet_of(prefix.address());
      if (subnet != nullptr && subnet->contains(prefix)) return &segment;
    }
    return nullptr;
  }

  static std::string explain(const IpAddress& ip) {
    return fmt::format("untrombone explain {}", ip.to_string());
  }
  static std::string show_route(const IpPrefix& prefix) {
    return fmt::format("vtysh -c 'show {} route {}'", prefix.address().is_v4() ? "ip" : "ipv6",
                       prefix.to_string());
  }
  static std::string show_bgp(const IpPrefix& prefix) {
    return fmt::format("vtysh -c 'show bgp {} unicast {}'", prefix.address().is_v4() ? "ipv4" : "ipv6",
                       prefix.to_string());
  }

  /// Or in reserve: it is there for when no other site's is.
  [[nodiscard]] bool is_lingering(const RibRoute& route) const {
    return marks_.rank_tag(route.tag) == marks_.lingering_tag();
  }

  /// One thing that is wrong with a route that should not be like this, or not be at all.
  void check_route(const RibRoute& route) {
    const std::string prefix = route.prefix.to_string();
    const SegmentFacts* const segment = segment_of(route.prefix);
    if (segment == nullptr) {
      return add(FindingId::kOutsideSubnets, "", prefix, "nothing outside the configured subnets",
                 "in zebra's table", show_route(route.prefix));
    }
    if (route.prefix.is_host() && !segment->settings->may_be_host(route.prefix.address())) {
      return add(FindingId::kGatewayAnnounced, segment->name, prefix,
                 "no host route for a gateway or an excluded address", "in zebra's table",
                 show_route(route.prefix));
    }
    if (is_lingering(route)) return;
    if (route.prefix.is_host()) {
      if (check_announced_host(*segment, route)) return;
    } else if (check_summary(*segment, route)) {
      return;
    }
    if (snapshot_.bgp && route.selected) check_announcement(*segment, route);
  }

  /// Is the host of a host route here? True: it was a finding.
  bool check_announced_host(const SegmentFacts& segment, const RibRoute& route) {
    const HostFact* const host = hosts_.find(route.prefix);
    if (host == nullptr) {
      add(FindingId::kStaleRoute, segment.name, route.prefix.to_string(), "no route without a host",
          "nobody knows this host", explain(route.prefix.address()));
      return true;
    }
    if (host->in_transit || host->place() != Place::kRemote) return false;
    add(FindingId::kRemoteAnnounced, segment.name, route.prefix.to_string(),
        "announced where it is, at another site",
        fmt::format("{} is behind the DCI and announced here", host->mac.to_string()),
        explain(route.prefix.address()));
    return true;
  }

  bool check_summary(const SegmentFacts& segment, const RibRoute& route) {
    const IpPrefix* const subnet = segment.settings->subnet_of(route.prefix.address());
    if (segment.announces_subnet && *subnet == route.prefix) return false;
    const auto first = std::lower_bound(locals_.begin(), locals_.end(), route.prefix.address());
    if (first != locals_.end() && route.prefix.contains(*first)) return false;
    add(FindingId::kOrphanSummary, segment.name, route.prefix.to_string(), "a summary stands for local hosts",
        "it covers none", fmt::format("untrombone hosts --verdict local {}", route.prefix.to_string()));
    return true;
  }

  [[nodiscard]] bool is_anything_redistributed() {
    if (!snapshot_.bgp || snapshot_.rib->empty()) return true;
    const auto reached = [&](const RibRoute& route) {
      const BgpEntry* const entry = bgp_.find(route.prefix);
      return entry != nullptr && entry->own;
    };
    const auto selected = std::count_if(snapshot_.rib->begin(), snapshot_.rib->end(),
                                        [](const RibRoute& route) { return route.selected; });
    if (selected == 0 || std::any_of(snapshot_.rib->begin(), snapshot_.rib->end(), reached)) return true;
    add(FindingId::kNotRedistributed, "", "bgpd", "our routes in bgpd's table",
        fmt::format("none of the {} that zebra has", selected), "untrombone doctor");
    return false;
  }

  void check_announcement(const SegmentFacts& segment, const RibRoute& route) {
    if (!redistributed_) return;
    const BgpEntry* const entry = bgp_.find(route.prefix);
    if (entry == nullptr || !entry->own) {
      return add(FindingId::kNotRedistributed, segment.name, route.prefix.to_string(),
                 "in bgpd's table, as ours", "only in zebra's", show_bgp(route.prefix));
    }
    if (!entry->marked) {
      add(FindingId::kUnmarkedRoute, segment.name, route.prefix.to_string(), "with one of our communities",
          "without: no border filter knows it", show_bgp(route.prefix));
    }
  }

  void check_host(const HostFact& host) {
    if (host.in_transit) return;
    const SegmentFacts& segment = snapshot_.segments[host.segment];
    if (host.place() == Place::kLocal) return check_local(segment, host);
    if (host.place() == Place::kRemote && snapshot_.bgp) check_remote(segment, host);
  }

  void check_local(const SegmentFacts& segment, const HostFact& host) {
    const std::string ip = host.ip.to_string();
    const RibRoute* const any = rib_.longest(host.ip, [](const RibRoute&) { return true; });
    const RibRoute* const covering =
        rib_.longest(host.ip, [](const RibRoute& route) { return route.selected; });
    if (any == nullptr) {
      return add(FindingId::kMissingRoute, segment.name, ip, "a route of ours in zebra's table", "none",
                 explain(host.ip));
    }
    if (covering == nullptr) {
      return add(FindingId::kRouteShadowed, segment.name, ip, "zebra selects our route",
                 fmt::format("another route for {} wins", any->prefix.to_string()), show_route(any->prefix));
    }
    if (!snapshot_.bgp || !redistributed_ || is_lingering(*covering)) return;
    check_entry(segment, host, *covering);
  }

  /// Where does traffic for a local host enter, as bgpd sees it?
  void check_entry(const SegmentFacts& segment, const HostFact& host, const RibRoute& covering) {
    const BgpEntry* const entry = bgp_.longest(
        host.ip, [&](const BgpEntry& candidate) { return candidate.own || candidate.others > 0; });
    if (entry == nullptr || entry->prefix.length() < covering.prefix.length()) return;  // not redistributed
    if (!entry->own_best && !entry->best_peer.empty()) {  // without a best path bgpd has not decided yet
      if (!entry->own && entry->prefix == covering.prefix) return;  // the same
      return add(FindingId::kTrombone, segment.name, host.ip.to_string(), "its traffic enters here",
                 fmt::format("{} of {} is preferred", entry->prefix.to_string(), entry->best_peer),
                 show_bgp(entry->prefix));
    }
    if (entry->own && entry->prefix.is_host() && entry->others > entry->lingering_others) {
      add(FindingId::kDoubleClaim, segment.name, host.ip.to_string(), "one site announces it",
          fmt::format("{} other path{} in bgpd's table", entry->others - entry->lingering_others,
                      entry->others - entry->lingering_others == 1 ? "" : "s"),
          show_bgp(entry->prefix));
    }
  }

  void check_remote(const SegmentFacts& segment, const HostFact& host) {
    const IpPrefix* const subnet = segment.settings->subnet_of(host.ip);
    const BgpEntry* const claim = bgp_.longest(
        host.ip, [&](const BgpEntry& entry) { return entry.prefix.length() > subnet->length(); });
    if (claim != nullptr) return;  // ours would be a finding of its own
    add(FindingId::kUnclaimed, segment.name, host.ip.to_string(), "announced by the site where it is",
        "announced by nobody: its traffic follows the subnet", explain(host.ip));
  }

  /// Remote hosts that a summary of ours draws here.
  void check_covered_remotes() {
    for (const HostFact& host : snapshot_.hosts) {
      if (host.place() != Place::kRemote || host.in_transit) continue;
      const RibRoute* const ours =
          rib_.longest(host.ip, [](const RibRoute& route) { return route.selected; });
      if (ours == nullptr || ours->prefix.is_host() || is_lingering(*ours)) continue;
      if (ours->tag == marks_.external_tag()) continue;  // for the outside; most of its hosts are here
      const SegmentFacts& segment = snapshot_.segments[host.segment];
      if (segment.announces_subnet && *segment.settings->subnet_of(host.ip) == ours->prefix) continue;
      const BgpEntry* const claim =
          bgp_.longest(host.ip, [](const BgpEntry& entry) { return entry.others > 0; });
      if (claim != nullptr && claim->prefix.length() > ours->prefix.length()) continue;
      add(FindingId::kSummaryCoversRemote, segment.name, ours->prefix.to_string(),
          "no remote host without a longer claim of its own site",
          fmt::format("{} is remote", host.ip.to_string()), explain(host.ip));
    }
  }

  /// What bgpd announces as ours although zebra does not have it: left over from a zebra that was restarted alone.
  void check_ghosts() {
    boost::unordered_flat_set<IpPrefix> others;
    if (snapshot_.other_rib) others.insert(snapshot_.other_rib->begin(), snapshot_.other_rib->end());
    for (const BgpEntry& entry : *snapshot_.bgp) {
      if (!entry.own || rib_.find(entry.prefix) != nullptr || others.contains(entry.prefix)) continue;
      const SegmentFacts* const segment = segment_of(entry.prefix);
      if (segment == nullptr) continue;
      if (*segment->settings->subnet_of(entry.prefix.address()) == entry.prefix) continue;
      add(FindingId::kGhostRoute, segment->name, entry.prefix.to_string(), "bgpd announces what zebra has",
          "zebra does not have it", show_bgp(entry.prefix));
    }
  }

  void check_kernel() {
    boost::unordered_flat_set<IpPrefix> installed;
    for (const FibRoute& route : *snapshot_.fib) installed.insert(route.prefix);
    const boost::unordered_flat_set<IpPrefix> statics(snapshot_.other_statics.begin(),
                                                      snapshot_.other_statics.end());
    for (const RibRoute& route : *snapshot_.rib) {
      const SegmentFacts* const segment = segment_of(route.prefix);
      if (!route.selected || !route.installed || segment == nullptr || installed.contains(route.prefix))
        continue;
      add(FindingId::kKernelDisagrees, segment->name, route.prefix.to_string(),
          "in the kernel, as zebra believes", "not there",
          fmt::format("ip route show {}", route.prefix.to_string()));
    }
    for (const FibRoute& route : *snapshot_.fib) {
      if (rib_.find(route.prefix) != nullptr || (route.is_static && statics.contains(route.prefix))) continue;
      add(FindingId::kKernelDisagrees, snapshot_.segments[route.segment].name, route.prefix.to_string(),
          "zebra knows what it has put into the kernel", "in the kernel, and not in zebra's table",
          fmt::format("ip route show {}", route.prefix.to_string()));
    }
  }

  void check_place(const HostFact& host) {
    if (host.in_transit || host.agent == Place::kUnknown || host.kernel == Place::kUnknown) return;
    if (host.agent == host.kernel) return;
    add(FindingId::kPlaceDisagrees, snapshot_.segments[host.segment].name, host.ip.to_string(),
        fmt::format("{}, says the agent", to_string(host.agent)),
        fmt::format("{}, says the forwarding database for {}", to_string(host.kernel), host.mac.to_string()),
        explain(host.ip));
  }

  const Snapshot& snapshot_;
  bgp::RouteMarks marks_;
  std::vector<Finding>& findings_;
  PrefixIndex<HostFact> hosts_;
  std::vector<IpAddress> locals_;  ///< sorted
  PrefixIndex<RibRoute> rib_;
  PrefixIndex<BgpEntry> bgp_;
  bool redistributed_ = true;
};

void compare_groups(const Snapshot& snapshot, std::vector<Finding>& findings) {
  boost::unordered_flat_map<IpAddress, Place> places;
  for (const HostFact& host : snapshot.hosts) places[host.ip] = host.place();
  for (const Group& group : snapshot.groups) {
    std::vector<std::string> here;
    std::vector<std::string> elsewhere;
    for (const IpAddress& member : group.members) {
      const auto found = places.find(member);
      if (found == places.end() || found->second == Place::kUnknown) continue;
      (found->second == Place::kLocal ? here : elsewhere).push_back(member.to_string());
    }
    if (here.empty() || elsewhere.empty()) continue;
    findings.push_back(
        {FindingId::kGroupSplit, "", group.name, "all of it at one site",
         fmt::format("{} here, {} elsewhere", fmt::join(here, ", "), fmt::join(elsewhere, ", ")),
         fmt::format("untrombone explain {}", elsewhere.front())});
  }
}

}  // namespace

std::string_view to_string(Place place) {
  switch (place) {
    case Place::kUnknown: return "unknown";
    case Place::kLocal: return "local";
    case Place::kRemote: return "remote";
  }
  return "?";
}

std::vector<Finding> compare(const Snapshot& snapshot) {
  std::vector<Finding> findings;
  for (const auto& [source, why] : snapshot.missing) {
    findings.push_back({FindingId::kSourceMissing, "", source, "answers", why, "untrombone doctor"});
  }
  Comparison(snapshot, findings).run();
  compare_guard(snapshot, findings);
  compare_groups(snapshot, findings);
  std::sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.id, a.segment, a.subject, a.observed) <
           std::tie(b.id, b.segment, b.subject, b.observed);
  });
  return findings;
}

}  // namespace untrombone::audit
