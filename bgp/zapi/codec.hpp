// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/core/event.hpp"
#include "bgp/zapi/release.hpp"

namespace untrombone::bgp::zapi {

/// Header of every message, 10 octets, big-endian:
/// u16 length (with the header) | u8 254 | u8 6 | u32 vrf | u16 command.
inline constexpr std::size_t kHeaderSize = 10;
inline constexpr std::size_t kMaxMessage = 16384;
inline constexpr std::uint32_t kDefaultVrf = 0;
/// A command no release has: zebra answers with ERROR, whose number tells the release apart.
inline constexpr std::uint16_t kUnknownCommand = 65535;

struct Message {
  std::uint16_t command = 0;
  std::uint32_t vrf = 0;
  std::span<const std::byte> body;
};

enum class Framing { kComplete, kIncomplete, kBroken };

/// Takes the first message off `stream`. kIncomplete leaves it as it is; kBroken: not this protocol.
[[nodiscard]] Framing take_message(std::span<const std::byte>& stream, Message& message);

// The encoders append one whole message to `out`.
void encode_unknown(std::vector<std::byte>& out);
void encode_hello(std::vector<std::byte>& out, std::uint16_t hello, std::uint8_t route_type,
                  std::uint16_t instance, bool with_notes_octet);
void encode_notify_request(std::vector<std::byte>& out, const Release& release);
/// Graceful restart: keep our routes for `stale_seconds` after the connection closes.
void encode_graceful_restart(std::vector<std::byte>& out, const Release& release,
                             std::uint32_t stale_seconds);
/// "Everything of IPv4 and IPv6 unicast has been sent again": zebra removes what was not, family by family.
void encode_update_complete(std::vector<std::byte>& out, const Release& release);
/// Host or shorter route out of `route.interface`, next hop type IFINDEX without ONLINK (which would fail to install).
void encode_route_add(std::vector<std::byte>& out, const Release& release, std::uint16_t instance,
                      const core::IpPrefix& prefix, const core::Route& route);
void encode_route_delete(std::vector<std::byte>& out, const Release& release, std::uint16_t instance,
                         const core::IpPrefix& prefix);

/// ROUTE_NOTIFY_OWNER of any release (decoded by its length). nullopt when malformed.
[[nodiscard]] std::optional<core::RouteNoted> decode_owner_note(std::span<const std::byte> body);

}  // namespace untrombone::bgp::zapi
