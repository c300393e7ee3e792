// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <vector>

#include <boost/circular_buffer.hpp>

#include "agent/core/spare_room.hpp"
#include "agent/core/types.hpp"

namespace untrombone::core {

/// For what is in no lane.
inline constexpr std::size_t kNoLane = ~std::size_t{0};

/// Things that are due, the earliest first. Those of one delay come in the order in which they are due: they queue
/// in a lane, where each costs its place and no more. What has no lane, or comes out of order, is kept in a heap.
/// `Timer` has `at`, a TimePoint.
template <typename Timer, std::size_t Lanes>
class TimerQueue {
 public:
  [[nodiscard]] std::size_t size() const {
    std::size_t size = heap_.size();
    for (const auto& lane : lanes_) size += lane.size();
    return size;
  }
  /// kNever when there is none.
  [[nodiscard]] TimePoint next() const {
    TimePoint next = heap_.empty() ? kNever : heap_.front().at;
    for (const auto& lane : lanes_) next = lane.empty() ? next : std::min(next, lane.front().at);
    return next;
  }
  /// `lane`: one for each delay that is frequent, or kNoLane.
  void push(const Timer& timer, std::size_t lane) {
    if (lane < Lanes && (lanes_[lane].empty() || lanes_[lane].back().at <= timer.at))
      return append(lanes_[lane], timer);
    heap_.push_back(timer);
    std::push_heap(heap_.begin(), heap_.end(), kLater);
  }
  /// The earliest; there must be one.
  Timer pop() {
    const TimePoint at = next();
    for (auto& lane : lanes_) {
      if (lane.empty() || lane.front().at != at) continue;
      const Timer timer = lane.front();
      lane.pop_front();
      if (is_spare(lane.size(), lane.capacity())) lane.set_capacity(2 * lane.size());
      return timer;
    }
    std::pop_heap(heap_.begin(), heap_.end(), kLater);
    const Timer timer = heap_.back();
    heap_.pop_back();
    if (is_spare(heap_.size(), heap_.capacity())) heap_.shrink_to_fit();
    return timer;
  }
  template <typename Predicate>
  void erase_if(Predicate predicate) {
    for (auto& lane : lanes_) {
      Lane kept(lane.size());
      std::remove_copy_if(lane.begin(), lane.end(), std::back_inserter(kept), predicate);
      lane.swap(kept);
    }
    std::erase_if(heap_, predicate);
    std::make_heap(heap_.begin(), heap_.end(), kLater);
  }

 private:
  using Lane = boost::circular_buffer<Timer>;

  static void append(Lane& lane, const Timer& timer) {
    if (lane.full()) lane.set_capacity(std::max(kSmallTable, 2 * lane.size()));
    lane.push_back(timer);
  }

  static constexpr auto kLater = [](const Timer& a, const Timer& b) { return a.at > b.at; };

  std::array<Lane, Lanes> lanes_;
  std::vector<Timer> heap_;
};

}  // namespace untrombone::core
