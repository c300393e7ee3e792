// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "agent/core/types.hpp"

namespace untrombone::daemon {

/// Durations, counted in buckets: small, bounded, and good enough for a median and a 99th percentile.
class LatencyHistogram {
 public:
  /// Upper bounds, inclusive; what is longer than the last is in a bucket of its own.
  static constexpr std::array<core::Duration, 19> kBounds = {
      std::chrono::microseconds(50),   std::chrono::microseconds(100), std::chrono::microseconds(250),
      std::chrono::microseconds(500),  std::chrono::milliseconds(1),   std::chrono::microseconds(2500),
      std::chrono::milliseconds(5),    std::chrono::milliseconds(10),  std::chrono::milliseconds(25),
      std::chrono::milliseconds(50),   std::chrono::milliseconds(100), std::chrono::milliseconds(150),
      std::chrono::milliseconds(250),  std::chrono::milliseconds(500), std::chrono::seconds(1),
      std::chrono::milliseconds(2500), std::chrono::seconds(5),        std::chrono::seconds(10),
      std::chrono::seconds(30)};

  /// A negative one counts as zero.
  void observe(core::Duration duration);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] core::Duration sum() const { return sum_; }
  /// The number in each bucket alone; the last is "longer than all bounds".
  [[nodiscard]] const std::array<std::uint64_t, kBounds.size() + 1>& buckets() const { return buckets_; }
  /// The bound that at least `share` (0..1) of them do not exceed; the longest seen where that is less. Zero if empty.
  [[nodiscard]] core::Duration quantile(double share) const;

 private:
  std::array<std::uint64_t, kBounds.size() + 1> buckets_{};
  std::uint64_t count_ = 0;
  core::Duration sum_{};
  core::Duration longest_{};
};

}  // namespace untrombone::daemon
