// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace untrombone::cli {

/// An age or a running time with two significant units at most: "30 ms", "12.1 s", "3 min 5 s", "2 h 3 min",
/// "4 d 2 h". A negative one is "0 ms", one beyond 1000 years ">1000 years".
[[nodiscard]] std::string format_seconds(double seconds);

/// A latency: "420 us", "11.0 ms", "1.25 s".
[[nodiscard]] std::string format_microseconds(double microseconds);

}  // namespace untrombone::cli
