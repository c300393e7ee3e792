// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/frr_config.hpp"

#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace untrombone::bgp {
namespace {

/// How one class of route is ranked, by protocol. BGP prefers the higher, the IGPs the lower. OSPF compares the metric
/// of type 2 externals before anything else; IS-IS adds the path's cost to it, so its steps are longer than any path.
struct ClassRank {
  std::uint32_t tag;
  std::string communities;
  unsigned local_preference;
  unsigned ospf_metric;
  unsigned isis_metric;
};

/// Of the best rank first; blocks for the outside rank as routes of the inside, and only lack what keeps these inside.
std::vector<ClassRank> class_ranks(const FrrConfigRequest& request) {
  const RouteMarks& marks = request.marks;
  const std::string inside =
      marks.marker() + (request.leak_guard == LeakGuard::kNoExport ? " no-export" : "");
  std::vector<ClassRank> ranks{
      {marks.fresh_tag(), fmt::format("{} {}", marks.fresh(), inside), 200, 10, 10},
      {marks.settled_tag(), fmt::format("{} {}", marks.settled(), inside), 100, 20, 1'000'000},
      {marks.lingering_tag(), fmt::format("{} {}", marks.lingering(), inside), 1, 1000, 10'000'000}};
  if (!request.external) return ranks;
  for (const auto& [like, tag, community] :
       {std::tuple(std::size_t{1}, marks.external_tag(), marks.settled()),
        std::tuple(std::size_t{2}, marks.reserve_tag(), marks.lingering())}) {
    ClassRank rank = ranks[like];
    rank.tag = tag;
    rank.communities = community;
    ranks.push_back(std::move(rank));
  }
  return ranks;
}

constexpr unsigned kSequenceStep = 10;
// bgpd's own for what it hears. Ours is made equal to it where distances are compared, so that the class decides.
constexpr unsigned kEbgpDistance = 20;
constexpr unsigned kIbgpDistance = 200;

std::string community_list(std::string_view name, std::string_view community) {
  return fmt::format("bgp community-list standard {} seq 5 permit {}\n", name, community);
}

std::string bgp_map(const FrrConfigRequest& request) {
  const std::string distance =
      bgpd_compares_distances(request.version)
          ? fmt::format(" set distance {}\n", request.ibgp ? kIbgpDistance : kEbgpDistance)
          : std::string();
  std::string text;
  unsigned sequence = kSequenceStep;
  for (const ClassRank& rank : class_ranks(request)) {
    text += fmt::format(
        "route-map {} permit {}\n"
        " match tag {}\n"
        " set community {} additive\n"
        "{}"
        " set local-preference {}\n"
        " set weight 0\n"
        "exit\n",
        kBgpMap, sequence, rank.tag, rank.communities, distance, rank.local_preference);
    sequence += kSequenceStep;
  }
  return text;
}

std::string metric_map(std::string_view name, const FrrConfigRequest& request, unsigned ClassRank::*metric) {
  std::string text;
  unsigned sequence = kSequenceStep;
  for (const ClassRank& rank : class_ranks(request)) {
    text += fmt::format("route-map {} permit {}\n match tag {}\n set metric {}\nexit\n", name, sequence,
                        rank.tag, rank.*metric);
    sequence += kSequenceStep;
  }
  return text;
}

std::string receiver_policy(const RouteMarks& marks) {
  return fmt::format(
      "{}{}"
      "route-map {} permit 10\n match community {}\n set local-preference 200\nexit\n"
      "route-map {} permit 20\n match community {}\n set local-preference 1\nexit\n"
      "route-map {} permit 30\nexit\n",
      community_list(kFreshList, marks.fresh()), community_list(kLingeringList, marks.lingering()),
      kReceiverMap, kFreshList, kReceiverMap, kLingeringList, kReceiverMap);
}

std::string border_policy(const RouteMarks& marks) {
  return fmt::format(
      "{}"
      "route-map {} deny 10\n match community {}\nexit\n"
      "route-map {} permit 20\nexit\n",
      community_list(kHostsList, marks.marker()), kBorderMap, kHostsList, kBorderMap);
}

/// The configuration of one request; the first thing that FRR cannot do ends it.
class Renderer {
 public:
  explicit Renderer(const FrrConfigRequest& request) : request_(request) {}

  FrrConfigResult render() {
    if (request_.protocol != RoutingProtocol::kBgp && request_.role != FrrRole::kEdge) {
      return FrrConfigError{
          std::in_place,
          fmt::format(
              "{} has no receivers or borders to configure: metrics order the claims everywhere, and what "
              "leaves the domain leaves by BGP; expected --protocol bgp",
              to_string(request_.protocol))};
    }
    if (request_.origin == RouteOrigin::kKernelTable && request_.role == FrrRole::kEdge) {
      return FrrConfigError{
          std::in_place,
          "a kernel table carries the class by its metric, which only the example in docs/frr.md "
          "matches; expected sink = \"zapi\" or \"vtysh\""};
    }
    add_header();
    switch (request_.protocol) {
      case RoutingProtocol::kBgp: add_bgp(); break;
      case RoutingProtocol::kOspf: add_ospf(); break;
      case RoutingProtocol::kOspf6: add_ospf6(); break;
      case RoutingProtocol::kIsis: add_isis(); break;
    }
    if (!error_.empty()) return FrrConfigError{std::in_place, error_};
    return text_;
  }

  FrrConfigResult source_of(bool ipv6) {
    std::string text = source();
    if (request_.protocol == RoutingProtocol::kBgp && ipv6) text = bgp_ipv6_source();
    if (request_.protocol == RoutingProtocol::kOspf6) text = ospf6_source();
    if (request_.protocol == RoutingProtocol::kIsis) text = isis_source();
    if (!error_.empty()) return FrrConfigError{std::in_place, error_};
    return text;
  }

 private:
  void fail(std::string why) {
    if (error_.empty()) error_ = std::move(why);
  }

  void add_header() {
    text_ += fmt::format("! untrombone: {} for FRR {}\n", describe_role(), request_.version.to_string());
    text_ += "! Feed it to a terminal after `configure terminal`; twice does no harm.\n";
  }

  [[nodiscard]] std::string describe_role() const {
    if (request_.protocol == RoutingProtocol::kBgp) {
      switch (request_.role) {
        case FrrRole::kEdge: return "BGP on a site edge";
        case FrrRole::kReceiver: return "BGP on a router that hears the sites across an AS border";
        case FrrRole::kBorder: return "BGP on a border router of the domain";
      }
    }
    return fmt::format("{} on a site edge", to_string(request_.protocol));
  }

  [[nodiscard]] bool is_static() const { return request_.origin == RouteOrigin::kStatic; }
  [[nodiscard]] bool has_number() const {
    return request_.origin == RouteOrigin::kKernelTable || request_.with_instance ||
           needs_table_number(request_.version);
  }

  /// What follows `redistribute` in the daemons that know plain and numbered tables.
  [[nodiscard]] std::string source() const {
    if (is_static()) return "static";
    return has_number() ? fmt::format("table {}", request_.table) : "table";
  }

  /// bgpd's IPv6 family knows no numbered table; `table-direct` is there since 10.1.
  std::string bgp_ipv6_source() {
    if (is_static() || !has_number()) return source();
    if (request_.version < FrrVersion{10, 1}) {
      fail(
          fmt::format("bgpd of FRR {} cannot redistribute table {} for IPv6; expected FRR 10.1 or later, or "
                      "sink = \"vtysh\"",
                      request_.version.to_string(), request_.table));
    }
    return fmt::format("table-direct {}", request_.table);
  }

  std::string ospf6_source() {
    if (is_static() || !has_number()) return source();
    fail(fmt::format("ospf6d of FRR {} redistributes no table by number{}; expected sink = \"vtysh\"",
                     request_.version.to_string(),
                     needs_table_number(request_.version) ? ", and 10.5 dropped the plain one" : ""));
    return {};
  }

  std::string isis_source() {
    if (is_static() || !isis_needs_table_number(request_.version)) return source();
    if (!has_number()) {
      fail(
          fmt::format("isisd of FRR {} redistributes a table by its number only; expected \"isis\" in "
                      "routes.protocols, so that the agent gives its routes the number",
                      request_.version.to_string()));
    }
    return fmt::format("table {}", request_.table);
  }

  void add_bgp() {
    switch (request_.role) {
      case FrrRole::kEdge: text_ += bgp_map(request_) + receiver_policy(request_.marks); break;
      case FrrRole::kReceiver: text_ += receiver_policy(request_.marks); break;
      case FrrRole::kBorder: text_ += border_policy(request_.marks); break;
    }
    add_session_advice();
    for (const FrrVrf& vrf : request_.vrfs) add_bgp_instance(vrf);
  }

  void add_session_advice() {
    if (!request_.neighbors.empty()) return;
    if (request_.role == FrrRole::kBorder) {
      text_ += fmt::format("! On every session that leaves the domain: neighbor ADDRESS route-map {} out\n",
                           kBorderMap);
    } else {
      text_ +=
          fmt::format("! On every session with another AS of the domain: neighbor ADDRESS route-map {} in\n",
                      kReceiverMap);
    }
  }

  void add_bgp_instance(const FrrVrf& vrf) {
    if (request_.role != FrrRole::kEdge && request_.neighbors.empty()) return;
    if (!vrf.name.empty() && !request_.asn) {
      return fail(fmt::format("`router bgp` of VRF {} needs the AS number; expected --asn", vrf.name));
    }
    text_ += "router bgp";
    if (request_.asn) text_ += fmt::format(" {}", *request_.asn);
    if (!vrf.name.empty()) text_ += fmt::format(" vrf {}", vrf.name);
    text_ += '\n';
    if (vrf.ipv4) add_bgp_family("ipv4", source());
    if (vrf.ipv6) add_bgp_family("ipv6", bgp_ipv6_source());
    text_ += "exit\n";
  }

  void add_bgp_family(std::string_view family, const std::string& source) {
    text_ += fmt::format(" address-family {} unicast\n", family);
    if (request_.role == FrrRole::kEdge) {
      text_ += fmt::format("  redistribute {} route-map {}\n", source, kBgpMap);
    }
    for (const std::string& neighbor : request_.neighbors) {
      const bool border = request_.role == FrrRole::kBorder;
      text_ += fmt::format("  neighbor {} route-map {}\n", neighbor,
                           border ? fmt::format("{} out", kBorderMap) : fmt::format("{} in", kReceiverMap));
    }
    text_ += " exit-address-family\n";
  }

  void add_ospf() {
    text_ += metric_map(kOspfMap, request_, &ClassRank::ospf_metric);
    text_ +=
        "! `timers lsa min-arrival 50` on every router of the area: a host that moves again is not held "
        "up.\n";
    for (const FrrVrf& vrf : request_.vrfs) {
      if (!vrf.ipv4) continue;
      text_ += fmt::format("router ospf{}\n", in_vrf(vrf));
      text_ += fmt::format(" redistribute {} route-map {}\n", source(), kOspfMap);
      text_ += " timers throttle lsa all 100\n timers lsa min-arrival 50\nexit\n";
    }
    require_family(&FrrVrf::ipv4, "IPv4", "ospf6");
  }

  void add_ospf6() {
    text_ += metric_map(kOspfMap, request_, &ClassRank::ospf_metric);
    text_ +=
        "! `timers lsa min-arrival 50` on every router of the area: a host that moves again is not held "
        "up.\n";
    for (const FrrVrf& vrf : request_.vrfs) {
      if (!vrf.ipv6) continue;
      text_ += fmt::format("router ospf6{}\n", in_vrf(vrf));
      text_ += fmt::format(" redistribute {} route-map {}\n", ospf6_source(), kOspfMap);
      text_ += " timers lsa min-arrival 50\nexit\n";
    }
    require_family(&FrrVrf::ipv6, "IPv6", "ospf");
  }

  void add_isis() {
    if (request_.isis_area.empty()) {
      return fail("`router isis` needs its area tag; expected --isis-area TAG");
    }
    text_ += metric_map(kIsisMap, request_, &ClassRank::isis_metric);
    text_ += "! Needs wide metrics, which are FRR's default: a narrow one ends at 63.\n";
    text_ +=
        "! `spf-interval 1` on every router of the level; FRR's defaults take up to 26 seconds for a move.\n";
    for (const FrrVrf& vrf : request_.vrfs) {
      text_ += fmt::format("router isis {}{}\n", request_.isis_area, in_vrf(vrf));
      for (const auto& [wanted, family] : {std::pair(vrf.ipv4, "ipv4"), std::pair(vrf.ipv6, "ipv6")}) {
        if (!wanted) continue;
        text_ += fmt::format(" redistribute {} {} level-2 route-map {}\n", family, isis_source(), kIsisMap);
      }
      text_ += " lsp-gen-interval 1\n spf-interval 1\nexit\n";
    }
  }

  void require_family(bool FrrVrf::*family, std::string_view name, std::string_view other) {
    for (const FrrVrf& vrf : request_.vrfs) {
      if (vrf.*family) return;
    }
    fail(fmt::format("no segment has an {} subnet; expected --protocol {}", name, other));
  }

  static std::string in_vrf(const FrrVrf& vrf) {
    return vrf.name.empty() ? std::string() : fmt::format(" vrf {}", vrf.name);
  }

  const FrrConfigRequest& request_;
  std::string text_;
  std::string error_;
};

}  // namespace

FrrConfigResult redistribution_source(const FrrConfigRequest& request, bool ipv6) {
  return Renderer(request).source_of(ipv6);
}

FrrConfigResult render_frr_config(const FrrConfigRequest& request) { return Renderer(request).render(); }

}  // namespace untrombone::bgp
