// SPDX-License-Identifier: GPL-2.0-or-later
// An ISP behind the router that talks to it: no host route leaves the domain, by the border filter or by no-export.
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/routing/domain.hpp"

using namespace untrombone;
using namespace untrombone::routing;

namespace {

constexpr int kIspAs = 64496;
constexpr const char* kBlock4 = "10.1.0.0/16";
constexpr const char* kBlock6 = "2001:db8:1::/64";

// AS 64496 behind R, which announces the site's blocks to it and whatever else it is not kept from.
class Isp {
 public:
  explicit Isp(Domain& domain)
      : domain_(domain), router_(domain.add_netns("isp"), domain.directory("isp"), {"bgpd"}) {
    domain.remote().netns().ip(fmt::format(
        "link add to-isp type veth peer name up0 netns {}\naddress add 203.0.113.1/30 dev to-isp\n"
        "address add 2001:db8:e::1/64 dev to-isp nodad\nlink set to-isp up\n",
        router_.netns().name()));
    router_.netns().ip(
        "address add 203.0.113.2/30 dev up0\naddress add 2001:db8:e::2/64 dev up0 nodad\nlink set up0 up\n");
    router_.start();
    router_.load(session(kIspAs, "203.0.113.1", "2001:db8:e::1", 65000) + "exit\n");
    // No `exit`: what follows belongs to the same router.
    domain.remote().load(
        session(65000, "203.0.113.2", "2001:db8:e::2", kIspAs) +
        fmt::format(" no bgp network import-check\n address-family ipv4 unicast\n  network {}\n"
                    " exit-address-family\n address-family ipv6 unicast\n  network {}\n"
                    " exit-address-family\nexit\n",
                    kBlock4, kBlock6));
  }

  bool becomes_reachable(const char* prefix) {
    if (domain_.becomes([&] { return router_.route_device(prefix) == "up0"; })) return true;
    const std::string family = std::string_view(prefix).find(':') == std::string_view::npos ? "ipv4" : "ipv6";
    for (const std::string& question :
         {fmt::format("show bgp {} unicast", family), fmt::format("show bgp {} unicast {}", family, prefix),
          std::string("show bgp nexthop"), std::string("show bgp neighbors")}) {
      UNSCOPED_INFO("the ISP: " << question << "\n" << router_.vtysh(question));
    }
    return false;
  }
  bool becomes_unreachable(const char* prefix) {
    return domain_.becomes([&] { return router_.route_device(prefix) == "-"; });
  }
  bool knows(const char* prefix) const { return router_.route_device(prefix) != "-"; }

 private:
  // Only the ISP connects, as in the domain only the edges do.
  static std::string session(int as, const char* peer4, const char* peer6, int peer_as) {
    const std::string passive =
        peer_as == kIspAs ? fmt::format(" neighbor {} passive\n neighbor {} passive\n", peer4, peer6) : "";
    return fmt::format(
        "router bgp {0}\n no bgp ebgp-requires-policy\n neighbor {1} remote-as {3}\n neighbor {1} timers "
        "connect 1\n"
        " neighbor {2} remote-as {3}\n neighbor {2} timers connect 1\n{4} address-family ipv4 unicast\n"
        "  no neighbor {2} activate\n exit-address-family\n address-family ipv6 unicast\n"
        "  neighbor {2} activate\n exit-address-family\n",
        as, peer4, peer6, peer_as, passive);
  }

  Domain& domain_;
  Router router_;
};

void announce_hosts(Domain& domain) {
  for (const char* host : {kHost4, kHost6}) {
    domain.announcer(Site::kA).announce(host, core::RouteClass::kSettled);
    REQUIRE(domain.reaches(host, Site::kA));
  }
}

}  // namespace

TEST_CASE("the border filter keeps every host route from the ISP, and nothing else") {
  Domain domain(Layout::kAcrossAses);
  Isp isp(domain);
  announce_hosts(domain);
  // Without the filter they do leave.
  REQUIRE(isp.becomes_reachable(kHost4));
  REQUIRE(isp.becomes_reachable(kHost6));

  bgp::FrrConfigRequest border = domain.request(bgp::RoutingProtocol::kBgp);
  border.role = bgp::FrrRole::kBorder;
  border.neighbors = {"203.0.113.2", "2001:db8:e::2"};
  REQUIRE(domain.remote().feed(rendered(border)).empty());
  CHECK(isp.becomes_unreachable(kHost4));
  CHECK(isp.becomes_unreachable(kHost6));
  // A move changes the class, not that.
  domain.announcer(Site::kB).announce(kHost4, core::RouteClass::kFresh);
  REQUIRE(domain.reaches(kHost4, Site::kB));
  CHECK(isp.becomes_reachable(kBlock4));
  CHECK(isp.becomes_reachable(kBlock6));
  CHECK_FALSE(isp.knows(kHost4));
  CHECK_FALSE(isp.knows(kHost6));
}

TEST_CASE("inside one AS no-export keeps every host route from the ISP without a filter") {
  Domain domain(Layout::kOneAs, bgp::LeakGuard::kNoExport);
  Isp isp(domain);
  announce_hosts(domain);
  // What is announced after them has arrived, so they would have, too.
  domain.remote().load("router bgp 65000\n address-family ipv4 unicast\n  network 198.51.100.0/24\nexit\n");
  REQUIRE(isp.becomes_reachable("198.51.100.0/24"));
  CHECK(isp.becomes_reachable(kBlock4));
  CHECK(isp.becomes_reachable(kBlock6));
  CHECK_FALSE(isp.knows(kHost4));
  CHECK_FALSE(isp.knows(kHost6));
}
