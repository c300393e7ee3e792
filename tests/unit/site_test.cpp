// SPDX-License-Identifier: GPL-2.0-or-later
// How a host comes, stays and goes, by one piece of evidence after the other.
#include "agent/core/site.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include <catch2/catch.hpp>

#include "tests/unit/site_guests.hpp"

namespace untrombone::core {

using namespace std::chrono_literals;
using namespace testing;

// ---- arrival ----------------------------------------------------------------

TEST_CASE("an ARP frame on a local port makes a host local, announced fresh and greeted at once") {
  SiteDriver driver = SiteDriver::running();
  const Actions& actions = driver.feed(arp(kPort1, kGuestMac, kGuest));
  CHECK(driver.state(kGuest) == HostState::kLocal);
  CHECK(driver.site().verdict(*driver.host(kGuest)) == Verdict::kLocal);
  CHECK(route_to(driver, kGuest) == Route{kSvi, RouteClass::kFresh, 5, 999, 4211});
  REQUIRE(actions.routes.size() == 1);
  CHECK(actions.routes.front().cause == driver.now());
  REQUIRE(actions.greetings.size() == 1);
  CHECK(actions.greetings.front().port == kPort1);
  CHECK(actions.greetings.front().mac == kGuestMac);
  CHECK(actions.greetings.front().gateway == kGateway);
  CHECK(actions.probes.empty());
  REQUIRE(actions.transitions.size() == 1);
  CHECK(actions.transitions.front().reason == Reason::kArpOnLocalPort);
}

TEST_CASE("a host on the peer link is a host of this site") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kPeerPort, kGuestMac, kGuest));
  CHECK(driver.state(kGuest) == HostState::kLocal);
}

TEST_CASE("a route's cause is the time of the frame, not of its handling") {
  SiteDriver driver = SiteDriver::running();
  Actions actions;
  driver.site().handle(arp(kPort1, kGuestMac, kGuest), driver.now() - 3ms, driver.now(), actions);
  REQUIRE(actions.routes.size() == 1);
  CHECK(actions.routes.front().cause == driver.now() - 3ms);
  REQUIRE(actions.greetings.size() == 1);
  CHECK(actions.greetings.front().cause == driver.now() - 3ms);
}

TEST_CASE("a RARP frame brings every known address of its MAC, provisionally, probed and greeted") {
  SiteDriver driver = with_remote_guest();
  driver.feed(arp(kDciPort, kGuestMac, ip(12)));
  const Actions& actions = driver.feed(rarp(kPort1, kGuestMac));
  for (const IpAddress& address : {kGuest, ip(12)}) {
    CHECK(driver.state(address) == HostState::kProvisional);
    CHECK(driver.announced(address) == RouteClass::kFresh);
    CHECK(probed(actions, address, kPort1));
  }
  CHECK(actions.greetings.size() == 2);
}

TEST_CASE("a RARP frame of an unknown MAC announces nothing") {
  SiteDriver driver = SiteDriver::running();
  const Actions& actions = driver.feed(rarp(kPort1, kGuestMac));
  CHECK(actions.transitions.empty());
  CHECK(actions.probes.empty());
  CHECK(driver.routes().empty());
}

TEST_CASE("an answer on a local port confirms a provisional host without touching its route") {
  SiteDriver driver = with_remote_guest();
  driver.feed(rarp(kPort1, kGuestMac));
  driver.advance(300ms);
  const Actions& actions = driver.feed(arp_reply(kPort1, kGuestMac, kGuest));
  CHECK(driver.state(kGuest) == HostState::kLocal);
  CHECK(actions.routes.empty());
  driver.advance(10s);
  CHECK(driver.state(kGuest) == HostState::kLocal);
}

TEST_CASE("an answer for another address of the MAC confirms only that one") {
  SiteDriver driver = with_remote_guest();
  driver.feed(arp(kDciPort, kGuestMac, ip(12)));
  driver.feed(rarp(kPort1, kGuestMac));
  driver.feed(arp_reply(kPort1, kGuestMac, kGuest));
  CHECK(driver.state(kGuest) == HostState::kLocal);
  CHECK(driver.state(ip(12)) == HostState::kProvisional);
  driver.advance(2s);
  CHECK(driver.state(ip(12)) == HostState::kUnknown);
  CHECK_FALSE(driver.announced(ip(12)));
}

TEST_CASE("a provisional host that does not answer within the confirm window is withdrawn") {
  SiteDriver driver = with_remote_guest();
  driver.feed(rarp(kPort1, kGuestMac));
  driver.advance(999ms);
  CHECK(driver.announced(kGuest) == RouteClass::kFresh);
  CHECK(driver.actions().probes.size() >= 2);
  const Actions& actions = driver.advance(1ms);
  CHECK_FALSE(driver.announced(kGuest));
  REQUIRE(actions.transitions.size() == 1);
  CHECK(actions.transitions.front().reason == Reason::kNoAnswerOnLocalPort);
}

TEST_CASE("a bridge that learns the MAC on a local port brings its hosts as a RARP frame does") {
  SiteDriver driver = with_remote_guest();
  const Actions& actions = driver.feed(FdbSeen{kPort2, kGuestMac});
  CHECK(driver.state(kGuest) == HostState::kProvisional);
  CHECK(driver.host(kGuest)->reason == Reason::kFdbOnLocalPort);
  CHECK(driver.announced(kGuest) == RouteClass::kFresh);
  CHECK(probed(actions, kGuest, kPort2));
}

TEST_CASE("a fresh route becomes settled after the settle time and not before") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  driver.advance(30s - 1ns);
  CHECK(driver.announced(kGuest) == RouteClass::kFresh);
  driver.advance(1ns);
  CHECK(route_to(driver, kGuest) == Route{kSvi, RouteClass::kSettled, 5, 1000, 4210});
}

TEST_CASE("hearing a local host again changes nothing") {
  SiteDriver driver = with_local_guest();
  CHECK(driver.feed(arp(kPort1, kGuestMac, kGuest)).empty());
  CHECK(driver.feed(FdbSeen{kPort1, kGuestMac}).empty());
}

TEST_CASE("a move between two local ports keeps the route as it is") {
  SiteDriver driver = with_local_guest();
  const Actions& actions = driver.feed(arp(kPort2, kGuestMac, kGuest));
  CHECK(actions.routes.empty());
  CHECK(driver.site().hosts().find_station(kSegment, kGuestMac)->port == kPort2);
}

// ---- what never makes a host local ----------------------------------------------------------------

TEST_CASE("an ARP reply over the DCI never makes a host local") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp_reply(kDciPort, kGuestMac, kGuest));
  CHECK(driver.state(kGuest) == HostState::kRemote);
  CHECK(driver.site().verdict(*driver.host(kGuest)) == Verdict::kRemote);
  driver.feed(rarp(kDciPort, kGuestMac));
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  driver.feed(NeighbourSeen{kSegment, kGuest, kGuestMac});
  driver.advance(1min);
  CHECK(driver.state(kGuest) == HostState::kRemote);
  CHECK(driver.routes().empty());
}

TEST_CASE("an FDB entry with a remote VTEP is remote whatever its port's class says") {
  SiteDriver driver = with_local_guest();
  driver.feed(FdbSeen{kPort1, kGuestMac, true});
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  CHECK(driver.host(kGuest)->reason == Reason::kRemoteVtep);
  CHECK(driver.site().verdict(*driver.host(kGuest)) == Verdict::kRemote);
}

TEST_CASE("a frame on a port that is not of the segment is no evidence") {
  SiteDriver driver = SiteDriver::running();
  CHECK(driver.feed(arp({99}, kGuestMac, kGuest)).empty());
  CHECK(driver.feed(FdbSeen{{99}, kGuestMac}).empty());
  CHECK(driver.state(kGuest) == std::nullopt);
}

TEST_CASE("a kernel neighbour alone says nothing about place") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(NeighbourSeen{kSegment, kGuest, kGuestMac});
  CHECK(driver.state(kGuest) == HostState::kUnknown);
  CHECK(driver.routes().empty());
  driver.feed(FdbSeen{kPort1, kGuestMac});
  CHECK(driver.state(kGuest) == HostState::kProvisional);
}

TEST_CASE("a kernel neighbour whose MAC is on a local port is provisional until it answers") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(FdbSeen{kPort1, kGuestMac});
  const Actions& actions = driver.feed(NeighbourSeen{kSegment, kGuest, kGuestMac});
  CHECK(driver.state(kGuest) == HostState::kProvisional);
  CHECK(driver.host(kGuest)->reason == Reason::kMacIsLocal);
  CHECK(probed(actions, kGuest, kPort1));
}

TEST_CASE("a kernel neighbour never overrides a local host's binding") {
  SiteDriver driver = with_local_guest();
  driver.feed(FdbSeen{kDciPort, mac(0x22)});
  CHECK(driver.feed(NeighbourSeen{kSegment, kGuest, mac(0x22)}).empty());
  CHECK(driver.host(kGuest)->mac == kGuestMac);
  CHECK(driver.state(kGuest) == HostState::kLocal);
}

TEST_CASE("a kernel neighbour does not end a host's departure") {
  SiteDriver driver = with_local_guest();
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  driver.feed(FdbSeen{kDciPort, mac(0x22)});
  driver.feed(NeighbourSeen{kSegment, kGuest, mac(0x22)});
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
}

TEST_CASE("gateways, excluded, reserved and foreign addresses are never hosts") {
  SiteDriver driver = SiteDriver::running();
  for (const IpAddress& address : {kGateway, ip(245), ip(0), ip(255), IpAddress::v4({198, 51, 100, 7})}) {
    driver.feed(arp(kPort1, kGuestMac, address));
    driver.feed(NeighbourSeen{kSegment, address, kGuestMac});
    CHECK(driver.state(address) == std::nullopt);
  }
  CHECK(driver.routes().empty());
}

TEST_CASE("the edge's own, the gateway's, virtual and group MACs are never hosts") {
  SiteDriver driver = SiteDriver::running();
  const MacAddress vrrp{{0x00, 0x00, 0x5e, 0x00, 0x01, 0x0a}};
  const MacAddress multicast{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12}};
  for (const MacAddress& one : {kSviMac, mac(0xfd), vrrp, multicast, MacAddress{}}) {
    INFO(one.to_string());
    CHECK(driver.feed(arp(kPort1, one, kGuest)).empty());
    CHECK(driver.feed(FdbSeen{kPort1, one}).empty());
    CHECK(driver.feed(NeighbourSeen{kSegment, kGuest, one}).empty());
    CHECK(driver.site().hosts().find_station(kSegment, one) == nullptr);
  }
  CHECK(driver.state(kGuest) == std::nullopt);
}

TEST_CASE("a guest that claims the gateway on a local port raises an alarm, the gateway itself does not") {
  SiteDriver driver = SiteDriver::running();
  const Actions& actions = driver.feed(arp(kPort1, kGuestMac, kGateway));
  REQUIRE(alarms(actions) == std::vector{AlarmKind::kGatewayClaimed});
  CHECK(actions.alarms.front().mac == kGuestMac);
  CHECK(actions.alarms.front().port == kPort1);
  CHECK(alarms(driver.feed(arp(kPort1, kSviMac, kGateway))).empty());
  CHECK(alarms(driver.feed(arp(kDciPort, kGuestMac, kGateway))).empty());
}

// ---- departure ----------------------------------------------------------------

TEST_CASE("evidence behind the DCI makes a local host depart with a lingering route") {
  const auto evidence = GENERATE(Event{FdbSeen{kDciPort, kGuestMac}}, Event{arp(kDciPort, kGuestMac, kGuest)},
                                 Event{rarp(kDciPort, kGuestMac)});
  SiteDriver driver = with_local_guest();
  driver.feed(evidence);
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  CHECK(driver.site().verdict(*driver.host(kGuest)) == Verdict::kRemote);
  CHECK(route_to(driver, kGuest) == Route{kSvi, RouteClass::kLingering, 250, 2000, 4212});
}

TEST_CASE("a lingering route goes as soon as another site's claim wins") {
  SiteDriver driver = with_local_guest();
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  driver.advance(120ms);
  const Actions& actions = driver.feed(RouteNoted{{{}, IpPrefix::host(kGuest)}, RouteNote::kBetterWon});
  CHECK_FALSE(driver.announced(kGuest));
  CHECK(driver.state(kGuest) == HostState::kRemote);
  REQUIRE(actions.transitions.size() == 1);
  CHECK(actions.transitions.front().reason == Reason::kClaimedElsewhere);
  CHECK(driver.advance(1min).routes.empty());
}

TEST_CASE("a lingering route goes at the latest when the linger time is over") {
  SiteDriver driver = with_local_guest();
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  driver.advance(5s - 1ns);
  CHECK(driver.announced(kGuest) == RouteClass::kLingering);
  const Actions& actions = driver.advance(1ns);
  CHECK_FALSE(driver.announced(kGuest));
  CHECK(driver.state(kGuest) == HostState::kRemote);
  CHECK(actions.transitions.front().reason == Reason::kLingerOver);
}

TEST_CASE("without a linger time the route goes with the host") {
  SiteSettings settings = default_settings();
  settings.segments.front().linger = 0s;
  SiteDriver driver = with_local_guest(settings);
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  CHECK(driver.state(kGuest) == HostState::kRemote);
  CHECK(driver.routes().empty());
}

TEST_CASE("only a lingering route yields to a better one") {
  SiteDriver driver = with_local_guest();
  driver.feed(RouteNoted{{{}, IpPrefix::host(kGuest)}, RouteNote::kBetterWon});
  CHECK(driver.announced(kGuest) == RouteClass::kSettled);
  driver.feed(RouteNoted{{{}, IpPrefix::host(ip(99))}, RouteNote::kBetterWon});
  driver.feed(RouteNoted{{{}, IpPrefix::host(kGuest)}, RouteNote::kRejected});
  CHECK(driver.announced(kGuest) == RouteClass::kSettled);
}

TEST_CASE("a host that comes back while its route lingers is fresh again") {
  SiteDriver driver = with_local_guest();
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  driver.advance(2s);
  const Actions& actions = driver.feed(arp(kPort1, kGuestMac, kGuest));
  CHECK(driver.state(kGuest) == HostState::kLocal);
  CHECK(driver.announced(kGuest) == RouteClass::kFresh);
  CHECK(actions.greetings.size() == 1);
  driver.advance(10s);
  CHECK(driver.announced(kGuest) == RouteClass::kFresh);
}

TEST_CASE(
    "a late DCI frame right after an arrival is challenged, and an answer on the local port keeps the host") {
  SiteDriver driver = with_remote_guest();
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  driver.advance(20ms);
  const Actions& actions = driver.feed(FdbSeen{kDciPort, kGuestMac});
  CHECK(driver.state(kGuest) == HostState::kLocal);
  CHECK(driver.announced(kGuest) == RouteClass::kFresh);
  CHECK(probed(actions, kGuest, {}));
  driver.advance(50ms);
  driver.feed(arp_reply(kPort1, kGuestMac, kGuest));
  driver.advance(10s);
  CHECK(driver.state(kGuest) == HostState::kLocal);
}

TEST_CASE("a late DCI frame right after an arrival departs the host when the challenge is met with silence") {
  SiteDriver driver = with_remote_guest();
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  driver.advance(20ms);
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  driver.advance(200ms - 1ns);
  CHECK(driver.state(kGuest) == HostState::kLocal);
  driver.advance(1ns);
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  CHECK(driver.host(kGuest)->reason == Reason::kNoAnswerOnLocalPort);
}

TEST_CASE("more DCI frames do not prolong a challenge") {
  SiteDriver driver = with_remote_guest();
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  for (int i = 0; i < 4; ++i) {
    driver.advance(50ms);
    driver.feed(rarp(kDciPort, kGuestMac));
  }
  CHECK(driver.state(kGuest) == HostState::kDeparting);
}

TEST_CASE("an FDB entry that ages out is a reason to ask, not a departure") {
  SiteDriver driver = with_local_guest();
  driver.advance(10s);
  CHECK(probed(driver.feed(FdbGone{kPort1, kGuestMac, true}), kGuest, kPort1));
  CHECK(driver.state(kGuest) == HostState::kLocal);
  // Not there? Then perhaps on another local port.
  CHECK(probed(driver.feed(FdbGone{kPort1, kGuestMac, true}), kGuest, {}));
  driver.advance(5s);
  CHECK(driver.state(kGuest) == HostState::kLocal);
}

TEST_CASE("an address that was asked for in vain is asked again when its MAC is heard") {
  SiteDriver driver = with_local_guest();
  driver.advance(100s);  // refreshes, unanswered
  REQUIRE(driver.state(kGuest) == HostState::kLocal);
  CHECK(probed(driver.feed(rarp(kPort1, kGuestMac)), kGuest, {}));
  driver.feed(arp_reply(kPort1, kGuestMac, kGuest));
  driver.advance(100s);
  CHECK(driver.state(kGuest) == HostState::kLocal);
}

TEST_CASE("an FDB entry that is flushed is asked about with a deadline") {
  SiteDriver driver = with_local_guest();
  const Actions& actions = driver.feed(FdbGone{kPort1, kGuestMac, false});
  CHECK(driver.state(kGuest) == HostState::kLocal);
  CHECK(probed(actions, kGuest, kPort1));

  SECTION("an answer keeps the host") {
    driver.advance(500ms);
    driver.feed(arp_reply(kPort1, kGuestMac, kGuest));
    driver.advance(10s);
    CHECK(driver.state(kGuest) == HostState::kLocal);
  }
  SECTION("silence departs it") {
    driver.advance(1s);
    CHECK(driver.state(kGuest) == HostState::kDeparting);
  }
}

TEST_CASE("flushing an entry again and again does not prolong the challenge") {
  SiteDriver driver = with_local_guest();
  for (int i = 0; i < 4; ++i) {
    driver.feed(FdbGone{kPort1, kGuestMac, false});
    driver.advance(250ms);
  }
  CHECK(driver.state(kGuest) == HostState::kDeparting);
}

TEST_CASE("an FDB entry that goes from a port where the MAC no longer is means nothing") {
  SiteDriver driver = with_local_guest();
  driver.feed(arp(kPort2, kGuestMac, kGuest));
  CHECK(driver.feed(FdbGone{kPort1, kGuestMac, false}).empty());
}

// ---- silence ----------------------------------------------------------------

TEST_CASE("a silent host is probed after the refresh time and kept when it answers") {
  SiteDriver driver = with_local_guest();
  CHECK(driver.advance(59s).probes.empty());
  const Actions& actions = driver.advance(31s);
  CHECK(probed(actions, kGuest, kPort1));
  driver.feed(arp_reply(kPort1, kGuestMac, kGuest));
  driver.advance(179s);
  CHECK(driver.state(kGuest) == HostState::kLocal);
}

TEST_CASE("a host that stays silent is given up after the silence time") {
  SiteDriver driver = with_local_guest();
  const TimePoint heard = driver.now();
  driver.advance(180s - 1ns);
  CHECK(driver.state(kGuest) == HostState::kLocal);
  const Actions& actions = driver.advance(1ns);
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  CHECK(driver.host(kGuest)->reason == Reason::kSilent);
  REQUIRE_FALSE(actions.transitions.empty());
  CHECK(actions.transitions.front().when - heard == 180s);
}

TEST_CASE("an address that its MAC gave up is given up, however much the MAC talks") {
  SiteDriver driver = with_local_guest();
  for (int step = 0; step < 18; ++step) {
    driver.feed(arp(kPort1, kGuestMac, ip(12)));
    driver.advance(10s);
  }
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  CHECK(driver.state(ip(12)) == HostState::kLocal);
}

TEST_CASE("hosts heard together are not probed together for ever") {
  SiteDriver driver = SiteDriver::running();
  for (unsigned last = 2; last < 200; ++last) driver.feed(arp(kPort1, mac(last), ip(last)));
  for (unsigned last = 2; last < 200; ++last) driver.feed(arp(kPort1, mac(last), ip(last)));
  const auto answer_for = [&](int seconds) {
    std::size_t most = 0;
    for (int step = 0; step < seconds * 10; ++step) {
      const std::vector<ProbeRequest> probes = driver.advance(100ms).probes;
      for (const ProbeRequest& probe : probes) driver.feed(arp_reply(kPort1, *probe.mac, probe.ip));
      most = std::max(most, probes.size());
    }
    return most;
  };
  answer_for(130);
  const std::size_t most = answer_for(120);
  CHECK(most > 0);
  CHECK(most < 20);
}

TEST_CASE("a binding is remembered for an hour after it was last heard") {
  SiteDriver driver = with_remote_guest();
  driver.advance(50min);
  driver.feed(arp(kDciPort, kGuestMac, kGuest));
  driver.advance(59min);
  CHECK(driver.state(kGuest) == HostState::kRemote);
  driver.advance(2min);
  CHECK(driver.state(kGuest) == std::nullopt);
}

TEST_CASE("what is forgotten leaves nothing behind") {
  SiteDriver driver = SiteDriver::running();
  for (unsigned last = 2; last < 102; ++last) {
    driver.feed(arp(last % 2 == 0 ? kPort1 : kDciPort, mac(last), ip(last)));
    driver.feed(FdbGone{last % 2 == 0 ? kPort1 : kDciPort, mac(last), true});
  }
  driver.advance(2h);
  CHECK(driver.site().hosts().size() == 0);
  for (unsigned last = 2; last < 102; ++last) {
    CHECK(driver.site().hosts().find_station(kSegment, mac(last)) == nullptr);
  }
  CHECK(driver.site().next_deadline() == kNever);
}

TEST_CASE("a MAC that the bridge still lists outlives its bindings") {
  SiteDriver driver = with_remote_guest();
  driver.feed(FdbGone{kDciPort, kGuestMac, true});
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  driver.advance(2h);
  REQUIRE(driver.state(kGuest) == std::nullopt);
  CHECK(driver.site().hosts().find_station(kSegment, kGuestMac)->is_remote());
}

// ---- rebinding ----------------------------------------------------------------

TEST_CASE("an address that moves to another local MAC keeps its route") {
  SiteDriver driver = with_local_guest();
  const Actions& actions = driver.feed(arp(kPort2, mac(0x22), kGuest));
  CHECK(actions.routes.empty());
  CHECK(driver.host(kGuest)->mac == mac(0x22));
  CHECK(driver.state(kGuest) == HostState::kLocal);
  REQUIRE_FALSE(actions.transitions.empty());
  CHECK(actions.transitions.front().reason == Reason::kReboundToOtherMac);
}

TEST_CASE("an address that moves to a MAC behind the DCI departs") {
  SiteDriver driver = with_local_guest();
  driver.feed(arp(kDciPort, mac(0x22), kGuest));
  CHECK(driver.host(kGuest)->mac == mac(0x22));
  driver.advance(1s);
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  driver.advance(5s);
  CHECK(driver.state(kGuest) == HostState::kRemote);
  CHECK_FALSE(driver.announced(kGuest));
}

TEST_CASE("what happens to the old MAC no longer concerns a rebound address") {
  SiteDriver driver = with_local_guest();
  driver.feed(arp(kPort2, mac(0x22), kGuest));
  driver.advance(2s);
  driver.feed(FdbSeen{kDciPort, kGuestMac});
  CHECK(driver.state(kGuest) == HostState::kLocal);
}

}  // namespace untrombone::core
