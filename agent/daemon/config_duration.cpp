// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/config_duration.hpp"

#include <array>
#include <charconv>

namespace untrombone::daemon {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Unit {
  std::string_view name;
  milliseconds length;
};

/// Longest first, as format_duration() tries them.
constexpr std::array kUnits = {Unit{"h", hours(1)}, Unit{"m", minutes(1)}, Unit{"s", seconds(1)},
                               Unit{"ms", milliseconds(1)}};
constexpr milliseconds kLongest = hours(24 * 365);

}  // namespace

std::optional<core::Duration> parse_duration(std::string_view text) {
  const char* const end = text.data() + text.size();
  std::uint64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    if (count > static_cast<std::uint64_t>(kLongest / unit.length)) return std::nullopt;
    return unit.length * static_cast<milliseconds::rep>(count);
  }
  return std::nullopt;
}

std::string format_duration(core::Duration duration) {
  const auto rounded = std::chrono::duration_cast<milliseconds>(duration);
  if (rounded == milliseconds::zero()) return "0s";
  for (const Unit& unit : kUnits) {
    if (rounded % unit.length == milliseconds::zero()) {
      return std::to_string(rounded / unit.length).append(unit.name);
    }
  }
  return {};
}

}  // namespace untrombone::daemon
