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

/// Runs of neighbouring hosts, by offset.
struct Tenant {
  std::uint64_t first = 0;
  std::uint64_t hosts = 0;
};

/// Tenants of 8 to 512 hosts, 60 % of a range, `count` hosts in all.
inline std::vector<Tenant> tenants(std::size_t count, std::mt19937_64& random) {
  std::vector<Tenant> found;
  std::uint64_t at = 0;
  for (std::uint64_t left = count; left > 0;) {
    const std::uint64_t size = 8 + random() % 505;
    if (random() % 10 < 6) {
      found.push_back({at, std::min(size, left)});
      left -= found.back().hosts;
    }
    at += size;
  }
  return found;
}

}  // namespace untrombone::bench
