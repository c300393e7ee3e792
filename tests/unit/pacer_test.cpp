// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/pacer.hpp"

#include <catch2/catch.hpp>

namespace untrombone::core {
namespace {

using std::chrono::milliseconds;

constexpr TimePoint kStart{std::chrono::hours(1)};

}  // namespace

TEST_CASE("a burst goes at once, and the rest one by one") {
  Pacer pacer(milliseconds(10), 3);
  for (int i = 0; i < 3; ++i) CHECK(pacer.take_turn(kStart) == kStart);
  CHECK(pacer.take_turn(kStart) == kStart + milliseconds(10));
  CHECK(pacer.take_turn(kStart) == kStart + milliseconds(20));
}

TEST_CASE("quiet time gives the burst back, and no more than that") {
  Pacer pacer(milliseconds(10), 2);
  for (int i = 0; i < 5; ++i) (void)pacer.take_turn(kStart);
  const TimePoint later = kStart + std::chrono::seconds(10);
  CHECK(pacer.take_turn(later) == later);
  CHECK(pacer.take_turn(later) == later);
  CHECK(pacer.take_turn(later) == later + milliseconds(10));
}

TEST_CASE("what keeps the rate never waits") {
  Pacer pacer(milliseconds(10), 1);
  for (int i = 0; i < 100; ++i) {
    const TimePoint now = kStart + i * milliseconds(10);
    CHECK(pacer.take_turn(now) == now);
  }
}

}  // namespace untrombone::core
