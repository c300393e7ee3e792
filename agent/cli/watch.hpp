// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "agent/cli/style.hpp"

namespace untrombone::cli {

struct WatchOptions {
  std::string socket;
  std::vector<std::string> events;  ///< kinds; empty: all
  bool json = false;                ///< the agent's lines as they are
  std::uint64_t count = 0;          ///< end after so many; 0: never
  Style style;
};

/// Prints what happens. When the agent goes away it says so on `err` and connects again, every second, for as long as
/// it takes; what happened meanwhile is lost. Returns an error when there is no agent to begin with, or nowhere to
/// print to.
[[nodiscard]] std::optional<std::string> follow_events(const WatchOptions& options, std::ostream& out,
                                                       std::ostream& err);

}  // namespace untrombone::cli
