// SPDX-License-Identifier: GPL-2.0-or-later
// Several sites that know each other through routing only: thousands of random histories with faults. More of them:
// scripts/sim --seeds N.
#include <string>

#include <catch2/catch.hpp>

#include "tests/scenario/sim/settings.hpp"
#include "tests/scenario/sim/shrink.hpp"

namespace untrombone::sim {
namespace {

constexpr std::uint64_t kHistories = 1500;
constexpr std::size_t kSteps = 30;

/// Fails with the shortest history that shows it.
void run_histories(const core::SiteSettings& settings, Faults faults) {
  for (std::uint64_t seed = 0; seed < kHistories; ++seed) {
    const History history = random_history(seed, kSteps, settings, faults);
    RunCounters counters;
    if (!violation_of(history, counters)) continue;
    const History shortest = shrink(history);
    FAIL(violation_of(shortest, counters).value_or("?") << "\n" << to_string(shortest));
  }
}

void run_histories(core::SummaryMode mode, Faults faults) { run_histories(default_settings(mode), faults); }

/// What a site may leave out of what keeps the guests routed.
struct Without {
  bool claims = false;
  bool one_home_a_block = false;
};

/// The first history that goes wrong with these settings; it must be found within some thousand.
std::optional<History> first_failure(const core::SiteSettings& settings, Without without = {}) {
  for (std::uint64_t seed = 0; seed < 2 * kHistories; ++seed) {
    History history = random_history(seed, kSteps, settings, {10});
    history.sites_hear_claims = !without.claims;
    history.one_home_a_block = !without.one_home_a_block;
    RunCounters counters;
    if (violation_of(history, counters)) return history;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("no guest is lost or misrouted while guests move and nothing fails") {
  run_histories(core::SummaryMode::kOff, {0});
  run_histories(core::SummaryMode::kExact, {0});
  run_histories(core::SummaryMode::kCover, {0});
  run_histories(core::SummaryMode::kHome, {0});
}

TEST_CASE("no guest is lost or misrouted through crashes, overruns, lost zebras, uplinks and DCIs") {
  run_histories(core::SummaryMode::kOff, {25});
  run_histories(core::SummaryMode::kExact, {25});
  run_histories(core::SummaryMode::kCover, {25});
  run_histories(core::SummaryMode::kHome, {25});
}

TEST_CASE("no guest is lost or misrouted where the subnet is announced, too, or the budget is too small") {
  core::SiteSettings settings = default_settings(core::SummaryMode::kExact);
  settings.segments.front().budget = 2;
  run_histories(settings, {25});
  settings.segments.front().announce_subnet = true;
  run_histories(settings, {25});
}

TEST_CASE("without linger, break-delay, hold or claims some history fails: each of them is needed") {
  for (const auto mode : {core::SummaryMode::kCover, core::SummaryMode::kHome}) {
    const core::SiteSettings all = default_settings(mode);
    core::SiteSettings without_linger = all;
    without_linger.segments.front().linger = {};
    CHECK(first_failure(without_linger));
    core::SiteSettings without_break_delay = all;
    without_break_delay.segments.front().break_delay = {};
    CHECK(first_failure(without_break_delay));
    core::SiteSettings without_hold = all;
    without_hold.segments.front().hold = {};
    CHECK(first_failure(without_hold));
    CHECK(first_failure(all, {.claims = true}));
  }
}

TEST_CASE("home blocks that all sites name by mistake cost host routes, and misroute nobody") {
  CHECK_FALSE(first_failure(default_settings(core::SummaryMode::kHome), {.one_home_a_block = true}));
}

TEST_CASE("a failing history is cut down to a shorter one that fails in the same way every time") {
  core::SiteSettings settings = default_settings();
  settings.segments.front().linger = {};
  const auto failing = first_failure(settings);
  REQUIRE(failing);
  const History shortest = shrink(*failing);
  CHECK(shortest.steps.size() < failing->steps.size());
  RunCounters counters;
  const auto once = violation_of(shortest, counters);
  REQUIRE(once);
  CHECK(violation_of(shortest, counters) == once);
}

}  // namespace untrombone::sim
