// SPDX-License-Identifier: GPL-2.0-or-later
// The core with IPv6: the rules are those of IPv4, the evidence is neighbour discovery.
#include <algorithm>
#include <chrono>

#include <catch2/catch.hpp>

#include "tests/unit/site_driver.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }

const MacAddress kGuestMac = mac(0x11);
const IpAddress kGuest4 = ip(11);
const IpAddress kGuest6 = address("2001:db8:1::11");
const IpAddress kPrivacy = address("2001:db8:1:0:7a5c:21ff:9e03:4d68");
const IpAddress kGateway6 = address("2001:db8:1::1");
const IpAddress kGatewayLinkLocal = address("fe80::1");

FrameSeen solicitation(Ifindex port, const MacAddress& from, const std::optional<IpAddress>& sender) {
  return {port, FrameKind::kNeighbourSolicitation, from, sender, false};
}
FrameSeen advertisement(Ifindex port, const MacAddress& from, const IpAddress& target) {
  return {port, FrameKind::kNeighbourAdvertisement, from, target, false};
}

/// 192.0.2.0/24 and 2001:db8:1::/64, the latter with a link-local gateway, too.
SiteSettings dual_stack() {
  SiteSettings settings = default_settings();
  SegmentSettings& segment = settings.segments.front();
  segment.subnets.push_back(IpPrefix::parse("2001:db8:1::/64").value());
  segment.gateways.push_back(kGateway6);
  segment.exclude.push_back(IpPrefix::parse("2001:db8:1::f000/116").value());
  return settings;
}

}  // namespace

TEST_CASE("an advertisement on a local port makes its target local, announced as a /128 and greeted") {
  SiteDriver driver = SiteDriver::running(dual_stack());
  const Actions actions = driver.feed(advertisement(kPort1, kGuestMac, kGuest6));
  CHECK(driver.state(kGuest6) == HostState::kLocal);
  CHECK(driver.host(kGuest6)->reason == Reason::kNdOnLocalPort);
  CHECK(driver.announced(kGuest6) == RouteClass::kFresh);
  CHECK(driver.routes().begin()->first.prefix.to_string() == "2001:db8:1::11/128");
  REQUIRE(actions.greetings.size() == 1);
  CHECK(actions.greetings.front().gateway == kGateway6);
  CHECK(driver.site().hosts().find_station(kSegment, kGuestMac)->evidence == Evidence::kNd);
}

TEST_CASE("a solicitation with its source's MAC is evidence as good as an advertisement") {
  SiteDriver driver = SiteDriver::running(dual_stack());
  driver.feed(solicitation(kPort1, kGuestMac, kGuest6));
  CHECK(driver.state(kGuest6) == HostState::kLocal);
}

TEST_CASE("evidence from the DCI alone never makes an IPv6 host local") {
  SiteDriver driver = SiteDriver::running(dual_stack());
  driver.feed(advertisement(kDciPort, kGuestMac, kGuest6));
  CHECK(driver.state(kGuest6) == HostState::kRemote);
  CHECK(driver.host(kGuest6)->reason == Reason::kNdOnDci);
  CHECK(driver.routes().empty());
}

TEST_CASE("a local guest that is heard of over the DCI by neighbour discovery departs") {
  SiteDriver driver = SiteDriver::running(dual_stack());
  driver.feed(advertisement(kPort1, kGuestMac, kGuest6));
  driver.advance(31s);
  driver.feed(advertisement(kDciPort, kGuestMac, kGuest6));
  CHECK(driver.state(kGuest6) == HostState::kDeparting);
  CHECK(driver.announced(kGuest6) == RouteClass::kLingering);
}

TEST_CASE("duplicate address detection binds nothing but tells where the MAC is") {
  SiteDriver driver = SiteDriver::running(dual_stack());
  driver.feed(solicitation(kPort1, kGuestMac, std::nullopt));
  CHECK(driver.site().hosts().size() == 0);
  driver.feed(advertisement(kDciPort, kGuestMac, kGuest6));
  driver.feed(solicitation(kPort1, kGuestMac, std::nullopt));
  CHECK(driver.state(kGuest6) == HostState::kProvisional);
}

TEST_CASE("link-local, multicast, gateway, reserved and excluded addresses are no hosts") {
  SiteDriver driver = SiteDriver::running(dual_stack());
  for (const char* text : {"fe80::200:5eff:fe00:5311", "ff02::1", "2001:db8:1::", "2001:db8:1::f00d",
                           "2001:db8:2::11", "::1", "::"}) {
    driver.feed(advertisement(kPort1, kGuestMac, address(text)));
    driver.feed(solicitation(kPort1, kGuestMac, address(text)));
  }
  driver.feed(advertisement(kDciPort, kGuestMac, kGateway6));
  CHECK(driver.site().hosts().size() == 0);
  CHECK(driver.routes().empty());
}

TEST_CASE("a local guest that claims the IPv6 gateway raises an alarm") {
  SiteDriver driver = SiteDriver::running(dual_stack());
  const Actions actions = driver.feed(advertisement(kPort1, kGuestMac, kGateway6));
  REQUIRE(actions.alarms.size() == 1);
  CHECK(actions.alarms.front().kind == AlarmKind::kGatewayClaimed);
}

TEST_CASE("a RARP frame brings all addresses of its MAC, of both families and private ones") {
  SiteDriver driver = SiteDriver::running(dual_stack());
  driver.feed(arp(kDciPort, kGuestMac, kGuest4));
  driver.feed(advertisement(kDciPort, kGuestMac, kGuest6));
  driver.feed(solicitation(kDciPort, kGuestMac, kPrivacy));
  const Actions actions = driver.feed(rarp(kPort1, kGuestMac));
  for (const IpAddress& guest : {kGuest4, kGuest6, kPrivacy}) {
    INFO(guest.to_string());
    CHECK(driver.state(guest) == HostState::kProvisional);
    CHECK(driver.announced(guest) == RouteClass::kFresh);
    CHECK(std::any_of(actions.probes.begin(), actions.probes.end(),
                      [&](const ProbeRequest& probe) { return probe.ip == guest && probe.port == kPort1; }));
  }
}

TEST_CASE("the answer of one address does not confirm the others") {
  SiteDriver driver = SiteDriver::running(dual_stack());
  driver.feed(advertisement(kDciPort, kGuestMac, kGuest6));
  driver.feed(advertisement(kDciPort, kGuestMac, kPrivacy));
  driver.feed(rarp(kPort1, kGuestMac));
  driver.feed(advertisement(kPort1, kGuestMac, kGuest6));
  CHECK(driver.state(kGuest6) == HostState::kLocal);
  CHECK(driver.state(kPrivacy) == HostState::kProvisional);
  driver.advance(2s);
  CHECK(driver.announced(kGuest6));
  CHECK_FALSE(driver.announced(kPrivacy));
}

TEST_CASE("a guest of which only IPv4 is known is told of the IPv6 gateways, too") {
  SiteDriver driver = SiteDriver::running(dual_stack());
  const Actions blind = driver.feed(arp(kPort1, kGuestMac, kGuest4));
  REQUIRE(blind.greetings.size() == 2);
  CHECK(blind.greetings.front().gateway == kGateway);
  CHECK(blind.greetings.back().gateway == kGateway6);
  CHECK(blind.greetings.back().ip == kGuest4);
  driver.feed(advertisement(kPort1, kGuestMac, kGuest6));
  driver.advance(50ms);
  for (const GreetRequest& greeting : driver.actions().greetings) {
    CHECK(greeting.ip.is_v4() == greeting.gateway.is_v4());
  }
}

TEST_CASE("a guest with a link-local gateway is greeted for it, too, but not for IPv4") {
  SiteSettings settings = dual_stack();
  settings.segments.front().gateways.push_back(kGatewayLinkLocal);
  SiteDriver driver = SiteDriver::running(settings);
  const Actions six = driver.feed(advertisement(kPort1, kGuestMac, kGuest6));
  REQUIRE(six.greetings.size() == 2);
  CHECK(six.greetings.front().gateway == kGateway6);
  CHECK(six.greetings.back().gateway == kGatewayLinkLocal);
  const Actions four = driver.feed(arp(kPort1, kGuestMac, kGuest4));
  REQUIRE(four.greetings.size() == 1);
  CHECK(four.greetings.front().gateway == kGateway);
}

TEST_CASE("an answer to the gateway's own MAC ends the greetings of its address") {
  SiteDriver driver = SiteDriver::running(dual_stack());
  driver.feed(advertisement(kPort1, kGuestMac, kGuest6));
  FrameSeen answer = advertisement(kPort1, kGuestMac, kGuest6);
  answer.to_gateway_mac = true;
  driver.feed(answer);
  CHECK(driver.host(kGuest6)->greeting_answered);
  CHECK(driver.advance(5s).greetings.empty());
}

TEST_CASE("a /128 of an earlier run is asked about, and withdrawn when nobody answers") {
  SiteDriver driver = SiteDriver::starting(dual_stack());
  driver.feed(PriorRoute{kSegment, kGuest6});
  driver.feed(PriorRoute{kSegment, kPrivacy});
  const Actions asked = driver.feed(DumpFinished{});
  CHECK(asked.probes.size() == 2);
  driver.feed(advertisement(kPort1, kGuestMac, kGuest6));
  const Actions over = driver.advance(10s);
  CHECK(driver.announced(kGuest6) == RouteClass::kSettled);
  REQUIRE(over.routes.size() == 1);
  CHECK(over.routes.front().key.prefix == IpPrefix::host(kPrivacy));
  CHECK_FALSE(over.routes.front().route);
}

TEST_CASE("the words of neighbour discovery are stable") {
  CHECK(to_string(FrameKind::kNeighbourSolicitation) == "neighbour-solicitation");
  CHECK(to_string(FrameKind::kNeighbourAdvertisement) == "neighbour-advertisement");
  CHECK(to_string(Evidence::kNd) == "nd");
}

}  // namespace untrombone::core
