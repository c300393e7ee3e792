// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/topology.hpp"

#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include <catch2/catch.hpp>

namespace untrombone::daemon {
namespace {

using core::Ifindex;
using core::MacAddress;
using core::PortClass;
using core::VlanId;
using netlink::LinkKind;
using netlink::LinkMessage;
using netlink::VlanMessage;

constexpr core::SegmentId kFirst{0};
constexpr core::SegmentId kSecond{1};
constexpr Ifindex kBridge{10};
constexpr Ifindex kPort{11};
constexpr Ifindex kDci{14};
constexpr Ifindex kSvi10{20};
constexpr Ifindex kSvi20{21};
constexpr Ifindex kRed{30};
const MacAddress kMac{{0, 0, 0x5e, 0, 0x53, 1}};

LinkMessage bridge(bool vlan_aware) {
  return {kBridge, "br0", kMac, {}, true, false, LinkKind::kBridge, vlan_aware, ETH_P_8021Q};
}
LinkMessage port(Ifindex index, const std::string& name, Ifindex master = kBridge) {
  return {index, name, kMac, master, true, false};
}
LinkMessage svi(Ifindex index, std::uint16_t vlan, Ifindex master = {}) {
  return {index,
          "br0." + std::to_string(vlan),
          kMac,
          master,
          true,
          false,
          LinkKind::kVlan,
          false,
          ETH_P_8021Q,
          {vlan},
          kBridge};
}
LinkMessage vrf(Ifindex index, const std::string& name, std::uint32_t table) {
  LinkMessage link{index, name, kMac, {}, true, false, LinkKind::kVrf};
  link.table = table;
  return link;
}
LinkMessage gone(LinkMessage link) {
  link.removed = true;
  return link;
}
VlanMessage tagged(Ifindex device, std::uint16_t vlan) {
  return {device, {{{vlan}, {vlan}, false, false}}, false};
}
VlanMessage untagged(Ifindex device, std::uint16_t vlan) {
  return {device, {{{vlan}, {vlan}, true, true}}, false};
}
VlanMessage left(Ifindex device, std::uint16_t vlan) {
  return {device, {{{vlan}, {vlan}, false, false}}, true};
}

std::optional<arp::VlanTag> tag(std::uint16_t vlan, std::uint16_t protocol = ETH_P_8021Q) {
  return arp::VlanTag{protocol, {vlan}};
}

SegmentConfig segment(const std::string& name, std::uint16_t vlan) {
  SegmentConfig config;
  config.name = name;
  config.bridge = "br0";
  config.vlan = {vlan};
  config.interface = vlan == 0 ? "br0" : "br0." + std::to_string(vlan);
  config.dci_ports = {"dci*"};
  return config;
}

/// A topology with its configuration, and the events of its last update.
struct Fixture {
  explicit Fixture(std::vector<SegmentConfig> segments) {
    config.segments = std::move(segments);
    config.core.segments.resize(config.segments.size());
    topology.emplace(config);
  }
  template <typename... Messages>
  std::vector<core::Event> take(const Messages&... messages) {
    (topology->take(messages), ...);
    return topology->update();
  }
  [[nodiscard]] const SegmentView& view(core::SegmentId id) const { return topology->segment(id); }

  Config config;
  std::optional<Topology> topology;
};

/// VLANs 10 and 20 on br0: acc0 has 10 untagged and 20 tagged, dci0 has both tagged.
Fixture two_vlans() {
  Fixture fixture({segment("v10", 10), segment("v20", 20)});
  fixture.take(bridge(true), port(kPort, "acc0"), port(kDci, "dci0"), svi(kSvi10, 10), svi(kSvi20, 20),
               tagged(kBridge, 10), tagged(kBridge, 20), untagged(kPort, 10), tagged(kPort, 20),
               VlanMessage{kDci, {{{10}, {20}, false, false}}, false});
  return fixture;
}

std::vector<core::PortChanged> port_changes(const std::vector<core::Event>& events) {
  std::vector<core::PortChanged> changes;
  for (const core::Event& event : events) {
    if (const auto* const change = std::get_if<core::PortChanged>(&event)) changes.push_back(*change);
  }
  return changes;
}

}  // namespace

TEST_CASE("one bridge has a segment per VLAN, and their ports know their tags") {
  const Fixture fixture = two_vlans();
  CHECK(fixture.view(kFirst).missing.empty());
  CHECK(fixture.view(kSecond).missing.empty());
  CHECK_FALSE(fixture.view(kFirst).ports.at(kPort).tagged);
  CHECK(fixture.view(kSecond).ports.at(kPort).tagged);
  CHECK(fixture.view(kFirst).ports.at(kDci).tagged);
  CHECK(fixture.view(kFirst).ports.at(kDci).port_class == PortClass::kDci);
  CHECK(fixture.view(kFirst).interface == kSvi10);
  CHECK(fixture.view(kSecond).interface == kSvi20);
}

TEST_CASE("a frame is of the VLAN of its tag, and without one of the port's PVID") {
  Fixture fixture = two_vlans();
  const auto& topology = *fixture.topology;
  CHECK(topology.place_of(kPort, std::nullopt) == Place{kFirst, {10}});
  CHECK(topology.place_of(kPort, tag(0)) == Place{kFirst, {10}});
  CHECK(topology.place_of(kPort, tag(20)) == Place{kSecond, {20}});
  CHECK_FALSE(topology.place_of(kPort, tag(30)));
  CHECK_FALSE(topology.place_of(kPort, tag(20, ETH_P_8021AD)));
  CHECK_FALSE(topology.place_of(kDci, std::nullopt));  // it has no PVID
  CHECK_FALSE(topology.place_of({99}, tag(10)));
  fixture.take(untagged(kPort, 20));
  CHECK(topology.place_of(kPort, std::nullopt) == Place{kSecond, {20}});
  fixture.take(left(kPort, 20));
  CHECK_FALSE(topology.place_of(kPort, std::nullopt));
  CHECK(topology.place_of(kPort, tag(10)) == Place{kFirst, {10}});
}

TEST_CASE("a bridge that tags with another protocol takes that one's tags") {
  Fixture fixture = two_vlans();
  LinkMessage link = bridge(true);
  link.vlan_protocol = ETH_P_8021AD;
  fixture.take(link);
  CHECK(fixture.view(kFirst).vlan_protocol == ETH_P_8021AD);
  CHECK(fixture.view(kFirst).missing == "interface br0.10 takes 802.1Q tags, bridge br0 has 802.1ad ones");
  CHECK(fixture.topology->place_of(kPort, tag(20, ETH_P_8021AD)) == Place{kSecond, {20}});
  CHECK_FALSE(fixture.topology->place_of(kPort, tag(20)));
}

TEST_CASE(
    "on a bridge that does not filter VLANs frames without a tag are the segment's, and others nobody's") {
  Fixture fixture({segment("all", 0)});
  fixture.take(bridge(false), port(kPort, "acc0"), untagged(kPort, 1));
  CHECK(fixture.view(kFirst).missing.empty());
  CHECK(fixture.topology->place_of(kPort, std::nullopt) == Place{kFirst, {}});
  CHECK(fixture.topology->place_of(kPort, tag(0)) == Place{kFirst, {}});
  CHECK_FALSE(fixture.topology->place_of(kPort, tag(1)));
  CHECK_FALSE(fixture.topology->has_tags(kPort));
  CHECK_FALSE(fixture.view(kFirst).ports.at(kPort).tagged);
}

TEST_CASE("what contradicts the configuration is said, and no port is taken for the segment's") {
  Fixture plain({segment("all", 0)});
  plain.take(bridge(true), port(kPort, "acc0"), untagged(kPort, 1));
  CHECK(plain.view(kFirst).missing == "bridge br0 is VLAN-aware: segment all needs vlan");
  CHECK(plain.view(kFirst).ports.empty());
  Fixture fixture = two_vlans();
  const auto lost = port_changes(fixture.take(bridge(false)));
  CHECK(fixture.view(kFirst).missing == "bridge br0 is not VLAN-aware: segment v10 must not have vlan");
  CHECK(lost.size() == 4);
  fixture.take(port(kBridge, "br0", {}));
  CHECK(fixture.view(kFirst).missing == "br0 is not a bridge");
  fixture.take(gone(bridge(true)));
  CHECK(fixture.view(kFirst).missing == "bridge br0 does not exist");
}

TEST_CASE("a bridge that is not in the VLAN itself is said not to be") {
  Fixture fixture = two_vlans();
  fixture.take(left(kBridge, 10));
  CHECK(fixture.view(kFirst).missing ==
        "bridge br0 itself is not in VLAN 10; it takes: bridge vlan add vid 10 dev br0 self");
  CHECK(fixture.view(kFirst).ports.size() == 2);
  CHECK(fixture.view(kSecond).missing.empty());
}

TEST_CASE("an interface of another VLAN than the segment's is said to be, and has no routes") {
  SegmentConfig config = segment("v10", 10);
  config.interface = "br0.20";
  Fixture fixture({config});
  fixture.take(bridge(true), svi(kSvi20, 20), tagged(kBridge, 10));
  CHECK(fixture.view(kFirst).missing == "interface br0.20 is of VLAN 20; segment v10 has vlan 10");
  CHECK_FALSE(fixture.view(kFirst).interface_up);
  config.interface = "br0";
  Fixture itself({config});
  itself.take(bridge(true), tagged(kBridge, 10));
  CHECK(itself.view(kFirst).missing ==
        "interface br0 is the bridge itself, whose own VLAN (PVID) is 0; segment v10 has vlan 10");
  itself.take(untagged(kBridge, 10));
  CHECK(itself.view(kFirst).missing.empty());
  config = segment("all", 0);
  config.interface = "br0.10";
  Fixture plain({config});
  plain.take(bridge(false), svi(kSvi10, 10));
  CHECK(plain.view(kFirst).missing == "interface br0.10 is of VLAN 10, but bridge br0 is not VLAN-aware");
}

TEST_CASE("the interface's VRF is the segment's, and a change of it is told") {
  Fixture fixture = two_vlans();
  CHECK(fixture.view(kFirst).table == RT_TABLE_MAIN);
  const auto events = fixture.take(vrf(kRed, "red", 1010), svi(kSvi10, 10, kRed));
  REQUIRE(events.size() == 1);
  CHECK(std::get<core::InterfaceChanged>(events.front()).vrf == core::VrfId{30});
  CHECK(fixture.view(kFirst).vrf_name == "red");
  CHECK(fixture.view(kFirst).table == 1010);
  CHECK(fixture.view(kFirst).missing.empty());
  CHECK(fixture.view(kSecond).vrf == core::VrfId{});
}

TEST_CASE("an interface in another VRF than the configured one is said to be, and has no routes") {
  SegmentConfig config = segment("v10", 10);
  config.vrf = "red";
  Fixture fixture({config});
  fixture.take(bridge(true), svi(kSvi10, 10), tagged(kBridge, 10), vrf(kRed, "red", 1010),
               vrf({31}, "blue", 1020));
  CHECK(fixture.view(kFirst).missing == "interface br0.10 is in no VRF; segment v10 has vrf red");
  CHECK_FALSE(fixture.view(kFirst).interface_up);
  fixture.take(svi(kSvi10, 10, {31}));
  CHECK(fixture.view(kFirst).missing == "interface br0.10 is in VRF blue; segment v10 has vrf red");
  fixture.take(svi(kSvi10, 10, kRed));
  CHECK(fixture.view(kFirst).missing.empty());
  CHECK(fixture.view(kFirst).interface_up);
  config.vrf = "";
  Fixture outside({config});
  outside.take(bridge(true), svi(kSvi10, 10, kRed), tagged(kBridge, 10), vrf(kRed, "red", 1010));
  CHECK(outside.view(kFirst).missing == "interface br0.10 is in VRF red; segment v10 has vrf default");
}

TEST_CASE("a port comes to a segment with its VLAN and leaves it with the VLAN") {
  Fixture fixture = two_vlans();
  auto changes = port_changes(fixture.take(left(kPort, 10)));
  REQUIRE(changes.size() == 1);
  CHECK(changes.front().segment == kFirst);
  CHECK(changes.front().vlan == VlanId{10});
  CHECK_FALSE(changes.front().up);
  changes = port_changes(fixture.take(tagged(kPort, 10)));
  REQUIRE(changes.size() == 1);
  CHECK(changes.front().up);
  CHECK(fixture.view(kFirst).ports.at(kPort).tagged);
  CHECK(port_changes(fixture.take(untagged(kPort, 10))).empty());  // only its tag is another
}

TEST_CASE("a renamed port is of another class, under the same ifindex") {
  Fixture fixture = two_vlans();
  const auto changes = port_changes(fixture.take(port(kPort, "dci1")));
  REQUIRE(changes.size() == 2);
  CHECK(changes.front().port_class == PortClass::kDci);
  CHECK(changes.front().up);
}

TEST_CASE("a device with the ifindex of one that went is another port") {
  Fixture fixture({segment("all", 0)});
  fixture.take(bridge(false), port(kPort, "acc0"));
  const auto changes = port_changes(fixture.take(gone(port(kPort, "acc0")), port(kPort, "acc0")));
  REQUIRE(changes.size() == 2);
  CHECK_FALSE(changes.front().up);
  CHECK(changes.back().up);
  const std::uint32_t before = fixture.view(kFirst).bridge_incarnation;
  fixture.take(gone(bridge(false)), bridge(false));
  CHECK(fixture.view(kFirst).bridge_incarnation != before);
}

TEST_CASE("a port that moves between bridges is lost by one segment before the other one gets it") {
  SegmentConfig other = segment("other", 0);
  other.bridge = other.interface = "br1";
  Fixture fixture({other, segment("all", 0)});
  LinkMessage second = bridge(false);
  second.index = {12};
  second.name = "br1";
  fixture.take(bridge(false), second, port(kPort, "acc0"));
  const auto changes = port_changes(fixture.take(port(kPort, "acc0", {12})));
  REQUIRE(changes.size() == 2);
  CHECK_FALSE(changes.front().up);
  CHECK(changes.front().segment == kSecond);
  CHECK(changes.back().segment == kFirst);
}

TEST_CASE("what a dump does not list any more is gone") {
  Fixture fixture = two_vlans();
  fixture.topology->start_dump();
  fixture.topology->take(bridge(true));
  fixture.topology->take(port(kDci, "dci0"));
  fixture.topology->take(svi(kSvi10, 10));
  fixture.topology->take(svi(kSvi20, 20));
  fixture.topology->take(tagged(kBridge, 10));
  fixture.topology->take(tagged(kDci, 10));
  fixture.topology->finish_dump();
  const auto changes = port_changes(fixture.topology->update());
  CHECK(changes.size() == 3);  // acc0 in both, dci0 in VLAN 20
  CHECK(fixture.view(kFirst).missing.empty());
  CHECK(fixture.view(kSecond).missing.find("not in VLAN 20") != std::string::npos);
  CHECK(fixture.topology->name_of(kPort).empty());
}

}  // namespace untrombone::daemon
