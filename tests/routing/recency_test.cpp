// SPDX-License-Identifier: GPL-2.0-or-later
// Two sites that announce the same host: the newest claim wins, in the remote router and at the losing edge, with the
// configuration that frr-config prints. Another release than the machine's: UNTROMBONE_FRR_TREE (docs/testing.md).
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "bgp/zebra_clients.hpp"
#include "tests/routing/domain.hpp"

using namespace untrombone;
using namespace untrombone::routing;
using core::RouteClass;

namespace {

constexpr const char* kOwn = "br0";
constexpr const char* kRouted = "wan0";

// One host in one domain, through the whole life of two claims.
class Contest {
 public:
  Contest(Domain& domain, const char* prefix) : domain_(domain), prefix_(prefix) {}

  void announce(Site site, RouteClass route_class) { domain_.announcer(site).announce(prefix_, route_class); }
  void withdraw(Site site) { domain_.announcer(site).withdraw(prefix_); }
  bool remote_follows(Site site) { return domain_.reaches(prefix_, site); }
  bool edge_sends(Site site, const char* device) {
    return domain_.becomes([&] { return domain_.edge(site).route_device(prefix_) == device; });
  }
  bool gives_way(Site site) { return domain_.lost_to_better(site, prefix_); }
  // Which path does the edge's bgpd prefer: its own, or the other site's?
  bool edge_prefers(Site site, bool own) {
    return domain_.becomes([&] {
      const bool ipv6 = std::string(prefix_).find(':') != std::string::npos;
      const auto table = domain_.edge(site).json(
          fmt::format("show bgp {} unicast {} json", ipv6 ? "ipv6" : "ipv4", prefix_));
      for (const auto& path : table.value("paths", nlohmann::json::array())) {
        if (!path.contains("bestpath") || !path["bestpath"].value("overall", false)) continue;
        return (path.value("sourced", false) || path.value("local", false)) == own;
      }
      return false;
    });
  }

 private:
  Domain& domain_;
  const char* prefix_;
};

// Settled at A, then a move to B that A does not notice at once, and back.
void play(Contest& contest, bool bgp, bool lingering_gives_way) {
  contest.announce(Site::kA, RouteClass::kSettled);
  REQUIRE(contest.remote_follows(Site::kA));
  REQUIRE(contest.edge_sends(Site::kB, kRouted));

  contest.announce(Site::kB, RouteClass::kFresh);
  REQUIRE(contest.remote_follows(Site::kB));
  CHECK(contest.edge_sends(Site::kB, kOwn));
  // Until A notices anything itself its kernel keeps its own route, but its bgpd knows better.
  CHECK(contest.edge_sends(Site::kA, kOwn));
  if (bgp) CHECK(contest.edge_prefers(Site::kA, false));

  contest.announce(Site::kA, RouteClass::kLingering);
  if (lingering_gives_way) {
    CHECK(contest.gives_way(Site::kA));
    CHECK(contest.edge_sends(Site::kA, kRouted));
  }
  CHECK(contest.remote_follows(Site::kB));
  contest.withdraw(Site::kA);
  CHECK(contest.edge_sends(Site::kA, kRouted));
  CHECK(contest.remote_follows(Site::kB));

  contest.announce(Site::kB, RouteClass::kSettled);
  contest.announce(Site::kA, RouteClass::kFresh);
  REQUIRE(contest.remote_follows(Site::kA));
  CHECK(contest.edge_sends(Site::kA, kOwn));
  if (bgp) CHECK(contest.edge_prefers(Site::kB, false));
  contest.announce(Site::kB, RouteClass::kLingering);
  contest.withdraw(Site::kB);
  contest.announce(Site::kA, RouteClass::kSettled);
  CHECK(contest.edge_sends(Site::kB, kRouted));
  CHECK(contest.remote_follows(Site::kA));
  contest.withdraw(Site::kA);
  CHECK(contest.edge_sends(Site::kA, "-"));
}

// isisd takes `redistribute ipv6 table 201`, and zebra, which has the route, hands it nothing.
void check_isis_is_told_no_ipv6(Domain& domain) {
  Router& edge = domain.edge(Site::kA);
  domain.announcer(Site::kA).announce(kHost4, RouteClass::kSettled);
  domain.announcer(Site::kA).announce(kHost6, RouteClass::kSettled);
  REQUIRE(domain.reaches(kHost4, Site::kA));
  REQUIRE(domain.becomes([&] { return edge.route_device(kHost6) == kOwn; }));
  CHECK(edge.running_config().find("redistribute ipv6 table 201 level-2") != std::string::npos);
  const auto isisd = bgp::read_zebra_client(edge.vtysh("show zebra client"), "isis");
  REQUIRE(isisd);
  CHECK(isisd->redistributed4 > 0);
  CHECK(isisd->redistributed6 == 0);
}

// ospf6d of FRR 10.5 and later knows neither form.
void check_ospf6_takes_no_table(Domain& domain) {
  for (const char* table : {"table", "table 201", "table-direct 201"}) {
    CAPTURE(table);
    CHECK_FALSE(domain.edge(Site::kA).feed(fmt::format("router ospf6\n redistribute {}\n", table)).empty());
  }
}

}  // namespace

TEST_CASE("the newest claim wins by BGP inside one AS") {
  Domain domain(Layout::kOneAs);
  for (const char* host : {kHost4, kHost6}) {
    CAPTURE(host);
    Contest contest(domain, host);
    play(contest, true, true);
  }
}

TEST_CASE("the newest claim wins by BGP across ASes") {
  Domain domain(Layout::kAcrossAses);
  for (const char* host : {kHost4, kHost6}) {
    CAPTURE(host);
    Contest contest(domain, host);
    play(contest, true, true);
  }
}

TEST_CASE("the newest claim wins by OSPF and OSPFv3") {
  Domain domain(Layout::kOspf);
  Contest ipv4(domain, kHost4);
  play(ipv4, false, true);
  if (bgp::needs_table_number(domain.remote().version())) return check_ospf6_takes_no_table(domain);
  Contest ipv6(domain, kHost6);
  play(ipv6, false, true);
}

TEST_CASE("the newest claim wins by IS-IS") {
  Domain domain(Layout::kIsis);
  // isisd of 7.5 keeps a metric that changed to itself until something else changes its LSP.
  if (domain.remote().version() < bgp::FrrVersion{8, 0}) return;
  Contest ipv4(domain, kHost4);
  play(ipv4, false, true);
  if (bgp::isis_needs_table_number(domain.remote().version())) return check_isis_is_told_no_ipv6(domain);
  // isisd takes an IPv6 prefix that it announces itself for its own at any metric: the claim of the other site is used
  // at the old one when its own route is gone, which is at the end of `linger`.
  Contest ipv6(domain, kHost6);
  play(ipv6, false, false);
}
