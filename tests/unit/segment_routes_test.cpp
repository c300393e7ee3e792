// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/segment_routes.hpp"

#include <random>
#include <set>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/counting_allocator.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;

/// All routes are acknowledged at once; everything that is due happens.
class Daemon {
 public:
  explicit Daemon(SegmentRoutes& routes) : routes_(routes) {}
  void arrive(const IpAddress& ip) { set(ip, RouteClass::kSettled); }
  void begin() {
    routes_.repeat_all(now_, out_);
    acknowledge();
  }
  void claim(const IpPrefix& prefix, bool claimed) {
    routes_.set_claimed(prefix, claimed, now_, out_);
    acknowledge();
  }
  void linger(const IpAddress& ip) { set(ip, RouteClass::kLingering); }
  void leave(const IpAddress& ip) { set(ip, RouteClass::kNone); }
  void wait(Duration duration) {
    const TimePoint end = now_ + duration;
    while (routes_.next_deadline() <= end) {
      now_ = std::max(now_, routes_.next_deadline());
      routes_.handle_time(now_, out_);
      acknowledge();
    }
    now_ = end;
  }
  [[nodiscard]] const std::set<IpPrefix>& announced() const { return announced_; }

 private:
  void set(const IpAddress& ip, RouteClass route_class) {
    routes_.set_host({ip, route_class, false, now_}, false, now_, out_);
    acknowledge();
  }
  void acknowledge() {
    while (!out_.empty()) {
      const Announcements told = std::exchange(out_, {});
      for (const Announcement& change : told) {
        if (change.route_class == RouteClass::kNone) {
          announced_.erase(change.prefix);
          continue;
        }
        announced_.insert(change.prefix);
        routes_.note(change.prefix, RouteNote::kInstalled, now_, out_);
      }
    }
  }

  SegmentRoutes& routes_;
  TimePoint now_{std::chrono::hours(1)};
  Announcements out_;
  std::set<IpPrefix> announced_;
};

TEST_CASE("announced routes: when all has settled, at most 24 octets each beside the engine") {
  for (const char* const subnet : {"10.0.0.0/16", "2001:db8::/112"}) {
    SegmentSettings settings;
    settings.subnets = {*IpPrefix::parse(subnet)};
    settings.budget = 1'000'000;
    const IpAddress base = settings.subnets.front().address();
    std::vector<IpAddress> hosts;
    std::mt19937 random(1);
    for (unsigned i = 2; i < 65000; ++i) {
      if (random() % 10 >= 6) continue;
      const auto high = static_cast<std::uint8_t>(i >> 8U);
      const auto low = static_cast<std::uint8_t>(i);
      hosts.push_back(base.is_v4()
                          ? IpAddress::v4({10, 0, high, low})
                          : IpAddress::v6({0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low}));
    }
    const std::size_t before = testing::allocations.bytes_held;
    SegmentRoutes routes(settings, {0}, base.family());
    {
      Daemon daemon(routes);
      for (const IpAddress& ip : hosts) daemon.arrive(ip);
      daemon.wait(std::chrono::hours(3));
    }
    const std::size_t held = testing::allocations.bytes_held - before;
    REQUIRE(routes.routes() == routes.ideal().size());
    REQUIRE(routes.routes() > hosts.size() / 2);
    const auto beside_engine = static_cast<double>(held) - static_cast<double>(routes.ideal().bytes());
    CHECK(beside_engine / static_cast<double>(routes.routes()) <= 24);
  }
}

TEST_CASE("announced routes: over the budget exact becomes cover, and exact again when it fits") {
  SegmentSettings settings;
  settings.subnets = {*IpPrefix::parse("192.0.2.0/24")};
  settings.budget = 4;
  const auto ip = [](unsigned last) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(last)}); };
  SegmentRoutes routes(settings, {0}, Family::kIpv4);
  Daemon daemon(routes);
  for (const unsigned last : {10U, 20U, 30U, 40U}) daemon.arrive(ip(last));
  daemon.wait(10min);
  CHECK_FALSE(routes.is_over_budget());
  CHECK(daemon.announced().size() == 4);

  daemon.arrive(ip(50));
  daemon.wait(settings.hold - 1s);
  CHECK_FALSE(routes.is_over_budget());
  daemon.wait(1min);
  CHECK(routes.is_over_budget());
  CHECK(daemon.announced() == std::set{*IpPrefix::parse("192.0.2.0/25")});

  daemon.leave(ip(50));  // four are the budget, but no three quarters of it
  daemon.wait(1h);
  CHECK(routes.is_over_budget());
  daemon.leave(ip(40));
  daemon.wait(1h);
  CHECK_FALSE(routes.is_over_budget());
  CHECK(daemon.announced() ==
        std::set{IpPrefix::host(ip(10)), IpPrefix::host(ip(20)), IpPrefix::host(ip(30))});
}

TEST_CASE(
    "announced routes: a settled host behind a home block has its own route while another site attracts it") {
  SegmentSettings settings;
  settings.subnets = {*IpPrefix::parse("192.0.2.0/24")};
  settings.mode = SummaryMode::kHome;
  const IpPrefix block = *IpPrefix::parse("192.0.2.32/28");
  settings.home_blocks = {block};
  const IpAddress ip = IpAddress::v4({192, 0, 2, 36});
  const IpPrefix claim = *IpPrefix::parse("192.0.2.36/31");
  SegmentRoutes routes(settings, {0}, Family::kIpv4);
  Daemon daemon(routes);
  daemon.begin();
  daemon.arrive(ip);
  daemon.wait(10min);
  CHECK(daemon.announced() == std::set{block});
  daemon.claim(claim, true);
  CHECK(daemon.announced() == std::set{block, IpPrefix::host(ip)});
  daemon.arrive(ip);
  daemon.wait(10min);
  CHECK(daemon.announced() == std::set{block, IpPrefix::host(ip)});
  daemon.claim(claim, false);
  CHECK(daemon.announced() == std::set{block, IpPrefix::host(ip)});
  daemon.wait(10min);
  CHECK(daemon.announced() == std::set{block});
}

/// Four hosts, announced as one summary.
struct Quad {
  Quad() {
    for (const IpAddress& ip : hosts) daemon.arrive(ip);
    daemon.wait(10min);
    REQUIRE(daemon.announced() == std::set{summary});
  }
  static SegmentSettings settings() {
    SegmentSettings settings;
    settings.subnets = {*IpPrefix::parse("192.0.2.0/24")};
    settings.linger = 5s;
    settings.break_delay = 1s;
    return settings;
  }

  const IpPrefix summary = *IpPrefix::parse("192.0.2.4/30");
  const std::vector<IpAddress> hosts{IpAddress::v4({192, 0, 2, 4}), IpAddress::v4({192, 0, 2, 5}),
                                     IpAddress::v4({192, 0, 2, 6}), IpAddress::v4({192, 0, 2, 7})};
  const std::set<IpPrefix> others{IpPrefix::host(hosts[0]), *IpPrefix::parse("192.0.2.6/31")};
  const std::set<IpPrefix> all{IpPrefix::host(hosts[0]), summary, *IpPrefix::parse("192.0.2.6/31")};
  SegmentRoutes routes{settings(), {0}, Family::kIpv4};
  Daemon daemon{routes};
};

TEST_CASE("announced routes: a host that left lingers by its summary, which stays for it") {
  Quad quad;
  quad.daemon.linger(quad.hosts[1]);
  CHECK(quad.daemon.announced() == quad.all);
  quad.daemon.wait(4s);
  CHECK(quad.daemon.announced() == quad.all);
  quad.daemon.leave(quad.hosts[1]);
  quad.daemon.wait(1s);
  CHECK(quad.daemon.announced() == quad.others);
}

TEST_CASE(
    "announced routes: a summary goes after break-delay when the host that left has its new route by then") {
  Quad quad;
  quad.daemon.linger(quad.hosts[1]);
  quad.daemon.leave(quad.hosts[1]);
  quad.daemon.wait(900ms);
  CHECK(quad.daemon.announced() == quad.all);
  quad.daemon.wait(600ms);
  CHECK(quad.daemon.announced() == quad.others);
}

TEST_CASE("announced routes: a host that lingers beyond `linger` has a route of its own then") {
  Quad quad;
  quad.daemon.linger(quad.hosts[1]);
  quad.daemon.wait(5500ms);
  std::set<IpPrefix> with_own = quad.all;
  with_own.insert(IpPrefix::host(quad.hosts[1]));
  CHECK(quad.daemon.announced() == with_own);
  quad.daemon.wait(1s);
  with_own.erase(quad.summary);
  CHECK(quad.daemon.announced() == with_own);
  quad.daemon.leave(quad.hosts[1]);
  CHECK(quad.daemon.announced() == quad.others);
}

TEST_CASE("announced routes: hosts that leave one after the other linger by the summary that all have") {
  Quad quad;
  quad.daemon.linger(quad.hosts[1]);
  quad.daemon.linger(quad.hosts[2]);  // of 192.0.2.6/31, which is not solid yet
  quad.daemon.wait(4s);
  CHECK(quad.daemon.announced().contains(quad.summary));
  CHECK_FALSE(quad.daemon.announced().contains(IpPrefix::host(quad.hosts[2])));
  quad.daemon.leave(quad.hosts[1]);
  quad.daemon.leave(quad.hosts[2]);
  quad.daemon.wait(2s);
  CHECK(quad.daemon.announced() == std::set{IpPrefix::host(quad.hosts[0]), IpPrefix::host(quad.hosts[3])});
}

TEST_CASE(
    "announced routes: a host that comes back while it lingers by its summary has its own route at once") {
  Quad quad;
  quad.daemon.linger(quad.hosts[1]);
  quad.daemon.wait(2s);
  quad.daemon.arrive(quad.hosts[1]);
  quad.daemon.wait(10min);
  CHECK(quad.daemon.announced() == std::set{quad.summary});
}

TEST_CASE("announced routes: a host that left a home block needs no route that lingers") {
  SegmentSettings settings = Quad::settings();
  settings.mode = SummaryMode::kHome;
  settings.home_blocks = {*IpPrefix::parse("192.0.2.32/28")};
  const IpAddress ip = IpAddress::v4({192, 0, 2, 36});
  SegmentRoutes routes(settings, {0}, Family::kIpv4);
  Daemon daemon(routes);
  daemon.begin();
  daemon.arrive(ip);
  daemon.wait(10min);
  daemon.linger(ip);
  CHECK(daemon.announced() == std::set(settings.home_blocks.begin(), settings.home_blocks.end()));
  daemon.wait(10min);
  CHECK(daemon.announced() == std::set(settings.home_blocks.begin(), settings.home_blocks.end()));
}

}  // namespace
}  // namespace untrombone::core
