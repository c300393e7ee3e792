// SPDX-License-Identifier: GPL-2.0-or-later
// What the benchmarks of summaries have in common.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace untrombone::bench {

/// Offsets of hosts, 60 % of a range, in the order in which they arrive.
inline std::vector<std::uint64_t> scattered(std::size_t count, std::mt19937_64& random) {
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t at = 0; offsets.size() < count; ++at) {
    if (random() % 10 < 6) offsets.push_back(at);
  }
  std::shuffle(offsets.begin(), offsets.end(), random);
  return offsets;
}

}  // namespace untrombone::bench
