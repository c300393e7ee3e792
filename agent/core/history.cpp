// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/history.hpp"

namespace untrombone::core {

void History::add(const Transition& transition) {
  if (ring_.size() < capacity_) {
    ring_.push_back(transition);
    return;
  }
  ring_[next_] = transition;
  next_ = (next_ + 1) % capacity_;
}

std::vector<Transition> History::of(SegmentId segment, const IpAddress& ip) const {
  std::vector<Transition> found;
  for (std::size_t i = 0; i < ring_.size(); ++i) {
    const Transition& transition = ring_[(next_ + i) % ring_.size()];
    if (transition.segment == segment && transition.ip == ip) found.push_back(transition);
  }
  return found;
}

}  // namespace untrombone::core
