// SPDX-License-Identifier: GPL-2.0-or-later
// Start and resync, the interface, greetings, bounds, time: what concerns the site as a whole.
#include <algorithm>
#include <chrono>
#include <set>

#include <catch2/catch.hpp>

#include "agent/core/site.hpp"
#include "tests/unit/site_guests.hpp"

namespace untrombone::core {

using namespace std::chrono_literals;
using namespace testing;

// ---- start ----------------------------------------------------------------

TEST_CASE("hosts of the first dump are settled and not greeted") {
  SiteDriver driver = SiteDriver::starting();
  driver.feed(FdbSeen{kPort1, kGuestMac});
  const Actions& actions = driver.feed(NeighbourSeen{kSegment, kGuest, kGuestMac});
  CHECK(driver.announced(kGuest) == RouteClass::kSettled);
  CHECK(actions.greetings.empty());
  driver.feed(DumpFinished{});
  driver.advance(500ms);
  driver.feed(arp_reply(kPort1, kGuestMac, kGuest));
  driver.advance(1min);
  CHECK(driver.announced(kGuest) == RouteClass::kSettled);
}

TEST_CASE("the start is complete once, a confirm window after the first dump") {
  SiteDriver driver = SiteDriver::starting();
  driver.advance(1min);
  CHECK_FALSE(driver.site().started());
  driver.feed(DumpFinished{});
  CHECK_FALSE(driver.advance(1s - 1ns).start_complete);
  CHECK(driver.advance(1ns).start_complete);
  CHECK(driver.site().started());
  driver.feed(DumpStarted{});
  driver.feed(DumpFinished{});
  CHECK_FALSE(driver.advance(1min).start_complete);
}

TEST_CASE("routes of an earlier run are probed on all local ports, again, and only until they answer") {
  SiteDriver driver = SiteDriver::starting();
  driver.feed(PriorRoute{kSegment, kGuest});
  driver.feed(PriorRoute{kSegment, ip(12)});
  driver.feed(PriorRoute{kSegment, kGateway});
  const Actions& first = driver.feed(DumpFinished{});
  REQUIRE(first.probes.size() == 2);
  CHECK(probed(first, kGuest, {}));
  CHECK(first.probes.front().mac == std::nullopt);
  driver.feed(arp_reply(kPort1, kGuestMac, kGuest));
  CHECK(driver.announced(kGuest) == RouteClass::kSettled);
  const Actions& later = driver.advance(5s);
  CHECK(probed(later, ip(12), {}));
  CHECK_FALSE(probed(later, kGuest, {}));
  CHECK(driver.advance(30s).probes.empty());
}

TEST_CASE("a route of an earlier run goes at the end of the start window unless its host was found") {
  SiteDriver driver = SiteDriver::starting();
  driver.feed(PriorRoute{kSegment, kGuest});
  driver.feed(PriorRoute{kSegment, ip(12)});
  driver.feed(arp(kDciPort, mac(0x22), ip(12)));
  driver.feed(DumpFinished{});
  driver.feed(arp_reply(kPort1, kGuestMac, kGuest));
  CHECK(driver.advance(1s - 1ns).routes.empty());
  const Actions& actions = driver.advance(1ns);
  REQUIRE(actions.routes.size() == 1);
  CHECK(actions.routes.front().key.prefix == IpPrefix::host(ip(12)));
  CHECK_FALSE(actions.routes.front().route);
  CHECK(driver.announced(kGuest) == RouteClass::kSettled);
}

// ---- resync ----------------------------------------------------------------

TEST_CASE("a host that a later dump does not list is looked up, and challenged when it is not found") {
  SiteDriver driver = with_local_guest();
  driver.feed(arp(kPort2, mac(0x22), ip(22)));
  driver.feed(arp(kPort2, mac(0x33), ip(33)));
  driver.feed(DumpStarted{});
  driver.feed(dumped(kPort2, mac(0x22)));
  const std::vector<FdbLookup> lookups = driver.feed(DumpFinished{}).lookups;
  REQUIRE(lookups.size() == 2);
  for (const FdbLookup& lookup : lookups) {
    if (lookup.mac == mac(0x33)) {
      CHECK(driver.feed(FdbSeen{lookup.port, lookup.mac}).empty());  // the dump had missed it
      continue;
    }
    CHECK(lookup.mac == kGuestMac);
    CHECK(lookup.port == kPort1);
    CHECK(probed(driver.feed(FdbGone{lookup.port, lookup.mac, false}), kGuest, kPort1));
  }
  driver.advance(1s);
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  CHECK(driver.state(ip(22)) == HostState::kLocal);
  CHECK(driver.state(ip(33)) == HostState::kLocal);
}

TEST_CASE("what a dump says is older than what was heard since it began") {
  SiteDriver driver = with_local_guest();
  driver.feed(arp(kPort1, mac(0x22), ip(22)));
  driver.advance(2s);
  driver.feed(DumpStarted{});
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  driver.feed(FdbGone{kPort1, mac(0x22), true});
  driver.feed(dumped(kPort1, kGuestMac));
  driver.feed(dumped(kPort1, mac(0x22)));
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  CHECK_FALSE(driver.site().hosts().find_station(kSegment, mac(0x22))->listed);
  CHECK(driver.feed(DumpFinished{}).lookups.empty());
  // The next dump is newer.
  driver.feed(DumpStarted{});
  driver.feed(dumped(kPort1, kGuestMac));
  CHECK(driver.state(kGuest) == HostState::kProvisional);
}

TEST_CASE("a MAC that has aged out is not looked up again with every dump") {
  SiteDriver driver = with_local_guest();
  driver.feed(FdbGone{kPort1, kGuestMac, true});
  driver.feed(DumpStarted{});
  CHECK(driver.feed(DumpFinished{}).lookups.empty());
}

TEST_CASE("a host heard during the dump counts as listed") {
  SiteDriver driver = with_local_guest();
  driver.feed(DumpStarted{});
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  CHECK(driver.feed(DumpFinished{}).empty());
}

// ---- the interface ----------------------------------------------------------------

TEST_CASE(
    "a segment whose interface goes down withdraws its routes, and announces them again when it is up") {
  SiteDriver driver = with_local_guest();
  driver.feed(InterfaceChanged{kSegment, kSvi, kSviMac, false});
  CHECK(driver.routes().empty());
  CHECK(driver.state(kGuest) == HostState::kLocal);
  driver.feed(arp(kPort1, mac(0x22), ip(22)));
  CHECK(driver.routes().empty());
  driver.feed(InterfaceChanged{kSegment, kSvi, kSviMac, true});
  CHECK(driver.announced(kGuest) == RouteClass::kSettled);
  CHECK(driver.announced(ip(22)) == RouteClass::kFresh);
}

TEST_CASE("an interface that is made anew gets the routes") {
  SiteDriver driver = with_local_guest();
  driver.feed(InterfaceChanged{kSegment, {77}, kSviMac, true});
  CHECK(route_to(driver, kGuest)->interface == Ifindex{77});
  CHECK(driver.feed(InterfaceChanged{kSegment, {77}, kSviMac, true}).empty());
}

TEST_CASE("an interface that goes to another VRF takes its routes along") {
  constexpr VrfId kTenant{12};
  SiteDriver driver = with_local_guest();
  driver.feed(InterfaceChanged{kSegment, kSvi, kSviMac, true, kTenant});
  CHECK_FALSE(driver.announced(kGuest));
  CHECK(driver.announced(kGuest, kTenant) == RouteClass::kSettled);
  driver.feed(InterfaceChanged{kSegment, kSvi, kSviMac, false, kTenant});
  CHECK(driver.routes().empty());
  driver.feed(InterfaceChanged{kSegment, kSvi, kSviMac, true});
  CHECK(driver.announced(kGuest) == RouteClass::kSettled);
  CHECK(driver.routes().size() == 1);
}

TEST_CASE("a note about another VRF is not about this segment's route") {
  SiteDriver driver = with_local_guest();
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  REQUIRE(driver.announced(kGuest) == RouteClass::kLingering);
  driver.feed(RouteNoted{{{12}, IpPrefix::host(kGuest)}, RouteNote::kBetterWon});
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  driver.feed(RouteNoted{{{}, IpPrefix::host(kGuest)}, RouteNote::kBetterWon});
  CHECK_FALSE(driver.announced(kGuest));
}

// ---- greetings ----------------------------------------------------------------

TEST_CASE("greetings repeat with growing distance until the tries are used up") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  std::vector<Duration> distances;
  TimePoint last = driver.now();
  for (int step = 0; step < 1000; ++step) {
    if (driver.advance(10ms).greetings.empty()) continue;
    distances.push_back(driver.now() - last);
    last = driver.now();
  }
  CHECK(distances == std::vector<Duration>{50ms, 100ms, 200ms, 400ms});
}

TEST_CASE("greetings end when the guest answers to the gateway's MAC") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  driver.advance(10ms);
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  CHECK(driver.advance(50ms).greetings.size() == 1);
  driver.feed(arp_to_gateway(kPort1, kGuestMac, kGuest));
  CHECK(driver.host(kGuest)->greeting_answered);
  CHECK(driver.advance(10s).greetings.empty());
}

TEST_CASE("a host that left is not greeted any more") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  driver.feed(PortChanged{kSegment, kPort1, PortClass::kLocal, false});
  CHECK(driver.advance(10s).greetings.empty());
}

TEST_CASE("greetings go in the name of the gateways of the guest's own subnet") {
  SiteSettings settings = default_settings();
  SegmentSettings& segment = settings.segments.front();
  segment.subnets.push_back(IpPrefix::parse("198.51.100.0/24").value());
  segment.gateways.push_back(IpAddress::v4({198, 51, 100, 1}));
  SiteDriver driver = SiteDriver::running(settings);
  const Actions& actions = driver.feed(arp(kPort1, kGuestMac, IpAddress::v4({198, 51, 100, 9})));
  REQUIRE(actions.greetings.size() == 1);
  CHECK(actions.greetings.front().gateway == IpAddress::v4({198, 51, 100, 1}));
}

TEST_CASE("greetings can be switched off") {
  SiteSettings settings = default_settings();
  settings.segments.front().greet = false;
  SiteDriver driver = SiteDriver::running(settings);
  CHECK(driver.feed(arp(kPort1, kGuestMac, kGuest)).greetings.empty());
}

// ---- bounds ----------------------------------------------------------------

TEST_CASE("bindings over max-hosts are refused with an alarm, known ones live on") {
  SiteSettings settings = default_settings();
  settings.segments.front().max_hosts = 2;
  SiteDriver driver = SiteDriver::running(settings);
  driver.feed(arp(kPort1, mac(1), ip(11)));
  driver.feed(arp(kPort1, mac(2), ip(12)));
  CHECK(alarms(driver.feed(arp(kPort1, mac(3), ip(13)))) == std::vector{AlarmKind::kTooManyHosts});
  CHECK(driver.state(ip(13)) == std::nullopt);
  CHECK(alarms(driver.feed(arp(kPort1, mac(1), ip(11)))).empty());
  driver.advance(2h);
  CHECK(alarms(driver.feed(arp(kPort1, mac(3), ip(13)))).empty());
}

TEST_CASE("addresses over max-ips-per-mac are refused with an alarm") {
  SiteSettings settings = default_settings();
  settings.segments.front().max_ips_per_mac = 2;
  SiteDriver driver = SiteDriver::running(settings);
  driver.feed(arp(kPort1, kGuestMac, ip(11)));
  driver.feed(arp(kPort1, kGuestMac, ip(12)));
  CHECK(alarms(driver.feed(arp(kPort1, kGuestMac, ip(13)))) == std::vector{AlarmKind::kTooManyIpsOnMac});
  CHECK(driver.state(ip(13)) == std::nullopt);
  CHECK(driver.routes().size() == 2);
}

TEST_CASE("routes over max-routes are refused with an alarm, and a route that goes makes room") {
  SiteSettings settings = default_settings();
  settings.routes.max_routes = 1;
  settings.segments.front().linger = settings.segments.front().port_hold = 0s;
  SiteDriver driver = SiteDriver::running(settings);
  driver.feed(arp(kPort1, kGuestMac, ip(11)));
  CHECK(alarms(driver.feed(arp(kPort2, mac(0x22), ip(12)))) == std::vector{AlarmKind::kTooManyRoutes});
  CHECK(driver.state(ip(12)) == HostState::kLocal);
  CHECK(driver.routes().size() == 1);
  driver.feed(PortChanged{kSegment, kPort1, PortClass::kLocal, false});
  CHECK(driver.routes().empty());
  CHECK(alarms(driver.feed(arp(kPort2, mac(0x33), ip(13)))).empty());
  CHECK(driver.announced(ip(13)) == RouteClass::kFresh);
}

TEST_CASE("a host that was never announced has no route to linger") {
  SiteSettings settings = default_settings();
  settings.routes.max_routes = 1;
  settings.segments.front().port_hold = 0s;
  SiteDriver driver = SiteDriver::running(settings);
  driver.feed(arp(kPort1, kGuestMac, ip(11)));
  driver.feed(arp(kPort2, mac(0x22), ip(12)));
  driver.feed(PortChanged{kSegment, kPort1, PortClass::kLocal, false});
  driver.feed(RouteNoted{{{}, IpPrefix::host(ip(11))}, RouteNote::kBetterWon});
  REQUIRE(driver.routes().empty());
  driver.feed(PortChanged{kSegment, kPort2, PortClass::kLocal, false});
  CHECK(driver.routes().empty());
  CHECK(driver.state(ip(12)) == HostState::kUnknown);
}

// ---- time and record ----------------------------------------------------------------

TEST_CASE("nothing is due before the next deadline, and something at it") {
  SiteDriver driver = with_remote_guest();
  driver.feed(rarp(kPort1, kGuestMac));
  Actions actions;
  int steps = 0;
  for (; driver.site().next_deadline() != kNever; ++steps) {
    REQUIRE(steps < 100);
    const TimePoint due = driver.site().next_deadline();
    REQUIRE(due > driver.now());
    driver.site().handle_time(due - 1ns, actions);
    CHECK(actions.empty());
    driver.advance(due - driver.now());
  }
  CHECK(steps > 5);
  CHECK(driver.state(kGuest) == std::nullopt);
}

TEST_CASE("a site that knows nothing has no deadline") {
  CHECK(SiteDriver().site().next_deadline() == kNever);
  CHECK(SiteDriver::running().site().next_deadline() == kNever);
}

TEST_CASE("the history of a host tells the whole story with its reasons") {
  SiteDriver driver = with_remote_guest();
  driver.feed(rarp(kPort1, kGuestMac));
  driver.feed(arp_reply(kPort1, kGuestMac, kGuest));
  driver.advance(2s);
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  driver.advance(10s);
  std::vector<std::pair<HostState, Reason>> story;
  for (const Transition& transition : driver.site().history().of(kSegment, kGuest)) {
    story.emplace_back(transition.to, transition.reason);
  }
  CHECK(story ==
        std::vector<std::pair<HostState, Reason>>{{HostState::kRemote, Reason::kArpOnDci},
                                                  {HostState::kProvisional, Reason::kRarpOnLocalPort},
                                                  {HostState::kLocal, Reason::kArpOnLocalPort},
                                                  {HostState::kDeparting, Reason::kFdbOnDci},
                                                  {HostState::kRemote, Reason::kLingerOver}});
}

TEST_CASE("every word of the core has a text of its own") {
  std::set<std::string_view> texts;
  const auto last = static_cast<int>(Reason::kForgotten);
  for (int value = 0; value <= last; ++value) texts.insert(to_string(static_cast<Reason>(value)));
  CHECK(texts.size() == static_cast<std::size_t>(last) + 1);
  CHECK(texts.count("?") == 0);
  CHECK(to_string(HostState::kDeparting) == "departing");
  CHECK(to_string(Verdict::kUnknown) == "unknown");
  CHECK(to_string(RouteClass::kLingering) == "lingering");
  CHECK(to_string(RouteNote::kBetterWon) == "better-won");
  CHECK(to_string(FrameKind::kRarp) == "rarp");
  CHECK(to_string(Evidence::kFdb) == "fdb");
  CHECK(to_string(AlarmKind::kGatewayClaimed) == "gateway-claimed");
}

}  // namespace untrombone::core
