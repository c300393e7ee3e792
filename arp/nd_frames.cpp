// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/nd_frames.hpp"

#include <algorithm>
#include <cstring>

namespace untrombone::arp {
namespace {

using core::IpAddress;
using core::MacAddress;

// Ethernet header, IPv6 header (RFC 8200 3), then the message (RFC 4861 4.3 and 4.4) and its options:
//   0 destination(6) | 6 source(6) | 12 ethertype(2)
//  14 version, class, flow label(4) | 18 payload length(2) | 20 next header(1) | 21 hop limit(1)
//  22 source(16) | 38 destination(16)
//  54 type(1) | 55 code(1) | 56 checksum(2) | 58 R, S, O, reserved(4) | 62 target(16) | 78 options
constexpr std::size_t kDestinationAt = 0;
constexpr std::size_t kSourceAt = 6;
constexpr std::size_t kEthertypeAt = 12;
constexpr std::size_t kVersionAt = 14;
constexpr std::size_t kPayloadLengthAt = 18;
constexpr std::size_t kNextHeaderAt = 20;
constexpr std::size_t kHopLimitAt = 21;
constexpr std::size_t kSourceIpAt = 22;
constexpr std::size_t kDestinationIpAt = 38;
constexpr std::size_t kMessageAt = 54;
constexpr std::size_t kCodeAt = 55;
constexpr std::size_t kChecksumAt = 56;
constexpr std::size_t kFlagsAt = 58;
constexpr std::size_t kTargetAt = 62;
constexpr std::size_t kOptionsAt = 78;
constexpr std::size_t kIpSize = 16;
constexpr std::size_t kMessageSize = kOptionsAt - kMessageAt;
constexpr std::size_t kOptionUnit = 8;  // RFC 4861 4.6: lengths count these
static_assert(kOptionsAt + kOptionUnit == kNdFrameSize);

constexpr std::uint16_t kEthertypeIpv6 = 0x86dd;
constexpr std::uint8_t kVersion = 6U << 4U;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint8_t kHopLimit = 255;  // it has crossed no router
constexpr std::uint8_t kRouter = 0x80;
constexpr std::uint8_t kSolicited = 0x40;
constexpr std::uint8_t kOverride = 0x20;
constexpr std::uint8_t kSourceLinkAddress = 1;
constexpr std::uint8_t kTargetLinkAddress = 2;

std::uint8_t load8(std::span<const std::byte> frame, std::size_t at) {
  return std::to_integer<std::uint8_t>(frame[at]);
}

std::uint16_t load16(std::span<const std::byte> frame, std::size_t at) {
  return static_cast<std::uint16_t>((load8(frame, at) << 8U) | load8(frame, at + 1));
}

void store8(std::span<std::byte> frame, std::size_t at, std::uint8_t value) {
  frame[at] = static_cast<std::byte>(value);
}

void store16(std::span<std::byte> frame, std::size_t at, std::uint16_t value) {
  store8(frame, at, static_cast<std::uint8_t>(value >> 8U));
  store8(frame, at + 1, static_cast<std::uint8_t>(value & 0xffU));
}

MacAddress load_mac(std::span<const std::byte> frame, std::size_t at) {
  return MacAddress::from_bytes(frame.subspan(at, 6));
}

IpAddress load_ip(std::span<const std::byte> frame, std::size_t at) {
  return IpAddress::from_bytes(frame.subspan(at, kIpSize)).value_or(IpAddress{});
}

void store(std::span<std::byte> frame, std::size_t at, std::span<const std::uint8_t> octets) {
  std::memcpy(frame.subspan(at, octets.size()).data(), octets.data(), octets.size());
}

std::uint32_t sum_of(std::span<const std::byte> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) sum += load16(bytes, at);
  if (bytes.size() % 2 != 0) sum += static_cast<std::uint32_t>(load8(bytes, bytes.size() - 1)) << 8U;
  return sum;
}

/// The Internet checksum of the message at kMessageAt and its pseudo-header (RFC 8200 8.1). Over a message that holds
/// its checksum it is 0.
std::uint16_t checksum(std::span<const std::byte> frame, std::size_t message_size) {
  // The addresses of the pseudo-header lie right before the message.
  std::uint32_t sum = sum_of(frame.subspan(kSourceIpAt, 2 * kIpSize + message_size)) +
                      static_cast<std::uint32_t>(message_size) + kIcmpv6;
  sum = (sum & 0xffffU) + (sum >> 16U);
  sum += sum >> 16U;
  return static_cast<std::uint16_t>(~sum & 0xffffU);
}

/// Reads the link-layer address of type `wanted`, if there is one; false when an option is malformed. Others, such as
/// the nonce of RFC 3971 that Linux adds to duplicate address detection (RFC 7527), are skipped.
bool read_options(std::span<const std::byte> options, std::uint8_t wanted, std::optional<MacAddress>& mac) {
  while (!options.empty()) {
    if (options.size() < kOptionUnit) return false;
    const std::size_t size = load8(options, 1) * kOptionUnit;
    if (size == 0 || size > options.size()) return false;
    if (load8(options, 0) == wanted && size == kOptionUnit && !mac) mac = load_mac(options, 2);
    options = options.subspan(size);
  }
  return true;
}

/// What RFC 4861 7.1.1 and 7.1.2 demand of the addresses.
bool has_valid_addresses(const NdFrame& frame) {
  if (frame.target.is_multicast() || frame.source_ip.is_multicast()) return false;
  if (frame.type == NdType::kAdvertisement) return !(frame.destination_ip.is_multicast() && frame.solicited);
  if (!frame.source_ip.is_unspecified()) return true;
  return frame.destination_ip == solicited_node_of(frame.target) && !frame.link_address;
}

}  // namespace

std::optional<NdBinding> binding_of(const NdFrame& frame) {
  if (frame.link_address.value_or(frame.source) != frame.source) return std::nullopt;
  if (frame.type == NdType::kAdvertisement) {
    if (!frame.link_address && frame.source_ip != frame.target) return std::nullopt;
    return NdBinding{frame.target, frame.source};
  }
  if (!frame.link_address || frame.is_duplicate_detection()) return std::nullopt;
  return NdBinding{frame.source_ip, frame.source};
}

std::optional<NdFrame> decode_nd(std::span<const std::byte> frame) {
  if (frame.size() < kOptionsAt || load16(frame, kEthertypeAt) != kEthertypeIpv6) return std::nullopt;
  const std::uint8_t type = load8(frame, kMessageAt);
  const bool solicitation = type == static_cast<std::uint8_t>(NdType::kSolicitation);
  if (!solicitation && type != static_cast<std::uint8_t>(NdType::kAdvertisement)) return std::nullopt;
  if ((load8(frame, kVersionAt) & 0xf0U) != kVersion || load8(frame, kNextHeaderAt) != kIcmpv6 ||
      load8(frame, kHopLimitAt) != kHopLimit || load8(frame, kCodeAt) != 0) {
    return std::nullopt;
  }
  const std::size_t size = load16(frame, kPayloadLengthAt);
  if (size < kMessageSize || size > frame.size() - kMessageAt || checksum(frame, size) != 0)
    return std::nullopt;

  const std::uint8_t flags = solicitation ? std::uint8_t{0} : load8(frame, kFlagsAt);
  NdFrame decoded{.type = static_cast<NdType>(type),
                  .destination = load_mac(frame, kDestinationAt),
                  .source = load_mac(frame, kSourceAt),
                  .source_ip = load_ip(frame, kSourceIpAt),
                  .destination_ip = load_ip(frame, kDestinationIpAt),
                  .target = load_ip(frame, kTargetAt),
                  .router = (flags & kRouter) != 0,
                  .solicited = (flags & kSolicited) != 0,
                  .override_flag = (flags & kOverride) != 0,
                  .link_address = std::nullopt};
  const auto options = frame.subspan(kOptionsAt, size - kMessageSize);
  const std::uint8_t wanted = solicitation ? kSourceLinkAddress : kTargetLinkAddress;
  if (!read_options(options, wanted, decoded.link_address) || !has_valid_addresses(decoded))
    return std::nullopt;
  return decoded;
}

NdFrameBytes encode_nd(const NdFrame& frame) {
  const bool solicitation = frame.type == NdType::kSolicitation;
  const auto flag = [](bool set, std::uint8_t bit) { return set ? bit : std::uint8_t{0}; };
  NdFrameBytes bytes{};
  store(bytes, kDestinationAt, frame.destination.octets);
  store(bytes, kSourceAt, frame.source.octets);
  store16(bytes, kEthertypeAt, kEthertypeIpv6);
  store8(bytes, kVersionAt, kVersion);
  store16(bytes, kPayloadLengthAt, kMessageSize + kOptionUnit);
  store8(bytes, kNextHeaderAt, kIcmpv6);
  store8(bytes, kHopLimitAt, kHopLimit);
  store(bytes, kSourceIpAt, frame.source_ip.octets());
  store(bytes, kDestinationIpAt, frame.destination_ip.octets());
  store8(bytes, kMessageAt, static_cast<std::uint8_t>(frame.type));
  store8(bytes, kFlagsAt,
         static_cast<std::uint8_t>(flag(frame.router, kRouter) | flag(frame.solicited, kSolicited) |
                                   flag(frame.override_flag, kOverride)));
  store(bytes, kTargetAt, frame.target.octets());
  store8(bytes, kOptionsAt, solicitation ? kSourceLinkAddress : kTargetLinkAddress);
  store8(bytes, kOptionsAt + 1, 1);
  store(bytes, kOptionsAt + 2, frame.link_address.value_or(frame.source).octets);
  store16(bytes, kChecksumAt, checksum(bytes, kMessageSize + kOptionUnit));
  return bytes;
}

IpAddress link_local_of(const MacAddress& mac) {
  constexpr std::uint8_t kUniversalLocal = 0x02;  // inverted in the modified EUI-64
  const auto& m = mac.octets;
  return IpAddress::v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(m[0] ^ kUniversalLocal), m[1],
                        m[2], 0xff, 0xfe, m[3], m[4], m[5]});
}

IpAddress all_nodes() { return IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01}); }

IpAddress solicited_node_of(const IpAddress& address) {
  const auto octets = address.octets();
  return IpAddress::v6(
      {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff, octets[13], octets[14], octets[15]});
}

MacAddress group_mac_of(const IpAddress& multicast) {
  const auto octets = multicast.octets();
  return {{0x33, 0x33, octets[12], octets[13], octets[14], octets[15]}};
}

NdFrame make_nd_probe(const MacAddress& sender_mac, const std::optional<IpAddress>& sender_ip,
                      const std::optional<MacAddress>& target_mac, const IpAddress& target_ip) {
  const IpAddress group = solicited_node_of(target_ip);
  return {.type = NdType::kSolicitation,
          .destination = target_mac.value_or(group_mac_of(group)),
          .source = sender_mac,
          .source_ip = sender_ip.value_or(link_local_of(sender_mac)),
          .destination_ip = target_mac ? target_ip : group,
          .target = target_ip,
          .link_address = sender_mac};
}

NdFrame make_nd_greeting(const MacAddress& gateway_mac, const IpAddress& gateway_ip,
                         const MacAddress& guest_mac, const IpAddress& guest_ip) {
  return {.type = NdType::kAdvertisement,
          .destination = guest_mac,
          .source = gateway_mac,
          .source_ip = gateway_ip,
          .destination_ip = guest_ip,
          .target = gateway_ip,
          .router = true,
          .override_flag = true,
          .link_address = gateway_mac};
}

NdFrame make_nd_greeting_question(const MacAddress& gateway_mac, const IpAddress& gateway_ip,
                                  const MacAddress& guest_mac, const IpAddress& guest_ip) {
  return {.type = NdType::kSolicitation,
          .destination = guest_mac,
          .source = gateway_mac,
          .source_ip = gateway_ip,
          .destination_ip = guest_ip,
          .target = guest_ip,
          .link_address = gateway_mac};
}

}  // namespace untrombone::arp
