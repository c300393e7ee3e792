// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/gateway_health.hpp"

#include <catch2/catch.hpp>

namespace untrombone::daemon {
namespace {

using std::chrono::milliseconds;

constexpr core::TimePoint kStart{std::chrono::hours(1)};
constexpr milliseconds kTick{1};

}  // namespace

TEST_CASE("a gateway that fails is believed after a while, and says why") {
  GatewayHealth health;
  health.observe("interface br0 is down", false, kStart);
  CHECK(health.good());
  CHECK(health.next_deadline() == kStart + GatewayHealth::kFailHold);
  health.observe("interface br0 is down", false, kStart + GatewayHealth::kFailHold - kTick);
  CHECK(health.good());
  health.observe("interface br0 is down", false, kStart + GatewayHealth::kFailHold);
  CHECK_FALSE(health.good());
  CHECK(health.reason() == "interface br0 is down");
  CHECK(health.next_deadline() == core::TimePoint::max());
}

TEST_CASE("a gateway that is back before anybody believes it was away has never been away") {
  GatewayHealth health;
  health.observe("down", false, kStart);
  health.observe("", false, kStart + kTick);
  health.observe("down", false, kStart + GatewayHealth::kFailHold);
  CHECK(health.good());
}

TEST_CASE("an isolated site is believed at once") {
  GatewayHealth health;
  health.observe("", true, kStart);
  CHECK_FALSE(health.good());
  CHECK(health.reason() == "the uplink is lost");
}

TEST_CASE("a gateway that heals is believed when it stays well, and a relapse starts anew") {
  GatewayHealth health;
  health.observe("", true, kStart);
  health.observe("", false, kStart + kTick);
  CHECK_FALSE(health.good());
  CHECK(health.next_deadline() == kStart + kTick + GatewayHealth::kHealHold);
  health.observe("down", false, kStart + GatewayHealth::kHealHold);
  CHECK(health.next_deadline() == core::TimePoint::max());
  const core::TimePoint healed = kStart + 2 * GatewayHealth::kHealHold;
  health.observe("", false, healed);
  health.observe("", false, healed + GatewayHealth::kHealHold - kTick);
  CHECK_FALSE(health.good());
  health.observe("", false, healed + GatewayHealth::kHealHold);
  CHECK(health.good());
}

}  // namespace untrombone::daemon
