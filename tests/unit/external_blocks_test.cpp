// SPDX-License-Identifier: GPL-2.0-or-later
// Who announces a block to the outside, and when it changes sites.
#include <chrono>

#include <catch2/catch.hpp>

#include "tests/unit/site_driver.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;

constexpr ClaimList kList{0};
constexpr Duration kHeld = 32s;  // a look, and `hold`
const IpPrefix kBlock(ip(0), 26);
const IpAddress kOtherSite = IpAddress::v4({198, 51, 100, 2});

/// 192.0.2.0/24, in blocks of 64.
SiteSettings in_blocks(SummaryMode mode = SummaryMode::kOff) {
  SiteSettings settings = default_settings();
  settings.segments.front().mode = mode;
  settings.segments.front().external_length = 26;
  settings.conflict.max_moves = 0;  // some of the guests move a lot
  return settings;
}

std::optional<RouteClass> class_of(const SiteDriver& driver, const IpPrefix& prefix = kBlock) {
  const auto found = driver.routes().find({{}, prefix});
  return found == driver.routes().end() ? std::nullopt : std::optional(found->second.route_class);
}

void put_here(SiteDriver& driver, std::initializer_list<unsigned> guests) {
  for (const unsigned guest : guests) driver.feed(arp_reply(kPort1, mac(guest), ip(guest)));
}

void put_elsewhere(SiteDriver& driver, std::initializer_list<unsigned> guests) {
  for (const unsigned guest : guests) driver.feed(arp_reply(kDciPort, mac(guest), ip(guest)));
}

/// They keep talking, or they would be asked, and given up.
void talk(SiteDriver& driver, std::initializer_list<unsigned> guests, Duration lasts) {
  for (Duration past{}; past < lasts; past += 4s) {
    put_here(driver, guests);
    driver.advance(4s);
  }
}

ClaimSeen claim(const IpPrefix& prefix) {
  return {kList, {VrfId{}, prefix}, RouteClass::kSettled, 1000, kOtherSite};
}

/// A site with two of three hosts, that announces the block.
SiteDriver leading() {
  SiteDriver driver = SiteDriver::running(in_blocks());
  put_here(driver, {11, 12});
  put_elsewhere(driver, {13});
  talk(driver, {11, 12}, kHeld);
  REQUIRE(class_of(driver) == RouteClass::kExternal);
  return driver;
}

}  // namespace

TEST_CASE("the site with the majority of a block's hosts announces it, once that has held", "[external]") {
  SiteDriver driver = SiteDriver::running(in_blocks());
  put_here(driver, {11, 12});
  put_elsewhere(driver, {13});
  talk(driver, {11, 12}, 24s);
  CHECK_FALSE(class_of(driver));
  talk(driver, {11, 12}, 8s);
  CHECK(driver.routes().at({{}, kBlock}) == Route{kSvi, RouteClass::kExternal, 5, 1000, 4213});
  CHECK(driver.announced(ip(11)) == RouteClass::kSettled);
  CHECK_FALSE(class_of(driver, IpPrefix(ip(64), 26)));
}

TEST_CASE("the other sites hold the block in reserve, behind every other route", "[external]") {
  SiteDriver driver = SiteDriver::running(in_blocks());
  put_here(driver, {11});
  put_elsewhere(driver, {12, 13});
  talk(driver, {11}, kHeld);
  CHECK(driver.routes().at({{}, kBlock}) == Route{kSvi, RouteClass::kReserve, 250, 2000, 4214});
}

TEST_CASE("a block whose majority moves goes into reserve after the hold, and is never withdrawn",
          "[external]") {
  SiteDriver driver = leading();
  put_elsewhere(driver, {12});
  bool withdrawn = false;
  for (int second = 0; second < 40; ++second) {
    for (const RouteChange& change : driver.advance(1s).routes)
      withdrawn = withdrawn || (change.key.prefix == kBlock && !change.route);
    if (second < 29) CHECK(class_of(driver) == RouteClass::kExternal);
    put_here(driver, {11});
  }
  CHECK(class_of(driver) == RouteClass::kReserve);
  CHECK_FALSE(withdrawn);
}

TEST_CASE("a majority that comes and goes within the hold moves nothing", "[external]") {
  SiteDriver driver = leading();
  for (int round = 0; round < 4; ++round) {
    put_elsewhere(driver, {12});
    talk(driver, {11}, 20s);
    CHECK(class_of(driver) == RouteClass::kExternal);
    talk(driver, {11, 12}, 8s);
  }
  CHECK(class_of(driver) == RouteClass::kExternal);
}

TEST_CASE("of an even share the site that has the block keeps it", "[external]") {
  SiteDriver driver = leading();
  put_elsewhere(driver, {14});
  talk(driver, {11, 12}, 60s);
  CHECK(class_of(driver) == RouteClass::kExternal);
  // Unless the routed world follows another one that has it, too.
  driver.feed(claim(kBlock));
  talk(driver, {11, 12}, kHeld);
  CHECK(class_of(driver) == RouteClass::kReserve);
}

TEST_CASE("of an even share from the start nobody has more than a reserve", "[external]") {
  SiteDriver driver = SiteDriver::running(in_blocks());
  put_here(driver, {11});
  put_elsewhere(driver, {12});
  talk(driver, {11}, 60s);
  CHECK(class_of(driver) == RouteClass::kReserve);
}

TEST_CASE("what other sites announce counts like what is seen behind the DCI, and once", "[external]") {
  SiteDriver driver = leading();
  driver.feed(claim(IpPrefix::host(ip(13))));  // known already
  driver.feed(claim(IpPrefix::host(ip(11))));  // it is here
  talk(driver, {11, 12}, 60s);
  CHECK(class_of(driver) == RouteClass::kExternal);
  driver.feed(claim(IpPrefix::host(ip(20))));
  driver.feed(claim(IpPrefix::host(ip(21))));
  talk(driver, {11, 12}, 60s);
  CHECK(class_of(driver) == RouteClass::kReserve);
  driver.feed(ClaimGone{kList, {VrfId{}, IpPrefix::host(ip(20))}});
  driver.feed(ClaimGone{kList, {VrfId{}, IpPrefix::host(ip(21))}});
  talk(driver, {11, 12}, 60s);
  CHECK(class_of(driver) == RouteClass::kExternal);
}

TEST_CASE("another site's summary counts as its hosts, with cover as one", "[external]") {
  for (const SummaryMode mode : {SummaryMode::kExact, SummaryMode::kCover}) {
    SiteDriver driver = SiteDriver::running(in_blocks(mode));
    put_here(driver, {11, 12});
    driver.feed(claim(IpPrefix(ip(16), 29)));
    driver.feed(claim(IpPrefix(ip(16), 30)));  // inside it
    talk(driver, {11, 12}, 60s);
    CAPTURE(to_string(mode));
    const auto view = driver.site().announcer().external_of(kSegment)->view_of(ip(11));
    REQUIRE(view);
    CHECK(view->here == 2);
    CHECK(view->elsewhere == (mode == SummaryMode::kExact ? 8 : 1));
    CHECK(class_of(driver) == (mode == SummaryMode::kExact ? RouteClass::kReserve : RouteClass::kExternal));
  }
}

TEST_CASE("a block without hosts is withdrawn", "[external]") {
  SiteDriver driver = leading();
  driver.feed(FdbGone{kDciPort, mac(13)});
  driver.feed(PortChanged{kSegment, kPort1, PortClass::kLocal, false});
  driver.advance(60s);
  CHECK_FALSE(class_of(driver));
}

TEST_CASE("a prefix that is a summary, too, has one route, and stays a summary", "[external]") {
  SiteSettings settings = in_blocks(SummaryMode::kExact);
  settings.segments.front().external_length = 30;
  SiteDriver driver = SiteDriver::running(settings);
  const IpPrefix four(ip(8), 30);
  talk(driver, {8, 9, 10, 11}, 80s);
  CHECK(class_of(driver, four) == RouteClass::kExternal);
  CHECK(driver.site().announcer().routes_of(kSegment, Family::kIpv4)->announces(four));
  CHECK_FALSE(driver.feed(RouteNoted{{VrfId{}, four}, RouteNote::kInstalled}).routes.size() > 0);
  settings.segments.front().external_length = 0;
  Actions actions;
  driver.site().reconfigure(settings, driver.now(), actions);
  std::optional<Route> last;
  for (const RouteChange& change : actions.routes)
    if (change.key.prefix == four) last = change.route;
  REQUIRE(last);
  CHECK(last->route_class == RouteClass::kSettled);
}

TEST_CASE("a block that was half of an announced subnet is that again", "[external]") {
  SiteSettings settings = in_blocks();
  settings.segments.front().external_length = 25;
  settings.segments.front().announce_subnet = true;
  SiteDriver driver = SiteDriver::running(settings);
  const IpPrefix half(ip(0), 25);
  CHECK(class_of(driver, half) == RouteClass::kBackup);
  talk(driver, {11, 12}, kHeld);
  CHECK(class_of(driver, half) == RouteClass::kExternal);
  driver.feed(PortChanged{kSegment, kPort1, PortClass::kLocal, false});
  driver.advance(60s);
  CHECK(class_of(driver, half) == RouteClass::kBackup);
}

TEST_CASE("a block that an earlier run announced stays outside until it is known who is here", "[external]") {
  SiteDriver driver = SiteDriver::starting(in_blocks());
  driver.feed(PriorSummary{kSegment, kBlock});
  CHECK(class_of(driver) == RouteClass::kExternal);
  put_here(driver, {11, 12});
  driver.feed(DumpFinished{});
  talk(driver, {11, 12}, 60s);
  CHECK(class_of(driver) == RouteClass::kExternal);
  put_elsewhere(driver, {13, 14, 15});
  talk(driver, {11, 12}, 60s);
  CHECK(class_of(driver) == RouteClass::kReserve);
}

TEST_CASE("an isolated site announces no block, and has it back", "[external]") {
  SiteDriver driver = leading();
  driver.feed(UplinkChanged{kSegment, Family::kIpv4, false});
  CHECK_FALSE(class_of(driver));
  driver.feed(UplinkChanged{kSegment, Family::kIpv4, true});
  CHECK(class_of(driver) == RouteClass::kExternal);
}

TEST_CASE("other blocks after a reload, with the hosts and claims that are known", "[external]") {
  SiteDriver driver = leading();
  driver.feed(claim(IpPrefix::host(ip(14))));
  driver.feed(claim(IpPrefix::host(ip(15))));
  SiteSettings settings = in_blocks();
  settings.segments.front().external_length = 27;
  Actions actions;
  driver.site().reconfigure(settings, driver.now(), actions);
  bool withdrawn = false;
  for (const RouteChange& change : actions.routes)
    withdrawn = withdrawn || (change.key.prefix == kBlock && !change.route);
  CHECK(withdrawn);
  talk(driver, {11, 12}, kHeld);
  CHECK(class_of(driver, IpPrefix(ip(0), 27)) == RouteClass::kReserve);
}

TEST_CASE("with external-length 0 nothing is for the outside", "[external]") {
  SiteDriver driver = SiteDriver::running();
  talk(driver, {11, 12}, 60s);
  CHECK(driver.routes().size() == 2);
  CHECK(driver.site().announcer().external_of(kSegment) == nullptr);
}

}  // namespace untrombone::core
