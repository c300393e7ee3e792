// SPDX-License-Identifier: GPL-2.0-or-later
// Hosts that an operator claims for this site ahead of their move.
#include <catch2/catch.hpp>

#include "tests/unit/site_guests.hpp"

namespace untrombone::core {
namespace {

using namespace testing;

HostExpected claim(const IpAddress& address, std::optional<MacAddress> mac = std::nullopt) {
  return {kSegment, address, mac, 600s};
}

ClaimSeen other_site(const IpPrefix& prefix, RouteClass route_class = RouteClass::kSettled) {
  return {ClaimList{0}, {{}, prefix}, route_class, std::nullopt, IpAddress::v4({203, 0, 113, 1})};
}

}  // namespace

TEST_CASE("a claimed host behind the DCI lingers here and is not local") {
  SiteDriver driver = with_remote_guest();
  driver.feed(claim(kGuest));
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  const auto route = route_to(driver, kGuest);
  REQUIRE(route);
  CHECK(route->distance == 250);
  CHECK(route->tag == 4212);
  CHECK(driver.state(kGuest) == HostState::kRemote);
  CHECK(driver.site().verdict(*driver.host(kGuest)) == Verdict::kRemote);
  CHECK(driver.host(kGuest)->reason == Reason::kExpected);
  CHECK(driver.actions().greetings.empty());
}

TEST_CASE("a host of which nothing is known is claimed by its address alone") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(claim(kGuest));
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  CHECK_FALSE(driver.host(kGuest)->has_mac());
  driver.feed(arp(kDciPort, kGuestMac, kGuest));
  CHECK(driver.host(kGuest)->mac == kGuestMac);
  CHECK(driver.state(kGuest) == HostState::kRemote);
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  CHECK(driver.announced(kGuest) == RouteClass::kFresh);
}

TEST_CASE("evidence of a local port makes a claimed host fresh at once, and the claim is over") {
  SiteDriver driver = with_remote_guest();
  driver.feed(claim(kGuest));
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  CHECK(driver.announced(kGuest) == RouteClass::kFresh);
  CHECK(driver.state(kGuest) == HostState::kLocal);
  CHECK_FALSE(driver.host(kGuest)->is_expected());
  CHECK_FALSE(driver.actions().greetings.empty());
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  driver.advance(31s);
  CHECK(driver.announced(kGuest) == RouteClass::kSettled);
}

TEST_CASE("with the MAC in the claim a RARP on a local port is the address's") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(claim(kGuest, kGuestMac));
  CHECK(driver.state(kGuest) == HostState::kUnknown);
  driver.feed(rarp(kPort1, kGuestMac));
  CHECK(driver.state(kGuest) == HostState::kProvisional);
  CHECK(driver.announced(kGuest) == RouteClass::kFresh);
  CHECK(probed(driver.actions(), kGuest, kPort1));
}

TEST_CASE("a claim with a MAC that is on a local port already is asked about at once") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(FdbSeen{kPort1, kGuestMac});
  driver.feed(claim(kGuest, kGuestMac));
  CHECK(driver.state(kGuest) == HostState::kProvisional);
  CHECK(probed(driver.actions(), kGuest, kPort1));
}

TEST_CASE("a claimed host that came provisionally and did not answer is expected still") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(claim(kGuest, kGuestMac));
  driver.feed(rarp(kPort1, kGuestMac));
  driver.advance(2s);
  CHECK_FALSE(driver.host(kGuest)->is_here());
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  driver.advance(600s);
  CHECK_FALSE(driver.announced(kGuest));
}

TEST_CASE("evidence from the DCI never ends a claim nor makes the host local") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(claim(kGuest, kGuestMac));
  driver.feed(arp(kDciPort, kGuestMac, kGuest));
  driver.feed(rarp(kDciPort, kGuestMac));
  driver.feed(NeighbourSeen{kSegment, kGuest, kGuestMac});
  CHECK(driver.state(kGuest) == HostState::kRemote);
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  CHECK(driver.host(kGuest)->is_expected());
}

TEST_CASE("a claim without an arrival expires, and its route goes") {
  SiteDriver driver = with_remote_guest();
  driver.feed(claim(kGuest));
  driver.advance(599s);
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  driver.advance(2s);
  CHECK_FALSE(driver.announced(kGuest));
  CHECK(driver.host(kGuest)->reason == Reason::kNeverCame);
}

TEST_CASE("a claim said again begins anew") {
  SiteDriver driver = with_remote_guest();
  driver.feed(claim(kGuest));
  driver.advance(500s);
  driver.feed(claim(kGuest));
  driver.advance(500s);
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
}

TEST_CASE("a release withdraws at once, and concerns nobody who is here") {
  SiteDriver driver = with_remote_guest();
  driver.feed(claim(kGuest));
  driver.feed(HostReleased{kSegment, kGuest});
  CHECK_FALSE(driver.announced(kGuest));
  CHECK(driver.state(kGuest) == HostState::kRemote);
  CHECK(driver.host(kGuest)->reason == Reason::kReleased);

  SiteDriver local = with_local_guest();
  CHECK(local.feed(HostReleased{kSegment, kGuest}).routes.empty());
  CHECK(local.state(kGuest) == HostState::kLocal);
}

TEST_CASE("what is here, frozen, or can be no host is not claimed") {
  SiteDriver driver = with_local_guest();
  CHECK_FALSE(driver.site().may_expect(kSegment, kGuest));
  driver.feed(OwnAddress{kSegment, ip(2)});
  const IpAddress outside = IpAddress::v4({198, 51, 100, 9});
  for (const IpAddress& address : {kGuest, kGateway, ip(0), ip(255), ip(245), ip(2), outside}) {
    INFO(address.to_string());
    CHECK(driver.feed(claim(address)).routes.empty());
  }
  CHECK(driver.feed(claim(ip(12), kSviMac)).routes.empty());
  CHECK(driver.host(ip(12)) == nullptr);
  CHECK(driver.site().may_expect(kSegment, ip(13)));
}

TEST_CASE("the old site's host route takes nothing from a claim") {
  SiteDriver driver = with_remote_guest();
  driver.feed(claim(kGuest));
  driver.feed(other_site(IpPrefix::host(kGuest), RouteClass::kFresh));
  driver.feed(RouteNoted{{{}, IpPrefix::host(kGuest)}, RouteNote::kBetterWon});
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
}

TEST_CASE("a claimed host that another site's summary covers has no route ahead of it until that is gone") {
  SiteDriver driver = with_remote_guest();
  const IpPrefix summary(kGuest, 28);
  driver.feed(other_site(summary));
  driver.feed(claim(kGuest));
  CHECK(driver.host(kGuest)->is_expected());
  CHECK_FALSE(driver.announced(kGuest));
  driver.feed(ClaimGone{ClaimList{0}, {{}, summary}});
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  driver.feed(other_site(summary));
  CHECK_FALSE(driver.announced(kGuest));
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  CHECK(driver.announced(kGuest) == RouteClass::kFresh);
}

TEST_CASE("a host that leaves can be claimed back, and lingers as long as the claim") {
  SiteDriver driver = with_local_guest();
  driver.advance(2s);
  driver.feed(arp(kDciPort, kGuestMac, kGuest));
  REQUIRE(driver.state(kGuest) == HostState::kDeparting);
  driver.feed(claim(kGuest));
  driver.advance(60s);
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  CHECK(driver.state(kGuest) == HostState::kRemote);
}

TEST_CASE("a claimed host is not forgotten, and one that the configuration drops is not claimed any more") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(HostExpected{kSegment, kGuest, std::nullopt, std::chrono::hours(3)});
  driver.advance(std::chrono::hours(2));
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  driver.advance(std::chrono::hours(3));
  CHECK(driver.host(kGuest) == nullptr);

  driver.feed(claim(kGuest));
  SiteSettings settings = default_settings();
  settings.segments.front().exclude.push_back(IpPrefix::host(kGuest));
  Actions actions;
  driver.site().reconfigure(settings, driver.now(), actions);
  REQUIRE(actions.routes.size() == 1);
  CHECK_FALSE(actions.routes.front().route);
  CHECK(driver.host(kGuest) == nullptr);
}

TEST_CASE("a claim is a route of its own where hosts are summarised, too") {
  SiteSettings settings = default_settings();
  settings.segments.front().mode = SummaryMode::kCover;
  SiteDriver driver = with_remote_guest(settings);
  driver.feed(claim(kGuest));
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  driver.feed(HostReleased{kSegment, kGuest});
  CHECK_FALSE(driver.announced(kGuest));
}

}  // namespace untrombone::core
