// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/event_queue.hpp"

#include <utility>

#include <fmt/format.h>

namespace untrombone::daemon {

void EventQueue::offer(const EventLine& line) {
  if (gap_ == 0 && lines_.size() < capacity_) {
    lines_.push_back(line);
    return;
  }
  ++gap_;
  ++dropped_;
}

EventLine EventQueue::take() {
  if (!lines_.empty()) {
    EventLine line = std::move(lines_.front());
    lines_.pop_front();
    return line;
  }
  if (gap_ == 0) return nullptr;
  const std::uint64_t count = std::exchange(gap_, 0);
  return std::make_shared<const std::string>(fmt::format("{{\"event\":\"dropped\",\"count\":{}}}\n", count));
}

}  // namespace untrombone::daemon
