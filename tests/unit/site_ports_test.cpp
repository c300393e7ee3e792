// SPDX-License-Identifier: GPL-2.0-or-later
// Ports that flap, go for good, or lead elsewhere, and the edge's own addresses.
#include <chrono>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/site_guests.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;

const Event kPortDown = PortChanged{kSegment, kPort1, PortClass::kLocal, false};
const Event kPortUp = PortChanged{kSegment, kPort1, PortClass::kLocal, true};

}  // namespace

TEST_CASE(
    "a port that flaps withdraws nothing, asks its hosts when it is back, and keeps those that answer") {
  SiteDriver driver = with_local_guest();
  driver.feed(arp(kPort1, mac(0x12), ip(12)));
  driver.advance(31s);
  // The kernel flushes first, then says why.
  driver.feed(FdbGone{kPort1, kGuestMac, false});
  CHECK(driver.feed(kPortDown).empty());
  CHECK(driver.feed(FdbGone{kPort1, mac(0x12), false}).empty());
  const Actions& down = driver.advance(3s - 1ns);
  CHECK(down.routes.empty());
  CHECK(down.probes.empty());
  CHECK(driver.state(kGuest) == HostState::kLocal);
  const Actions& up = driver.feed(kPortUp);
  CHECK(up.routes.empty());
  CHECK(up.probes.size() == 2);
  driver.feed(arp_reply(kPort1, kGuestMac, kGuest));
  driver.advance(1s);
  CHECK(driver.state(kGuest) == HostState::kLocal);
  CHECK(driver.announced(kGuest) == RouteClass::kSettled);
  CHECK(driver.state(ip(12)) == HostState::kDeparting);
  CHECK(driver.host(ip(12))->reason == Reason::kNoAnswerOnLocalPort);
}

TEST_CASE("a port that stays down takes its hosts with it when the hold is over") {
  SiteDriver driver = with_local_guest();
  driver.feed(arp(kPort2, mac(0x22), ip(22)));
  driver.feed(kPortDown);
  driver.advance(3s - 1ns);
  CHECK(driver.state(kGuest) == HostState::kLocal);
  driver.advance(1ns);
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  CHECK(driver.host(kGuest)->reason == Reason::kPortDown);
  CHECK(driver.site().verdict(*driver.host(kGuest)) == Verdict::kUnknown);
  CHECK(driver.state(ip(22)) == HostState::kLocal);
}

TEST_CASE("without a hold a port takes its hosts with it at once, also one that has just arrived") {
  SiteSettings settings = default_settings();
  settings.segments.front().port_hold = 0s;
  SiteDriver driver = SiteDriver::running(settings);
  driver.feed(arp(kDciPort, kGuestMac, kGuest));
  driver.feed(rarp(kPort1, kGuestMac));
  driver.feed(kPortDown);
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  CHECK(driver.feed(FdbSeen{kPort1, kGuestMac}).empty());
  driver.feed(kPortUp);
  driver.feed(FdbSeen{kPort1, kGuestMac});
  CHECK(driver.state(kGuest) == HostState::kProvisional);
}

TEST_CASE("a host that shows up elsewhere while its port is held is where it shows up") {
  SiteDriver driver = with_local_guest();
  driver.feed(kPortDown);
  SECTION("on another local port") {
    CHECK(driver.feed(arp(kPort2, kGuestMac, kGuest)).routes.empty());
    driver.advance(1min);
    CHECK(driver.state(kGuest) == HostState::kLocal);
  }
  SECTION("behind the DCI") {
    driver.advance(1s);
    driver.feed(arp(kDciPort, kGuestMac, kGuest));
    CHECK(driver.state(kGuest) == HostState::kDeparting);
    driver.feed(kPortUp);
    driver.advance(5s);
    CHECK(driver.state(kGuest) == HostState::kRemote);
  }
}

TEST_CASE("a flap of a port with thousands of hosts changes no route") {
  SiteSettings settings = default_settings();
  settings.segments.front().subnets = {IpPrefix::parse("10.0.0.0/8").value()};
  settings.segments.front().exclude.clear();
  settings.segments.front().gateways = {IpAddress::parse("10.0.0.1").value()};
  SiteDriver driver = SiteDriver::running(settings);
  const auto host = [](unsigned n) {
    return IpAddress::v4({10, 2, static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n)});
  };
  const auto guest = [](unsigned n) {
    return MacAddress{{2, 0, 0, 0, static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n)}};
  };
  for (unsigned n = 1; n <= 5000; ++n) driver.feed(arp(kPort1, guest(n), host(n)));
  driver.advance(1min);
  REQUIRE(driver.routes().size() == 5000);
  std::size_t changes = 0;
  for (int flap = 0; flap < 3; ++flap) {
    for (unsigned n = 1; n <= 5000; ++n) driver.feed(FdbGone{kPort1, guest(n), false});
    changes += driver.feed(kPortDown).routes.size() + driver.advance(1s).routes.size();
    CHECK(driver.feed(kPortUp).probes.size() <= 100);  // these are lost, and asked again
    for (int step = 0; step < 500; ++step) {
      const Actions& actions = driver.advance(10ms);
      changes += actions.routes.size();
      const std::vector<ProbeRequest> probes = actions.probes;
      for (const ProbeRequest& probe : probes)
        changes += driver.feed(arp_reply(kPort1, *probe.mac, probe.ip)).routes.size();
    }
  }
  CHECK(changes == 0);
  CHECK(driver.routes().size() == 5000);
}

TEST_CASE(
    "a host on a port that comes to lead to the DCI departs, one on a port that comes from there arrives") {
  SiteDriver driver = with_local_guest();
  driver.feed(arp(kDciPort, mac(0x22), ip(22)));
  driver.advance(2s);
  driver.feed(PortChanged{kSegment, kPort1, PortClass::kDci, true});
  CHECK(driver.state(kGuest) == HostState::kDeparting);
  driver.feed(PortChanged{kSegment, kDciPort, PortClass::kLocal, true});
  CHECK(driver.state(ip(22)) == HostState::kProvisional);
}

TEST_CASE("an ifindex that is used again, for a port of another class, brings nobody back") {
  SiteDriver driver = with_local_guest();
  driver.feed(kPortDown);
  driver.advance(4s);
  REQUIRE(driver.state(kGuest) == HostState::kDeparting);
  CHECK(driver.feed(PortChanged{kSegment, kPort1, PortClass::kDci, true}).routes.empty());
  driver.advance(5s);
  CHECK_FALSE(driver.announced(kGuest));
}

// ---- the edge itself ----------------------------------------------------------------

TEST_CASE("the edge's own addresses are never hosts, and who claims one is told on") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(OwnAddress{kSegment, ip(2)});
  for (const Ifindex port : {kPort1, kDciPort}) {
    const Actions& actions = driver.feed(arp(port, kGuestMac, ip(2)));
    CHECK(actions.routes.empty());
    REQUIRE(actions.alarms.size() == 1);
    CHECK(actions.alarms.front().kind == AlarmKind::kOwnAddressClaimed);
    CHECK(actions.alarms.front().mac == kGuestMac);
    CHECK(actions.alarms.front().port == port);
  }
  driver.feed(NeighbourSeen{kSegment, ip(2), kGuestMac});
  CHECK_FALSE(driver.state(ip(2)));
  driver.feed(OwnAddress{kSegment, ip(2), false});
  driver.feed(arp(kPort1, kGuestMac, ip(2)));
  CHECK(driver.state(ip(2)) == HostState::kLocal);
}

TEST_CASE("a host whose address becomes the edge's is forgotten and withdrawn") {
  SiteDriver driver = with_local_guest();
  driver.feed(OwnAddress{kSegment, kGuest});
  CHECK_FALSE(driver.state(kGuest));
  CHECK(driver.routes().empty());
  CHECK(driver.site().history().of(kSegment, kGuest).back().reason == Reason::kOwnAddress);
  driver.advance(2h);
  CHECK(driver.site().hosts().size() == 0);
}

TEST_CASE("a MAC that becomes the edge's takes its hosts with it") {
  SiteDriver driver = with_local_guest();
  driver.feed(arp(kPort1, kGuestMac, ip(12)));
  driver.feed(OwnMac{kSegment, kGuestMac});
  CHECK(driver.routes().empty());
  CHECK(driver.site().hosts().size() == 0);
  CHECK(driver.site().hosts().find_station(kSegment, kGuestMac) == nullptr);
  CHECK(driver.feed(arp(kPort1, kGuestMac, kGuest)).empty());
  CHECK(driver.feed(FdbSeen{kPort1, kGuestMac}).empty());
  driver.feed(OwnMac{kSegment, kGuestMac, false});
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  CHECK(driver.state(kGuest) == HostState::kLocal);
}

}  // namespace untrombone::core
