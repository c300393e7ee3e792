// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>

#include "agent/core/types.hpp"

namespace untrombone::lab {

// CLOCK_MONOTONIC as the core's time: what the sinks want for a clock.
inline core::TimePoint core_now() {
  return core::TimePoint(
      std::chrono::duration_cast<core::Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

}  // namespace untrombone::lab
