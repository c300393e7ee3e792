// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::arp {

/// The nftables table that holds the guard; ours alone.
inline constexpr const char* kGuardTable = "untrombone";

/// What the guard keeps off one segment's DCI ports.
struct GuardedSegment {
  std::vector<std::string> dci_ports;
  std::vector<core::IpAddress> gateways;
  bool operator==(const GuardedSegment&) const = default;
};

/// The whole guard as nft(8) text that replaces the table in one transaction (design 6).
///
/// Gateway ARP, requests and replies, as sender or target, is dropped where the bridge forwards it, takes it in or
/// sends its own; not at ingress, so that the FDB still learns from it. So are neighbour solicitations and
/// advertisements with a gateway as target, and solicitations from one. Every rule matches `meta protocol`: without it
/// a VLAN-tagged frame passes. Segments without ports or gateways add nothing, nor does a family without gateways.
[[nodiscard]] std::string render_guard(const std::vector<GuardedSegment>& segments);

/// Text that removes the guard, whether it is there or not.
[[nodiscard]] std::string render_guard_removal();

}  // namespace untrombone::arp
