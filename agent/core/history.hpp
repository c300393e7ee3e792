// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <vector>

#include "agent/core/event.hpp"

namespace untrombone::core {

/// The last transitions of a site, oldest overwritten first. Bounded by construction (invariant 7).
class History {
 public:
  explicit History(std::size_t capacity) : capacity_(capacity) {}

  void add(const Transition& transition);
  /// The transitions of one host that are still remembered, oldest first.
  [[nodiscard]] std::vector<Transition> of(SegmentId segment, const IpAddress& ip) const;
  [[nodiscard]] std::size_t size() const { return ring_.size(); }

 private:
  std::size_t capacity_;
  std::size_t next_ = 0;
  std::vector<Transition> ring_;
};

}  // namespace untrombone::core
