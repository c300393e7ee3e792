// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "agent/core/types.hpp"

namespace untrombone::arp {

/// Neighbor Solicitation and Neighbor Advertisement (RFC 4861 4.3 and 4.4).
enum class NdType : std::uint8_t { kSolicitation = 135, kAdvertisement = 136 };

/// The part of a solicitation or advertisement, in an untagged Ethernet frame, that says who is where.
struct NdFrame {
  NdType type = NdType::kSolicitation;
  core::MacAddress destination;  ///< of the Ethernet header
  core::MacAddress source;
  core::IpAddress source_ip;  ///< of the IPv6 header; :: in the solicitation of a duplicate address detection
  core::IpAddress destination_ip;
  core::IpAddress target;
  bool router = false;  ///< the flags R, S and O; of an advertisement only
  bool solicited = false;
  bool override_flag = false;
  /// The source link-layer address of a solicitation, the target's of an advertisement; many may leave it out.
  std::optional<core::MacAddress> link_address;

  /// "Does anybody have this address?" (RFC 4862 5.4.2). Its target is nobody's yet, so it binds nothing.
  [[nodiscard]] bool is_duplicate_detection() const {
    return type == NdType::kSolicitation && source_ip.is_unspecified();
  }
  bool operator==(const NdFrame&) const = default;
};

/// An address and the MAC that its owner says it has.
struct NdBinding {
  core::IpAddress ip;
  core::MacAddress mac;
  bool operator==(const NdBinding&) const = default;
};

/// What the frame tells about who sent it: an advertisement binds its target, a solicitation with its link-layer
/// address binds its source. nullopt for duplicate address detection, and when the link-layer address is another than
/// the frame's source: who speaks for another MAC (a proxy, a liar) gives no binding. An advertisement without the
/// option, which an answer may be (RFC 4861 7.2.4), binds when it comes from its target.
[[nodiscard]] std::optional<NdBinding> binding_of(const NdFrame& frame);

/// Every frame of ours has the option: Ethernet 14, IPv6 40, ICMPv6 24, option 8 octets.
inline constexpr std::size_t kNdFrameSize = 86;
using NdFrameBytes = std::array<std::byte, kNdFrameSize>;

/// Decodes an untagged frame whose IPv6 header is followed by ICMPv6 at once; trailing bytes are padding. nullopt: not
/// one of the two, or RFC 4861 7.1 has it discarded (hop limit, checksum, code, length, addresses, options).
[[nodiscard]] std::optional<NdFrame> decode_nd(std::span<const std::byte> frame);

/// `link_address` must be set; see kNdFrameSize.
[[nodiscard]] NdFrameBytes encode_nd(const NdFrame& frame);

/// The link-local address of an interface with this MAC (modified EUI-64, RFC 4291 2.5.1 and RFC 2464 5).
[[nodiscard]] core::IpAddress link_local_of(const core::MacAddress& mac);
/// ff02::1.
[[nodiscard]] core::IpAddress all_nodes();
/// ff02::1:ffXX:XXXX (RFC 4291 2.7.1) and the group MAC that carries it (RFC 2464 7).
[[nodiscard]] core::IpAddress solicited_node_of(const core::IpAddress& address);
[[nodiscard]] core::MacAddress group_mac_of(const core::IpAddress& multicast);

/// A question for a sign of life (design 3.4): never in the gateway's name. `sender_ip` is an address of this site
/// only; none: the link-local address of `sender_mac`. Unicast when `target_mac` is known, else to those who listen to
/// the target's solicited-node address.
[[nodiscard]] NdFrame make_nd_probe(const core::MacAddress& sender_mac,
                                    const std::optional<core::IpAddress>& sender_ip,
                                    const std::optional<core::MacAddress>& target_mac,
                                    const core::IpAddress& target_ip);

/// The greeting is two frames, in this order. The advertisement is how RFC 4861 7.2.6 has a changed MAC announced, and
/// keeps the gateway a router; measured to update a Linux guest's entry in every state, but not to create one, and
/// nobody answers it. The solicitation does both: it updated and created in every state (but permanent), and the
/// guest's answer goes to the gateway MAC that the guest now has, so it proves that the greeting took. A guest of which
/// only the MAC is known is told with all_nodes() as its address, which it takes as well.
[[nodiscard]] NdFrame make_nd_greeting(const core::MacAddress& gateway_mac, const core::IpAddress& gateway_ip,
                                       const core::MacAddress& guest_mac, const core::IpAddress& guest_ip);
[[nodiscard]] NdFrame make_nd_greeting_question(const core::MacAddress& gateway_mac,
                                                const core::IpAddress& gateway_ip,
                                                const core::MacAddress& guest_mac,
                                                const core::IpAddress& guest_ip);

}  // namespace untrombone::arp
