// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenario/sim/shrink.hpp"

#include <algorithm>

namespace untrombone::sim {
namespace {

/// The history without `count` steps from `first`; what comes after them keeps its time.
History without(const History& history, std::size_t first, std::size_t count) {
  History shorter = history;
  const auto begin = shorter.steps.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = begin + static_cast<std::ptrdiff_t>(count);
  core::Duration removed{};
  for (auto step = begin; step != end; ++step) removed += step->after;
  const auto next = shorter.steps.erase(begin, end);
  if (next != shorter.steps.end()) next->after += removed;
  return shorter;
}

bool fails(const History& history) {
  RunCounters counters;
  return violation_of(history, counters).has_value();
}

}  // namespace

std::optional<std::string> violation_of(const History& history, RunCounters& counters, const Trace& trace) {
  try {
    counters = World(history, trace).run();
    return std::nullopt;
  } catch (const Violation& violation) {
    return violation.what();
  }
}

History shrink(History history) {
  for (std::size_t chunk = std::max<std::size_t>(history.steps.size() / 2, 1); chunk > 0; chunk /= 2) {
    for (std::size_t first = 0; first < history.steps.size();) {
      const std::size_t count = std::min(chunk, history.steps.size() - first);
      History shorter = without(history, first, count);
      if (fails(shorter)) {
        history = std::move(shorter);
      } else {
        first += count;
      }
    }
  }
  return history;
}

}  // namespace untrombone::sim
