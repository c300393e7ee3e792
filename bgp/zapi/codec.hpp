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
/// A command no release has: zebra answers with ERROR, whose number tells the release apart.
inline constexpr std::uint16_t kUnknownCommand = 65535;

struct Message {
  std::uint16_t command = 0;
  core::VrfId vrf;
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
/// Graceful restart: keep our routes in `vrf` for `stale_seconds` after the connection closes.
void encode_graceful_restart(std::vector<std::byte>& out, const Release& release, core::VrfId vrf,
                             std::uint32_t stale_seconds);
/// "Everything of IPv4 and IPv6 unicast in `vrf` has been sent again": zebra removes what was not, family by family.
void encode_update_complete(std::vector<std::byte>& out, const Release& release, core::VrfId vrf);
/// Which of zebra's routes is meant: ours are of type TABLE.
struct RouteSlot {
  std::uint16_t instance = 0;
  std::uint32_t table =
      0;  ///< a kernel table other than the VRF's own; 0: that one. Releases from 8.0 on only
};
/// Host or shorter route out of `route.interface`, next hop type IFINDEX without ONLINK (which would fail to install).
void encode_route_add(std::vector<std::byte>& out, const Release& release, const RouteSlot& slot,
                      const core::RouteKey& key, const core::Route& route);
void encode_route_delete(std::vector<std::byte>& out, const Release& release, const RouteSlot& slot,
                         const core::RouteKey& key);

struct OwnerNote {
  core::RouteNoted route;
  std::uint32_t table = 0;  ///< the kernel table that it is about
};
/// ROUTE_NOTIFY_OWNER of any release (decoded by its length); `vrf` is the header's. nullopt when malformed.
[[nodiscard]] std::optional<OwnerNote> decode_owner_note(core::VrfId vrf, std::span<const std::byte> body);

}  // namespace untrombone::bgp::zapi
