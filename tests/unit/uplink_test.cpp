// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/uplink.hpp"

#include <catch2/catch.hpp>

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;
constexpr TimePoint kStart{std::chrono::seconds(1000)};

}  // namespace

TEST_CASE("an uplink that stays away isolates the site, and one that stays ends it", "[uplink]") {
  Uplink uplink(5s, true);
  CHECK_FALSE(uplink.known());
  uplink.see(true, kStart);
  CHECK(uplink.next_deadline() == TimePoint::max());
  uplink.see(false, kStart + 10s);
  uplink.see(false, kStart + 12s);
  CHECK(uplink.next_deadline() == kStart + 15s);
  CHECK_FALSE(uplink.run(kStart + 14s));
  CHECK_FALSE(uplink.isolated());
  CHECK(uplink.run(kStart + 15s));
  CHECK(uplink.isolated());
  CHECK_FALSE(uplink.run(kStart + 16s));
  uplink.see(true, kStart + 20s);
  CHECK_FALSE(uplink.run(kStart + 24s));
  CHECK(uplink.run(kStart + 25s));
  CHECK_FALSE(uplink.isolated());
}

TEST_CASE("an uplink that flaps changes nothing", "[uplink]") {
  Uplink uplink(5s, true);
  uplink.see(true, kStart);
  for (int i = 1; i < 20; ++i) {
    uplink.see(i % 2 == 0, kStart + i * 4s);
    CHECK_FALSE(uplink.run(kStart + i * 4s));
  }
  CHECK_FALSE(uplink.isolated());
}

TEST_CASE("an expected uplink that was never there isolates; another one is waited for", "[uplink]") {
  Uplink expected(5s, true);
  expected.see(false, kStart);
  CHECK(expected.run(kStart + 5s));
  Uplink optional(5s, false);
  optional.see(false, kStart);
  CHECK(optional.next_deadline() == TimePoint::max());
  optional.see(true, kStart + 9s);
  optional.see(false, kStart + 10s);
  CHECK(optional.run(kStart + 15s));
}

TEST_CASE("without a hold the state follows at once", "[uplink]") {
  Uplink uplink(0s, true);
  uplink.see(false, kStart);
  CHECK(uplink.run(kStart));
  uplink.see(true, kStart + 1s);
  CHECK(uplink.run(kStart + 1s));
}

}  // namespace untrombone::core
