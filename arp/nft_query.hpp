// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "arp/guard_listing.hpp"

namespace untrombone::arp {

/// Asks the kernel's nftables the two questions that libnftables answers only after fetching every set: microseconds
/// whatever the size of the guard. Blocks that long; the namespace is the one it was made in.
class NftQuery {
 public:
  NftQuery();
  ~NftQuery();
  NftQuery(const NftQuery&) = delete;
  NftQuery& operator=(const NftQuery&) = delete;

  /// Grows with every transaction of anybody. nullopt: the kernel does not answer.
  [[nodiscard]] std::optional<std::uint32_t> generation();
  /// The guard's counters; empty when the table is not there.
  [[nodiscard]] GuardCounts counters();

 private:
  int fd_;
  std::uint32_t sequence_ = 0;
};

}  // namespace untrombone::arp
