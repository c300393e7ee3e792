// SPDX-License-Identifier: GPL-2.0-or-later
// The guard in the real nftables, with real frames on a real bridge. Needs root.
#include "arp/guard.hpp"

#include <memory>
#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "tests/lab/capture.hpp"
#include "tests/lab/wait.hpp"
#include "tests/netns/bridge_netns.hpp"

namespace untrombone::arp {
namespace {

using core::IpAddress;
using testing::BridgeNetns;
using testing::kPatience;
using testing::run_until;

constexpr const char* kGateway = "192.0.2.1";
constexpr const char* kGuest = "192.0.2.11";
constexpr const char* kFar = "192.0.2.22";
constexpr const char* kNobody = "0.0.0.0";

std::vector<GuardedSegment> guarding(const char* gateway) {
  return {{.dci_ports = {{"dci0"}}, .gateways = {IpAddress::parse(gateway).value()}}};
}

lab::Frame tagged(lab::Frame frame) {
  const std::uint8_t tag[] = {0x81, 0x00, 0x00, 0x0a};
  frame.insert(frame.begin() + 12, std::begin(tag), std::end(tag));
  return frame;
}

enum class Tag { kNone, kVlan };

/// What an ARP frame says; each gets a MAC of its own, by which it is known again.
struct Saying {
  std::uint16_t operation;
  const char* sender;
  const char* target;
};

/// A bridge with a guard.
class Guarded {
 public:
  Guarded()
      : guest_(bridge.netns(), "guest0"),
        far_(bridge.netns(), "far0"),
        guard_(lab::run_in(bridge.netns(), [this] { return std::make_unique<Guard>(io_); })) {}

  std::string apply(const std::vector<GuardedSegment>& segments) {
    return wait([&](Guard::Done done) { guard_->apply(segments, std::move(done)); });
  }
  std::string remove() {
    return wait([&](Guard::Done done) { guard_->remove(std::move(done)); });
  }

  bool reaches_far(const Saying& saying, Tag tag = Tag::kNone) {
    return crosses("guest0", far_, saying, tag);
  }
  bool reaches_guest(const Saying& saying, Tag tag = Tag::kNone) {
    return crosses("far0", guest_, saying, tag);
  }

  lab::FrameCapture& guest() { return guest_; }
  lab::FrameCapture& far() { return far_; }
  [[nodiscard]] std::string ruleset() const { return bridge.output({"nft", "list", "ruleset"}); }
  [[nodiscard]] std::string counters() const {
    return bridge.output({"nft", "list", "counters", "table", "bridge", kGuardTable});
  }

  std::string verify() {
    std::optional<std::string> result;
    guard_->verify([&](const std::string& drift) { result = drift; });
    REQUIRE(run_until(io_, [&] { return result.has_value(); }));
    return *result;
  }
  GuardCounts counted() { return guard_->counters(); }
  void nft(const std::string& script) const {
    const lab::CommandResult result =
        lab::run_command({.argv = {"nft", "-f", "-"}, .netns = &bridge.netns(), .input = script});
    INFO(result.error);
    REQUIRE(result.status == 0);
  }

  BridgeNetns bridge;
  GuardOutcome outcome;  ///< of the last change

 private:
  template <typename Start>
  std::string wait(Start start) {
    std::optional<GuardOutcome> result;
    start([&](const GuardOutcome& seen) { result = seen; });
    REQUIRE(run_until(io_, [&] { return result.has_value(); }));
    outcome = *result;
    return outcome.error;
  }
  lab::MacAddress next_mac() { return {0x02, 0x00, 0x5e, 0x00, 0x53, ++last_octet_}; }
  lab::Frame make(const lab::MacAddress& mac, const Saying& saying) {
    return lab::make_arp(lab::kBroadcastMac, mac,
                         {.operation = saying.operation,
                          .sender_mac = mac,
                          .sender_ip = lab::parse_ipv4(saying.sender),
                          .target_mac = {},
                          .target_ip = lab::parse_ipv4(saying.target)});
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

  boost::asio::io_context io_;
  lab::FrameCapture guest_;
  lab::FrameCapture far_;
  std::unique_ptr<Guard> guard_;
  std::uint8_t last_octet_ = 0;
};

const Saying kGatewaySayings[] = {
    {lab::kArpRequest, kGuest, kGateway},    // who has the gateway?
    {lab::kArpRequest, kGateway, kGuest},    // the gateway asks
    {lab::kArpReply, kGateway, kGuest},      // the gateway answers
    {lab::kArpReply, kGuest, kGateway},      // somebody answers the gateway
    {lab::kArpRequest, kGateway, kGateway},  // gratuitous, both forms
    {lab::kArpReply, kGateway, kGateway},   {lab::kArpRequest, kNobody, kGateway},  // is the address free?
};

const Saying kGuestSayings[] = {
    {lab::kArpRequest, kGuest, kFar}, {lab::kArpReply, kGuest, kFar},      {lab::kArpRequest, kGuest, kGuest},
    {lab::kArpReply, kGuest, kGuest}, {lab::kArpRequest, kNobody, kGuest},
};

}  // namespace

TEST_CASE("nft takes every guard we render", "[netns]") {
  const BridgeNetns bridge;
  const IpAddress gateway = IpAddress::parse(kGateway).value();
  const IpAddress other = IpAddress::parse("198.51.100.1").value();
  const std::vector<std::vector<GuardedSegment>> guards{
      {},
      {{.dci_ports = {{"dci0"}}, .gateways = {gateway}}},
      {{.dci_ports = {{"dci0"}, {"vx-odd.name_1"}}, .gateways = {gateway, other}},
       {.dci_ports = {{"vx20", 10}, {"vx20", 0}}, .gateways = {other}}},
  };
  for (const auto& segments : guards) {
    const std::string text = render_guard(guard_sets(segments));
    const lab::CommandResult result =
        lab::run_command({.argv = {"nft", "-c", "-f", "-"}, .netns = &bridge.netns(), .input = text});
    INFO(text << result.error);
    CHECK(result.status == 0);
  }
}

TEST_CASE("without a guard everything crosses the DCI", "[netns]") {
  Guarded guarded;
  for (const Saying& saying : kGatewaySayings) {
    CHECK(guarded.reaches_far(saying));
    CHECK(guarded.reaches_guest(saying));
    CHECK(guarded.reaches_far(saying, Tag::kVlan));
  }
}

TEST_CASE("no ARP of the gateway crosses the DCI in either direction, tagged or not", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  for (const Saying& saying : kGatewaySayings) {
    INFO(saying.operation << " from " << saying.sender << " for " << saying.target);
    for (const Tag tag : {Tag::kNone, Tag::kVlan}) {
      CHECK_FALSE(guarded.reaches_far(saying, tag));
      CHECK_FALSE(guarded.reaches_guest(saying, tag));
    }
  }
}

TEST_CASE("ARP and RARP of guests cross a guarded DCI in both directions, tagged or not", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  for (const Saying& saying : kGuestSayings) {
    INFO(saying.operation << " from " << saying.sender << " for " << saying.target);
    for (const Tag tag : {Tag::kNone, Tag::kVlan}) {
      CHECK(guarded.reaches_far(saying, tag));
      CHECK(guarded.reaches_guest(saying, tag));
    }
  }
}

TEST_CASE("a guest still reaches its own gateway, and one behind the DCI does not", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  const auto is_answer = lab::from_mac(lab::parse_mac(testing::kGatewayMac));
  guarded.reaches_guest({lab::kArpRequest, kFar, kGateway});
  guarded.reaches_far({lab::kArpRequest, kGuest, kGateway});
  CHECK(guarded.guest().wait_first(kPatience, {}, is_answer));
  CHECK(guarded.far().count(is_answer) == 0);
}

TEST_CASE("the edge's own questions in the gateway's name stay on its side", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  const auto is_question = lab::from_mac(lab::parse_mac(testing::kGatewayMac));
  guarded.bridge.ip("neigh replace 192.0.2.33 dev br0 nud incomplete use\n");
  CHECK(guarded.guest().wait_first(kPatience, {}, is_question));
  REQUIRE(guarded.reaches_far(kGuestSayings[0]));
  CHECK(guarded.far().count(is_question) == 0);
}

TEST_CASE("the bridge learns from a frame that the guard drops", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  CHECK_FALSE(guarded.reaches_guest(kGatewaySayings[0]));
  const std::string fdb = guarded.bridge.output({"bridge", "fdb", "show", "dev", "dci0"});
  CHECK(fdb.find("02:00:5e:00:53:01 master br0") != std::string::npos);
}

TEST_CASE("each rule counts what it drops", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  guarded.reaches_far({lab::kArpRequest, kGuest, kGateway});
  guarded.reaches_far({lab::kArpReply, kGateway, kGuest});
  guarded.reaches_guest({lab::kArpReply, kGateway, kGuest});
  const std::string counters = guarded.counters();
  const auto packets = [&](const std::string& name) {
    const auto at = counters.find("packets ", counters.find("counter " + name));
    return at == std::string::npos ? -1 : std::stoi(counters.substr(at + 8));
  };
  INFO(counters);
  CHECK(packets("arp_target_to_dci") == 1);
  CHECK(packets("arp_sender_to_dci") == 1);
  CHECK(packets("arp_sender_from_dci") == 1);
  CHECK(packets("arp_target_from_dci") == 0);
}

TEST_CASE("a guard replaces the one before, and is the same when applied twice", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding("192.0.2.254")).empty());
  CHECK(guarded.reaches_far(kGatewaySayings[0]));
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  const std::string once = guarded.ruleset();
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  CHECK(guarded.ruleset() == once);
  CHECK(once.find("192.0.2.254") == std::string::npos);
  CHECK_FALSE(guarded.reaches_far(kGatewaySayings[0]));
}

TEST_CASE("a guard that is removed lets everything pass, and removing it twice is no error", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  REQUIRE(guarded.remove().empty());
  CHECK(guarded.remove().empty());
  CHECK(guarded.ruleset().empty());
  CHECK(guarded.reaches_far(kGatewaySayings[0]));
}

TEST_CASE("tables of others are left alone", "[netns]") {
  Guarded guarded;
  guarded.bridge.run({"nft", "add", "table", "bridge", "somebody"});
  guarded.bridge.run({"nft", "add", "table", "ip", kGuardTable});
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  REQUIRE(guarded.remove().empty());
  CHECK(guarded.ruleset().find("table bridge somebody") != std::string::npos);
  CHECK(guarded.ruleset().find("table ip untrombone") != std::string::npos);
}

TEST_CASE("what nft refuses is told, and the guard in place stays", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  const std::string error = guarded.apply({{.dci_ports = {{"a-name-too-long-for-an-interface"}},
                                            .gateways = {IpAddress::parse(kGateway).value()}}});
  CHECK_FALSE(error.empty());
  CHECK_FALSE(guarded.reaches_far(kGatewaySayings[0]));
}

TEST_CASE("a guard changes by elements, and its counters live on", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  CHECK(guarded.outcome.replaced);
  guarded.reaches_far(kGatewaySayings[0]);
  REQUIRE(guarded.apply(guarding("192.0.2.254")).empty());
  CHECK_FALSE(guarded.outcome.replaced);
  CHECK(guarded.reaches_far(kGatewaySayings[0]));
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  guarded.reaches_far(kGatewaySayings[0]);
  CHECK(guarded.counted()["arp_target_to_dci"].packets == 2);
  CHECK(guarded.verify().empty());
}

TEST_CASE("whatever somebody else does to the guard is noticed, and repaired without losing the counts",
          "[netns]") {
  const std::pair<const char*, const char*> damages[] = {
      {"flush ruleset", "the table is gone"},
      {"delete element bridge untrombone gateways { \"dci0\" . 192.0.2.1 }",
       "dci0 . 192.0.2.1 is missing in gateways"},
      {"add element bridge untrombone gateways { \"acc0\" . 192.0.2.2 }",
       "acc0 . 192.0.2.2 is not ours in gateways"},
      {"flush chain bridge untrombone bridged", "the rules are not ours"},
      {"insert rule bridge untrombone bridged accept", "the rules are not ours"},
      {"add table bridge untrombone { flags dormant; }", "the rules are not ours"},
  };
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  std::uint64_t dropped = 0;
  for (const auto& [script, drift] : damages) {
    INFO(script);
    CHECK_FALSE(guarded.reaches_far(kGatewaySayings[0]));
    CHECK(guarded.counted()["arp_target_to_dci"].packets == ++dropped);
    REQUIRE(guarded.verify().empty());
    guarded.nft(script);
    CHECK(guarded.verify() == drift);
    REQUIRE(guarded.apply(guarding(kGateway)).empty());
    CHECK(guarded.outcome.replaced);
    CHECK(guarded.verify().empty());
    CHECK(guarded.counted()["arp_target_to_dci"].packets == dropped);
  }
  CHECK_FALSE(guarded.reaches_far(kGatewaySayings[0]));
}

TEST_CASE("what others do to their own tables is no drift", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  guarded.nft("table inet somebody {\n chain c {\n type filter hook input priority 0\n }\n}\n");
  CHECK(guarded.verify().empty());
}

TEST_CASE("a flushed guard is put back by the next change, too", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding("192.0.2.254")).empty());
  guarded.nft("flush ruleset");
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  CHECK(guarded.outcome.replaced);
  CHECK_FALSE(guarded.reaches_far(kGatewaySayings[0]));
}

TEST_CASE("4,000 segments are as many rules as one, and one more port is a matter of elements", "[netns]") {
  Guarded guarded;
  REQUIRE(guarded.apply(guarding(kGateway)).empty());
  const std::size_t rules = guarded.outcome.rules;
  std::vector<GuardedSegment> segments = guarding(kGateway);
  for (std::uint32_t i = 1; i < 4000; ++i) {
    const auto octet = [&](unsigned shift) { return static_cast<std::uint8_t>(i >> shift & 0xffU); };
    segments.push_back({.dci_ports = {{"vx" + std::to_string(i)}},
                        .gateways = {IpAddress::v4({198, 18, octet(8), octet(0)})},
                        .ra = true,
                        .fhrp = true});
  }
  REQUIRE(guarded.apply(segments).empty());
  CHECK(guarded.outcome.rules == rules);
  CHECK(guarded.outcome.elements == 2 + 3999 * 4);
  WARN("4,000 segments: " << rules << " rules, " << guarded.outcome.elements << " elements, "
                          << guarded.outcome.took.count() / 1'000'000 << " ms");
  CHECK(guarded.verify().empty());
  segments.back().dci_ports.push_back({"vx-late"});
  REQUIRE(guarded.apply(segments).empty());
  CHECK_FALSE(guarded.outcome.replaced);
  WARN("one more port: " << guarded.outcome.took.count() / 1000 << " us");
  CHECK_FALSE(guarded.reaches_far(kGatewaySayings[0]));
}

}  // namespace untrombone::arp
