// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/frr_config.hpp"

#include <fmt/format.h>

#include "tests/lab/topology.hpp"

namespace untrombone::lab {
namespace {

constexpr int kWanAs = 65000;

int as_of(Site site) { return site == Site::kA ? 65001 : 65002; }

const char* name_of(Node router) {
  switch (router) {
    case Node::kSiteA: return "site-a";
    case Node::kSiteB: return "site-b";
    default: return "wan";
  }
}

// Policies come first in each file: a route-map that appears after its use is applied only 5 s later.

// What both sides of every session apply to what they receive.
constexpr const char* kFromSites = R"(bgp community-list standard FRESH permit 65000:4211
bgp community-list standard LINGER permit 65000:4212
route-map FROM-SITES permit 10
 match community FRESH
 set local-preference 200
route-map FROM-SITES permit 20
 match community LINGER
 set local-preference 1
route-map FROM-SITES permit 30
)";

constexpr const char* kUntromboneBgp = R"(route-map UNTROMBONE permit 10
 match {} {}
 set weight 0
 set local-preference 200
 set community 65000:4211 65000:4219 additive
route-map UNTROMBONE permit 20
 match {} {}
 set weight 0
 set local-preference 100
 set community 65000:4210 65000:4219 additive
route-map UNTROMBONE permit 30
 match {} {}
 set weight 0
 set local-preference 1
 set community 65000:4212 65000:4219 additive
)";

// A route's class is its tag, and in a kernel table, which has no tags, its metric.
std::string untrombone_bgp(Sink sink) {
  return sink == Sink::kKernelTable
             ? fmt::format(kUntromboneBgp, "metric", 999, "metric", 1000, "metric", 2000)
             : fmt::format(kUntromboneBgp, "tag", 4211, "tag", 4210, "tag", 4212);
}

// zebra has followed a whole kernel table without importing it, for both families, since 10.1; its import forgets to
// remove (10.7).
constexpr int kTableDirect = 1001;
constexpr int kOspfTableDirect = 1005;
constexpr int kOnlyNumberedTables = 1005;

std::string ospf_origin(const FrrSetup& setup) {
  switch (setup.sink) {
    case Sink::kZapi: return setup.version < kOnlyNumberedTables ? "table" : "table 201";
    case Sink::kKernelTable: return setup.version >= kOspfTableDirect ? "table-direct 201" : "table 201";
    case Sink::kVtysh: return "static";
  }
  return {};
}

constexpr const char* kUntromboneOspf = R"(route-map UNTROMBONE-OSPF permit 10
 match tag 4211
 set metric 10
route-map UNTROMBONE-OSPF permit 20
 match tag 4210
 set metric 20
route-map UNTROMBONE-OSPF permit 30
 match tag 4212
 set metric 1000
)";

// Quick to come up. None of it touches the 2 x 50 ms that bgpd holds every update.
constexpr const char* kBgpSpeed = R"( coalesce-time 0
)";

// The same for ospfd, and for a host that moves again within the 5 s that an LSA otherwise waits.
constexpr const char* kOspfSpeed = R"( timers throttle lsa all 100
 timers lsa min-arrival 50
)";

// Only the sites connect: two ends that try once a second, in step, refuse each other's connections for minutes.
enum class Opening { kActive, kPassive };

std::string neighbor(const std::string& address, int as, Opening opening) {
  return fmt::format(
      " neighbor {0} remote-as {1}\n"
      " neighbor {0} timers 1 3\n"
      " neighbor {0} timers connect 1\n"
      " neighbor {0} advertisement-interval 0\n"
      "{2}",
      address, as, opening == Opening::kPassive ? fmt::format(" neighbor {} passive\n", address) : "");
}

// IPv6 unicast over the same IPv4 sessions; its next hops are the addresses of the uplink.
std::string site_ipv6_family(const std::string& wan, const FrrSetup& setup) {
  return fmt::format(
      " address-family ipv6 unicast\n"
      "  network {0} route-map SUBNET\n"
      "  redistribute {2} route-map UNTROMBONE\n"
      "  neighbor {1} activate\n"
      "  neighbor {1} route-map FROM-SITES in\n"
      " exit-address-family\n",
      kSubnet6, wan, bgp_origin(setup, true));
}

std::string wan_ipv6_family() {
  std::string family = fmt::format(" address-family ipv6 unicast\n  network {}\n", kClientSubnet6);
  for (const Site site : {Site::kA, Site::kB}) {
    family += fmt::format(
        "  neighbor {0} activate\n  neighbor {0} default-originate\n  neighbor {0} route-map FROM-SITES in\n",
        uplink_address(site));
  }
  return family + " exit-address-family\n";
}

std::string site_bgpd_config(Site site, const FrrSetup& setup) {
  const std::string wan = wan_address(site);
  const std::string prepend =
      site == Site::kA ? "" : fmt::format(" set as-path prepend {0} {0}\n", as_of(site));
  return fmt::format(
      "route-map SUBNET permit 10\n{prepend}{untrombone}{from_sites}"
      "router bgp {as}\n{speed}"
      " bgp router-id {id}\n"
      " no bgp ebgp-requires-policy\n"
      "{neighbor}"
      " address-family ipv4 unicast\n"
      "  network {subnet} route-map SUBNET\n"
      "  redistribute {origin} route-map UNTROMBONE\n"
      "  neighbor {wan} route-map FROM-SITES in\n"
      " exit-address-family\n"
      "{ipv6}"
      "exit\n",
      fmt::arg("speed", kBgpSpeed), fmt::arg("as", as_of(site)), fmt::arg("id", uplink_address(site)),
      fmt::arg("neighbor", neighbor(wan, kWanAs, Opening::kActive)), fmt::arg("subnet", kSubnet),
      fmt::arg("wan", wan), fmt::arg("prepend", prepend), fmt::arg("untrombone", untrombone_bgp(setup.sink)),
      fmt::arg("origin", bgp_origin(setup, false)), fmt::arg("from_sites", kFromSites),
      fmt::arg("ipv6", setup.ipv6 ? site_ipv6_family(wan, setup) : ""));
}

std::string wan_bgpd_config(bool ipv6) {
  std::string neighbors;
  std::string policies;
  for (const Site site : {Site::kA, Site::kB}) {
    neighbors += neighbor(uplink_address(site), as_of(site), Opening::kPassive);
    policies += fmt::format("  neighbor {0} default-originate\n  neighbor {0} route-map FROM-SITES in\n",
                            uplink_address(site));
  }
  return fmt::format(
      "{}router bgp {}\n{}"
      " bgp router-id 192.0.2.254\n"
      " no bgp ebgp-requires-policy\n"
      "{}"
      " address-family ipv4 unicast\n"
      "  network {}\n"
      "{}"
      " exit-address-family\n"
      "{}"
      "exit\n",
      kFromSites, kWanAs, kBgpSpeed, neighbors, kClientSubnet, policies, ipv6 ? wan_ipv6_family() : "");
}

std::string ospf_interface(const std::string& ifname) {
  return fmt::format(
      "interface {}\n"
      " ip ospf area 0\n"
      " ip ospf network point-to-point\n"
      " ip ospf hello-interval 1\n"
      " ip ospf dead-interval 4\n"
      " ip ospf retransmit-interval 1\n"
      "exit\n",
      ifname);
}

std::string site_ospfd_config(Site site, const FrrSetup& setup) {
  return fmt::format(
      "ip prefix-list SUBNET permit {}\n"
      "route-map SUBNET permit 10\n"
      " match ip address prefix-list SUBNET\n"
      " set metric {}\n"
      "{}{}"
      "router ospf\n{}"
      " ospf router-id {}\n"
      " redistribute connected route-map SUBNET\n"
      " redistribute {}{}\n"
      "exit\n",
      kSubnet, site == Site::kA ? 100 : 200, kUntromboneOspf, ospf_interface(kUplink), kOspfSpeed,
      uplink_address(site), ospf_origin(setup),
      setup.sink == Sink::kKernelTable ? "" : " route-map UNTROMBONE-OSPF");
}

std::string wan_ospfd_config() {
  return fmt::format(
      "{}{}"
      "interface client0\n"
      " ip ospf area 0\n"
      " ip ospf passive\n"
      "exit\n"
      "router ospf\n{}"
      " ospf router-id 192.0.2.254\n"
      " default-information originate always\n"
      "exit\n",
      ospf_interface(wan_port(Site::kA)), ospf_interface(wan_port(Site::kB)), kOspfSpeed);
}

}  // namespace

std::string bgp_origin(const FrrSetup& setup, bool ipv6) {
  switch (setup.sink) {
    case Sink::kZapi: break;
    case Sink::kKernelTable: return setup.version >= kTableDirect ? "table-direct 201" : "table 201";
    case Sink::kVtysh: return "static";
  }
  if (setup.version < kOnlyNumberedTables) {
    return "table";
  }
  return ipv6 ? "table-direct 201" : "table 201";
}

std::string zebra_config(Node router, const FrrSetup& setup) {
  const bool imports =
      router != Node::kWan && setup.sink == Sink::kKernelTable && setup.version < kOspfTableDirect;
  return fmt::format("hostname {}\nlog timestamp precision 6\n{}", name_of(router),
                     imports ? "ip import-table 201 distance 5\n" : "");
}

std::string bgpd_config(Node router, const FrrSetup& setup) {
  const std::string body = router == Node::kWan
                               ? wan_bgpd_config(setup.ipv6)
                               : site_bgpd_config(router == Node::kSiteA ? Site::kA : Site::kB, setup);
  return fmt::format("hostname {}\n{}", name_of(router), body);
}

std::string ospfd_config(Node router, const FrrSetup& setup) {
  const std::string body = router == Node::kWan
                               ? wan_ospfd_config()
                               : site_ospfd_config(router == Node::kSiteA ? Site::kA : Site::kB, setup);
  return fmt::format("hostname {}\n{}", name_of(router), body);
}

}  // namespace untrombone::lab
