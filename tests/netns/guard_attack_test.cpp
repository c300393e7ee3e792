// SPDX-License-Identifier: GPL-2.0-or-later
// The attack sheet of docs/guard.md, frame by frame, against the real nftables on a real bridge. Needs root.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "arp/guard_rules.hpp"
#include "tests/lab/capture.hpp"
#include "tests/lab/wait.hpp"
#include "tests/netns/bridge_netns.hpp"

namespace untrombone::arp {
namespace {

using core::IpAddress;
using lab::Frame;
using lab::MacAddress;
using testing::BridgeNetns;
using testing::kPatience;

constexpr MacAddress kVirtualMac{0x00, 0x00, 0x5e, 0x00, 0x01, 0x0a};
constexpr MacAddress kOtherGatewayMac{0x02, 0x00, 0x5e, 0x00, 0x53, 0xaa};
constexpr std::uint8_t kOptionsHeader = 60;
constexpr std::uint8_t kFragmentHeader = 44;

void append(Frame& frame, std::initializer_list<int> octets) {
  for (const int octet : octets) frame.push_back(static_cast<std::uint8_t>(octet));
}

void append(Frame& frame, const Frame& more) { frame.insert(frame.end(), more.begin(), more.end()); }

Frame ethernet(const MacAddress& destination, std::uint16_t type, const Frame& body) {
  Frame frame(destination.begin(), destination.end());
  frame.resize(12);  // the source comes later
  append(frame, {type >> 8, type & 0xff});
  append(frame, body);
  frame.resize(std::max<std::size_t>(frame.size(), 60));
  return frame;
}

MacAddress group_of(std::initializer_list<int> last, bool v6) {
  MacAddress mac = v6 ? MacAddress{0x33, 0x33, 0, 0, 0, 0} : MacAddress{0x01, 0x00, 0x5e, 0, 0, 0};
  auto at = mac.end() - static_cast<std::ptrdiff_t>(last.size());
  for (const int octet : last) *at++ = static_cast<std::uint8_t>(octet);
  return mac;
}

/// IPv4 from 192.0.2.11, without checksum: no rule looks at it.
Frame ipv4(const MacAddress& destination, std::initializer_list<int> to, int protocol, const Frame& payload) {
  Frame body;
  append(body,
         {0x45, 0, 0, static_cast<int>(20 + payload.size()), 0, 0, 0, 0, 255, protocol, 0, 0, 192, 0, 2, 11});
  append(body, to);
  append(body, payload);
  return ethernet(destination, lab::kEthertypeIpv4, body);
}

Frame ipv6(const MacAddress& destination, const char* to, int next_header, const Frame& payload) {
  Frame body;
  append(body, {0x60, 0, 0, 0, 0, static_cast<int>(payload.size()), next_header, 255});
  const auto source = lab::parse_ipv6("fe80::11");
  const auto target = lab::parse_ipv6(to);
  append(body, Frame(source.begin(), source.end()));
  append(body, Frame(target.begin(), target.end()));
  append(body, payload);
  return ethernet(destination, lab::kEthertypeIpv6, body);
}

Frame udp(int port, std::size_t size = 8) {
  Frame payload;
  append(payload, {0, 68, port >> 8, port & 0xff, 0, static_cast<int>(8 + size), 0, 0});
  payload.resize(payload.size() + size);
  return payload;
}

Frame icmp6(int type) {
  Frame payload;
  append(payload, {type, 0, 0, 0});
  payload.resize(48);
  return payload;
}

/// An advertisement of the gateway 2001:db8:1::1, ICMPv6 alone.
Frame gateway_advertisement() {
  Frame payload = icmp6(136);
  const auto gateway = lab::parse_ipv6("2001:db8:1::1");
  std::copy(gateway.begin(), gateway.end(), payload.begin() + 8);
  return payload;
}

/// The same behind an extension header of eight octets; `offset` is a fragment's.
Frame behind(int header, const Frame& payload, int offset = 0) {
  Frame extended;
  append(extended, {58, 0, offset >> 8, offset & 0xff, 1, 4, 0, 0});
  if (header == kOptionsHeader) extended = {58, 0, 1, 4, 0, 0, 0, 0};
  append(extended, payload);
  return extended;
}

Frame gateway_garp() {
  const auto gateway = lab::parse_ipv4("192.0.2.1");
  Frame frame = lab::make_arp(lab::kBroadcastMac, {},
                              {.operation = lab::kArpReply,
                               .sender_mac = {2, 0, 0x5e, 0, 0x53, 0x66},
                               .sender_ip = gateway,
                               .target_mac = {},
                               .target_ip = gateway});
  return frame;
}

Frame tagged(Frame frame, int type, int vlan) {
  const std::uint8_t tag[] = {static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type & 0xff),
                              static_cast<std::uint8_t>(vlan >> 8), static_cast<std::uint8_t>(vlan & 0xff)};
  frame.insert(frame.begin() + 12, std::begin(tag), std::end(tag));
  return frame;
}

Frame of_size(Frame frame, std::size_t size) {
  frame.resize(size, 0x5a);
  return frame;
}

struct Attack {
  std::string name;
  Frame frame;
};

GuardedSegment everything() {
  GuardedSegment segment{.dci_ports = {{"dci0"}}};
  for (const char* gateway : {"192.0.2.1", "2001:db8:1::1", "fe80::1"})
    segment.gateways.push_back(IpAddress::parse(gateway).value());
  segment.ra = true;
  segment.fhrp = true;
  return segment;
}

/// A bridge whose guard is loaded by nft itself, and a way to see what crosses it.
class Bridge {
 public:
  explicit Bridge(const GuardedSegment& segment)
      : guest_(bridge.netns(), "guest0"), far_(bridge.netns(), "far0") {
    load(render_guard(guard_sets({segment})));
  }
  void load(const std::string& text) const {
    const lab::CommandResult result =
        lab::run_command({.argv = {"nft", "-f", "-"}, .netns = &bridge.netns(), .input = text});
    INFO(result.error);
    REQUIRE(result.status == 0);
  }

  bool from_dci(const Frame& frame) { return crosses("far0", guest_, frame, next_mac()); }
  bool from_guest(const Frame& frame) { return crosses("guest0", far_, frame, next_mac()); }
  bool from_dci_as(const MacAddress& source, const Frame& frame) {
    return crosses("far0", guest_, frame, source);
  }
  lab::FrameCapture& guest() { return guest_; }
  lab::FrameCapture& far() { return far_; }
  [[nodiscard]] int counted(const std::string& name) const {
    const std::string counters = bridge.output({"nft", "list", "counters", "table", "bridge", kGuardTable});
    const auto at = counters.find("packets ", counters.find("counter " + name));
    return at == std::string::npos ? -1 : std::stoi(counters.substr(at + 8));
  }

  BridgeNetns bridge;

 private:
  MacAddress next_mac() { return {0x02, 0x00, 0x5e, 0x00, 0x53, ++last_octet_}; }
  bool crosses(const char* from, lab::FrameCapture& to, Frame frame, const MacAddress& source) {
    std::copy(source.begin(), source.end(), frame.begin() + 6);
    const std::size_t before = to.count(lab::from_mac(source));
    const MacAddress last = next_mac();
    bridge.send(from, frame);
    bridge.send(from, lab::make_rarp(last));
    REQUIRE(to.wait_first(kPatience, {}, lab::from_mac(last)));
    // Frames that two processors send may overtake each other.
    return lab::wait_for([&] { return to.count(lab::from_mac(source)) != before; },
                         std::chrono::milliseconds(20));
  }

  lab::FrameCapture guest_;
  lab::FrameCapture far_;
  std::uint8_t last_octet_ = 0;
};

/// What the guard stops, in both directions.
std::vector<Attack> stopped_attacks() {
  const MacAddress all_hosts = group_of({1}, false);
  const MacAddress all_nodes6 = group_of({1}, true);
  const MacAddress guest{0x02, 0x00, 0x5e, 0x00, 0x53, 0xf1};
  const Frame hello(16, 0x21);
  std::vector<Attack> attacks{
      {"gratuitous ARP of the gateway", gateway_garp()},
      {"the same with an 802.1Q tag", tagged(gateway_garp(), 0x8100, 10)},
      {"the same with an 802.1ad tag", tagged(gateway_garp(), 0x88a8, 10)},
      {"the same with the shortest frame", of_size(gateway_garp(), 42)},
      {"the same with odd lengths", of_size(gateway_garp(), 43)},
      {"the same with a long trailer", of_size(gateway_garp(), 1499)},
      {"advertisement of the gateway", ipv6(all_nodes6, "ff02::1", 58, gateway_advertisement())},
      {"the same with an 802.1Q tag",
       tagged(ipv6(all_nodes6, "ff02::1", 58, gateway_advertisement()), 0x8100, 10)},
      {"the same behind destination options",
       ipv6(all_nodes6, "ff02::1", kOptionsHeader, behind(kOptionsHeader, gateway_advertisement()))},
      {"the same in one fragment",
       ipv6(all_nodes6, "ff02::1", kFragmentHeader, behind(kFragmentHeader, gateway_advertisement()))},
      {"the same as a first fragment",
       ipv6(all_nodes6, "ff02::1", kFragmentHeader, behind(kFragmentHeader, gateway_advertisement(), 1))},
      {"router advertisement", ipv6(all_nodes6, "ff02::1", 58, icmp6(134))},
      {"router advertisement to one guest", ipv6(guest, "fe80::22", 58, icmp6(134))},
      {"router advertisement behind destination options",
       ipv6(all_nodes6, "ff02::1", kOptionsHeader, behind(kOptionsHeader, icmp6(134)))},
      {"router solicitation", ipv6(group_of({2}, true), "ff02::2", 58, icmp6(133))},
      {"IPv6 redirect", ipv6(guest, "fe80::22", 58, icmp6(137))},
      {"IPv4 redirect", ipv4(guest, {192, 0, 2, 22}, 1, {5, 1, 0, 0, 192, 0, 2, 1})},
      {"IPv4 router advertisement", ipv4(all_hosts, {224, 0, 0, 1}, 1, {9, 0, 0, 0, 1, 2, 0, 30})},
      {"VRRP version 2 and 3, IPv4", ipv4(group_of({18}, false), {224, 0, 0, 18}, 112, hello)},
      {"the same with an 802.1Q tag",
       tagged(ipv4(group_of({18}, false), {224, 0, 0, 18}, 112, hello), 0x8100, 10)},
      {"VRRP version 3, IPv6", ipv6(group_of({0x12}, true), "ff02::12", 112, hello)},
      {"HSRP version 1", ipv4(group_of({2}, false), {224, 0, 0, 2}, 17, udp(1985))},
      {"HSRP version 2", ipv4(group_of({102}, false), {224, 0, 0, 102}, 17, udp(1985))},
      {"HSRP of IPv6", ipv6(group_of({0x66}, true), "ff02::66", 17, udp(2029))},
      {"GLBP", ipv4(group_of({102}, false), {224, 0, 0, 102}, 17, udp(3222))},
  };
  return attacks;
}

/// What passes by design.
std::vector<Attack> passing_frames() {
  const MacAddress guest{0x02, 0x00, 0x5e, 0x00, 0x53, 0xf1};
  Frame guest_garp = lab::make_garp({2, 0, 0x5e, 0, 0x53, 0x66}, lab::parse_ipv4("192.0.2.11"));
  return {
      {"gratuitous ARP of a guest", guest_garp},
      {"echo request", ipv4(guest, {192, 0, 2, 22}, 1, {8, 0, 0, 0, 0, 1, 0, 1})},
      {"ICMPv6 echo request", ipv6(guest, "2001:db8:1::22", 58, icmp6(128))},
      {"listener report", ipv6(group_of({0x16}, true), "ff02::16", 58, icmp6(143))},
      {"OSPF hello", ipv4(group_of({5}, false), {224, 0, 0, 5}, 89, Frame(24))},
      {"mDNS", ipv4(group_of({251}, false), {224, 0, 0, 251}, 17, udp(5353))},
      {"unicast VRRP, which somebody configured", ipv4(guest, {192, 0, 2, 22}, 112, Frame(16))},
      {"UDP to the port of HSRP", ipv4(guest, {192, 0, 2, 22}, 17, udp(1985))},
      {"DHCP discover", ipv4(lab::kBroadcastMac, {255, 255, 255, 255}, 17, udp(67, 40))},
      {"an ARP frame that is cut off, which nobody takes", of_size(gateway_garp(), 30)},
      {"two tags: another network inside the tagged one",
       tagged(tagged(gateway_garp(), 0x8100, 10), 0x88a8, 20)},
      {"the rest of a fragmented advertisement, which nobody reassembles (RFC 6980)",
       ipv6(group_of({1}, true), "ff02::1", kFragmentHeader,
            behind(kFragmentHeader, gateway_advertisement(), 64))},
  };
}

}  // namespace

TEST_CASE("what the attack sheet says is stopped is stopped in both directions", "[netns]") {
  Bridge bridge(everything());
  for (const Attack& attack : stopped_attacks()) {
    INFO(attack.name);
    CHECK_FALSE(bridge.from_dci(attack.frame));
    CHECK_FALSE(bridge.from_guest(attack.frame));
  }
  CHECK(bridge.counted("fhrp_from_dci") == 7);
  CHECK(bridge.counted("fhrp_to_dci") == 7);
}

TEST_CASE("each attack of the sheet would cross an open bridge", "[netns]") {
  Bridge bridge(GuardedSegment{.dci_ports = {{"dci0"}}});
  for (const Attack& attack : stopped_attacks()) {
    INFO(attack.name);
    CHECK(bridge.from_dci(attack.frame));
    CHECK(bridge.from_guest(attack.frame));
  }
}

TEST_CASE("what the attack sheet says passes by design passes in both directions", "[netns]") {
  Bridge bridge(everything());
  for (const Attack& attack : passing_frames()) {
    INFO(attack.name);
    CHECK(bridge.from_dci(attack.frame));
    CHECK(bridge.from_guest(attack.frame));
  }
}

TEST_CASE("frames with a gateway's MAC are stopped only with strict-mac", "[netns]") {
  const Frame data = ipv4({0x02, 0x00, 0x5e, 0x00, 0x53, 0xf1}, {192, 0, 2, 22}, 17, udp(4000));
  Bridge plain(everything());
  CHECK(plain.from_dci_as(kVirtualMac, data));
  CHECK(plain.from_dci_as(kOtherGatewayMac, data));
  GuardedSegment segment = everything();
  segment.strict = true;
  segment.strict_macs = {core::MacAddress{kOtherGatewayMac}};
  Bridge strict(segment);
  CHECK_FALSE(strict.from_dci_as(kVirtualMac, data));
  CHECK_FALSE(strict.from_dci_as(kOtherGatewayMac, data));
  CHECK(strict.from_dci(data));
  CHECK(strict.counted("strict_from_dci") == 2);
}

TEST_CASE("DHCP stays local when it should, but for a guest that renews its lease", "[netns]") {
  GuardedSegment segment = everything();
  segment.dhcp = true;
  Bridge bridge(segment);
  const Frame discover = ipv4(lab::kBroadcastMac, {255, 255, 255, 255}, 17, udp(67, 40));
  const Frame solicit = ipv6({0x33, 0x33, 0, 1, 0, 2}, "ff02::1:2", 17, udp(547, 40));
  const Frame renew = ipv4({0x02, 0x00, 0x5e, 0x00, 0x53, 0xf1}, {192, 0, 2, 22}, 17, udp(67, 40));
  for (const Frame& local : {discover, solicit}) {
    CHECK_FALSE(bridge.from_dci(local));
    CHECK_FALSE(bridge.from_guest(local));
  }
  CHECK(bridge.from_dci(renew));
  CHECK(bridge.from_guest(renew));
  CHECK(bridge.counted("dhcp_to_dci") == 2);
}

TEST_CASE("a port that carries many VLANs is guarded in the segment's only", "[netns]") {
  GuardedSegment segment = everything();
  segment.dci_ports = {{"dci0", 10}};
  Bridge bridge(segment);
  for (const Attack& attack : stopped_attacks()) {
    const auto type = lab::ethertype_of(attack.frame);
    if (type == 0x8100 || type == 0x88a8) continue;
    INFO(attack.name);
    CHECK_FALSE(bridge.from_dci(tagged(attack.frame, 0x8100, 10)));
    CHECK_FALSE(bridge.from_guest(tagged(attack.frame, 0x8100, 10)));
    CHECK(bridge.from_dci(tagged(attack.frame, 0x8100, 20)));
    CHECK(bridge.from_guest(tagged(attack.frame, 0x8100, 20)));
    CHECK(bridge.from_dci(attack.frame));
    CHECK(bridge.from_guest(attack.frame));
  }
}

TEST_CASE("a segment without a tag on a port of many VLANs leaves those with one alone", "[netns]") {
  GuardedSegment segment = everything();
  segment.dci_ports = {{"dci0", 0}};
  Bridge bridge(segment);
  for (const Attack& attack : stopped_attacks()) {
    const auto type = lab::ethertype_of(attack.frame);
    const bool has_tag = type == 0x8100 || type == 0x88a8;
    INFO(attack.name);
    CHECK(bridge.from_dci(attack.frame) == has_tag);
    CHECK(bridge.from_guest(attack.frame) == has_tag);
  }
}

TEST_CASE("a frame for another site's gateway MAC reaches the local gateway", "[netns]") {
  GuardedSegment segment = everything();
  segment.local_ports = {{"acc0"}};
  const auto own = core::MacAddress::parse(testing::kGatewayMac).value();
  segment.rewrites = {{core::MacAddress{kOtherGatewayMac}, own}};
  Bridge bridge(segment);
  const MacAddress guest{0x02, 0x00, 0x5e, 0x00, 0x53, 0xf1};
  bridge.bridge.ip("neigh replace 192.0.2.11 lladdr 02:00:5e:00:53:f1 dev br0 nud permanent\n");
  Frame ping = ipv4(kOtherGatewayMac, {192, 0, 2, 1}, 1, {8, 0, 0xf7, 0xfd, 0, 1, 0, 1});
  std::copy(guest.begin(), guest.end(), ping.begin() + 6);
  ping[24] = 0x37;  // the header's checksum
  ping[25] = 0xd4;
  bridge.bridge.send("guest0", ping);
  CHECK(bridge.guest().wait_first(kPatience, {}, lab::is_icmp_between("192.0.2.1", "192.0.2.11")));
  CHECK(bridge.far().count(lab::from_mac(guest)) == 0);
  CHECK(bridge.counted("rewritten") == 1);
}

TEST_CASE("where all sites share the gateway's MAC, packets for it are handed over", "[netns]") {
  GuardedSegment segment{.dci_ports = {{"dci0"}}, .local_ports = {{"acc0"}}};
  segment.hand_over = HandOver{core::MacAddress::parse(testing::kGatewayMac).value(), "dci0"};
  Bridge bridge(segment);
  const MacAddress gateway = lab::parse_mac(testing::kGatewayMac);
  const Frame data = ipv4(gateway, {198, 51, 100, 1}, 17, udp(4000));
  const Frame data6 = ipv6(gateway, "2001:db8:ffff::1", 17, udp(4000));
  CHECK_FALSE(bridge.from_guest(data));
  bridge.load(render_hand_overs({segment}));
  CHECK(bridge.from_guest(data));
  CHECK(bridge.from_guest(data6));
  bridge.load(render_hand_overs({}));
  CHECK_FALSE(bridge.from_guest(data));
}

}  // namespace untrombone::arp
