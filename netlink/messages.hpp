// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "agent/core/types.hpp"

namespace untrombone::netlink {

/// RTM_NEWLINK / RTM_DELLINK with ifi_family AF_UNSPEC (linux/if_link.h). AF_BRIDGE ones repeat what the master says.
struct LinkMessage {
  core::Ifindex index;
  std::string name;
  core::MacAddress mac;
  core::Ifindex master;
  bool up = false;  ///< administratively up and with carrier
  bool removed = false;
  bool operator==(const LinkMessage&) const = default;
};

/// RTM_NEWNEIGH / RTM_DELNEIGH with ndm_family AF_BRIDGE that belongs to a bridge: it has NDA_MASTER and not NTF_SELF
/// (a VXLAN device sends a second message about itself). Permanent entries are the bridge's own addresses.
struct FdbMessage {
  core::Ifindex port;
  core::Ifindex bridge;
  core::MacAddress mac;
  std::optional<std::uint16_t> vlan;
  bool remote = false;  ///< NTF_EXT_LEARNED, or a remote VTEP (NDA_DST)
  bool removed = false;
  bool aged = false;  ///< removed with NUD_STALE; a flush says NUD_REACHABLE
  bool operator==(const FdbMessage&) const = default;
};

/// RTM_NEWNEIGH of AF_INET or AF_INET6 that names a MAC.
struct NeighbourMessage {
  core::Ifindex interface;
  core::IpAddress ip;
  core::MacAddress mac;
  std::uint16_t state = 0;  ///< NUD_* of linux/neighbour.h
  bool operator==(const NeighbourMessage&) const = default;
};

/// RTM_NEWROUTE, unicast, with one outgoing interface.
struct RouteMessage {
  core::IpPrefix prefix;
  core::Ifindex interface;
  std::uint8_t protocol = 0;  ///< RTPROT_*
  bool operator==(const RouteMessage&) const = default;
};

using Message = std::variant<LinkMessage, FdbMessage, NeighbourMessage, RouteMessage>;

/// Decodes one netlink message, header included (native byte order, linux/netlink.h). nullopt: of no interest, or
/// malformed; `malformed`, when given, tells which. Unknown attributes are skipped.
[[nodiscard]] std::optional<Message> decode(std::span<const std::byte> message, bool* malformed = nullptr);

}  // namespace untrombone::netlink
