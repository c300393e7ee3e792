// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace untrombone::arp {

/// The guard's table as nftables shows it.
struct ListedGuard {
  bool present = false;
  bool dormant = false;  ///< switched off: no rule is looked at
  std::string json;      ///< `nft -j list table bridge untrombone`; empty when it is not present, or dormant
};

/// nullopt: nftables does not answer at all. Blocks for some milliseconds.
[[nodiscard]] std::optional<ListedGuard> list_guard();

/// Of what `nft list table` prints as text.
[[nodiscard]] bool is_dormant(std::string_view table);

}  // namespace untrombone::arp
