// SPDX-License-Identifier: GPL-2.0-or-later
// What other sites' claims, and the loss of the uplink, do to the hosts that are here.
#include <catch2/catch.hpp>

#include "tests/unit/site_driver.hpp"

namespace untrombone::core {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr ClaimList kList{0};
const RouteKey kKey{VrfId{}, IpPrefix::host(ip(11))};
const IpAddress kOtherSite = IpAddress::v4({198, 51, 100, 2});

ClaimSeen claim(RouteClass route_class = RouteClass::kFresh, std::optional<std::uint32_t> metric = 999) {
  return {kList, kKey, route_class, metric, kOtherSite};
}

FrameSeen arp(Ifindex port, unsigned last = 11) {
  return {port, FrameKind::kArpReply, mac(last), ip(last), false};
}

/// A site where the host has been for a minute, settled.
SiteDriver with_settled_host() {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kPort1));
  driver.advance(40s);
  REQUIRE(driver.announced(ip(11)) == RouteClass::kSettled);
  return driver;
}

}  // namespace

TEST_CASE("a claim newer than our evidence asks the host once, on its port", "[claims]") {
  SiteDriver driver = with_settled_host();
  const Actions& actions = driver.feed(claim());
  REQUIRE(actions.probes.size() == 1);
  CHECK(actions.probes[0].ip == ip(11));
  CHECK(actions.probes[0].port == kPort1);
  CHECK(driver.state(ip(11)) == HostState::kLocal);
  CHECK(driver.announced(ip(11)) == RouteClass::kSettled);
  CHECK(driver.feed(claim()).probes.empty());
}

TEST_CASE("a host that does not answer a claim lingers, and goes", "[claims]") {
  SiteDriver driver = with_settled_host();
  driver.feed(claim());
  driver.advance(1s);
  CHECK(driver.state(ip(11)) == HostState::kDeparting);
  CHECK(driver.host(ip(11))->reason == Reason::kClaimUnanswered);
  CHECK(driver.announced(ip(11)) == RouteClass::kLingering);
  driver.feed(RouteNoted{kKey, RouteNote::kBetterWon});
  CHECK_FALSE(driver.announced(ip(11)));
  CHECK(driver.host(ip(11))->reason == Reason::kClaimedElsewhere);
}

TEST_CASE("a host that answers a fresh claim stays, and the conflict is counted until it freezes",
          "[claims]") {
  SiteDriver driver = with_settled_host();
  for (int count = 1; count <= 5; ++count) {
    driver.feed(ClaimGone{kList, kKey});
    driver.feed(claim());
    const Actions& actions = driver.feed(arp(kPort1));
    REQUIRE_FALSE(actions.alarms.empty());
    CHECK(actions.alarms[0].kind == AlarmKind::kClaimedTwice);
    CHECK(driver.site().conflicts() == static_cast<std::uint64_t>(count));
    CHECK(driver.host(ip(11))->is_frozen() == (count == 5));
    driver.advance(2s);
    CHECK(driver.state(ip(11)) == HostState::kLocal);
    CHECK(driver.announced(ip(11)) == RouteClass::kSettled);
  }
  driver.feed(ClaimGone{kList, kKey});
  CHECK(driver.feed(claim()).probes.empty());  // frozen: no more questions
}

TEST_CASE("an answered claim that is settled raises an alarm but is no move", "[claims]") {
  SiteDriver driver = with_settled_host();
  CHECK(driver.feed(claim(RouteClass::kSettled, 1000)).probes.size() == 1);
  CHECK(driver.feed(arp(kPort1)).alarms.size() == 1);
  CHECK(driver.host(ip(11))->moves == 0);
}

TEST_CASE(
    "a host that answers a settled claim is announced as fresh once more: the other site has not noticed",
    "[claims]") {
  SiteDriver driver = with_settled_host();
  driver.feed(claim(RouteClass::kSettled, 1000));
  CHECK(driver.announced(ip(11)) == RouteClass::kSettled);
  driver.feed(arp(kPort1));
  CHECK(driver.announced(ip(11)) == RouteClass::kFresh);
  CHECK(driver.routes().at(kKey).metric == 999);
  driver.advance(40s);
  CHECK(driver.announced(ip(11)) == RouteClass::kSettled);
  // If the host is at both sites, that is all: they do not take turns.
  driver.feed(claim(RouteClass::kSettled, 1000));
  driver.feed(arp(kPort1));
  CHECK(driver.announced(ip(11)) == RouteClass::kSettled);
}

TEST_CASE("a settled claim does not question a host that has just arrived; a fresh one does", "[claims]") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kPort1));
  driver.advance(2s);
  CHECK(driver.feed(claim(RouteClass::kSettled, 1000)).probes.empty());
  CHECK(driver.feed(claim()).probes.size() == 1);
}

TEST_CASE("a lingering host goes as soon as its new site's claim is seen; a lingering claim is none",
          "[claims]") {
  SiteDriver driver = with_settled_host();
  driver.feed(arp(kDciPort));
  REQUIRE(driver.announced(ip(11)) == RouteClass::kLingering);
  driver.feed(claim(RouteClass::kLingering, 2000));
  CHECK(driver.announced(ip(11)) == RouteClass::kLingering);
  driver.feed(claim());
  CHECK_FALSE(driver.announced(ip(11)));
  CHECK(driver.state(ip(11)) == HostState::kRemote);
}

TEST_CASE("a fresh route is one better than the best competing claim, until it settles", "[claims]") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(claim(RouteClass::kSettled, 500));
  driver.feed(arp(kPort1));
  CHECK(driver.routes().at(kKey).metric == 499);
  driver.feed(claim(RouteClass::kFresh, 400));  // no race to the bottom: what was bid stays
  driver.feed(arp(kPort1));
  CHECK(driver.routes().at(kKey).metric == 499);
  driver.advance(40s);
  CHECK(driver.routes().at(kKey).metric == 1000);
}

TEST_CASE("nothing outside the subnets, and no whole subnet, is a claim", "[claims]") {
  SiteDriver driver = SiteDriver::running();
  const auto see = [&](const IpPrefix& prefix, VrfId vrf = {}) {
    driver.feed(ClaimSeen{kList, {vrf, prefix}, RouteClass::kSettled, 1000, kOtherSite});
  };
  see(IpPrefix(ip(0), 24));
  see(IpPrefix(ip(0), 16));
  see(IpPrefix::host(IpAddress::v4({203, 0, 113, 1})));
  see(IpPrefix::host(ip(11)), VrfId{9});
  CHECK(driver.site().claims().size() == 0);
  see(IpPrefix(ip(0), 25));
  CHECK(driver.site().claims().size() == 1);
}

TEST_CASE("an isolated site announces nothing of the family, and everything again when it is back",
          "[claims]") {
  SiteDriver driver = with_settled_host();
  driver.feed(UplinkChanged{kSegment, Family::kIpv6, false});
  CHECK(driver.announced(ip(11)) == RouteClass::kSettled);
  driver.feed(UplinkChanged{kSegment, Family::kIpv4, false});
  CHECK_FALSE(driver.announced(ip(11)));
  CHECK(driver.state(ip(11)) == HostState::kLocal);
  driver.feed(arp(kPort2, 12));
  CHECK_FALSE(driver.announced(ip(12)));
  driver.feed(UplinkChanged{kSegment, Family::kIpv4, true});
  CHECK(driver.announced(ip(11)) == RouteClass::kSettled);
  CHECK(driver.announced(ip(12)) == RouteClass::kFresh);
}

}  // namespace untrombone::core
