// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/timer_queue.hpp"

#include <random>
#include <set>
#include <utility>

#include <catch2/catch.hpp>

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;

struct Timer {
  TimePoint at;
  int id = 0;
};

TEST_CASE("timer queue: the earliest comes first, in whichever lane it is, or in none") {
  std::mt19937 random(1);
  TimerQueue<Timer, 2> queue;
  std::multiset<TimePoint> expected;
  TimePoint now{};
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds(random() % 20);
    const std::size_t lane = random() % 3;
    const Duration delay = lane == 0   ? Duration(50ms)
                           : lane == 1 ? Duration(300ms)
                                       : Duration(random() % 1'000'000'000);
    const bool early = random() % 50 == 0;  // out of order in its lane
    const Timer timer{early ? now : now + delay, i};
    queue.push(timer, lane == 2 ? kNoLane : lane);
    expected.insert(timer.at);
    while (queue.next() <= now) {
      REQUIRE(queue.next() == *expected.begin());
      REQUIRE(queue.pop().at == *expected.begin());
      expected.erase(expected.begin());
    }
    REQUIRE(queue.size() == expected.size());
    REQUIRE(queue.next() == (expected.empty() ? kNever : *expected.begin()));
  }
}

TEST_CASE("timer queue: what is dropped is gone from the lanes and from the heap, the rest keeps its order") {
  TimerQueue<Timer, 1> queue;
  for (int i = 0; i < 10; ++i) queue.push({TimePoint{} + std::chrono::seconds(i), i}, i < 5 ? 0 : kNoLane);
  queue.erase_if([](const Timer& timer) { return timer.id % 2 == 0; });
  for (const int id : {1, 3, 5, 7, 9}) CHECK(queue.pop().id == id);
  CHECK(queue.size() == 0);
  CHECK(queue.next() == kNever);
}

}  // namespace
}  // namespace untrombone::core
