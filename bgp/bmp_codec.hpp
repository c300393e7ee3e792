// SPDX-License-Identifier: GPL-2.0-or-later
// The BGP Monitoring Protocol, version 3 (RFC 7854), and as much of BGP's UPDATE (RFC 4271, RFC 4760) as host routes
// need. Big-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::bgp::bmp {

/// Common header, 6 octets: u8 version 3 | u32 length (with the header) | u8 type.
inline constexpr std::size_t kHeaderSize = 6;
/// A route monitoring message holds one BGP message of at most 65535 octets (RFC 8654).
inline constexpr std::size_t kMaxMessage = std::size_t{128} * 1024;

enum class Type : std::uint8_t {
  kRouteMonitoring = 0,
  kStatistics = 1,
  kPeerDown = 2,
  kPeerUp = 3,
  kInitiation = 4,
  kTermination = 5,
  kRouteMirroring = 6,
};

struct Message {
  Type type = Type::kInitiation;
  std::span<const std::byte> body;
};

enum class Framing { kComplete, kIncomplete, kBroken };

/// Takes the first message off `stream`. kIncomplete leaves it as it is; kBroken: not this protocol.
[[nodiscard]] Framing take_message(std::span<const std::byte>& stream, Message& message);

/// Per-peer header, 42 octets: u8 type | u8 flags | distinguisher 8 | address 16 | u32 AS | u32 BGP id | timestamp 8.
/// Two messages are about the same peer if these are equal.
struct Peer {
  std::uint8_t type = 0;   ///< 0 global instance, 1 RD instance, 2 local instance, 3 Loc-RIB (RFC 9069)
  std::uint8_t flags = 0;  ///< 0x80 IPv6, 0x40 after policy, 0x10 Adj-RIB-Out (RFC 8671)
  std::array<std::uint8_t, 8> distinguisher{};
  std::array<std::uint8_t, 16> address{};

  auto operator<=>(const Peer&) const = default;
  /// What the monitored router got from a peer, after its import policy.
  [[nodiscard]] bool is_accepted() const { return type <= 2 && (flags & 0x50U) == 0x40U; }
};

/// Takes the per-peer header off the body of a message that has one; nullopt when it is too short.
[[nodiscard]] std::optional<Peer> take_peer(std::span<const std::byte>& body);

/// What an UPDATE says of unicast routes.
struct Update {
  std::vector<core::IpPrefix> withdrawn;
  std::vector<core::IpPrefix> announced;
  std::optional<std::uint32_t> med;
  std::vector<std::uint32_t> communities;  ///< RFC 1997
  core::IpAddress next_hop;                ///< unspecified when none
};

/// One BGP message, header included. nullopt: malformed, or no UPDATE. Attributes that do not concern us are skipped
/// unread (bgpd 8.4 prepends its own AS to AS_PATH here, where it does not belong).
[[nodiscard]] std::optional<Update> decode_update(std::span<const std::byte> message);

}  // namespace untrombone::bgp::bmp
