// SPDX-License-Identifier: GPL-2.0-or-later
// The tap on real bridge ports. Needs root.
#include "arp/tap.hpp"

#include <algorithm>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/lab/capture.hpp"
#include "tests/lab/crowd.hpp"
#include "tests/netns/bridge_netns.hpp"

namespace untrombone::arp {
namespace {

using core::Ifindex;
using core::IpAddress;
using testing::BridgeNetns;
using testing::kAccessPort;
using testing::kDciPort;
using testing::run_until;

const lab::MacAddress kGuestMac = lab::parse_mac("00:00:5e:00:53:11");
const lab::MacAddress kLastMac = lab::parse_mac("00:00:5e:00:53:99");
const IpAddress kGuest = IpAddress::v4({192, 0, 2, 11});

lab::Frame garp_of(const lab::MacAddress& mac) { return lab::make_garp(mac, lab::parse_ipv4("192.0.2.11")); }

struct Heard {
  Ifindex port;
  ArpFrame frame;
  FrameTime received;
  std::optional<VlanTag> tag;
};

struct HeardNd {
  Ifindex port;
  NdFrame frame;
  FrameTime received;
};

class Recorder final : public TapListener {
 public:
  void on_frame(const FrameOrigin& origin, const ArpFrame& frame) override {
    heard.push_back({origin.port, frame, origin.received, origin.tag});
  }
  void on_nd_frame(const FrameOrigin& origin, const NdFrame& frame) override {
    neighbours.push_back({origin.port, frame, origin.received});
  }
  void on_packet(const FrameOrigin& /*origin*/, const PacketSource& source) override {
    packets.push_back(source);
  }
  void on_tap_idle() override { ++idle; }

  std::vector<Heard> heard;
  std::vector<HeardNd> neighbours;
  std::vector<PacketSource> packets;
  int idle = 0;
};

/// A tap on both ports of a bridge.
struct Tapped {
  Tapped() : tap(io, recorder) {
    for (const Ifindex port : {kAccessPort, kDciPort}) REQUIRE_FALSE(open(port));
  }
  boost::system::error_code open(Ifindex port) {
    return lab::run_in(bridge.netns(), [&] { return tap.open(port); });
  }
  /// Sends one more frame into `interface` and returns what was heard before it.
  std::vector<Heard> heard_before_a_last_frame_from(const char* interface) {
    bridge.send(interface, garp_of(kLastMac));
    const auto is_last = [](const Heard& one) {
      return lab::format_mac(kLastMac) == one.frame.source.to_string();
    };
    REQUIRE(
        run_until(io, [&] { return std::any_of(recorder.heard.begin(), recorder.heard.end(), is_last); }));
    std::vector<Heard> heard = recorder.heard;
    heard.erase(std::remove_if(heard.begin(), heard.end(), is_last), heard.end());
    return heard;
  }

  BridgeNetns bridge;
  boost::asio::io_context io;
  Recorder recorder;
  PortTap tap;
};

lab::Frame tagged(lab::Frame frame) {
  const std::uint8_t tag[] = {0x81, 0x00, 0x00, 0x0a};
  frame.insert(frame.begin() + 12, std::begin(tag), std::end(tag));
  return frame;
}

FrameBytes probe_frame() {
  const auto mac = core::MacAddress::parse("00:00:5e:00:53:02").value();
  return encode(make_probe(mac, IpAddress::v4({0, 0, 0, 0}), std::nullopt, kGuest));
}

}  // namespace

TEST_CASE("a tap hears ARP and RARP on the port they come in on, with the kernel's time", "[netns]") {
  Tapped tapped;
  const lab::Timestamp before = lab::now();
  tapped.bridge.send("guest0", garp_of(kGuestMac));
  tapped.bridge.send("far0", lab::make_rarp(kGuestMac));
  REQUIRE(run_until(tapped.io, [&] { return tapped.recorder.heard.size() == 2; }));
  const lab::Timestamp after = lab::now();
  auto& heard = tapped.recorder.heard;
  std::sort(heard.begin(), heard.end(),
            [](const Heard& one, const Heard& other) { return one.port < other.port; });
  CHECK(heard[0].port == kAccessPort);
  CHECK(heard[0].frame.protocol == Protocol::kArp);
  CHECK(heard[0].frame.sender_ip == kGuest);
  CHECK(heard[0].frame.source.to_string() == lab::format_mac(kGuestMac));
  CHECK(heard[1].port == kDciPort);
  CHECK(heard[1].frame.protocol == Protocol::kRarp);
  for (const Heard& one : heard) {
    CHECK(one.received > before);
    CHECK(one.received < after);
  }
  CHECK(tapped.recorder.idle >= 1);
  CHECK(tapped.tap.counters().frames == 2);
}

TEST_CASE("a tap hears neighbour discovery on the port it comes in on, and no other ICMPv6", "[netns]") {
  Tapped tapped;
  const lab::Ipv6Address guest = lab::parse_ipv6("2001:db8::11");
  const lab::Frame advertisement = lab::make_unsolicited_na(kGuestMac, guest);
  lab::Frame echo = advertisement;
  echo[54] = 128;
  lab::Frame behind_extension = advertisement;
  behind_extension[20] = 0;  // hop-by-hop options
  tapped.bridge.send("guest0", echo);
  tapped.bridge.send("guest0", behind_extension);
  tapped.bridge.send("guest0", tagged(advertisement));
  tapped.bridge.send("guest0", advertisement);
  tapped.bridge.send("far0", lab::make_solicitation(kGuestMac, guest, lab::parse_ipv6("2001:db8::1")));
  CHECK(tapped.heard_before_a_last_frame_from("far0").empty());
  REQUIRE(run_until(tapped.io, [&] { return tapped.recorder.neighbours.size() == 2; }));
  for (const HeardNd& one : tapped.recorder.neighbours) {
    const bool local = one.port == kAccessPort;
    CHECK(one.frame.type == (local ? NdType::kAdvertisement : NdType::kSolicitation));
    CHECK(binding_of(one.frame)->ip.to_string() == "2001:db8::11");
  }
  CHECK(tapped.tap.counters().frames == 3);
}

TEST_CASE("a solicitation that crossed a router is counted as malformed", "[netns]") {
  Tapped tapped;
  lab::Frame routed = lab::make_unsolicited_na(kGuestMac, lab::parse_ipv6("2001:db8::11"));
  routed[21] = 254;
  tapped.bridge.send("guest0", routed);
  CHECK(tapped.heard_before_a_last_frame_from("guest0").empty());
  CHECK(tapped.recorder.neighbours.empty());
  CHECK(tapped.recorder.packets.empty());
  CHECK(tapped.tap.counters().malformed == 1);
}

TEST_CASE("a tap hears IPv6 packets of the MACs it was told to listen for", "[netns]") {
  Tapped tapped;
  const auto core_mac = core::MacAddress::parse(lab::format_mac(kGuestMac)).value();
  lab::Frame packet = lab::make_unsolicited_na(kGuestMac, lab::parse_ipv6("2001:db8::11"));
  tapped.tap.listen_for(kAccessPort, std::vector{core_mac});
  tapped.bridge.send("guest0", packet);  // has its own way
  packet[54] = 128;
  tapped.bridge.send("guest0", packet);
  packet[20] = 17;
  tapped.bridge.send("guest0", packet);
  tapped.heard_before_a_last_frame_from("guest0");
  const PacketSource expected{core_mac, IpAddress::parse("2001:db8::11").value()};
  CHECK(tapped.recorder.packets == std::vector{expected, expected});
  CHECK(tapped.recorder.neighbours.size() == 1);
}

TEST_CASE("a tap does not hear what its port sends", "[netns]") {
  Tapped tapped;
  tapped.bridge.send("guest0", garp_of(kGuestMac));  // flooded out of dci0
  REQUIRE(tapped.tap.send(kAccessPort, probe_frame()));
  const auto heard = tapped.heard_before_a_last_frame_from("guest0");
  REQUIRE(heard.size() == 1);
  CHECK(heard.front().port == kAccessPort);
  CHECK(heard.front().frame.sender_ip == kGuest);
}

TEST_CASE("a tap hears neither IPv4 nor VLAN-tagged frames", "[netns]") {
  Tapped tapped;
  lab::Frame ipv4 = garp_of(kGuestMac);
  ipv4[12] = 0x08;
  ipv4[13] = 0x00;
  tapped.bridge.send("guest0", ipv4);
  tapped.bridge.send("guest0", tagged(garp_of(kGuestMac)));
  CHECK(tapped.heard_before_a_last_frame_from("guest0").empty());
  CHECK(tapped.tap.counters().frames == 1);
}

TEST_CASE(
    "a tap hears IPv4 packets of the MACs it was told to listen for, on that port, until told otherwise",
    "[netns]") {
  Tapped tapped;
  const auto packet_of = [](const lab::MacAddress& mac) {
    lab::Frame packet = garp_of(mac);
    packet.resize(60);
    packet[12] = 0x08;
    packet[13] = 0x00;
    packet[14] = 0x45;
    const std::uint8_t source[] = {192, 0, 2, 77};
    std::copy(std::begin(source), std::end(source), packet.begin() + 26);
    return packet;
  };
  const auto core_mac = core::MacAddress::parse(lab::format_mac(kGuestMac)).value();
  // The list's length must not matter: a filter's jumps are short.
  std::vector<core::MacAddress> sources(PortTap::kMostSources - 1,
                                        core::MacAddress{{2, 0, 0x5e, 0, 0x53, 1}});
  sources.push_back(core_mac);
  tapped.tap.listen_for(kAccessPort, sources);
  tapped.bridge.send("guest0", packet_of(kGuestMac));
  tapped.bridge.send("guest0", tagged(packet_of(kGuestMac)));
  tapped.bridge.send("guest0", packet_of(lab::parse_mac("00:00:5e:00:53:12")));
  tapped.bridge.send("guest0", garp_of(kGuestMac));
  CHECK(tapped.heard_before_a_last_frame_from("guest0").size() == 1);
  CHECK(tapped.recorder.packets == std::vector{PacketSource{core_mac, IpAddress::v4({192, 0, 2, 77})}});

  tapped.bridge.send("far0", packet_of(kGuestMac));
  tapped.tap.listen_for(kAccessPort, {});
  tapped.recorder.heard.clear();
  tapped.bridge.send("guest0", packet_of(kGuestMac));
  tapped.heard_before_a_last_frame_from("guest0");
  CHECK(tapped.recorder.packets.size() == 1);
}

TEST_CASE("an ARP frame of another kind of network is counted as malformed", "[netns]") {
  Tapped tapped;
  lab::Frame frame = garp_of(kGuestMac);
  frame[18] = 8;  // hardware addresses of eight octets
  tapped.bridge.send("guest0", frame);
  CHECK(tapped.heard_before_a_last_frame_from("guest0").empty());
  CHECK(tapped.tap.counters().malformed == 1);
}

TEST_CASE("a frame is sent out of its port and no other", "[netns]") {
  Tapped tapped;
  lab::FrameCapture guest(tapped.bridge.netns(), "guest0");
  lab::FrameCapture far(tapped.bridge.netns(), "far0");
  const FrameBytes frame = probe_frame();
  const auto is_probe = [&](lab::FrameView view) {
    return std::equal(view.begin(), view.end(), frame.begin(), frame.end(),
                      [](std::uint8_t one, std::byte other) { return std::byte{one} == other; });
  };
  REQUIRE(tapped.tap.send(kAccessPort, frame));
  CHECK(guest.wait_first(testing::kPatience, {}, is_probe));
  FrameBytes last = frame;
  last[41] = std::byte{99};
  REQUIRE(tapped.tap.send(kDciPort, last));
  REQUIRE(far.wait_first(testing::kPatience, {},
                         [](lab::FrameView view) { return view.size() > 41 && view[41] == 99; }));
  CHECK(far.count(is_probe) == 0);
  CHECK(tapped.tap.counters().sent == 2);
}

TEST_CASE("a frame for a port that is not open is not sent, and counted", "[netns]") {
  Tapped tapped;
  CHECK_FALSE(tapped.tap.send({77}, probe_frame()));
  tapped.tap.close(kAccessPort);
  CHECK_FALSE(tapped.tap.send(kAccessPort, probe_frame()));
  CHECK(tapped.tap.counters().send_errors == 2);
}

TEST_CASE("a closed port is not heard, one that is opened again is", "[netns]") {
  Tapped tapped;
  tapped.tap.close(kAccessPort);
  tapped.bridge.send("guest0", garp_of(kGuestMac));
  CHECK(tapped.heard_before_a_last_frame_from("far0").empty());
  REQUIRE_FALSE(tapped.open(kAccessPort));
  REQUIRE_FALSE(tapped.open(kAccessPort));  // a second time does nothing
  tapped.recorder.heard.clear();
  tapped.bridge.send("guest0", garp_of(kGuestMac));
  CHECK(tapped.heard_before_a_last_frame_from("guest0").size() == 1);
}

TEST_CASE("a port that does not exist cannot be opened", "[netns]") {
  Tapped tapped;
  CHECK(tapped.open({77}));
}

TEST_CASE("a port that is deleted harms nothing", "[netns]") {
  Tapped tapped;
  tapped.bridge.ip("link delete acc0\n");
  CHECK_FALSE(tapped.tap.send(kAccessPort, probe_frame()));
  CHECK(tapped.heard_before_a_last_frame_from("far0").empty());
  tapped.tap.close(kAccessPort);
}

TEST_CASE("frames that come faster than they are read are counted, and their port is told once", "[netns]") {
  Tapped tapped;
  CHECK(tapped.tap.take_losses().empty());
  lab::Crowd crowd(tapped.bridge.netns(), "guest0", lab::parse_ipv4("10.1.0.1"), 60000);
  crowd.introduce();  // nobody reads meanwhile, and 16 MiB hold about 40,000 of them
  CHECK(tapped.tap.counters().dropped > 0);
  CHECK(tapped.tap.take_losses() == std::vector{kAccessPort});
  CHECK(tapped.tap.take_losses().empty());
  REQUIRE(run_until(tapped.io, [&] {
    return tapped.tap.counters().frames + tapped.tap.counters().dropped >= crowd.size();
  }));
}

}  // namespace untrombone::arp
