// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/quantity.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

namespace untrombone::cli {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr double kLongest = 1000.0 * 365.0 * static_cast<double>(kDay);

}  // namespace

std::string format_seconds(double seconds) {
  if (seconds > kLongest) return ">1000 years";
  if (!(seconds >= 0.9995)) return fmt::format("{:.0f} ms", std::max(0.0, seconds) * 1000.0);
  // What would be rounded to "60.0 s" is a minute already.
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < kHour) return fmt::format("{} min {} s", whole / kMinute, whole % kMinute);
  if (whole < kDay) return fmt::format("{} h {} min", whole / kHour, whole % kHour / kMinute);
  return fmt::format("{} d {} h", whole / kDay, whole % kDay / kHour);
}

std::string format_microseconds(double microseconds) {
  constexpr double kMillisecond = 1e3;
  constexpr double kSecond = 1e6;
  if (!(microseconds >= kMillisecond)) return fmt::format("{:.0f} us", std::max(0.0, microseconds));
  if (microseconds < kSecond) return fmt::format("{:.1f} ms", microseconds / kMillisecond);
  if (microseconds < 60 * kSecond) return fmt::format("{:.2f} s", microseconds / kSecond);
  return format_seconds(microseconds / kSecond);
}

}  // namespace untrombone::cli
