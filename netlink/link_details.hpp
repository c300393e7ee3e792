// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "agent/core/types.hpp"

namespace untrombone::netlink {

/// What a person asks about a link and the agent never needs (linux/if_link.h).
struct LinkDetails {
  core::Ifindex index;
  std::string name;
  core::Ifindex master;
  std::uint32_t mtu = 0;
  std::string kind;  ///< "bridge", "veth", "vxlan"; empty for hardware
  bool up = false;   ///< administratively up and with carrier
  /// Of a bridge port: the bridge answers for its neighbours. It also swallows gratuitous ARP.
  std::optional<bool> neigh_suppress;
  bool operator==(const LinkDetails&) const = default;
};

/// Decodes one RTM_NEWLINK of family AF_UNSPEC, netlink header included; anything else, and what is malformed, is
/// nullopt.
[[nodiscard]] std::optional<LinkDetails> decode_link_details(std::span<const std::byte> message);

}  // namespace untrombone::netlink
