// SPDX-License-Identifier: GPL-2.0-or-later
// Waiting on a condition with a deadline, for conditions that have no event of their own. RouteWatcher and
// FrameCapture wait on their events instead.
#pragma once

#include <chrono>
#include <thread>
#include <utility>

namespace untrombone::lab {

// True as soon as condition() holds; false when it still does not at the deadline. Polls every `period`.
template <class Condition>
bool wait_until(Condition condition, std::chrono::steady_clock::time_point deadline,
                std::chrono::milliseconds period = std::chrono::milliseconds(5)) {
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return condition();
    }
    std::this_thread::sleep_for(period);
  }
  return true;
}

template <class Condition>
bool wait_for(Condition condition, std::chrono::steady_clock::duration timeout) {
  return wait_until(std::move(condition), std::chrono::steady_clock::now() + timeout);
}

}  // namespace untrombone::lab
