// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/core/token_bucket.hpp"

namespace untrombone::core {

/// Walks the IPv4 addresses of a segment's subnets once, for questions to those of whom nothing is known. An IPv6
/// subnet has 2^64 addresses and is not walked: its hosts are heard when they ask for their gateway.
///
/// States: resting -> walking -> resting. The questions are broadcasts, which everybody on the local ports has to read:
/// they are a tenth of the segment's probes at most.
class Sweeper {
 public:
  Sweeper(const std::vector<IpPrefix>& subnets, std::uint32_t probes_per_second);

  /// Begins a walk at the first address; one that is under way begins again.
  void start();
  [[nodiscard]] bool walks() const { return subnet_ < subnets_.size(); }

  /// The next address, however many of them turn out to be known; nullopt when the walk is over.
  [[nodiscard]] std::optional<IpAddress> next();
  [[nodiscard]] bool has_token(TimePoint now) const { return tokens_.has_token(now); }
  void spend(TimePoint now) { tokens_.take(now); }
  /// When the next batch of questions may be asked; TimePoint::max() when none is to be.
  [[nodiscard]] TimePoint ready_at() const { return walks() ? tokens_.ready_at(batch_) : TimePoint::max(); }

 private:
  std::vector<IpPrefix> subnets_;  ///< IPv4 only
  std::size_t subnet_;
  std::uint64_t offset_ = 0;  ///< in the subnet
  std::uint32_t batch_;
  TokenBucket tokens_;
};

}  // namespace untrombone::core
