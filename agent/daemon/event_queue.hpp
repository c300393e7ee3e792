// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace untrombone::daemon {

/// One event, a line of JSON with its '\n'; shared between all who watch.
using EventLine = std::shared_ptr<const std::string>;

/// What one watcher has not read yet. Bounded: a watcher that does not keep up loses events, never the agent memory.
/// The gap is told where it is: behind what was queued, before what comes after.
class EventQueue {
 public:
  /// `capacity`: lines.
  explicit EventQueue(std::size_t capacity) : capacity_(capacity) {}

  void offer(const EventLine& line);
  /// The next line: an event, or {"event":"dropped","count":N}; nullptr when there is none.
  [[nodiscard]] EventLine take();
  /// Ever.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  std::size_t capacity_;
  std::deque<EventLine> lines_;
  std::uint64_t gap_ = 0;  ///< dropped behind lines_; until the watcher was told, nothing is queued
  std::uint64_t dropped_ = 0;
};

}  // namespace untrombone::daemon
