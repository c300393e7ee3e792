// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/announced_summaries.hpp"

#include <map>
#include <random>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/core/segment_routes.hpp"
#include "tests/unit/counting_allocator.hpp"

namespace untrombone::core {
namespace {

using Model = std::map<IpPrefix, bool>;  ///< is it solid?

IpPrefix random_prefix(Family family, std::mt19937& random) {
  const auto high = static_cast<std::uint8_t>(random() % 4);
  const auto low = static_cast<std::uint8_t>(random());
  const auto shorter = static_cast<unsigned>(random() % 12);
  if (family == Family::kIpv4) return {IpAddress::v4({10, 1, high, low}), 31 - shorter};
  return {IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low}), 127 - shorter};
}

std::set<IpPrefix> inside(const AnnouncedSummaries& summaries, const IpPrefix& within) {
  std::set<IpPrefix> found;
  summaries.for_each(
      within, [&](const IpPrefix& prefix, const SummaryFlags&) { CHECK(found.insert(prefix).second); });
  return found;
}

void compare(const AnnouncedSummaries& summaries, const Model& model, const IpPrefix& within) {
  REQUIRE(summaries.size() == model.size());
  std::set<IpPrefix> expected;
  std::optional<IpPrefix> solid_cover;
  for (const auto& [prefix, solid] : model) {
    if (within.contains(prefix)) expected.insert(prefix);
    const bool longer = !solid_cover || prefix.length() > solid_cover->length();
    if (solid && longer && prefix.contains(within.address())) solid_cover = prefix;
  }
  REQUIRE(inside(summaries, within) == expected);
  REQUIRE(summaries.contains(within) == model.contains(within));
  const auto is_solid = [](const IpPrefix& /*prefix*/, const SummaryFlags& flags) { return flags.solid; };
  REQUIRE(summaries.find_cover(within.address(), is_solid) == solid_cover);
}

void live(Family family) {
  std::mt19937 random(static_cast<unsigned>(family));
  AnnouncedSummaries summaries(family);
  Model model;
  for (int step = 0; step < 12000; ++step) {
    const IpPrefix prefix = random_prefix(family, random);
    const bool grows = step % 6000 < 3000;  // it fills, is emptied, and again
    if (random() % 4 == 0 ? !grows : grows) {
      const bool solid = random() % 2 == 0;
      summaries.add(prefix).solid = model[prefix] = solid;
    } else if (model.erase(prefix) != 0) {
      summaries.remove(prefix);
    }
    if (step % 50 == 0) compare(summaries, model, random_prefix(family, random));
  }
  for (const auto& [prefix, solid] : model) summaries.remove(prefix);
  compare(summaries, {}, random_prefix(family, random));
}

/// All routes are acknowledged at once; everything that is due within hours happens.
class Daemon {
 public:
  explicit Daemon(SegmentRoutes& routes) : routes_(routes) {}
  void arrive(const IpAddress& ip) {
    routes_.set_host({ip, RouteClass::kSettled, false, now_}, false, now_, out_);
    acknowledge();
  }
  void wait() {
    const TimePoint end = now_ + std::chrono::hours(3);
    while (routes_.next_deadline() <= end) {
      now_ = std::max(now_, routes_.next_deadline());
      routes_.handle_time(now_, out_);
      acknowledge();
    }
  }

 private:
  void acknowledge() {
    while (!out_.empty()) {
      const Announcements told = std::exchange(out_, {});
      for (const Announcement& change : told) {
        if (change.route_class != RouteClass::kNone)
          routes_.note(change.prefix, RouteNote::kInstalled, now_, out_);
      }
    }
  }

  SegmentRoutes& routes_;
  TimePoint now_{std::chrono::hours(1)};
  Announcements out_;
};

TEST_CASE("announced summaries: what is inside a prefix and what covers an address, as in a plain map") {
  live(Family::kIpv4);
  live(Family::kIpv6);
}

TEST_CASE("announced summaries: no host route, nothing of the other family") {
  AnnouncedSummaries summaries(Family::kIpv4);
  summaries.add(*IpPrefix::parse("10.0.0.0/8"));
  summaries.add(*IpPrefix::parse("0.0.0.0/0"));
  CHECK_FALSE(summaries.contains(*IpPrefix::parse("10.0.0.0/32")));
  CHECK_FALSE(summaries.contains(*IpPrefix::parse("::/0")));
  CHECK(inside(summaries, *IpPrefix::parse("10.0.0.0/32")).empty());
  CHECK(inside(summaries, *IpPrefix::parse("0.0.0.0/0")).size() == 2);
  CHECK_THROWS_AS(summaries.at(*IpPrefix::parse("10.0.0.0/9")), std::out_of_range);
}

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
      daemon.wait();
    }
    const std::size_t held = testing::allocations.bytes_held - before;
    REQUIRE(routes.routes() == routes.ideal().size());
    REQUIRE(routes.routes() > hosts.size() / 2);
    const auto beside_engine = static_cast<double>(held) - static_cast<double>(routes.ideal().bytes());
    CHECK(beside_engine / static_cast<double>(routes.routes()) <= 24);
  }
}

}  // namespace
}  // namespace untrombone::core
