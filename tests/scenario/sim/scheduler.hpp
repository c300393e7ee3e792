// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <queue>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::sim {

using core::Duration;
using core::TimePoint;

/// Virtual time and what is to happen in it. Tasks of the same instant run in the order in which they were scheduled,
/// so a run depends on its seed only.
class Scheduler {
 public:
  using Task = std::function<void()>;

  [[nodiscard]] TimePoint now() const { return now_; }
  void at(TimePoint when, Task task) { tasks_.push({std::max(when, now_), next_++, std::move(task)}); }
  void after(Duration delay, Task task) { at(now_ + delay, std::move(task)); }

  /// Runs what is due until then, and `checked` after each task; afterwards it is `until`.
  template <typename Checked>
  void run(TimePoint until, Checked checked) {
    while (!tasks_.empty() && tasks_.top().when <= until) {
      const Entry entry = tasks_.top();
      tasks_.pop();
      now_ = entry.when;
      entry.task();
      checked();
    }
    now_ = until;
  }

 private:
  struct Entry {
    TimePoint when;
    std::uint64_t order = 0;
    Task task;
    bool operator<(const Entry& other) const {  // the queue's top is its greatest
      return std::pair(when, order) > std::pair(other.when, other.order);
    }
  };

  TimePoint now_{std::chrono::hours(1)};
  std::uint64_t next_ = 0;
  std::priority_queue<Entry> tasks_;
};

/// Takes a line for each thing that happens, if somebody wants to read it.
using Trace = std::function<void(const std::string&)>;

/// Numbers that depend on the seed only, on every platform.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  /// 0 .. bound - 1.
  [[nodiscard]] unsigned below(std::size_t bound) { return static_cast<unsigned>(engine_() % bound); }
  [[nodiscard]] bool chance(unsigned percent) { return below(100) < percent; }
  /// In [from, to), to the microsecond.
  [[nodiscard]] Duration between(Duration from, Duration to) {
    const auto span = std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
    return from +
           std::chrono::microseconds(
               span <= 0 ? 0 : static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(span)));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace untrombone::sim
