// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/history.hpp"

#include <catch2/catch.hpp>

namespace untrombone::core {
namespace {

Transition at(int second, unsigned last_octet = 11) {
  Transition transition;
  transition.when = TimePoint(std::chrono::seconds(second));
  transition.ip = IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(last_octet)});
  return transition;
}

}  // namespace

TEST_CASE("a history tells one host's transitions, oldest first") {
  History history(8);
  history.add(at(1));
  history.add(at(2, 12));
  history.add(at(3));
  CHECK(history.of({0}, at(0).ip) == std::vector{at(1), at(3)});
  CHECK(history.of({0}, at(0, 12).ip) == std::vector{at(2, 12)});
  CHECK(history.of({1}, at(0).ip).empty());
}

TEST_CASE("a full history forgets the oldest and stays in order") {
  History history(3);
  for (int second = 1; second <= 8; ++second) {
    history.add(at(second));
    CHECK(history.size() <= 3);
  }
  CHECK(history.of({0}, at(0).ip) == std::vector{at(6), at(7), at(8)});
}

}  // namespace untrombone::core
