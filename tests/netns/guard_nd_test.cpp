// SPDX-License-Identifier: GPL-2.0-or-later
// The guard's IPv6 rules in the real nftables, with real frames on a real bridge. Needs root.
#include <string>

#include <catch2/catch.hpp>

#include "arp/guard_rules.hpp"
#include "tests/lab/capture.hpp"
#include "tests/lab/wait.hpp"
#include "tests/netns/bridge_netns.hpp"

namespace untrombone::arp {
namespace {

using core::IpAddress;
using testing::BridgeNetns;
using testing::kPatience;

constexpr const char* kGateway4 = "192.0.2.1";
constexpr const char* kGateway = "2001:db8:1::1";
constexpr const char* kLinkLocalGateway = "fe80::1";
constexpr const char* kGuest = "2001:db8:1::11";
constexpr const char* kFar = "2001:db8:1::22";
constexpr const char* kNobody = "::";

constexpr std::uint8_t kAsk = lab::kNeighborSolicitation;
constexpr std::uint8_t kTell = lab::kNeighborAdvertisement;

std::vector<GuardedSegment> guarding(std::initializer_list<const char*> gateways) {
  GuardedSegment segment{.dci_ports = {{"dci0"}}};
  for (const char* gateway : gateways) segment.gateways.push_back(IpAddress::parse(gateway).value());
  return {segment};
}

lab::Frame tagged(lab::Frame frame) {
  const std::uint8_t tag[] = {0x81, 0x00, 0x00, 0x0a};
  frame.insert(frame.begin() + 12, std::begin(tag), std::end(tag));
  return frame;
}

enum class Tag { kNone, kVlan };

/// What a frame says; each gets a MAC of its own, by which it is known again.
struct Saying {
  std::uint8_t type;
  const char* source;
  const char* target;
};

/// A bridge with a guard, and IPv6 on it.
class Guarded {
 public:
  explicit Guarded(const std::vector<GuardedSegment>& segments)
      : guest_(bridge.netns(), "guest0"), far_(bridge.netns(), "far0") {
    bridge.netns().set_sysctl("net/ipv6/conf/br0/disable_ipv6", "0");
    bridge.ip("address add 2001:db8:1::1/64 dev br0 nodad\naddress add fe80::1/64 dev br0 nodad\n");
    const lab::CommandResult result = lab::run_command(
        {.argv = {"nft", "-f", "-"}, .netns = &bridge.netns(), .input = render_guard(guard_sets(segments))});
    INFO(result.error);
    REQUIRE(result.status == 0);
  }

  bool reaches_far(const Saying& saying, Tag tag = Tag::kNone) {
    return crosses("guest0", far_, saying, tag);
  }
  bool reaches_guest(const Saying& saying, Tag tag = Tag::kNone) {
    return crosses("far0", guest_, saying, tag);
  }
  lab::FrameCapture& guest() { return guest_; }
  lab::FrameCapture& far() { return far_; }
  int dropped(const std::string& name) const {
    const std::string counters = bridge.output({"nft", "list", "counters", "table", "bridge", kGuardTable});
    const auto at = counters.find("packets ", counters.find("counter " + name));
    return at == std::string::npos ? -1 : std::stoi(counters.substr(at + 8));
  }

  BridgeNetns bridge;

 private:
  lab::MacAddress next_mac() { return {0x02, 0x00, 0x5e, 0x00, 0x53, ++last_octet_}; }
  static lab::Frame make(const lab::MacAddress& mac, const Saying& saying) {
    const lab::Ipv6Address source = lab::parse_ipv6(saying.source);
    const lab::Ipv6Address target = lab::parse_ipv6(saying.target);
    if (saying.type == kAsk) return lab::make_solicitation(mac, source, target);
    return lab::make_nd({0x33, 0x33, 0, 0, 0, 1}, mac,
                        {.type = kTell,
                         .source = source,
                         .destination = lab::parse_ipv6("ff02::1"),
                         .target = target,
                         .flags = 0x20,
                         .link_address = mac});
  }
  /// Does it come out at the other end before a frame that is sent after it and passes any guard?
  bool crosses(const char* from, lab::FrameCapture& to, const Saying& saying, Tag tag) {
    const lab::MacAddress mac = next_mac();
    const lab::MacAddress last = next_mac();
    const lab::Frame frame = make(mac, saying);
    bridge.send(from, tag == Tag::kVlan ? tagged(frame) : frame);
    bridge.send(from, lab::make_rarp(last));
    REQUIRE(to.wait_first(kPatience, {}, lab::from_mac(last)));
    // Frames that two processors send may overtake each other.
    return lab::wait_for([&] { return to.count(lab::from_mac(mac)) != 0; }, std::chrono::milliseconds(20));
  }

  lab::FrameCapture guest_;
  lab::FrameCapture far_;
  std::uint8_t last_octet_ = 0;
};

const Saying kGatewaySayings[] = {
    {kAsk, kGuest, kGateway},           // who has the gateway?
    {kAsk, kNobody, kGateway},          // is its address free?
    {kAsk, kGateway, kGuest},           // the gateway asks
    {kTell, kGateway, kGateway},        // the gateway answers, or announces itself
    {kTell, "fe80::2", kGateway},       // the same from another address of its
    {kAsk, kGuest, kLinkLocalGateway},  // and all that for its link-local address
    {kAsk, kLinkLocalGateway, kGuest}, {kTell, kLinkLocalGateway, kLinkLocalGateway},
};

const Saying kGuestSayings[] = {
    {kAsk, kGuest, kFar},     {kTell, kGuest, kGuest},         {kAsk, kNobody, kGuest},
    {kAsk, "fe80::11", kFar}, {kTell, "fe80::11", "fe80::11"},
};

}  // namespace

TEST_CASE("no neighbour discovery of the gateway crosses the DCI in either direction, tagged or not",
          "[netns]") {
  Guarded guarded(guarding({kGateway4, kGateway, kLinkLocalGateway}));
  for (const Saying& saying : kGatewaySayings) {
    INFO(int{saying.type} << " from " << saying.source << " for " << saying.target);
    for (const Tag tag : {Tag::kNone, Tag::kVlan}) {
      CHECK_FALSE(guarded.reaches_far(saying, tag));
      CHECK_FALSE(guarded.reaches_guest(saying, tag));
    }
  }
}

TEST_CASE("neighbour discovery of guests crosses a guarded DCI in both directions, tagged or not",
          "[netns]") {
  Guarded guarded(guarding({kGateway4, kGateway, kLinkLocalGateway}));
  for (const Saying& saying : kGuestSayings) {
    INFO(int{saying.type} << " from " << saying.source << " for " << saying.target);
    for (const Tag tag : {Tag::kNone, Tag::kVlan}) {
      CHECK(guarded.reaches_far(saying, tag));
      CHECK(guarded.reaches_guest(saying, tag));
    }
  }
}

TEST_CASE("a guard of IPv4 alone lets all neighbour discovery pass", "[netns]") {
  Guarded guarded(guarding({kGateway4}));
  for (const Saying& saying : kGatewaySayings) CHECK(guarded.reaches_far(saying));
}

TEST_CASE("a guest still resolves its own IPv6 gateway, and one behind the DCI does not", "[netns]") {
  Guarded guarded(guarding({kGateway, kLinkLocalGateway}));
  const lab::MacAddress gateway_mac = lab::parse_mac(testing::kGatewayMac);
  for (const char* gateway : {kGateway, kLinkLocalGateway}) {
    guarded.reaches_guest({kAsk, kFar, gateway});
    guarded.reaches_far({kAsk, kGuest, gateway});
    CHECK(guarded.guest().wait_first(kPatience, {}, lab::is_nd_about(gateway_mac, gateway)));
    CHECK(guarded.far().count(lab::is_nd_about(gateway_mac, gateway)) == 0);
  }
}

TEST_CASE("each IPv6 rule counts what it drops", "[netns]") {
  Guarded guarded(guarding({kGateway}));
  guarded.reaches_far({kAsk, kGuest, kGateway});
  guarded.reaches_far({kAsk, kGateway, kGuest});
  guarded.reaches_guest({kAsk, kGateway, kGuest});
  CHECK(guarded.dropped("nd_target_to_dci") == 1);
  CHECK(guarded.dropped("nd_sender_to_dci") == 1);
  CHECK(guarded.dropped("nd_sender_from_dci") == 1);
  CHECK(guarded.dropped("nd_target_from_dci") == 0);
}

}  // namespace untrombone::arp
