// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/strangers.hpp"

#include <algorithm>
#include <chrono>

#include <catch2/catch.hpp>

#include "tests/unit/site_driver.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;

constexpr TimePoint kStart{1h};

}  // namespace

TEST_CASE("a stranger is on the list for a minute, and longer when it is met again") {
  Strangers strangers;
  CHECK(strangers.next_deadline() == TimePoint::max());
  CHECK(strangers.add(kSegment, mac(1), kPort1, kStart));
  CHECK_FALSE(strangers.add(kSegment, mac(1), kPort1, kStart + 30s));
  CHECK(strangers.next_deadline() == kStart + 90s);
  CHECK_FALSE(strangers.expire(kStart + 90s - 1ns));
  CHECK(strangers.expire(kStart + 90s));
  CHECK(strangers.list().empty());
}

TEST_CASE("a stranger that moves is a change, one that is not there cannot be removed") {
  Strangers strangers;
  strangers.add(kSegment, mac(1), kPort1, kStart);
  CHECK(strangers.add(kSegment, mac(1), kPort2, kStart));
  REQUIRE(strangers.list().size() == 1);
  CHECK(strangers.list().front().port == kPort2);
  CHECK_FALSE(strangers.remove({1}, mac(1)));
  CHECK_FALSE(strangers.remove_port(kSegment, kPort1));
  CHECK_FALSE(strangers.remove_port({1}, kPort2));
  CHECK(strangers.remove_port(kSegment, kPort2));
  CHECK_FALSE(strangers.remove(kSegment, mac(1)));
}

TEST_CASE("a flood of strangers is turned away and counted") {
  Strangers strangers;
  for (unsigned last = 0; last < 200; ++last) strangers.add(kSegment, mac(last), kPort1, kStart);
  CHECK(strangers.list().size() == 64);
  CHECK(strangers.turned_away() == 136);
  strangers.expire(kStart + 60s);
  CHECK(strangers.add(kSegment, mac(199), kPort1, kStart + 60s));
}

TEST_CASE("a MAC without an address on a local port is listened to, one with an address is not") {
  SiteDriver driver = SiteDriver::running();
  CHECK(driver.feed(rarp(kPort1, mac(0x11))).strangers_changed);
  CHECK(driver.feed(FdbSeen{kPort2, mac(0x22)}).strangers_changed);
  REQUIRE(driver.site().strangers().size() == 2);
  CHECK(driver.site().strangers()[0].port == kPort1);
  CHECK(driver.feed(arp(kPort1, mac(0x11), ip(11))).strangers_changed);
  CHECK(driver.feed(FdbSeen{kDciPort, mac(0x22)}).strangers_changed);
  CHECK(driver.site().strangers().empty());
  CHECK_FALSE(driver.feed(rarp(kDciPort, mac(0x33))).strangers_changed);
}

TEST_CASE("strangers of a port that goes down are not listened to any more") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(rarp(kPort1, mac(0x11)));
  CHECK(driver.feed(PortChanged{kSegment, kPort1, PortClass::kLocal, false}).strangers_changed);
  CHECK(driver.site().strangers().empty());
}

TEST_CASE("strangers of the first dump are looked for when the start is over") {
  SiteDriver driver = SiteDriver::starting();
  driver.feed(FdbSeen{kPort1, mac(0x11)});
  driver.feed(FdbSeen{kPort1, mac(0x22)});
  driver.feed(NeighbourSeen{kSegment, ip(22), mac(0x22)});
  driver.feed(DumpFinished{});
  CHECK(driver.site().strangers().empty());
  CHECK(driver.advance(1s).strangers_changed);
  REQUIRE(driver.site().strangers().size() == 1);
  CHECK(driver.site().strangers().front().mac == mac(0x11));
}

TEST_CASE("a packet of a stranger is a question, and the answer makes a host") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(rarp(kPort1, mac(0x11)));
  const Actions& actions = driver.feed(SourceSeen{kPort1, mac(0x11), ip(11)});
  REQUIRE(actions.probes.size() == 1);
  CHECK(actions.probes.front().port == kPort1);
  CHECK(actions.probes.front().mac == mac(0x11));
  CHECK(actions.probes.front().ip == ip(11));
  CHECK(driver.routes().empty());
  CHECK(driver.feed(arp_reply(kPort1, mac(0x11), ip(11))).strangers_changed);
  CHECK(driver.state(ip(11)) == HostState::kLocal);
  CHECK(driver.announced(ip(11)) == RouteClass::kFresh);
}

TEST_CASE("a stranger who forwards the packets of others announces none of them") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kDciPort, mac(0x33), ip(33)));
  driver.feed(rarp(kPort1, mac(0x11)));
  driver.feed(SourceSeen{kPort1, mac(0x11), ip(33)});
  driver.advance(10s);
  CHECK(driver.state(ip(33)) == HostState::kRemote);
  CHECK(driver.host(ip(33))->mac == mac(0x33));
  CHECK(driver.routes().empty());
}

TEST_CASE("a stranger's packets cause a question now and then, not each") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(rarp(kPort1, mac(0x11)));
  CHECK(driver.feed(SourceSeen{kPort1, mac(0x11), ip(11)}).probes.size() == 1);
  CHECK(driver.feed(SourceSeen{kPort1, mac(0x11), ip(11)}).probes.empty());
  driver.advance(50ms);
  CHECK(driver.feed(SourceSeen{kPort1, mac(0x11), ip(11)}).probes.size() == 1);
}

TEST_CASE("strangers who were turned away get their turn") {
  SiteDriver driver = SiteDriver::running();
  for (unsigned last = 0; last < 200; ++last) driver.feed(rarp(kPort1, mac(last)));
  REQUIRE(driver.site().strangers().size() == 64);
  const MacAddress first = driver.site().strangers().front().mac;
  driver.feed(arp(kPort1, first, ip(11)));  // makes room
  driver.advance(1s);
  CHECK(driver.site().strangers().size() == 64);
  const auto found = std::find_if(driver.site().strangers().begin(), driver.site().strangers().end(),
                                  [&](const Stranger& stranger) { return stranger.mac == first; });
  CHECK(found == driver.site().strangers().end());
}

TEST_CASE("a packet takes no address away from a host that is here, and is no evidence over the DCI") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kPort1, mac(0x11), ip(11)));
  CHECK(driver.feed(SourceSeen{kPort2, mac(0x22), ip(11)}).empty());
  CHECK(driver.host(ip(11))->mac == mac(0x11));
  CHECK(driver.feed(SourceSeen{kDciPort, mac(0x33), ip(33)}).empty());
  CHECK(driver.state(ip(33)) == std::nullopt);
}

TEST_CASE("a packet from a gateway, another subnet or the edge itself makes no host") {
  SiteDriver driver = SiteDriver::running();
  for (const IpAddress& source : {kGateway, ip(245), IpAddress::v4({198, 51, 100, 9})}) {
    driver.feed(SourceSeen{kPort1, mac(0x11), source});
    CHECK(driver.state(source) == std::nullopt);
  }
  CHECK(driver.feed(SourceSeen{kPort1, kSviMac, ip(11)}).empty());
  CHECK(driver.routes().empty());
}

}  // namespace untrombone::core
