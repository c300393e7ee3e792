// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "agent/core/types.hpp"

namespace untrombone::arp {

enum class Protocol : std::uint8_t { kArp, kRarp };

/// ARP opcodes (RFC 826) and the RARP one that hypervisors announce with (RFC 903).
inline constexpr std::uint16_t kRequest = 1;
inline constexpr std::uint16_t kReply = 2;
inline constexpr std::uint16_t kReverseRequest = 3;

/// An ARP or RARP frame for Ethernet and IPv4.
struct ArpFrame {
  Protocol protocol = Protocol::kArp;
  core::MacAddress destination;  ///< of the Ethernet header
  core::MacAddress source;
  std::uint16_t operation = kRequest;
  core::MacAddress sender_mac;
  core::IpAddress sender_ip;
  core::MacAddress target_mac;
  core::IpAddress target_ip;
  bool operator==(const ArpFrame&) const = default;
};

/// The shortest Ethernet frame without its checksum; ours are padded to it.
inline constexpr std::size_t kFrameSize = 60;
using FrameBytes = std::array<std::byte, kFrameSize>;

/// Decodes an untagged frame; trailing bytes are padding. nullopt: another ethertype, not Ethernet/IPv4, or too short.
[[nodiscard]] std::optional<ArpFrame> decode(std::span<const std::byte> frame);

/// An IP packet's sender, as far as a binding needs it.
struct PacketSource {
  core::MacAddress mac;
  core::IpAddress ip;
  bool operator==(const PacketSource&) const = default;
};

/// Reads the source of an untagged IPv4 or IPv6 packet (RFC 791, RFC 8200). nullopt: another ethertype or version, too
/// short, or neighbour discovery, whose own decoder (nd_frames.hpp) demands more of it.
[[nodiscard]] std::optional<PacketSource> decode_packet_source(std::span<const std::byte> frame);

[[nodiscard]] FrameBytes encode(const ArpFrame& frame);

/// A question for a sign of life (design 3.4): never in the gateway's name. `sender_ip` is an address of this site
/// only, or 0.0.0.0 (the form of RFC 5227). Unicast when `target_mac` is known, else broadcast.
[[nodiscard]] ArpFrame make_probe(const core::MacAddress& sender_mac, const core::IpAddress& sender_ip,
                                  const std::optional<core::MacAddress>& target_mac,
                                  const core::IpAddress& target_ip);

/// The greeting: a unicast ARP request from the gateway. Measured to be the one form that updates a Linux guest's
/// neighbour entry in every state; the guest's answer goes to the local gateway and proves that it took.
[[nodiscard]] ArpFrame make_greeting(const core::MacAddress& gateway_mac, const core::IpAddress& gateway_ip,
                                     const core::MacAddress& guest_mac, const core::IpAddress& guest_ip);

}  // namespace untrombone::arp
