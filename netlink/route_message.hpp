// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "agent/core/types.hpp"

namespace untrombone::netlink {

/// RTM_NEWROUTE / RTM_DELROUTE (linux/rtnetlink.h), whatever its next hops.
struct TableRoute {
  std::uint32_t table = 0;
  core::IpPrefix prefix;
  bool removed = false;
  bool usable = true;  ///< leads somewhere: no blackhole or its like, and not all of its next hops are dead
  bool operator==(const TableRoute&) const = default;
};

/// Decodes one netlink message, header included. nullopt: of no interest, or malformed.
[[nodiscard]] std::optional<TableRoute> decode_table_route(std::span<const std::byte> message);

}  // namespace untrombone::netlink
