// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "arp/guard_rules.hpp"

namespace untrombone::arp {

/// What a counter of the guard says.
struct GuardCount {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  bool operator==(const GuardCount&) const = default;
};
using GuardCounts = std::map<std::string, GuardCount, std::less<>>;

/// The guard as nft lists it.
struct GuardListing {
  bool present = false;  ///< the table exists
  std::size_t rules = 0;
  std::string rules_text;  ///< table, chains and rules in nft's JSON, without the handles, to be compared
  GuardSets sets;          ///< as guard_sets() writes them; empty sets are left out
  GuardCounts counters;
};

/// Reads what `nft -j list table bridge untrombone` prints. nullopt: it is not that. What is not understood inside is
/// left out, and so shows as a difference.
[[nodiscard]] std::optional<GuardListing> parse_guard_listing(std::string_view json);

/// The first thing in which `found` is not `wanted` under rules that read `rules_text` when they were loaded; empty:
/// nothing.
[[nodiscard]] std::string find_drift(const GuardSets& wanted, std::string_view rules_text,
                                     const GuardListing& found);

}  // namespace untrombone::arp
