// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/frr_config.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/golden.hpp"

namespace untrombone::bgp {
namespace {

using testing::golden_text;

/// An edge with both families in the default VRF.
FrrConfigRequest edge(RoutingProtocol protocol, FrrVersion version) {
  FrrConfigRequest request;
  request.protocol = protocol;
  request.version = version;
  request.vrfs = {{"", true, true}};
  request.isis_area = "CORE";
  return request;
}

std::string rendered(const FrrConfigRequest& request) {
  const FrrConfigResult text = render_frr_config(request);
  INFO((text.has_error() ? text.error().message : std::string()));
  REQUIRE(text.has_value());
  return *text;
}

std::string refusal(const FrrConfigRequest& request) {
  const FrrConfigResult text = render_frr_config(request);
  return text.has_error() ? text.error().message : "none";
}

bool has_line(const std::string& text, const std::string& line) {
  return text.find("\n" + line + "\n") != std::string::npos;
}

constexpr FrrVersion k75{7, 5};
constexpr FrrVersion k84{8, 4};
constexpr FrrVersion k90{9, 0};
constexpr FrrVersion k103{10, 3};
constexpr FrrVersion k107{10, 7};

}  // namespace

TEST_CASE("each protocol's configuration is what FRR was seen to take") {
  CHECK(rendered(edge(RoutingProtocol::kBgp, k84)) == golden_text("frr/bgp-8.4.conf"));
  CHECK(rendered(edge(RoutingProtocol::kBgp, k107)) == golden_text("frr/bgp-10.7.conf"));
  CHECK(rendered(edge(RoutingProtocol::kOspf, k84)) == golden_text("frr/ospf-8.4.conf"));
  CHECK(rendered(edge(RoutingProtocol::kOspf6, k84)) == golden_text("frr/ospf6-8.4.conf"));
  CHECK(rendered(edge(RoutingProtocol::kIsis, k84)) == golden_text("frr/isis-8.4.conf"));
}

TEST_CASE("blocks for the outside rank as settled and lingering, and lack what keeps routes inside") {
  FrrConfigRequest request = edge(RoutingProtocol::kBgp, k84);
  const std::string without = rendered(request);
  CHECK(without.find("4213") == std::string::npos);
  request.external = true;
  request.leak_guard = LeakGuard::kNoExport;
  const std::string text = rendered(request);
  CHECK(text.find("route-map UNTROMBONE permit 40\n match tag 4213\n set community 65000:4210 additive\n"
                  " set local-preference 100\n") != std::string::npos);
  CHECK(text.find("route-map UNTROMBONE permit 50\n match tag 4214\n set community 65000:4212 additive\n"
                  " set local-preference 1\n") != std::string::npos);
  request.protocol = RoutingProtocol::kOspf;
  CHECK(rendered(request).find("permit 50\n match tag 4214\n set metric 1000\n") != std::string::npos);
  request.protocol = RoutingProtocol::kIsis;
  CHECK(rendered(request).find("permit 40\n match tag 4213\n set metric 1000000\n") != std::string::npos);
}

TEST_CASE("a border and a receiver get their filter on the sessions that are named") {
  FrrConfigRequest request = edge(RoutingProtocol::kBgp, k84);
  request.asn = 65000;
  request.neighbors = {"192.0.2.1", "2001:db8::1"};
  request.role = FrrRole::kBorder;
  CHECK(rendered(request) == golden_text("frr/border-8.4.conf"));
  request.role = FrrRole::kReceiver;
  CHECK(rendered(request) == golden_text("frr/receiver-8.4.conf"));
  request.neighbors.clear();
  CHECK(rendered(request).find("router bgp") == std::string::npos);
}

TEST_CASE("from FRR 10.5 on tables are redistributed by their number, in bgpd's IPv6 family directly") {
  for (const FrrVersion version : {k75, k84, k90, k103, FrrVersion{10, 4}}) {
    const std::string bgp = rendered(edge(RoutingProtocol::kBgp, version));
    CHECK(has_line(bgp, "  redistribute table route-map UNTROMBONE"));
    CHECK(bgp.find("table 201") == std::string::npos);
    CHECK(has_line(rendered(edge(RoutingProtocol::kOspf, version)),
                   " redistribute table route-map UNTROMBONE-OSPF"));
  }
  for (const FrrVersion version : {FrrVersion{10, 5}, k107}) {
    const std::string bgp = rendered(edge(RoutingProtocol::kBgp, version));
    CHECK(has_line(bgp, "  redistribute table 201 route-map UNTROMBONE"));
    CHECK(has_line(bgp, "  redistribute table-direct 201 route-map UNTROMBONE"));
    CHECK(bgp.find("redistribute table route-map") == std::string::npos);
    CHECK(has_line(rendered(edge(RoutingProtocol::kOspf, version)),
                   " redistribute table 201 route-map UNTROMBONE-OSPF"));
  }
}

TEST_CASE("isisd of FRR 9.1 and later knows tables by their number only, and then the routes must have it") {
  FrrConfigRequest request = edge(RoutingProtocol::kIsis, k103);
  CHECK(refusal(request) ==
        "isisd of FRR 10.3 redistributes a table by its number only; expected \"isis\" in routes.protocols, "
        "so that "
        "the agent gives its routes the number");
  request.with_instance = true;
  CHECK(has_line(rendered(request), " redistribute ipv4 table 201 level-2 route-map UNTROMBONE-ISIS"));
  CHECK(has_line(rendered(request), " redistribute ipv6 table 201 level-2 route-map UNTROMBONE-ISIS"));
  CHECK(has_line(rendered(edge(RoutingProtocol::kIsis, k107)),
                 " redistribute ipv6 table 201 level-2 route-map UNTROMBONE-ISIS"));
  CHECK(has_line(rendered(edge(RoutingProtocol::kIsis, k90)),
                 " redistribute ipv6 table level-2 route-map UNTROMBONE-ISIS"));
}

TEST_CASE("what a release cannot redistribute is refused with the way out") {
  CHECK(
      refusal(edge(RoutingProtocol::kOspf6, k107)) ==
      "ospf6d of FRR 10.7 redistributes no table by number, and 10.5 dropped the plain one; expected sink = "
      "\"vtysh\"");
  FrrConfigRequest numbered = edge(RoutingProtocol::kBgp, FrrVersion{10, 0});
  numbered.with_instance = true;
  CHECK(refusal(numbered) ==
        "bgpd of FRR 10.0 cannot redistribute table 201 for IPv6; expected FRR 10.1 or later, or sink = "
        "\"vtysh\"");
  numbered.vrfs = {{"", true, false}};
  CHECK(has_line(rendered(numbered), "  redistribute table 201 route-map UNTROMBONE"));
  FrrConfigRequest isis = edge(RoutingProtocol::kIsis, k84);
  isis.isis_area.clear();
  CHECK(refusal(isis) == "`router isis` needs its area tag; expected --isis-area TAG");
  FrrConfigRequest border = edge(RoutingProtocol::kOspf, k84);
  border.role = FrrRole::kBorder;
  CHECK(refusal(border).find("expected --protocol bgp") != std::string::npos);
  FrrConfigRequest v4_only = edge(RoutingProtocol::kOspf6, k84);
  v4_only.vrfs = {{"", true, false}};
  CHECK(refusal(v4_only) == "no segment has an IPv6 subnet; expected --protocol ospf");
}

TEST_CASE("routes of staticd are redistributed as such in every release") {
  for (const FrrVersion version : {k75, k107}) {
    for (const RoutingProtocol protocol :
         {RoutingProtocol::kBgp, RoutingProtocol::kOspf, RoutingProtocol::kOspf6, RoutingProtocol::kIsis}) {
      FrrConfigRequest request = edge(protocol, version);
      request.origin = RouteOrigin::kStatic;
      const std::string text = rendered(request);
      CHECK(text.find("static") != std::string::npos);
      CHECK(text.find("table") == std::string::npos);
    }
  }
}

TEST_CASE("only the leak guard no-export keeps routes inside one AS") {
  FrrConfigRequest request = edge(RoutingProtocol::kBgp, k84);
  CHECK(rendered(request).find("no-export") == std::string::npos);
  request.leak_guard = LeakGuard::kNoExport;
  const std::string text = rendered(request);
  CHECK(has_line(text, " set community 65000:4211 65000:4219 no-export additive"));
  CHECK(has_line(text, " set community 65000:4210 65000:4219 no-export additive"));
  CHECK(has_line(text, " set community 65000:4212 65000:4219 no-export additive"));
}

TEST_CASE("where bgpd compares distances, ours is that of what it hears, and the class decides") {
  FrrConfigRequest request = edge(RoutingProtocol::kBgp, FrrVersion{10, 5});
  CHECK(rendered(request).find("set distance") == std::string::npos);
  request.version = FrrVersion{10, 6};
  CHECK(has_line(rendered(request), " set distance 20"));
  CHECK_FALSE(has_line(rendered(request), " set distance 200"));
  request.ibgp = true;
  CHECK(has_line(rendered(request), " set distance 200"));
  CHECK_FALSE(has_line(rendered(request), " set distance 20"));
}

TEST_CASE("each VRF has its instance, with the families that its segments have") {
  FrrConfigRequest request = edge(RoutingProtocol::kBgp, k84);
  request.vrfs = {{"", true, false}, {"tenant1", false, true}};
  CHECK(refusal(request) == "`router bgp` of VRF tenant1 needs the AS number; expected --asn");
  request.asn = 65001;
  const std::string text = rendered(request);
  CHECK(
      has_line(text,
               "router bgp 65001\n address-family ipv4 unicast\n  redistribute table route-map UNTROMBONE\n "
               "exit-address-family\nexit\nrouter bgp 65001 vrf tenant1\n address-family ipv6 unicast\n  "
               "redistribute table route-map UNTROMBONE\n exit-address-family\nexit"));
  request.protocol = RoutingProtocol::kOspf;
  CHECK(rendered(request).find("vrf tenant1") == std::string::npos);
  request.protocol = RoutingProtocol::kIsis;
  CHECK(has_line(rendered(request), "router isis CORE vrf tenant1"));
}

TEST_CASE("the tag and the community's AS are those of the configuration") {
  FrrConfigRequest request = edge(RoutingProtocol::kBgp, k84);
  request.marks = {100, 64512};
  const std::string text = rendered(request);
  CHECK(has_line(text,
                 " match tag 101\n set community 64512:101 64512:109 additive\n set local-preference 200"));
  CHECK(has_line(text,
                 " match tag 100\n set community 64512:100 64512:109 additive\n set local-preference 100"));
  CHECK(
      has_line(text, " match tag 102\n set community 64512:102 64512:109 additive\n set local-preference 1"));
  CHECK(text.find("4210") == std::string::npos);
}

TEST_CASE("releases are compared by number and read from what FRR says of itself") {
  CHECK(FrrVersion::parse("8.4") == k84);
  CHECK(FrrVersion::parse("10.7.1-1") == k107);
  CHECK(k90 < k103);
  CHECK(k103.to_string() == "10.3");
  for (const char* wrong : {"", "8", "8.", ".4", "x.4", "8.x", "99999.1"})
    CHECK_FALSE(FrrVersion::parse(wrong));
  CHECK(FrrVersion::from_show_version("FRRouting 8.4.4 (edge) on Linux(6.1.0).\n") == k84);
  CHECK_FALSE(FrrVersion::from_show_version("Quagga 1.2.4"));
}

}  // namespace untrombone::bgp
