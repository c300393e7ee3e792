// SPDX-License-Identifier: GPL-2.0-or-later
// One port, many VLANs; one address, many VRFs.
#include <catch2/catch.hpp>

#include "tests/unit/site_driver.hpp"

namespace untrombone::core {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr SegmentId kFirst{0};
constexpr SegmentId kSecond{1};
constexpr VlanId kVlan10{10};
constexpr VlanId kVlan20{20};
constexpr VrfId kRed{101};
constexpr VrfId kBlue{102};

/// Two segments with the same subnet in two VRFs, on the same ports.
SiteDriver two_vlans() {
  SiteSettings settings = default_settings();
  settings.segments.push_back(settings.segments.front());
  settings.segments.back().name = "vlan20";
  SiteDriver driver(std::move(settings));
  driver.feed(InterfaceChanged{kFirst, {20}, kSviMac, true, kRed});
  driver.feed(InterfaceChanged{kSecond, {21}, kSviMac, true, kBlue});
  for (const auto& [segment, vlan] : {std::pair{kFirst, kVlan10}, std::pair{kSecond, kVlan20}}) {
    driver.feed(PortChanged{segment, kPort1, PortClass::kLocal, true, vlan});
    driver.feed(PortChanged{segment, kDciPort, PortClass::kDci, true, vlan});
  }
  driver.feed(DumpStarted{});
  driver.feed(DumpFinished{});
  driver.advance(10s);
  return driver;
}

FrameSeen arp_in(VlanId vlan, Ifindex port, const MacAddress& from, const IpAddress& sender) {
  FrameSeen seen = arp(port, from, sender);
  seen.vlan = vlan;
  return seen;
}

FrameSeen rarp_in(VlanId vlan, Ifindex port, const MacAddress& from) {
  FrameSeen seen = rarp(port, from);
  seen.vlan = vlan;
  return seen;
}

const Host* host_in(const SiteDriver& driver, SegmentId segment, const IpAddress& address) {
  const HostIndex index = driver.site().hosts().find(segment, address);
  return index == kNoHost ? nullptr : &driver.site().hosts()[index];
}

HostState state_in(const SiteDriver& driver, SegmentId segment, const IpAddress& address) {
  const Host* const host = host_in(driver, segment, address);
  REQUIRE(host != nullptr);
  return host->state;
}

}  // namespace

TEST_CASE("the same address in two VLANs of one port is two hosts, each with a route in its own VRF") {
  SiteDriver driver = two_vlans();
  driver.feed(arp_in(kVlan10, kPort1, mac(0x11), ip(11)));
  driver.feed(arp_in(kVlan20, kPort1, mac(0x22), ip(11)));
  CHECK(host_in(driver, kFirst, ip(11))->mac == mac(0x11));
  CHECK(host_in(driver, kSecond, ip(11))->mac == mac(0x22));
  CHECK(driver.routes().at({kRed, IpPrefix::host(ip(11))}).interface == Ifindex{20});
  CHECK(driver.routes().at({kBlue, IpPrefix::host(ip(11))}).interface == Ifindex{21});
  CHECK(driver.routes().size() == 2);
}

TEST_CASE("a MAC that is in two VLANs is in two places") {
  SiteDriver driver = two_vlans();
  driver.feed(arp_in(kVlan10, kPort1, mac(0x11), ip(11)));
  driver.feed(arp_in(kVlan20, kDciPort, mac(0x11), ip(11)));
  CHECK(state_in(driver, kFirst, ip(11)) == HostState::kLocal);
  CHECK(state_in(driver, kSecond, ip(11)) == HostState::kRemote);
  driver.feed(FdbSeen{kPort1, mac(0x11), false, kVlan20});
  CHECK(state_in(driver, kSecond, ip(11)) == HostState::kProvisional);
  driver.feed(arp_in(kVlan20, kPort1, mac(0x11), ip(11)));
  driver.advance(5s);  // later than a late frame would come
  driver.feed(FdbSeen{kDciPort, mac(0x11), false, kVlan10});
  CHECK(state_in(driver, kFirst, ip(11)) == HostState::kDeparting);
  CHECK(state_in(driver, kSecond, ip(11)) == HostState::kLocal);
}

TEST_CASE("evidence of a VLAN that no segment has on the port is nobody's") {
  SiteDriver driver = two_vlans();
  for (const VlanId vlan : {VlanId{}, VlanId{30}}) {
    driver.feed(arp_in(vlan, kPort1, mac(0x11), ip(11)));
    driver.feed(rarp_in(vlan, kPort1, mac(0x12)));
    driver.feed(FdbSeen{kPort1, mac(0x13), false, vlan});
    driver.feed(SourceSeen{kPort1, mac(0x14), ip(14), vlan});
  }
  CHECK(driver.site().hosts().size() == 0);
  CHECK(driver.site().strangers().empty());
  CHECK(driver.routes().empty());
}

TEST_CASE("a port that leaves one VLAN takes away that one's hosts and strangers only") {
  SiteDriver driver = two_vlans();
  driver.feed(arp_in(kVlan10, kPort1, mac(0x11), ip(11)));
  driver.feed(arp_in(kVlan20, kPort1, mac(0x22), ip(11)));
  driver.feed(rarp_in(kVlan10, kPort1, mac(0x33)));
  driver.feed(rarp_in(kVlan20, kPort1, mac(0x44)));
  REQUIRE(driver.site().strangers().size() == 2);
  driver.feed(PortChanged{kFirst, kPort1, PortClass::kLocal, false, kVlan10});
  driver.advance(3s);
  CHECK(state_in(driver, kFirst, ip(11)) == HostState::kDeparting);
  CHECK(state_in(driver, kSecond, ip(11)) == HostState::kLocal);
  REQUIRE(driver.site().strangers().size() == 1);
  CHECK(driver.site().strangers().front().segment == kSecond);
}

TEST_CASE("an aged entry of one VLAN says nothing about the other") {
  SiteDriver driver = two_vlans();
  driver.feed(arp_in(kVlan10, kPort1, mac(0x11), ip(11)));
  driver.feed(arp_in(kVlan20, kPort1, mac(0x11), ip(11)));
  const Actions& actions = driver.feed(FdbGone{kPort1, mac(0x11), false, kVlan20});
  REQUIRE(actions.probes.size() == 1);
  CHECK(actions.probes.front().segment == kSecond);
  driver.advance(5s);
  CHECK(state_in(driver, kFirst, ip(11)) == HostState::kLocal);
  CHECK(state_in(driver, kSecond, ip(11)) != HostState::kLocal);
}

TEST_CASE("another site's better route in one VRF withdraws nothing in the other") {
  SiteDriver driver = two_vlans();
  driver.feed(arp_in(kVlan10, kPort1, mac(0x11), ip(11)));
  driver.feed(arp_in(kVlan20, kPort1, mac(0x22), ip(11)));
  driver.advance(5s);
  driver.feed(arp_in(kVlan10, kDciPort, mac(0x11), ip(11)));
  driver.feed(arp_in(kVlan20, kDciPort, mac(0x22), ip(11)));
  driver.feed(RouteNoted{{kRed, IpPrefix::host(ip(11))}, RouteNote::kBetterWon});
  CHECK_FALSE(driver.announced(ip(11), kRed));
  CHECK(driver.announced(ip(11), kBlue) == RouteClass::kLingering);
}

TEST_CASE("a port that another segment got first is not lost with the segment it left") {
  SiteDriver driver = two_vlans();
  driver.feed(PortChanged{kSecond, kPort1, PortClass::kLocal, true, kVlan10});
  driver.feed(PortChanged{kFirst, kPort1, PortClass::kLocal, false, kVlan10});
  driver.feed(arp_in(kVlan10, kPort1, mac(0x11), ip(11)));
  CHECK(state_in(driver, kSecond, ip(11)) == HostState::kLocal);
}

TEST_CASE(
    "the hosts behind a port that turns out to lead to the DCI depart, and come back when it does not") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kPort1, mac(0x11), ip(11)));
  driver.advance(5s);
  driver.feed(PortChanged{kSegment, kPort1, PortClass::kDci, true});
  CHECK(driver.state(ip(11)) == HostState::kDeparting);
  driver.feed(PortChanged{kSegment, kPort1, PortClass::kDci, true});
  driver.feed(PortChanged{kSegment, kPort1, PortClass::kPeer, true});
  CHECK(driver.host(ip(11))->is_here());
  CHECK(driver.announced(ip(11)) == RouteClass::kFresh);
}

}  // namespace untrombone::core
