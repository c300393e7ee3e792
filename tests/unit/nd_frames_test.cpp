// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/nd_frames.hpp"

#include <catch2/catch.hpp>

#include "arp/frames.hpp"
#include "tests/unit/golden.hpp"

namespace untrombone::arp {
namespace {

using core::IpAddress;
using core::MacAddress;
using testing::Bytes;

const MacAddress kGatewayMac{{0x00, 0x00, 0x5e, 0x00, 0x53, 0xfe}};
const MacAddress kGuestMac{{0x00, 0x00, 0x5e, 0x00, 0x53, 0x11}};
const MacAddress kProbeMac{{0x02, 0x00, 0x5e, 0x00, 0x53, 0x02}};
const MacAddress kAllNodesMac{{0x33, 0x33, 0, 0, 0, 1}};
const MacAddress kGuestGroupMac{{0x33, 0x33, 0xff, 0, 0, 0x11}};

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }
const IpAddress kGateway = address("2001:db8::1");
const IpAddress kGatewayLinkLocal = address("fe80::200:5eff:fe00:53fe");
const IpAddress kGuest = address("2001:db8::11");
const IpAddress kGuestGroup = address("ff02::1:ff00:11");

constexpr NdType kSolicitation = NdType::kSolicitation;
constexpr NdType kAdvertisement = NdType::kAdvertisement;

const testing::GoldenBytes& golden() {
  static const testing::GoldenBytes records = testing::read_golden("arp/nd_frames.hex");
  return records;
}

/// A golden frame with some octets changed and its checksum made right again.
Bytes changed(const char* name, std::initializer_list<std::pair<std::size_t, std::uint8_t>> changes) {
  Bytes bytes = golden().at(name);
  bytes[56] = bytes[57] = std::byte{0};
  for (const auto& [at, value] : changes) bytes.at(at) = static_cast<std::byte>(value);
  const std::size_t size = bytes.size() - 54;
  std::uint32_t sum = static_cast<std::uint32_t>(size) + 58;
  for (std::size_t at = 22; at < bytes.size(); at += 2)
    sum += std::to_integer<std::uint32_t>(bytes[at]) * 256 + std::to_integer<std::uint32_t>(bytes[at + 1]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  bytes[56] = static_cast<std::byte>(~sum >> 8 & 0xff);
  bytes[57] = static_cast<std::byte>(~sum & 0xff);
  return bytes;
}

const std::pair<const char*, NdFrame> kExpected[] = {
    {"kernel-solicitation",
     {kSolicitation, kGuestGroupMac, kGatewayMac, kGatewayLinkLocal, kGuestGroup, kGuest, false, false, false,
      kGatewayMac}},
    {"kernel-solicitation-unicast",
     {kSolicitation, kGuestMac, kGatewayMac, kGatewayLinkLocal, kGuest, kGuest, false, false, false,
      kGatewayMac}},
    {"kernel-advertisement",
     {kAdvertisement, kGuestMac, kGatewayMac, kGateway, kGuest, kGateway, false, true, true, kGatewayMac}},
    {"kernel-duplicate-detection",
     {kSolicitation, kGuestGroupMac, kGuestMac, address("::"), kGuestGroup, kGuest, false, false, false, {}}},
    {"kernel-unsolicited",
     {kAdvertisement, kAllNodesMac, kGuestMac, kGuest, address("ff02::1"), kGuest, false, false, true,
      kGuestMac}},
    {"kernel-plain-duplicate-detection",
     {kSolicitation, kGuestGroupMac, kGuestMac, address("::"), kGuestGroup, kGuest, false, false, false, {}}},
};

}  // namespace

TEST_CASE("real solicitations and advertisements are read as what they are") {
  CHECK(golden().size() == std::size(kExpected));
  for (const auto& [name, expected] : kExpected) {
    INFO(name);
    const auto frame = decode_nd(golden().at(name));
    REQUIRE(frame);
    CHECK(*frame == expected);
  }
}

TEST_CASE("what the kernel sends with a link-layer address is what we send, octet by octet") {
  int compared = 0;
  for (const auto& [name, bytes] : golden()) {
    INFO(name);
    const auto frame = decode_nd(bytes);
    REQUIRE(frame);
    if (!frame->link_address) continue;
    CHECK(testing::hex(encode_nd(*frame)) == testing::hex(bytes));
    ++compared;
  }
  CHECK(compared == 4);
}

TEST_CASE("a solicitation or advertisement cut off before its end is no frame") {
  for (const auto& [name, bytes] : golden()) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      INFO(name << " cut to " << length);
      const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
      CHECK_FALSE(decode_nd(cut));
    }
  }
}

TEST_CASE("octets behind the IPv6 payload are padding") {
  Bytes padded = golden().at("kernel-advertisement");
  padded.resize(padded.size() + 7, std::byte{0xa5});
  CHECK(decode_nd(padded) == decode_nd(golden().at("kernel-advertisement")));
}

TEST_CASE("one flipped bit anywhere in what the checksum covers is no frame") {
  const Bytes good = golden().at("kernel-unsolicited");
  for (std::size_t at = 22; at < good.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      INFO("octet " << at << ", bit " << bit);
      Bytes bad = good;
      bad[at] ^= static_cast<std::byte>(1U << bit);
      CHECK_FALSE(decode_nd(bad));
    }
  }
}

TEST_CASE("what has crossed a router, or is another message, is no frame of ours") {
  const std::pair<std::size_t, std::uint8_t> changes[] = {
      {12, 0x08},  // ethertype
      {14, 0x40},  // version 4
      {20, 0x00},  // an extension header first
      {21, 254},   // hop limit
      {54, 133},   // router solicitation
      {54, 137},   // redirect
      {55, 1},     // code
      {19, 0x18},  // payload length that leaves the option out of the checksum
  };
  REQUIRE(decode_nd(changed("kernel-advertisement", {})));
  for (const auto& change : changes) {
    INFO("octet " << change.first << " becomes " << int(change.second));
    CHECK_FALSE(decode_nd(changed("kernel-advertisement", {change})));
  }
}

TEST_CASE("options without a length, or over the end, are no frame") {
  CHECK_FALSE(decode_nd(changed("kernel-advertisement", {{79, 0}})));
  CHECK_FALSE(decode_nd(changed("kernel-advertisement", {{79, 2}})));
  // An option that nobody knows is skipped.
  const auto unknown = decode_nd(changed("kernel-advertisement", {{78, 200}}));
  REQUIRE(unknown);
  CHECK_FALSE(unknown->link_address);
}

TEST_CASE("addresses that RFC 4861 7.1 forbids are no frame") {
  CHECK_FALSE(decode_nd(changed("kernel-solicitation", {{62, 0xff}})));  // a group as target
  CHECK_FALSE(decode_nd(changed("kernel-unsolicited", {{58, 0x60}})));   // solicited, to a group
  CHECK_FALSE(
      decode_nd(changed("kernel-duplicate-detection", {{53, 0x12}})));  // another solicited-node group
  // Duplicate address detection with a source link-layer address.
  CHECK_FALSE(decode_nd(changed("kernel-duplicate-detection", {{78, 1}})));
}

TEST_CASE("a VLAN-tagged solicitation is no frame of ours") {
  Bytes bytes = golden().at("kernel-solicitation");
  const std::byte tag[] = {std::byte{0x81}, std::byte{0x00}, std::byte{0x00}, std::byte{0x0a}};
  bytes.insert(bytes.begin() + 12, std::begin(tag), std::end(tag));
  CHECK_FALSE(decode_nd(bytes));
}

TEST_CASE("an advertisement binds its target and a solicitation its source") {
  const auto binding = [](const char* name) { return binding_of(decode_nd(golden().at(name)).value()); };
  CHECK(binding("kernel-unsolicited") == NdBinding{kGuest, kGuestMac});
  CHECK(binding("kernel-advertisement") == NdBinding{kGateway, kGatewayMac});
  CHECK(binding("kernel-solicitation") == NdBinding{kGatewayLinkLocal, kGatewayMac});
}

TEST_CASE("an advertisement from a link-local address binds its target all the same") {
  NdFrame frame = decode_nd(golden().at("kernel-unsolicited")).value();
  frame.source_ip = link_local_of(kGuestMac);
  CHECK(binding_of(frame) == NdBinding{kGuest, kGuestMac});
}

TEST_CASE("duplicate address detection binds nothing") {
  for (const char* name : {"kernel-duplicate-detection", "kernel-plain-duplicate-detection"}) {
    const NdFrame frame = decode_nd(golden().at(name)).value();
    CHECK(frame.is_duplicate_detection());
    CHECK_FALSE(binding_of(frame));
  }
}

TEST_CASE("who speaks for another MAC binds nothing") {
  for (const char* name : {"kernel-unsolicited", "kernel-solicitation"}) {
    NdFrame frame = decode_nd(golden().at(name)).value();
    frame.source = kProbeMac;
    CHECK_FALSE(binding_of(frame));
  }
}

TEST_CASE("without a link-layer address only an advertisement from its own target binds") {
  NdFrame answer = decode_nd(golden().at("kernel-unsolicited")).value();
  answer.link_address.reset();
  CHECK(binding_of(answer) == NdBinding{kGuest, kGuestMac});
  answer.source_ip = link_local_of(kGuestMac);
  CHECK_FALSE(binding_of(answer));
  NdFrame question = decode_nd(golden().at("kernel-solicitation")).value();
  question.link_address.reset();
  CHECK_FALSE(binding_of(question));
}

TEST_CASE("the source of an IPv6 packet is read, of neighbour discovery it is not") {
  Bytes packet = golden().at("kernel-advertisement");
  CHECK_FALSE(decode_packet_source(packet));
  packet[54] = std::byte{129};  // an echo reply
  CHECK(decode_packet_source(packet) == PacketSource{kGatewayMac, kGateway});
  packet.resize(54);
  CHECK(decode_packet_source(packet) == PacketSource{kGatewayMac, kGateway});
  for (std::size_t length = 0; length < 54; ++length) {
    CHECK_FALSE(decode_packet_source(std::span(packet).first(length)));
  }
  packet[14] = std::byte{0x45};
  CHECK_FALSE(decode_packet_source(packet));
}

TEST_CASE("addresses are derived as the RFCs derive them") {
  CHECK(link_local_of(kGatewayMac) == kGatewayLinkLocal);
  CHECK(link_local_of(kProbeMac) == address("fe80::5eff:fe00:5302"));
  CHECK(solicited_node_of(kGuest) == kGuestGroup);
  CHECK(solicited_node_of(address("2001:db8::1:23ab:cdef")) == address("ff02::1:ffab:cdef"));
  CHECK(group_mac_of(kGuestGroup) == kGuestGroupMac);
}

TEST_CASE(
    "an ND probe is unicast to a known MAC, else to the solicited-node group, and never the gateway's") {
  const NdFrame unicast = make_nd_probe(kProbeMac, std::nullopt, kGuestMac, kGuest);
  CHECK(unicast.destination == kGuestMac);
  CHECK(unicast.destination_ip == kGuest);
  CHECK(unicast.source == kProbeMac);
  CHECK(unicast.source_ip == link_local_of(kProbeMac));
  CHECK(unicast.link_address == kProbeMac);
  CHECK(unicast.target == kGuest);
  const NdFrame group = make_nd_probe(kProbeMac, address("2001:db8::2"), std::nullopt, kGuest);
  CHECK(group.destination == kGuestGroupMac);
  CHECK(group.destination_ip == kGuestGroup);
  CHECK(group.source_ip == address("2001:db8::2"));
  for (const NdFrame& frame : {unicast, group}) CHECK(decode_nd(encode_nd(frame)) == frame);
}

TEST_CASE("an ND greeting tells the guest alone, from the gateway, and asks it in the same name") {
  const NdFrame told = make_nd_greeting(kGatewayMac, kGateway, kGuestMac, kGuest);
  CHECK(told.destination == kGuestMac);
  CHECK(told.router);
  CHECK(told.override_flag);
  CHECK_FALSE(told.solicited);
  CHECK(binding_of(told) == NdBinding{kGateway, kGatewayMac});
  const NdFrame asked = make_nd_greeting_question(kGatewayMac, kGateway, kGuestMac, kGuest);
  CHECK(asked.destination == kGuestMac);
  CHECK(asked.target == kGuest);
  CHECK(binding_of(asked) == NdBinding{kGateway, kGatewayMac});
  for (const NdFrame& frame : {told, asked}) CHECK(decode_nd(encode_nd(frame)) == frame);
}

}  // namespace untrombone::arp
