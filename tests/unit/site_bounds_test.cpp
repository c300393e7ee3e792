// SPDX-License-Identifier: GPL-2.0-or-later
// Guardrails, and the many ways in which addresses and MACs belong together.
#include <chrono>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/site_driver.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;

const MacAddress kGuestMac = mac(0x11);

std::size_t count(const Actions& actions, AlarmKind kind) {
  std::size_t found = 0;
  for (const Alarm& alarm : actions.alarms) found += alarm.kind == kind ? 1 : 0;
  return found;
}

}  // namespace

TEST_CASE("a full table forgets who is elsewhere for a host of this site, and for nobody else") {
  SiteSettings settings = default_settings();
  settings.segments.front().max_hosts = 3;
  SiteDriver driver = SiteDriver::running(settings);
  for (unsigned last = 11; last <= 13; ++last) driver.feed(arp(kDciPort, mac(last), ip(last)));
  CHECK(count(driver.feed(arp(kDciPort, mac(14), ip(14))), AlarmKind::kTooManyHosts) == 1);
  for (unsigned last = 21; last <= 23; ++last) {
    CHECK(count(driver.feed(arp(kPort1, mac(last), ip(last))), AlarmKind::kTooManyHosts) == 0);
    CHECK(driver.state(ip(last)) == HostState::kLocal);
  }
  CHECK(driver.site().hosts().size() == 3);
  const Actions& actions = driver.feed(arp(kPort1, mac(24), ip(24)));
  REQUIRE(count(actions, AlarmKind::kTooManyHosts) == 1);
  CHECK(actions.alarms.front().port == kPort1);
  CHECK(actions.alarms.front().mac == mac(24));
  // A lingering host is not forgotten: its route is still needed.
  driver.advance(2s);
  driver.feed(FdbSeen{kDciPort, mac(21)});
  REQUIRE(driver.state(ip(21)) == HostState::kDeparting);
  CHECK(count(driver.feed(arp(kPort1, mac(24), ip(24))), AlarmKind::kTooManyHosts) == 1);
  driver.advance(6s);
  CHECK(count(driver.feed(arp(kPort1, mac(24), ip(24))), AlarmKind::kTooManyHosts) == 0);
  CHECK_FALSE(driver.state(ip(21)));
}

TEST_CASE(
    "a port that brings new hosts too fast is told on, known ones and other ports are not slowed down") {
  SiteSettings settings = default_settings();
  settings.segments.front().new_host_rate = 10;
  SiteDriver driver = SiteDriver::running(settings);
  std::size_t refused = 0;
  for (unsigned last = 20; last < 60; ++last)
    refused += count(driver.feed(arp(kPort1, mac(last), ip(last))), AlarmKind::kTooManyNewHosts);
  CHECK(refused == 30);
  CHECK(driver.site().hosts().size() == 10);
  CHECK(driver.feed(arp(kPort1, mac(20), ip(20))).alarms.empty());
  CHECK(driver.feed(arp(kPort2, mac(61), ip(61))).alarms.empty());
  driver.advance(1s);
  CHECK(driver.feed(arp(kPort1, mac(59), ip(59))).alarms.empty());
  CHECK(driver.state(ip(59)) == HostState::kLocal);
}

TEST_CASE("a guest that claims the gateway is never announced, whatever else it does") {
  SiteDriver driver = SiteDriver::running();
  for (const Event& event :
       {Event{arp(kPort1, kGuestMac, kGateway)}, Event{rarp(kPort1, kGuestMac)},
        Event{NeighbourSeen{kSegment, kGateway, kGuestMac}}, Event{FdbSeen{kPort1, kGuestMac}},
        Event{SourceSeen{kPort1, kGuestMac, kGateway}}}) {
    driver.feed(event);
    driver.advance(2s);
    CHECK(driver.routes().empty());
  }
  CHECK_FALSE(driver.state(kGateway));
}

// ---- addresses and MACs ----------------------------------------------------------------

TEST_CASE("a host with 30 addresses comes with all of them by one RARP, and each has to answer for itself") {
  SiteDriver driver = SiteDriver::running();
  for (unsigned last = 11; last <= 40; ++last) driver.feed(arp(kDciPort, kGuestMac, ip(last)));
  const std::vector<ProbeRequest> probes = driver.feed(rarp(kPort1, kGuestMac)).probes;
  CHECK(driver.routes().size() == 30);
  REQUIRE(probes.size() == 30);
  for (const ProbeRequest& probe : probes) {
    CHECK(probe.port == kPort1);
    if (probe.ip != ip(40)) driver.feed(arp_reply(kPort1, kGuestMac, probe.ip));
  }
  driver.advance(1s);
  CHECK(driver.routes().size() == 29);
  CHECK(driver.state(ip(40)) == HostState::kUnknown);
}

TEST_CASE("a router's MAC with more addresses than are believed is capped and told on") {
  SiteDriver driver = SiteDriver::running();
  std::size_t refused = 0;
  for (unsigned last = 11; last <= 60; ++last)
    refused += count(driver.feed(arp(kPort1, kGuestMac, ip(last))), AlarmKind::kTooManyIpsOnMac);
  CHECK(refused == 18);
  CHECK(driver.routes().size() == 32);
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  driver.advance(10s);
  CHECK(driver.routes().empty());
}

TEST_CASE("a MAC that comes without any announcement is noticed by the bridge, retracted if it is silent") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kDciPort, kGuestMac, ip(11)));
  driver.feed(FdbSeen{kPort1, kGuestMac});
  CHECK(driver.announced(ip(11)) == RouteClass::kFresh);
  SECTION("it answers") {
    driver.feed(arp_reply(kPort1, kGuestMac, ip(11)));
    driver.advance(1min);
    CHECK(driver.announced(ip(11)) == RouteClass::kSettled);
  }
  SECTION("it does not") {
    driver.advance(1s);
    CHECK_FALSE(driver.announced(ip(11)));
    CHECK(driver.host(ip(11))->reason == Reason::kNoAnswerOnLocalPort);
  }
}

TEST_CASE("an address that comes here on another MAC than it had elsewhere is local on the new one") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kDciPort, kGuestMac, ip(11)));
  driver.feed(arp(kPort1, mac(0x22), ip(11)));
  CHECK(driver.state(ip(11)) == HostState::kLocal);
  CHECK(driver.host(ip(11))->mac == mac(0x22));
  // The old MAC is still elsewhere, and no longer concerns the address.
  driver.advance(2s);
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  CHECK(driver.state(ip(11)) == HostState::kLocal);
}

TEST_CASE("a guest that takes a new address has both until the old one is silent for too long") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kPort1, kGuestMac, ip(11)));
  driver.feed(arp(kPort1, kGuestMac, ip(12)));
  CHECK(driver.routes().size() == 2);
  for (int step = 0; step < 19; ++step) {
    driver.feed(arp(kPort1, kGuestMac, ip(12)));
    driver.advance(10s);
  }
  CHECK_FALSE(driver.announced(ip(11)) == RouteClass::kSettled);
  CHECK(driver.announced(ip(12)) == RouteClass::kSettled);
}

TEST_CASE("an address that its MAC does not answer for is not announced again with every frame of the MAC") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kDciPort, kGuestMac, ip(11)));
  driver.feed(arp(kDciPort, kGuestMac, ip(12)));
  driver.feed(rarp(kPort1, kGuestMac));
  driver.feed(arp_reply(kPort1, kGuestMac, ip(12)));
  driver.advance(1s);
  REQUIRE_FALSE(driver.announced(ip(11)));
  for (int frame = 0; frame < 10; ++frame) {
    CHECK(driver.feed(arp(kPort1, kGuestMac, ip(12))).routes.empty());
    driver.feed(DumpStarted{});
    CHECK(driver.feed(dumped(kPort1, kGuestMac)).routes.empty());
    driver.feed(DumpFinished{});
    driver.advance(10s);
    CHECK_FALSE(driver.announced(ip(11)));
  }
  driver.feed(arp(kPort1, kGuestMac, ip(11)));
  CHECK(driver.announced(ip(11)) == RouteClass::kFresh);
}

}  // namespace untrombone::core
