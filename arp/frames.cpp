// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/frames.hpp"

#include <algorithm>
#include <cstring>

namespace untrombone::arp {
namespace {

using core::IpAddress;
using core::MacAddress;

// Ethernet header, then RFC 826's packet:
//   0 destination(6) | 6 source(6) | 12 ethertype(2)
//  14 hardware(2) | 16 protocol(2) | 18 hlen(1) | 19 plen(1) | 20 operation(2)
//  22 sender mac(6) | 28 sender ip(4) | 32 target mac(6) | 38 target ip(4)
constexpr std::size_t kDestinationAt = 0;
constexpr std::size_t kSourceAt = 6;
constexpr std::size_t kEthertypeAt = 12;
constexpr std::size_t kHardwareAt = 14;
constexpr std::size_t kProtocolAt = 16;
constexpr std::size_t kLengthsAt = 18;
constexpr std::size_t kOperationAt = 20;
constexpr std::size_t kSenderMacAt = 22;
constexpr std::size_t kSenderIpAt = 28;
constexpr std::size_t kTargetMacAt = 32;
constexpr std::size_t kTargetIpAt = 38;
constexpr std::size_t kArpEnd = 42;
static_assert(kArpEnd <= kFrameSize);

constexpr std::uint16_t kEthertypeArp = 0x0806;
constexpr std::uint16_t kEthertypeRarp = 0x8035;
constexpr std::uint16_t kEthertypeIpv4 = 0x0800;
constexpr std::uint16_t kEthertypeIpv6 = 0x86dd;
// RFC 791, behind the Ethernet header.
constexpr std::size_t kIpVersionAt = 14;
constexpr std::size_t kIpSourceAt = 26;
constexpr std::size_t kIpHeaderEnd = 34;
// RFC 8200.
constexpr std::size_t kIpv6NextHeaderAt = 20;
constexpr std::size_t kIpv6SourceAt = 22;
constexpr std::size_t kIpv6HeaderEnd = 54;

constexpr std::uint16_t kHardwareEthernet = 1;
constexpr std::uint16_t kEthernetIpv4Lengths = 0x0604;

constexpr MacAddress kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

std::uint16_t load16(std::span<const std::byte> frame, std::size_t at) {
  return static_cast<std::uint16_t>((std::to_integer<unsigned>(frame[at]) << 8U) |
                                    std::to_integer<unsigned>(frame[at + 1]));
}

void store16(std::span<std::byte> frame, std::size_t at, std::uint16_t value) {
  frame[at] = static_cast<std::byte>(value >> 8U);
  frame[at + 1] = static_cast<std::byte>(value & 0xffU);
}

MacAddress load_mac(std::span<const std::byte> frame, std::size_t at) {
  return MacAddress::from_bytes(frame.subspan(at, 6));
}

IpAddress load_ip(std::span<const std::byte> frame, std::size_t at) {
  return IpAddress::from_bytes(frame.subspan(at, 4)).value_or(IpAddress{});
}

void store(std::span<std::byte> frame, std::size_t at, std::span<const std::uint8_t> octets) {
  std::memcpy(frame.subspan(at, octets.size()).data(), octets.data(), octets.size());
}

/// ICMPv6 of type 133 to 137 (RFC 4861) right behind the IPv6 header.
bool is_neighbour_discovery(std::span<const std::byte> frame) {
  constexpr unsigned kIcmpv6 = 58;
  constexpr unsigned kRouterSolicitation = 133;
  constexpr unsigned kRedirect = 137;
  if (std::to_integer<unsigned>(frame[kIpv6NextHeaderAt]) != kIcmpv6 || frame.size() == kIpv6HeaderEnd)
    return false;
  const auto type = std::to_integer<unsigned>(frame[kIpv6HeaderEnd]);
  return type >= kRouterSolicitation && type <= kRedirect;
}

}  // namespace

std::optional<ArpFrame> decode(std::span<const std::byte> frame) {
  if (frame.size() < kArpEnd) return std::nullopt;
  const std::uint16_t ethertype = load16(frame, kEthertypeAt);
  if (ethertype != kEthertypeArp && ethertype != kEthertypeRarp) return std::nullopt;
  if (load16(frame, kHardwareAt) != kHardwareEthernet || load16(frame, kProtocolAt) != kEthertypeIpv4 ||
      load16(frame, kLengthsAt) != kEthernetIpv4Lengths) {
    return std::nullopt;
  }
  return ArpFrame{.protocol = ethertype == kEthertypeArp ? Protocol::kArp : Protocol::kRarp,
                  .destination = load_mac(frame, kDestinationAt),
                  .source = load_mac(frame, kSourceAt),
                  .operation = load16(frame, kOperationAt),
                  .sender_mac = load_mac(frame, kSenderMacAt),
                  .sender_ip = load_ip(frame, kSenderIpAt),
                  .target_mac = load_mac(frame, kTargetMacAt),
                  .target_ip = load_ip(frame, kTargetIpAt)};
}

std::optional<PacketSource> decode_packet_source(std::span<const std::byte> frame) {
  if (frame.size() < kIpHeaderEnd) return std::nullopt;
  const std::uint16_t ethertype = load16(frame, kEthertypeAt);
  const unsigned version = std::to_integer<unsigned>(frame[kIpVersionAt]) >> 4U;
  if (ethertype == kEthertypeIpv4 && version == 4) {
    return PacketSource{load_mac(frame, kSourceAt), load_ip(frame, kIpSourceAt)};
  }
  if (ethertype != kEthertypeIpv6 || version != 6 || frame.size() < kIpv6HeaderEnd ||
      is_neighbour_discovery(frame)) {
    return std::nullopt;
  }
  const auto source = IpAddress::from_bytes(frame.subspan(kIpv6SourceAt, 16));
  return PacketSource{load_mac(frame, kSourceAt), source.value_or(IpAddress{})};
}

FrameBytes encode(const ArpFrame& frame) {
  FrameBytes bytes{};
  store(bytes, kDestinationAt, frame.destination.octets);
  store(bytes, kSourceAt, frame.source.octets);
  store16(bytes, kEthertypeAt, frame.protocol == Protocol::kArp ? kEthertypeArp : kEthertypeRarp);
  store16(bytes, kHardwareAt, kHardwareEthernet);
  store16(bytes, kProtocolAt, kEthertypeIpv4);
  store16(bytes, kLengthsAt, kEthernetIpv4Lengths);
  store16(bytes, kOperationAt, frame.operation);
  store(bytes, kSenderMacAt, frame.sender_mac.octets);
  store(bytes, kSenderIpAt, frame.sender_ip.octets().first(4));
  store(bytes, kTargetMacAt, frame.target_mac.octets);
  store(bytes, kTargetIpAt, frame.target_ip.octets().first(4));
  return bytes;
}

ArpFrame make_probe(const MacAddress& sender_mac, const IpAddress& sender_ip,
                    const std::optional<MacAddress>& target_mac, const IpAddress& target_ip) {
  return {.protocol = Protocol::kArp,
          .destination = target_mac.value_or(kBroadcast),
          .source = sender_mac,
          .operation = kRequest,
          .sender_mac = sender_mac,
          .sender_ip = sender_ip,
          .target_mac = {},
          .target_ip = target_ip};
}

ArpFrame make_greeting(const MacAddress& gateway_mac, const IpAddress& gateway_ip,
                       const MacAddress& guest_mac, const IpAddress& guest_ip) {
  return {.protocol = Protocol::kArp,
          .destination = guest_mac,
          .source = gateway_mac,
          .operation = kRequest,
          .sender_mac = gateway_mac,
          .sender_ip = gateway_ip,
          .target_mac = {},
          .target_ip = guest_ip};
}

}  // namespace untrombone::arp
