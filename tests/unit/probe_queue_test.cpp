// SPDX-License-Identifier: GPL-2.0-or-later
// Who is asked when: the pace of questions, the sweep, and that nobody is given up who was not asked.
#include "agent/core/probe_queue.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <set>

#include <catch2/catch.hpp>

#include "agent/core/sweeper.hpp"
#include "tests/unit/site_driver.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;

constexpr TimePoint kStart{1h};
constexpr unsigned kMany = 20000;

/// 10.1.0.0/16 with room for many hosts.
SiteSettings wide_settings(std::uint32_t probe_rate) {
  SiteSettings settings = default_settings();
  SegmentSettings& segment = settings.segments.front();
  segment.subnets = {IpPrefix::parse("10.1.0.0/16").value()};
  segment.gateways = {IpAddress::parse("10.1.0.1").value()};
  segment.exclude.clear();
  segment.max_hosts = 60000;
  segment.new_host_rate = 0;
  segment.probe_rate = probe_rate;
  segment.greet = false;
  return settings;
}

IpAddress address(unsigned host) {
  return IpAddress::v4(
      {10, 1, static_cast<std::uint8_t>(host >> 8U & 0xffU), static_cast<std::uint8_t>(host & 0xffU)});
}
MacAddress guest_mac(unsigned host) {
  return {{0x02, 0x00, 0x5e, static_cast<std::uint8_t>(host >> 16U & 0xffU),
           static_cast<std::uint8_t>(host >> 8U & 0xffU), static_cast<std::uint8_t>(host & 0xffU)}};
}

/// Virtual time in steps of 10 ms, with a record of when questions were asked.
class Questions {
 public:
  explicit Questions(SiteDriver& driver) : driver_(driver) {}

  void note(const Actions& actions) {
    for (const ProbeRequest& probe : actions.probes) {
      times_.push_back(driver_.now());
      waiting_.push_back(probe);
    }
    busiest_ = std::max(busiest_, in_last_second());
  }
  /// Lets time pass; those who are asked answer when `answers`.
  void pass(Duration by, bool answers) {
    for (const TimePoint until = driver_.now() + by; driver_.now() < until;) {
      note(driver_.advance(10ms));
      for (const ProbeRequest& probe : std::exchange(waiting_, {})) {
        ++asked_;
        if (answers && probe.mac) note(driver_.feed(arp_reply(kPort1, *probe.mac, probe.ip)));
      }
    }
  }
  [[nodiscard]] std::size_t asked() const { return asked_; }
  [[nodiscard]] std::size_t busiest_second() const { return busiest_; }
  void reset_busiest() { busiest_ = 0; }

 private:
  std::size_t in_last_second() {
    while (!times_.empty() && times_.front() <= driver_.now() - 1s) times_.pop_front();
    return times_.size();
  }

  SiteDriver& driver_;
  std::deque<TimePoint> times_;
  std::vector<ProbeRequest> waiting_;
  std::size_t asked_ = 0;
  std::size_t busiest_ = 0;
};

}  // namespace

TEST_CASE("no second has more probes than the rate, wherever it begins") {
  for (const std::uint32_t rate : {10U, 37U, 2000U, 100000U}) {
    INFO(rate);
    ProbeQueue queue(rate);
    std::deque<TimePoint> taken;
    std::size_t total = 0;
    std::size_t busiest = 0;
    for (TimePoint now = kStart; now < kStart + 5s; now += 100us) {
      while (queue.pass(Urgency::kChallenge, now)) {
        taken.push_back(now);
        ++total;
      }
      while (!taken.empty() && taken.front() <= now - 1s) taken.pop_front();
      busiest = std::max(busiest, taken.size());
    }
    CHECK(busiest <= rate);
    CHECK(total >= rate * 4);
  }
}

TEST_CASE("challenges go before refreshes, each in the order in which they began to wait, and once") {
  ProbeQueue queue(20);
  REQUIRE(queue.pass(Urgency::kRefresh, kStart));
  CHECK_FALSE(queue.pass(Urgency::kChallenge, kStart));
  for (const HostIndex host : {1U, 2U, 1U}) queue.wait(host, Urgency::kRefresh);
  for (const HostIndex host : {3U, 1U, 3U}) queue.wait(host, Urgency::kChallenge);
  CHECK(queue.waiting() == 4);
  CHECK_FALSE(queue.next(kStart));
  const TimePoint later = queue.ready_at();
  CHECK(later > kStart);
  // A token alone is not enough while others wait.
  CHECK_FALSE(queue.pass(Urgency::kChallenge, later));
  CHECK_FALSE(queue.is_idle(later));
  std::vector<std::pair<HostIndex, Urgency>> order;
  while (const auto turn = queue.next(later)) order.emplace_back(turn->host, turn->urgency);
  CHECK(order == std::vector<std::pair<HostIndex, Urgency>>{{3, Urgency::kChallenge},
                                                            {1, Urgency::kChallenge},
                                                            {1, Urgency::kRefresh},
                                                            {2, Urgency::kRefresh}});
  queue.wait(1, Urgency::kRefresh);
  CHECK(queue.waiting() == 1);
}

TEST_CASE("20,000 hosts that arrive at once and keep silent are asked at the configured pace, all of them") {
  SiteDriver driver = SiteDriver::running(wide_settings(2000));
  for (unsigned host = 2; host < kMany + 2; ++host) driver.feed(arp(kPort1, guest_mac(host), address(host)));
  Questions questions(driver);
  questions.pass(100s, true);
  CHECK(questions.asked() == kMany);
  CHECK(questions.busiest_second() <= 2000);
  questions.pass(10min, true);
  questions.reset_busiest();
  questions.pass(2min, true);
  // Spread by now: on average one in 75 s, so 267 in a second.
  CHECK(questions.busiest_second() < 500);
  std::size_t local = 0;
  driver.site().hosts().for_each([&](HostIndex index) {
    if (driver.site().hosts()[index].state == HostState::kLocal) ++local;
  });
  CHECK(local == kMany);
}

TEST_CASE("20,000 provisional hosts all get their confirm window, however long the queue is") {
  SiteDriver driver = SiteDriver::running(wide_settings(1000));
  for (unsigned host = 2; host < kMany + 2; ++host)
    driver.feed(arp(kDciPort, guest_mac(host), address(host)));
  Questions questions(driver);
  for (unsigned host = 2; host < kMany + 2; ++host)
    questions.note(driver.feed(rarp(kPort1, guest_mac(host))));
  CHECK(driver.routes().size() == kMany);
  CHECK(driver.site().probes_waiting(kSegment) > kMany - 1000);
  questions.pass(25s, true);
  CHECK(driver.site().probes_waiting(kSegment) == 0);
  CHECK(questions.busiest_second() <= 1000);
  CHECK(questions.asked() == kMany);
  CHECK(driver.routes().size() == kMany);
}

TEST_CASE("a challenge overtakes the refreshes that wait") {
  SiteDriver driver = SiteDriver::running(wide_settings(100));
  for (unsigned host = 2; host < 2002; ++host) driver.feed(arp(kPort1, guest_mac(host), address(host)));
  driver.advance(90s);
  REQUIRE(driver.site().probes_waiting(kSegment) > 500);
  std::vector<ProbeRequest> probes = driver.feed(FdbGone{kPort1, guest_mac(5), false}).probes;
  if (probes.empty()) probes = driver.advance(100ms).probes;
  REQUIRE_FALSE(probes.empty());
  CHECK(probes.front().ip == address(5));
}

TEST_CASE("a silent host is not given up before it was asked and had time to answer") {
  SiteSettings settings = wide_settings(10);  // far too little: 2,000 hosts wait for minutes
  SiteDriver driver = SiteDriver::running(settings);
  for (unsigned host = 2; host < 2002; ++host) driver.feed(arp(kPort1, guest_mac(host), address(host)));
  Questions questions(driver);
  questions.pass(400s, true);
  CHECK(driver.routes().size() == 2000);
  CHECK(questions.busiest_second() <= 10);
}

TEST_CASE("hosts that do not answer are given up after silent-after, asked several times") {
  SiteDriver driver = SiteDriver::running(wide_settings(2000));
  for (unsigned host = 2; host < 102; ++host) driver.feed(arp(kPort1, guest_mac(host), address(host)));
  Questions questions(driver);
  questions.pass(179s, false);
  CHECK(driver.routes().size() == 100);
  CHECK(questions.asked() >= 500);
  questions.pass(10s, false);
  CHECK(driver.routes().empty());
}

TEST_CASE("a bridge that forgets early makes hosts be asked early") {
  SiteDriver driver = SiteDriver::running();
  CHECK(driver.site().refresh_of(kSegment) == 60s);
  driver.feed(BridgeAgeing{kSegment, 300s});
  CHECK(driver.site().refresh_of(kSegment) == 60s);
  driver.feed(BridgeAgeing{kSegment, 30s});
  CHECK(driver.site().refresh_of(kSegment) == 15s);
  driver.feed(arp(kPort1, mac(0x11), ip(11)));
  Questions questions(driver);
  questions.pass(24s, true);
  CHECK(questions.asked() >= 1);
  driver.feed(BridgeAgeing{kSegment, 0s});
  CHECK(driver.site().refresh_of(kSegment) == 60s);
}

// ---- sweep ----------------------------------------------------------------

TEST_CASE("a sweep walks every address of every IPv4 subnet once") {
  Sweeper sweeper({IpPrefix::parse("192.0.2.248/29").value(), IpPrefix::parse("2001:db8::/64").value(),
                   IpPrefix::parse("198.51.100.254/31").value()},
                  1000);
  CHECK_FALSE(sweeper.next());
  sweeper.start();
  std::vector<std::string> walked;
  while (const auto ip = sweeper.next()) walked.push_back(ip->to_string());
  CHECK(walked == std::vector<std::string>{"192.0.2.248", "192.0.2.249", "192.0.2.250", "192.0.2.251",
                                           "192.0.2.252", "192.0.2.253", "192.0.2.254", "192.0.2.255",
                                           "198.51.100.254", "198.51.100.255"});
  CHECK_FALSE(sweeper.walks());
}

TEST_CASE(
    "with sweep every unknown address is asked once on all local ports, slowly, and known ones are not") {
  SiteSettings settings = default_settings();
  settings.segments.front().sweep = true;
  settings.segments.front().probe_rate = 100;
  SiteDriver driver = SiteDriver::starting(settings);
  driver.feed(OwnAddress{kSegment, ip(2)});
  driver.feed(arp(kPort1, mac(0x11), ip(11)));
  driver.feed(arp(kDciPort, mac(0x12), ip(12)));
  driver.feed(DumpFinished{});
  std::multiset<IpAddress> asked;
  std::size_t most = 0;
  for (int second = 0; second < 40; ++second) {
    const std::vector<ProbeRequest> probes = driver.advance(1s).probes;
    most = std::max(most, probes.size());
    for (const ProbeRequest& probe : probes) {
      CHECK_FALSE(probe.port);
      CHECK_FALSE(probe.mac);
      asked.insert(probe.ip);
    }
    driver.feed(arp(kPort1, mac(0x11), ip(11)));
  }
  CHECK(most <= 11);
  // 254 addresses without the gateway, our own, the two that are known and the 15 excluded ones below .255.
  CHECK(asked.size() == 254 - 1 - 1 - 2 - 15);
  CHECK(std::set<IpAddress>(asked.begin(), asked.end()).size() == asked.size());
  CHECK(asked.count(ip(11)) == 0);
  CHECK(asked.count(kGateway) == 0);
  CHECK_FALSE(driver.site().sweeps(kSegment));
}

TEST_CASE("without sweep nobody is asked who was never heard of") {
  SiteDriver driver = SiteDriver::running();
  CHECK(driver.advance(10min).probes.empty());
}

TEST_CASE("lost frames lead to a sweep, but only when a local MAC is left without an address") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(arp(kPort1, mac(0x11), ip(11)));
  driver.feed(FramesLost{kSegment});
  driver.feed(DumpStarted{});
  driver.feed(dumped(kPort1, mac(0x11)));
  driver.feed(DumpFinished{});
  CHECK_FALSE(driver.site().sweeps(kSegment));
  driver.feed(FramesLost{kSegment});
  driver.feed(DumpStarted{});
  driver.feed(dumped(kPort1, mac(0x11)));
  driver.feed(dumped(kPort1, mac(0x22)));
  driver.feed(DumpFinished{});
  REQUIRE(driver.site().sweeps(kSegment));
  bool found = false;
  for (int step = 0; step < 100 && !found; ++step) {
    const std::vector<ProbeRequest> probes = driver.advance(100ms).probes;
    found = std::any_of(probes.begin(), probes.end(),
                        [](const ProbeRequest& probe) { return probe.ip == ip(22); });
  }
  REQUIRE(found);
  driver.feed(arp_reply(kPort1, mac(0x22), ip(22)));
  CHECK(driver.state(ip(22)) == HostState::kLocal);
}

TEST_CASE("frames lost while a sweep is under way may have been its answers: another one follows, once") {
  SiteDriver driver = SiteDriver::running();
  driver.feed(FramesLost{kSegment});
  driver.feed(DumpStarted{});
  driver.feed(dumped(kPort1, mac(0x22)));
  driver.feed(DumpFinished{});
  REQUIRE(driver.site().sweeps(kSegment));
  driver.feed(FramesLost{kSegment});
  int asked = 0;
  for (int step = 0; step < 600 && driver.site().sweeps(kSegment); ++step) {
    for (const ProbeRequest& probe : driver.advance(100ms).probes) asked += probe.ip == ip(22) ? 1 : 0;
  }
  CHECK(asked == 2);
  CHECK_FALSE(driver.site().sweeps(kSegment));
}

}  // namespace untrombone::core
