// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/core/types.hpp"

namespace untrombone::daemon {

/// "250ms", "30s", "5m", "2h", "0s": a whole number and one unit, nothing between them. Anything else, and anything
/// above a year, is nullopt.
[[nodiscard]] std::optional<core::Duration> parse_duration(std::string_view text);

/// What parse_duration() reads, in the largest unit that loses nothing; below a millisecond it rounds down.
[[nodiscard]] std::string format_duration(core::Duration duration);

}  // namespace untrombone::daemon
