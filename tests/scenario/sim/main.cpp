// SPDX-License-Identifier: GPL-2.0-or-later
// Runs random histories of several sites on virtual time: untrombone-sim [--seeds N] [--first SEED] [--steps N] ...
#include <chrono>
#include <cstdio>
#include <map>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tests/scenario/sim/settings.hpp"
#include "tests/scenario/sim/shrink.hpp"

namespace {

using namespace untrombone;

struct Switches {
  core::SummaryMode mode = core::SummaryMode::kExact;
  bool linger = true;
  bool break_delay = true;
  bool hold = true;
  bool claims = true;
  bool one_home = true;
  bool announce_subnet = false;
  std::size_t budget = core::SegmentSettings().budget;
};

core::SiteSettings settings_of(const Switches& switches) {
  core::SiteSettings settings = sim::default_settings(switches.mode);
  core::SegmentSettings& segment = settings.segments.front();
  if (!switches.linger) segment.linger = {};
  if (!switches.break_delay) segment.break_delay = {};
  if (!switches.hold) segment.hold = {};
  segment.announce_subnet = switches.announce_subnet;
  segment.budget = switches.budget;
  return settings;
}

int run(const Switches& switches, std::uint64_t first, std::uint64_t seeds, std::size_t steps,
        unsigned faults, bool trace) {
  const auto begin = std::chrono::steady_clock::now();
  sim::RunCounters total;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    sim::History history = sim::random_history(seed, steps, settings_of(switches), {faults});
    history.sites_hear_claims = switches.claims;
    history.one_home_a_block = switches.one_home;
    sim::RunCounters counters;
    if (const auto violation = sim::violation_of(history, counters)) {
      fmt::print("seed {} fails {}\n", seed, *violation);
      const sim::History shortest = sim::shrink(history);
      const auto print = [](const std::string& line) { fmt::print("  {}\n", line); };
      const auto why = sim::violation_of(shortest, counters, trace ? sim::Trace(print) : sim::Trace());
      fmt::print("the shortest history found: {}\n  {}", why.value_or("?"), to_string(shortest));
      return 1;
    }
    total.checks += counters.checks;
    total.moves += counters.moves;
    total.faults += counters.faults;
    total.changes += counters.changes;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print(
      "{} histories, {} moves, {} faults, {} route changes, {} checks of a guest, no violation; {:.1f} s\n",
      seeds, total.moves, total.faults, total.changes, total.checks, took.count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Random histories of several sites on virtual time", "untrombone-sim");
  std::uint64_t first = 0;
  std::uint64_t seeds = 1000;
  std::size_t steps = 30;
  unsigned faults = 25;
  app.add_option("--first", first, "the first seed");
  app.add_option("--seeds", seeds, "how many");
  app.add_option("--steps", steps, "of each history");
  app.add_option("--faults", faults, "percent of the steps");
  Switches switches;
  app.add_flag("!--no-linger", switches.linger, "without linger");
  app.add_flag("!--no-break-delay", switches.break_delay,
               "summaries replace host routes, and the reverse, at once");
  app.add_flag("!--no-hold", switches.hold, "summaries are announced as soon as they are possible");
  app.add_flag("!--no-claims", switches.claims, "sites do not hear what other sites announce");
  app.add_flag("!--homes-everywhere", switches.one_home, "with --mode home: all sites name all home blocks");
  app.add_flag("--announce-subnet", switches.announce_subnet, "all sites announce the subnet, too");
  app.add_option("--budget", switches.budget, "routes of a site; over it, `exact` becomes `cover`");
  bool trace = false;
  const std::map<std::string, core::SummaryMode> modes = {{"off", core::SummaryMode::kOff},
                                                          {"exact", core::SummaryMode::kExact},
                                                          {"cover", core::SummaryMode::kCover},
                                                          {"home", core::SummaryMode::kHome}};
  std::string mode = "exact";
  app.add_option("--mode", mode, "of the summaries: off, exact, cover or home")->check(CLI::IsMember(modes));
  app.add_flag("--trace", trace, "print all that happens in the shortest failing history");
  CLI11_PARSE(app, argc, argv);
  switches.mode = modes.at(mode);
  return run(switches, first, seeds, steps, faults, trace);
}
