// SPDX-License-Identifier: GPL-2.0-or-later
// A whole site is lost, its hosts come up at the other one, and later they go back. bench/failover.cpp has the numbers.
#include "tests/failover/failover.hpp"

#include <catch2/catch.hpp>

using namespace untrombone::failover;

namespace {

constexpr std::uint32_t kHosts = 1000;

void check(const char* way, const Crossing& crossing) {
  INFO(way);
  CHECK(crossing.never == 0);
  CHECK(crossing.dark == 0);
  CHECK(crossing.overruns == 0);
  CHECK(crossing.probes > 0);
  WARN(way << ": all reachable after " << crossing.all_reachable.count() << " s, the last word "
           << crossing.spoken.count() << " s; " << crossing.changes << " changes, at most "
           << crossing.routes_most << " routes, in the end " << crossing.routes_end << "; lost "
           << crossing.lost << " of " << crossing.probes << " pings");
}

Report lose(const std::string& mode, Loss loss) {
  Options options;
  options.binary = UNTROMBONE_BIN;
  options.mode = mode;
  options.loss = loss;
  options.hosts = kHosts;
  const Report report = run(options);
  check("away", report.away);
  check("back", report.back);
  return report;
}

}  // namespace

TEST_CASE("a site is lost and its hosts come up at the other one, and go back: off", "[e2e]") {
  const Report report = lose("off", Loss::kEdge);
  CHECK(report.routes_before == kHosts);
  CHECK(report.away.routes_end == kHosts);
  CHECK(report.back.routes_end == kHosts);
}

TEST_CASE("a site is lost and its hosts come up at the other one, and go back: exact", "[e2e]") {
  const Report report = lose("exact", Loss::kEdge);
  CHECK(report.routes_before < kHosts / 10);
  CHECK(report.away.routes_end == report.routes_before);  // the same hosts have the same ideal
  CHECK(report.back.routes_end == report.routes_before);
}

TEST_CASE("a site is lost and its hosts come up at the other one, and go back: cover", "[e2e]") {
  const Report report = lose("cover", Loss::kEdge);
  CHECK(report.routes_before == 1);
  CHECK(report.away.routes_end == 1);
  CHECK(report.back.routes_end == 1);
}

TEST_CASE("the hosts of a home block come up elsewhere and go home", "[e2e]") {
  const Report report = lose("home", Loss::kEdge);
  CHECK(report.routes_before == 2);                 // the block of each site
  CHECK(report.away.routes_end < kHosts / 10 + 1);  // visitors, as in exact
  CHECK(report.back.routes_end == 2);
}

TEST_CASE("the uplink of a site is lost and its hosts are moved away, and back: exact", "[e2e]") {
  const Report report = lose("exact", Loss::kUplink);
  CHECK(report.away.routes_end == report.routes_before);
  CHECK(report.back.routes_end == report.routes_before);
}
