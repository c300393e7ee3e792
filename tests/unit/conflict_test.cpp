// SPDX-License-Identifier: GPL-2.0-or-later
// Hosts that move too often, and addresses that two MACs fight for.
#include <chrono>

#include <catch2/catch.hpp>

#include "tests/unit/site_driver.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;

const IpAddress kHost = ip(11);
const MacAddress kMac = mac(0x11);

/// Seen here, and a moment later across the DCI: two moves, far enough apart that nothing is challenged.
void go_and_return(SiteDriver& driver) {
  driver.feed(arp(kDciPort, kMac, kHost));
  driver.advance(8s);
  driver.feed(arp(kPort1, kMac, kHost));
  driver.advance(8s);
}

/// Frozen at this site with its fifth move: it was at the other one first.
SiteDriver frozen_here() {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kDciPort, kMac, kHost));
  driver.feed(arp(kPort1, kMac, kHost));
  driver.advance(8s);
  go_and_return(driver);
  CHECK_FALSE(driver.host(kHost)->is_frozen());
  go_and_return(driver);
  CHECK(driver.host(kHost)->is_frozen());
  return driver;
}

/// Frozen as being at another site: it was found here at the start, and its fifth move was a departure.
SiteDriver frozen_elsewhere(const SiteSettings& settings = default_settings()) {
  SiteDriver driver = SiteDriver::starting(settings);
  driver.feed(arp(kPort1, kMac, kHost));  // who is found at the start has not moved
  driver.feed(DumpFinished{});
  driver.advance(8s);
  go_and_return(driver);
  go_and_return(driver);
  CHECK_FALSE(driver.host(kHost)->is_frozen());
  driver.feed(arp(kDciPort, kMac, kHost));
  driver.advance(8s);
  CHECK(driver.host(kHost)->is_frozen());
  return driver;
}

}  // namespace

TEST_CASE("a host that moves five times within the window is frozen where it is") {
  SiteDriver driver = frozen_here();
  CHECK(driver.host(kHost)->reason == Reason::kMovedTooOften);
  CHECK(driver.site().verdict(*driver.host(kHost)) == Verdict::kLocal);
  const auto route = driver.announced(kHost);
  go_and_return(driver);
  CHECK(driver.announced(kHost).has_value());
  CHECK(route.has_value());
  CHECK(driver.feed(arp(kDciPort, kMac, kHost)).routes.empty());
}

TEST_CASE("a host frozen with a departure has a route of last resort when it comes back, and no other") {
  SiteDriver driver = frozen_elsewhere();
  CHECK_FALSE(driver.announced(kHost));
  driver.feed(arp(kPort1, kMac, kHost));
  CHECK(driver.routes().at({{}, IpPrefix::host(kHost)}) == Route{kSvi, RouteClass::kBackup, 5, 2000, 4212});
  CHECK(driver.site().verdict(*driver.host(kHost)) == Verdict::kRemote);
  // It does not come and go with the host.
  for (int i = 0; i < 5; ++i) {
    CHECK(driver.feed(arp(kDciPort, kMac, kHost)).routes.empty());
    CHECK(driver.advance(8s).routes.empty());
    CHECK(driver.feed(arp(kPort1, kMac, kHost)).routes.empty());
  }
}

TEST_CASE("a route of last resort ends with the freeze") {
  SECTION("as the host's own, if it was here last") {
    SiteDriver driver = frozen_elsewhere();
    driver.feed(arp(kPort1, kMac, kHost));
    driver.feed(FreezeCleared{kSegment, kHost});
    CHECK(driver.announced(kHost) == RouteClass::kFresh);
    driver.feed(arp_reply(kPort1, kMac, kHost));
    CHECK(driver.state(kHost) == HostState::kLocal);
  }
  SECTION("withdrawn, if it was not") {
    SiteDriver driver = frozen_elsewhere();
    driver.feed(arp(kPort1, kMac, kHost));
    driver.feed(arp(kDciPort, kMac, kHost));
    driver.advance(301s);
    CHECK_FALSE(driver.host(kHost)->is_frozen());
    CHECK_FALSE(driver.announced(kHost));
    CHECK(driver.state(kHost) == HostState::kRemote);
    driver.advance(2h);  // and then it is forgotten
    CHECK(driver.host(kHost) == nullptr);
  }
  SECTION("withdrawn, when it is no host of ours any more") {
    SiteDriver driver = frozen_elsewhere();
    driver.feed(arp(kPort1, kMac, kHost));
    driver.feed(OwnAddress{kSegment, kHost});
    CHECK_FALSE(driver.announced(kHost));
  }
}

TEST_CASE("with summaries a route of last resort is the host's own, and covers nobody else") {
  SiteSettings settings = default_settings();
  settings.segments.front().mode = SummaryMode::kCover;
  SiteDriver driver = frozen_elsewhere(settings);
  driver.feed(arp(kPort1, kMac, kHost));
  CHECK(driver.announced(kHost) == RouteClass::kBackup);
  driver.advance(120s);
  CHECK(driver.routes().size() == 1);
  driver.feed(FreezeCleared{kSegment, kHost});
  driver.feed(arp_reply(kPort1, kMac, kHost));
  CHECK(driver.announced(kHost) == RouteClass::kFresh);
}

TEST_CASE("freezing raises one alarm") {
  SiteDriver driver = SiteDriver::running();
  std::size_t alarms = 0;
  for (int i = 0; i < 6; ++i) {
    alarms += driver.feed(arp(kPort1, kMac, kHost)).alarms.size();
    driver.advance(8s);
    alarms += driver.feed(arp(kDciPort, kMac, kHost)).alarms.size();
    driver.advance(8s);
  }
  CHECK(alarms == 1);
}

TEST_CASE("moves outside the window do not add up") {
  SiteDriver driver = SiteDriver::running();
  for (int i = 0; i < 10; ++i) {
    driver.feed(arp(i % 2 == 0 ? kPort1 : kDciPort, kMac, kHost));
    driver.advance(50s);
  }
  CHECK_FALSE(driver.host(kHost)->is_frozen());
}

TEST_CASE("a freeze ends by itself, and then the evidence counts again") {
  SiteDriver driver = frozen_here();
  driver.feed(arp(kDciPort, kMac, kHost));
  driver.advance(301s);
  CHECK_FALSE(driver.host(kHost)->is_frozen());
  // It was seen across the DCI last and answers nothing here.
  CHECK(driver.state(kHost) == HostState::kRemote);
  CHECK_FALSE(driver.announced(kHost));
}

TEST_CASE("an operator ends a freeze") {
  SiteDriver driver = frozen_here();
  driver.feed(FreezeCleared{kSegment, kHost});
  CHECK_FALSE(driver.host(kHost)->is_frozen());
  driver.feed(arp_reply(kPort1, kMac, kHost));
  driver.advance(8s);
  CHECK(driver.state(kHost) == HostState::kLocal);
  CHECK(driver.host(kHost)->moves == 0);
}

TEST_CASE("a frozen host whose port goes down is let go") {
  SiteDriver driver = frozen_here();
  driver.feed(PortChanged{kSegment, kPort1, PortClass::kLocal, false});
  driver.advance(3s);
  CHECK(driver.state(kHost) == HostState::kDeparting);
  driver.advance(6s);
  CHECK_FALSE(driver.announced(kHost));
}

TEST_CASE("an address that two MACs fight for is frozen on one of them") {
  SiteDriver driver = SiteDriver::running();
  for (int i = 0; i < 10; ++i) {
    driver.feed(arp(kPort1, kMac, kHost));
    driver.feed(arp(kPort2, mac(0x22), kHost));
    driver.advance(1s);
  }
  REQUIRE(driver.host(kHost)->is_frozen());
  const MacAddress keeper = driver.host(kHost)->mac;
  driver.feed(arp(kPort1, kMac, kHost));
  CHECK(driver.host(kHost)->mac == keeper);
  driver.feed(arp(kPort2, mac(0x22), kHost));
  CHECK(driver.host(kHost)->mac == keeper);
  CHECK(driver.announced(kHost).has_value());
}

TEST_CASE("with max-moves 0 nothing is ever frozen") {
  SiteSettings settings = default_settings();
  settings.conflict.max_moves = 0;
  SiteDriver driver = SiteDriver::running(settings);
  for (int i = 0; i < 20; ++i) go_and_return(driver);
  CHECK_FALSE(driver.host(kHost)->is_frozen());
}

}  // namespace untrombone::core
