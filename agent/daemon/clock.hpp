// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>

#include "agent/core/types.hpp"

namespace untrombone::daemon {

using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// CLOCK_MONOTONIC as the core's time.
[[nodiscard]] core::TimePoint monotonic_now();
/// The core's time of something stamped with the wall clock; never later than now.
[[nodiscard]] core::TimePoint from_wall(WallTime when);
/// "2026-11-23T10:00:00.123Z" of a core time.
[[nodiscard]] std::string to_iso8601(core::TimePoint when);

[[nodiscard]] double to_seconds(core::Duration duration);
[[nodiscard]] double to_microseconds(core::Duration duration);

}  // namespace untrombone::daemon
