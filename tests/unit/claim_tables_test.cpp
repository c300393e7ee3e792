// SPDX-License-Identifier: GPL-2.0-or-later
// Answers of the real FRR 8.4.4: two sites, AS 65001 (asked) and 65002; both announce 10.1.0.11/32.
#include "bgp/claim_tables.hpp"

#include <fstream>
#include <sstream>
#include <vector>

#include <catch2/catch.hpp>

#include "bgp/json_members.hpp"

namespace untrombone::bgp {
namespace {

using core::IpAddress;
using core::IpPrefix;
using core::RouteClass;

const IpAddress kOtherSite = IpAddress::v4({192, 0, 2, 2});

/// What a golden answer claims.
template <typename Decode>
std::vector<ClaimedRoute> claims_in(const std::string& file, std::string_view object, Decode decode) {
  std::ifstream input(std::string(UNTROMBONE_SOURCE_DIR "/tests/golden/frr/") + file);
  REQUIRE(input);
  std::ostringstream text;
  text << input.rdbuf();
  std::vector<ClaimedRoute> claims;
  JsonMembers members(object);
  CHECK(members.take(text.str(), [&](std::string_view name, std::string_view value) {
    const TableMember member = decode(name, value);
    if (member.claim) claims.push_back(*member.claim);
    return member.understood;
  }));
  CHECK(members.complete());
  return claims;
}

ClaimedRoute route(const char* prefix, RouteClass route_class, std::optional<std::uint32_t> metric) {
  return {IpPrefix::parse(prefix).value(), route_class, metric, kOtherSite};
}

}  // namespace

TEST_CASE("bgpd is asked for a table by VRF, family, and what of it") {
  CHECK(show_bgp("", true, "") == "show bgp ipv4 unicast json");
  CHECK(show_bgp("", false, "2001:db8::1/128") == "show bgp ipv6 unicast 2001:db8::1/128 json");
  CHECK(show_bgp("tenant1", true, "community 65000:4211") ==
        "show bgp vrf tenant1 ipv4 unicast community 65000:4211 json");
}

TEST_CASE("bgpd's table gives the other site's routes of a class, not our own", "[golden]") {
  const auto decode = [](RouteClass route_class) {
    return [route_class](std::string_view name, std::string_view value) {
      return decode_bgp_member(name, value, route_class);
    };
  };
  CHECK(claims_in("bgp-fresh-8.4.json", "routes", decode(RouteClass::kFresh)) ==
        std::vector{route("10.1.0.11/32", RouteClass::kFresh, 999),
                    route("10.1.0.13/32", RouteClass::kFresh, 999)});
  CHECK(claims_in("bgp-settled-8.4.json", "routes", decode(RouteClass::kSettled)) ==
        std::vector{route("10.1.0.64/26", RouteClass::kSettled, 1000)});
}

TEST_CASE("zebra's table gives what OSPF learned, selected or not, with the class of its tag", "[golden]") {
  const auto decode = [](std::string_view name, std::string_view value) {
    return decode_zebra_member(name, value, 4210);
  };
  CHECK(claims_in("zebra-ospf-8.4.json", "", decode) ==
        std::vector{route("10.1.0.11/32", RouteClass::kFresh, std::nullopt),
                    route("10.1.0.13/32", RouteClass::kFresh, std::nullopt),
                    route("10.1.0.64/26", RouteClass::kSettled, std::nullopt)});
}

TEST_CASE("of several paths the one with the best metric is the claim; what is not valid is none",
          "[golden]") {
  const auto claim_of = [](std::string_view value) {
    return decode_bgp_member("10.1.0.11/32", value, RouteClass::kFresh).claim;
  };
  CHECK(claim_of(R"([{"valid":true,"metric":7,"nexthops":[{"ip":"192.0.2.3"}]},
                     {"valid":true,"metric":5,"nexthops":[{"ip":"192.0.2.2"}]}])") ==
        route("10.1.0.11/32", RouteClass::kFresh, 5));
  CHECK(claim_of(R"([{"valid":true,"nexthops":[{"ip":"192.0.2.2"}]}])") ==
        route("10.1.0.11/32", RouteClass::kFresh, std::nullopt));
  CHECK_FALSE(claim_of(R"([{"metric":5,"nexthops":[{"ip":"192.0.2.2"}]}])"));
  CHECK_FALSE(claim_of(R"json([{"valid":true,"peerId":"(unspec)","nexthops":[{"ip":"192.0.2.2"}]}])json"));
  CHECK_FALSE(claim_of(R"([{"valid":true,"nexthops":[{"ip":"0.0.0.0"}]}])"));
  CHECK_FALSE(claim_of("[]"));
}

TEST_CASE("a tag that is none of ours is no claim; one that lingers says so", "[golden]") {
  const auto class_of = [](std::string_view value) {
    const auto claim = decode_zebra_member("10.1.0.11/32", value, 4210).claim;
    return claim ? std::optional(claim->route_class) : std::nullopt;
  };
  CHECK(class_of(R"([{"protocol":"isis","metric":10}])") == RouteClass::kSettled);
  CHECK(class_of(R"([{"tag":4212}])") == RouteClass::kLingering);
  CHECK(class_of(R"([{"tag":4213}])") == RouteClass::kSettled);    // a block for the outside
  CHECK(class_of(R"([{"tag":4214}])") == RouteClass::kLingering);  // one in reserve
  CHECK(class_of(R"([{"tag":4219}])") == std::nullopt);
}

TEST_CASE("a member that is no list of routes is not understood", "[golden]") {
  for (const char* value : {"", "1", "[1]", "{}", "[{]", "\"x\""}) {
    CAPTURE(value);
    CHECK_FALSE(decode_bgp_member("10.1.0.11/32", value, RouteClass::kFresh).understood);
    CHECK_FALSE(decode_zebra_member("10.1.0.11/32", value, 4210).understood);
  }
  CHECK_FALSE(decode_bgp_member("10.1.0.11", "[]", RouteClass::kFresh).understood);
  CHECK(decode_bgp_member(R"(10.1.0.11\/32)", "[]", RouteClass::kFresh).understood);
}

}  // namespace untrombone::bgp
