// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>

#include "agent/core/types.hpp"

namespace untrombone::core {

/// A token bucket that is refilled with `per_second` tokens and holds `burst`: at most `per_second + burst` are taken
/// in any second. Kept as one time, the theoretical arrival time of ITU-T I.371's cell rate algorithm.
class TokenBucket {
 public:
  /// 0 tokens per second: never refuses.
  TokenBucket(std::uint32_t per_second, std::uint32_t burst)
      : interval_(per_second == 0 ? Duration::zero() : Duration(std::chrono::seconds(1)) / per_second),
        slack_(burst == 0 ? Duration::zero() : interval_ * (burst - 1)) {}

  [[nodiscard]] bool has_token(TimePoint now) const { return empty_until_ <= now + slack_; }
  /// False when there is none.
  bool take(TimePoint now) {
    if (!has_token(now)) return false;
    empty_until_ = std::max(empty_until_, now) + interval_;
    return true;
  }
  /// When `count` tokens will be there; `count` is at most the burst.
  [[nodiscard]] TimePoint ready_at(std::uint32_t count) const {
    return empty_until_ - slack_ + interval_ * (count == 0 ? 0 : count - 1);
  }

 private:
  Duration interval_;
  Duration slack_;
  TimePoint empty_until_;
};

}  // namespace untrombone::core
