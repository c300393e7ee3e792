// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/latency.hpp"

#include <algorithm>

namespace untrombone::daemon {

void LatencyHistogram::observe(core::Duration duration) {
  duration = std::max(duration, core::Duration::zero());
  const auto* const bucket = std::lower_bound(kBounds.begin(), kBounds.end(), duration);
  ++buckets_[static_cast<std::size_t>(bucket - kBounds.begin())];
  ++count_;
  sum_ += duration;
  longest_ = std::max(longest_, duration);
}

core::Duration LatencyHistogram::quantile(double share) const {
  if (count_ == 0) return {};
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    seen += buckets_[i];
    if (static_cast<double>(seen) >= share * static_cast<double>(count_))
      return std::min(kBounds[i], longest_);
  }
  return longest_;
}

}  // namespace untrombone::daemon
