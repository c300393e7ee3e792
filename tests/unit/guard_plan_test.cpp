// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/guard_plan.hpp"

#include <catch2/catch.hpp>

namespace untrombone::daemon {
namespace {

using core::IpAddress;
using core::MacAddress;

const IpAddress kGateway = IpAddress::v4({192, 0, 2, 1});
const MacAddress kOwn{{0x02, 0x00, 0x5e, 0x00, 0x53, 0x01}};
const MacAddress kOther{{0x02, 0x00, 0x5e, 0x00, 0x53, 0x02}};
const MacAddress kVirtual{{0x00, 0x00, 0x5e, 0x00, 0x01, 0x0a}};

/// A segment with a local port, two to the DCI, the first of which is down, and a peer.
struct Segment {
  SegmentConfig config;
  core::SegmentSettings settings;
  SegmentView view;
  MacAddress own = kOwn;

  Segment() {
    settings.subnets = {core::IpPrefix::parse("192.0.2.0/24").value()};
    settings.gateways = {kGateway};
    settings.gateway_macs = {kOwn, kOther};
    view.ports[{1}] = {core::PortClass::kLocal, true};
    view.ports[{2}] = {core::PortClass::kDci, false};
    view.ports[{3}] = {core::PortClass::kDci, true};
    view.ports[{4}] = {core::PortClass::kPeer, true};
  }
  [[nodiscard]] GuardInput input() const {
    return {config, settings, view, own, [](core::Ifindex port) { return "p" + std::to_string(port.value); }};
  }
  [[nodiscard]] arp::GuardedSegment plan(GuardStance stance) const { return plan_guard(input(), stance); }
};

}  // namespace

TEST_CASE("a closed guard keeps gateways, routers and hellos off every DCI port, and touches no other") {
  const arp::GuardedSegment plan = Segment().plan(GuardStance::kClosed);
  CHECK(plan.dci_ports == std::vector<arp::GuardPort>{{"p2"}, {"p3"}});
  CHECK(plan.local_ports == std::vector<arp::GuardPort>{{"p1"}});
  CHECK(plan.gateways == std::vector{kGateway});
  CHECK(plan.ra);
  CHECK(plan.fhrp);
  CHECK_FALSE(plan.dhcp);
  CHECK_FALSE(plan.strict);
  CHECK(plan.rewrites.empty());
  CHECK_FALSE(plan.hand_over);
}

TEST_CASE("each option of the guard does its part") {
  Segment segment;
  segment.config.guard = {
      .fhrp = false, .ra = false, .dhcp = GuardDhcp::kLocal, .adopt_macs = true, .strict_mac = true};
  const arp::GuardedSegment plan = segment.plan(GuardStance::kClosed);
  CHECK_FALSE(plan.fhrp);
  CHECK_FALSE(plan.ra);
  CHECK(plan.dhcp);
  CHECK(plan.strict);
  CHECK(plan.rewrites == std::vector<arp::MacRewrite>{{kOther, kOwn}});
}

TEST_CASE("an open guard lifts all but the hellos, and adopts nothing") {
  Segment segment;
  segment.config.guard.adopt_macs = true;
  segment.config.guard.strict_mac = true;
  segment.config.guard.dhcp = GuardDhcp::kLocal;
  const arp::GuardedSegment plan = segment.plan(GuardStance::kOpen);
  CHECK(plan.gateways.empty());
  CHECK_FALSE(plan.ra);
  CHECK_FALSE(plan.dhcp);
  CHECK_FALSE(plan.strict);
  CHECK(plan.rewrites.empty());
  CHECK(plan.fhrp);
}

TEST_CASE("steering leads frames for the dead gateway to another site's") {
  Segment segment;
  segment.config.guard.adopt_macs = true;
  const arp::GuardedSegment plan = segment.plan(GuardStance::kSteering);
  CHECK(plan.gateways.empty());
  CHECK(plan.rewrites == std::vector<arp::MacRewrite>{{kOwn, kOther}});
  CHECK_FALSE(plan.hand_over);
}

TEST_CASE("where every site has the same MAC, steering hands packets over to a DCI port that is up") {
  Segment segment;
  segment.own = kVirtual;
  segment.settings.gateway_macs = {kVirtual};
  const arp::GuardedSegment plan = segment.plan(GuardStance::kSteering);
  CHECK(plan.rewrites.empty());
  CHECK(plan.hand_over == arp::HandOver{kVirtual, "p3"});
}

TEST_CASE("the link-local addresses that edges form of shared MACs are gateways, too") {
  Segment segment;
  segment.own = kVirtual;
  segment.settings.gateway_macs.clear();
  CHECK(segment.plan(GuardStance::kClosed).gateways.size() == 1);
  segment.settings.subnets.push_back(core::IpPrefix::parse("2001:db8::/64").value());
  CHECK(segment.plan(GuardStance::kClosed).gateways ==
        std::vector{kGateway, IpAddress::parse("fe80::200:5eff:fe00:10a").value()});
}

TEST_CASE("guests are told the local gateway's MAC, another site's only when it was never seen") {
  Segment segment;
  CHECK(gateway_mac_for_guests(segment.input()) == kOwn);
  segment.own = {};
  CHECK(gateway_mac_for_guests(segment.input()) == kOwn);
  segment.settings.gateway_macs = {kOther};
  CHECK(gateway_mac_for_guests(segment.input()) == kOther);
  CHECK_FALSE(segment.plan(GuardStance::kSteering).hand_over);
}

}  // namespace untrombone::daemon
