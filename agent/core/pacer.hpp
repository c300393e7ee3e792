// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>

#include "agent/core/types.hpp"

namespace untrombone::core {

/// Spreads what comes in a burst: the first `burst` go at once, the rest at one per `interval` (the generic cell rate
/// algorithm). Each turn that is given is used.
class Pacer {
 public:
  Pacer(Duration interval, unsigned burst) : interval_(interval), allowance_(interval * burst) {}

  /// When the next one may go: `now` or later.
  [[nodiscard]] TimePoint take_turn(TimePoint now) {
    const TimePoint theoretical = std::max(arrival_, now);
    arrival_ = theoretical + interval_;
    return std::max(now, arrival_ - allowance_);
  }

 private:
  Duration interval_;
  Duration allowance_;
  TimePoint arrival_{};  ///< when one would be due that keeps the rate exactly
};

}  // namespace untrombone::core
