// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/clock.hpp"

#include <algorithm>

#include <fmt/chrono.h>

namespace untrombone::daemon {

core::TimePoint monotonic_now() {
  return core::TimePoint(
      std::chrono::duration_cast<core::Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

core::TimePoint from_wall(WallTime when) {
  const WallTime wall_now = std::chrono::system_clock::now();
  return monotonic_now() - std::max<core::Duration>(wall_now - when, core::Duration::zero());
}

std::string to_iso8601(core::TimePoint when) {
  const WallTime wall = WallTime(std::chrono::system_clock::now()) - (monotonic_now() - when);
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(wall);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (milliseconds - seconds).count());
}

double to_seconds(core::Duration duration) { return std::chrono::duration<double>(duration).count(); }
double to_microseconds(core::Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

}  // namespace untrombone::daemon
