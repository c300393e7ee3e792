// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "tests/scenario/sim/history.hpp"
#include "tests/scenario/sim/world.hpp"

namespace untrombone::sim {

/// What went wrong in a run; nullopt: nothing.
[[nodiscard]] std::optional<std::string> violation_of(const History& history, RunCounters& counters,
                                                      const Trace& trace = {});

/// The shortest history found by leaving out steps, as long as something still goes wrong. `history` must fail.
[[nodiscard]] History shrink(History history);

}  // namespace untrombone::sim
