// SPDX-License-Identifier: GPL-2.0-or-later
#include <catch2/catch.hpp>

#include "arp/frames.hpp"
#include "tests/unit/golden.hpp"

namespace untrombone::arp {
namespace {

using core::IpAddress;
using core::MacAddress;
using testing::Bytes;

const MacAddress kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
const MacAddress kGatewayMac{{0x00, 0x00, 0x5e, 0x00, 0x53, 0xfe}};
const MacAddress kGuestMac{{0x00, 0x00, 0x5e, 0x00, 0x53, 0x11}};
const IpAddress kGateway = IpAddress::v4({192, 0, 2, 1});
const IpAddress kGuest = IpAddress::v4({192, 0, 2, 11});
const IpAddress kNoAddress = IpAddress::v4({0, 0, 0, 0});

const testing::GoldenBytes& golden() {
  static const testing::GoldenBytes records = testing::read_golden("arp/frames.hex");
  return records;
}

/// The fields that the golden frames differ in.
struct Expected {
  const char* name;
  Protocol protocol;
  std::uint16_t operation;
  MacAddress destination;
  MacAddress sender_mac;
  IpAddress sender_ip;
  MacAddress target_mac;
  IpAddress target_ip;
};

const Expected kExpected[] = {
    {"kernel-request", Protocol::kArp, kRequest, kBroadcastMac, kGatewayMac, kGateway, {}, kGuest},
    {"kernel-reply", Protocol::kArp, kReply, kGuestMac, kGatewayMac, kGateway, kGuestMac, kGuest},
    {"arping-probe", Protocol::kArp, kRequest, kBroadcastMac, kGuestMac, kNoAddress, kBroadcastMac, kGuest},
    {"arping-gratuitous-request", Protocol::kArp, kRequest, kBroadcastMac, kGuestMac, kGuest, kBroadcastMac,
     kGuest},
    {"arping-gratuitous-reply", Protocol::kArp, kReply, kBroadcastMac, kGuestMac, kGuest, kGuestMac, kGuest},
    {"qemu-rarp", Protocol::kRarp, kReverseRequest, kBroadcastMac, kGuestMac, kNoAddress, kGuestMac,
     kNoAddress},
};

}  // namespace

TEST_CASE("real ARP and RARP frames are read as what they are") {
  CHECK(golden().size() == std::size(kExpected));
  for (const Expected& expected : kExpected) {
    INFO(expected.name);
    const auto frame = decode(golden().at(expected.name));
    REQUIRE(frame);
    CHECK(frame->protocol == expected.protocol);
    CHECK(frame->operation == expected.operation);
    CHECK(frame->destination == expected.destination);
    CHECK(frame->source == expected.sender_mac);
    CHECK(frame->sender_mac == expected.sender_mac);
    CHECK(frame->sender_ip == expected.sender_ip);
    CHECK(frame->target_mac == expected.target_mac);
    CHECK(frame->target_ip == expected.target_ip);
  }
}

TEST_CASE("our frames are the real ones, padded to the shortest frame") {
  for (const auto& [name, bytes] : golden()) {
    INFO(name);
    const auto frame = decode(bytes);
    REQUIRE(frame);
    Bytes padded = bytes;
    padded.resize(kFrameSize);
    const FrameBytes ours = encode(*frame);
    CHECK(testing::hex(ours) == testing::hex(padded));
    CHECK(decode(ours) == frame);
  }
}

TEST_CASE("a frame cut off before its end is no frame") {
  constexpr std::size_t kWithoutPadding = 42;
  for (const auto& [name, bytes] : golden()) {
    for (std::size_t length = 0; length < kWithoutPadding; ++length) {
      INFO(name << " cut to " << length);
      const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
      CHECK_FALSE(decode(cut));
    }
  }
}

TEST_CASE("what is not ARP for Ethernet and IPv4 is no frame of ours") {
  const std::pair<std::size_t, std::uint8_t> changes[] = {
      {12, 0x86},  // ethertype
      {13, 0x00},  // IPv4
      {15, 6},     // IEEE 802 hardware
      {16, 0x86},  // a protocol that is not IPv4
      {18, 8},     // longer hardware addresses
      {19, 16},    // longer protocol addresses
  };
  for (const auto& [offset, value] : changes) {
    INFO("octet " << offset);
    Bytes bytes = golden().at("kernel-reply");
    bytes[offset] = static_cast<std::byte>(value);
    CHECK_FALSE(decode(bytes));
  }
}

TEST_CASE("a VLAN-tagged frame is no frame of ours") {
  Bytes bytes = golden().at("kernel-request");
  const std::byte tag[] = {std::byte{0x81}, std::byte{0x00}, std::byte{0x00}, std::byte{0x0a}};
  bytes.insert(bytes.begin() + 12, std::begin(tag), std::end(tag));
  CHECK_FALSE(decode(bytes));
}

TEST_CASE("the source of an IPv4 packet is read, of anything else it is not") {
  // IPv4 header of RFC 791 without options: version and length first, the source at its octet 12.
  Bytes packet = golden().at("kernel-reply");
  packet[12] = std::byte{0x08};
  packet[13] = std::byte{0x00};
  packet[14] = std::byte{0x45};
  const std::uint8_t source[] = {192, 0, 2, 11};
  for (std::size_t i = 0; i < std::size(source); ++i) packet[26 + i] = std::byte{source[i]};
  CHECK(decode_packet_source(packet) == PacketSource{kGatewayMac, kGuest});
  for (std::size_t length = 0; length < 34; ++length) {
    CHECK_FALSE(decode_packet_source(std::span(packet).first(length)));
  }
  packet[14] = std::byte{0x65};
  CHECK_FALSE(decode_packet_source(packet));
  for (const auto& [name, frame] : golden()) CHECK_FALSE(decode_packet_source(frame));
}

TEST_CASE("a probe is unicast to a known MAC and broadcast otherwise, and never the gateway's") {
  const MacAddress probe_mac{{0x02, 0x00, 0x5e, 0x00, 0x53, 0x02}};
  const IpAddress probe_ip = IpAddress::v4({192, 0, 2, 2});
  const ArpFrame unicast = make_probe(probe_mac, probe_ip, kGuestMac, kGuest);
  CHECK(unicast.destination == kGuestMac);
  CHECK(unicast.operation == kRequest);
  CHECK(unicast.source == probe_mac);
  CHECK(unicast.sender_mac == probe_mac);
  CHECK(unicast.sender_ip == probe_ip);
  CHECK(unicast.target_ip == kGuest);
  CHECK(make_probe(probe_mac, probe_ip, std::nullopt, kGuest).destination == kBroadcastMac);
}

TEST_CASE("a probe without a sender address is the one of RFC 5227") {
  ArpFrame ours = make_probe(kGuestMac, kNoAddress, std::nullopt, kGuest);
  const auto arping = decode(golden().at("arping-probe"));
  REQUIRE(arping);
  // RFC 5227 1.1 leaves the target hardware address open ("SHOULD be all zeroes"); arping broadcasts it.
  ours.target_mac = arping->target_mac;
  CHECK(ours == *arping);
}

TEST_CASE("a greeting is the kernel's own request for the guest, sent to it alone") {
  const ArpFrame greeting = make_greeting(kGatewayMac, kGateway, kGuestMac, kGuest);
  auto kernel = decode(golden().at("kernel-request"));
  REQUIRE(kernel);
  CHECK(greeting.destination == kGuestMac);
  kernel->destination = kGuestMac;
  CHECK(greeting == *kernel);
}

}  // namespace untrombone::arp
