// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "agent/core/summary/bits.hpp"

namespace untrombone::core::summary {

/// From the first address to the last one, both included.
template <typename Bits>
struct Range {
  Bits first{0};
  Bits last{0};
  bool operator==(const Range&) const = default;
};

/// Sorts, and joins what overlaps or touches.
template <typename Bits>
void normalise(std::vector<Range<Bits>>& ranges);

/// The parts of `ranges` that are not in `removed`; both normalised, and so is the result.
template <typename Bits>
[[nodiscard]] std::vector<Range<Bits>> without(const std::vector<Range<Bits>>& ranges,
                                               const std::vector<Range<Bits>>& removed);

template <typename Bits>
[[nodiscard]] std::vector<Range<Bits>> ranges_of(const std::vector<BitPrefix<Bits>>& prefixes);

/// What a set of addresses is summarised with, all at once. `free` and `within` are disjoint prefixes each.
template <typename Bits>
struct BatchOptions {
  bool covers_unknown = false;      ///< cover: unknown addresses may be covered
  unsigned shortest = 0;            ///< no prefix is shorter
  std::vector<Range<Bits>> free;    ///< may be covered whoever has them
  std::vector<Range<Bits>> remote;  ///< never covered
  /// Announced elsewhere: never inside one of ours, and what is unknown inside them is never covered.
  std::vector<BitPrefix<Bits>> claimed;
  std::vector<BitPrefix<Bits>> within;  ///< no prefix reaches out of these; empty: everywhere
};

/// The fewest admissible prefixes that cover `local`, by address: the top-most admissible one above each address. The
/// same rules as WordTrie's, in one pass over sorted input: O(n log n). `local` outside `within` is left out.
template <typename Bits>
[[nodiscard]] std::vector<BitPrefix<Bits>> summarise(std::vector<Range<Bits>> local,
                                                     BatchOptions<Bits> options);

}  // namespace untrombone::core::summary
