// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace untrombone::core {

/// What a lingering route's metric is above the base: worse than every settled claim with the same base.
inline constexpr std::uint32_t kLingeringMetricPenalty = 1000;

}  // namespace untrombone::core
