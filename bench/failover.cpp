// SPDX-License-Identifier: GPL-2.0-or-later
// A site is lost with all its hosts: what the remote router sees of it with each mode of summaries, side by side.
#include "tests/failover/failover.hpp"

#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace untrombone::bench {
namespace {

void print_heading(const failover::Options& options, const char* loss) {
  fmt::print(
      "\n{} lost, {} hosts come up within {} ms; {} of them are pinged every {} ms\n"
      "  {:<6} {:<5} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>7} {:>6} {:>5}\n",
      loss, options.hosts, options.arrivals.count(), options.sampled, options.interval.count(), "mode", "",
      "spoke s", "all s", "median", "p99 ms", "worst", "changes", "most", "end", "pings", "lost", "dark");
}

void print_crossing(const std::string& mode, const char* way, const failover::Crossing& crossing) {
  const auto ms = [](failover::Seconds duration) { return duration.count() * 1e3; };
  fmt::print(
      "  {:<6} {:<5} {:>8.2f} {:>8.2f} {:>8.0f} {:>8.0f} {:>8.0f} {:>8} {:>9} {:>9} {:>7} {:>6} {:>5}{}{}\n",
      mode, way, crossing.spoken.count(), crossing.all_reachable.count(), ms(crossing.delay_median),
      ms(crossing.delay_p99), ms(crossing.delay_worst), crossing.changes, crossing.routes_most,
      crossing.routes_end, crossing.probes, crossing.lost, crossing.dark,
      crossing.never == 0 ? "" : fmt::format("  {} NEVER", crossing.never),
      crossing.overruns == 0 ? "" : "  EVENTS MISSED");
}

void print_curve(const std::string& mode, const char* way, const failover::Crossing& crossing) {
  fmt::print("  {:<6} {:<5}", mode, way);
  for (const auto& [at, routes] : crossing.routes_over_time) fmt::print(" {:.1f}:{}", at.count(), routes);
  fmt::print("\n");
}

}  // namespace
}  // namespace untrombone::bench

int main(int argc, char** argv) {
  namespace bench = untrombone::bench;
  namespace failover = untrombone::failover;
  CLI::App app("A site is lost: routes, time and packets in each mode of summaries");
  failover::Options options;
  options.binary = UNTROMBONE_BIN;
  options.hosts = 10000;
  options.sampled = 500;
  options.settle = std::chrono::seconds(10);
  int arrivals = 5000;
  std::vector<std::string> modes{"off", "exact", "cover", "home"};
  std::vector<std::string> losses{"edge", "uplink"};
  app.add_option("--hosts", options.hosts, "how many there are");
  app.add_option("--sampled", options.sampled, "how many of them are pinged");
  app.add_option("--arrivals", arrivals, "milliseconds over which they come up");
  app.add_option("--modes", modes, "of summaries");
  app.add_option("--losses", losses, "edge, uplink")->check(CLI::IsMember({"edge", "uplink"}));
  CLI11_PARSE(app, argc, argv);
  options.arrivals = std::chrono::milliseconds(arrivals);
  for (const std::string& loss : losses) {
    options.loss = loss == "edge" ? failover::Loss::kEdge : failover::Loss::kUplink;
    bench::print_heading(options, loss.c_str());
    std::vector<std::pair<std::string, failover::Report>> reports;
    for (const std::string& mode : modes) {
      options.mode = mode;
      reports.emplace_back(mode, failover::run(options));
      bench::print_crossing(mode, "away", reports.back().second.away);
      bench::print_crossing(mode, "back", reports.back().second.back);
      std::cout.flush();
    }
    fmt::print("\n  routes in the remote router at seconds after the first word (before: ");
    for (const auto& [mode, report] : reports) fmt::print(" {} {}", mode, report.routes_before);
    fmt::print(")\n");
    for (const auto& [mode, report] : reports) {
      bench::print_curve(mode, "away", report.away);
      bench::print_curve(mode, "back", report.back);
    }
  }
  return 0;
}
