// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/claims.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/site_driver.hpp"

namespace untrombone::core {
namespace {

using testing::ip;

constexpr ClaimList kOne{0};
constexpr ClaimList kOther{1};
constexpr VrfId kDefault{};
constexpr TimePoint kNow{std::chrono::seconds(100)};
const IpAddress kNextHop = IpAddress::v4({198, 51, 100, 2});

RouteKey host_key(unsigned last) { return {kDefault, IpPrefix::host(ip(last))}; }

ClaimSeen seen(RouteKey key, RouteClass route_class = RouteClass::kFresh, ClaimList list = kOne,
               std::optional<std::uint32_t> metric = 999) {
  return {list, key, route_class, metric, kNextHop};
}

}  // namespace

TEST_CASE("a claim is news when it is new, when it becomes fresh and when it outbids", "[claims]") {
  Claims claims;
  CHECK(claims.see(seen(host_key(11), RouteClass::kSettled), kNow));
  CHECK_FALSE(claims.see(seen(host_key(11), RouteClass::kSettled), kNow));
  CHECK(claims.see(seen(host_key(11)), kNow));
  CHECK_FALSE(claims.see(seen(host_key(11)), kNow));
  CHECK(claims.see(seen(host_key(11), RouteClass::kFresh, kOne, 998), kNow));
  CHECK_FALSE(claims.see(seen(host_key(11), RouteClass::kSettled), kNow));
}

TEST_CASE("a second list that shows the same claim is no news", "[claims]") {
  Claims claims;
  CHECK(claims.see(seen(host_key(11)), kNow));
  CHECK_FALSE(claims.see(seen(host_key(11), RouteClass::kFresh, kOther), kNow));
  CHECK(claims.size() == 1);
  CHECK(claims.of(host_key(11)).size() == 2);
  claims.forget({kOne, host_key(11)});
  CHECK(claims.of(host_key(11)).size() == 1);
  claims.forget({kOne, host_key(11)});
  claims.forget({kOther, host_key(11)});
  CHECK(claims.size() == 0);
  CHECK(claims.of(host_key(11)).empty());
}

TEST_CASE("what a list does not show any more is gone, and nothing of other lists", "[claims]") {
  Claims claims;
  claims.begin(kOne);
  claims.see(seen(host_key(11)), kNow);
  claims.see(seen(host_key(12)), kNow);
  claims.see(seen(host_key(13), RouteClass::kFresh, kOther), kNow);
  claims.sweep(kOne);
  CHECK(claims.size() == 3);
  CHECK(claims.size_of(kOne) == 2);
  const auto version = claims.version();
  claims.begin(kOne);
  claims.see(seen(host_key(12)), kNow);
  claims.sweep(kOne);
  CHECK(claims.of(host_key(11)).empty());
  CHECK(claims.of(host_key(12)).size() == 1);
  CHECK(claims.of(host_key(13)).size() == 1);
  CHECK(claims.version() != version);
  claims.begin(kOne);  // a reading that fails half-way sweeps nothing
  claims.begin(kOne);
  claims.see(seen(host_key(12)), kNow);
  claims.see(seen(host_key(12)), kNow);
  claims.sweep(kOne);
  CHECK(claims.size_of(kOne) == 1);
  claims.begin(kOne);
  claims.forget({kOne, host_key(12)});
  claims.sweep(kOne);
  CHECK(claims.size_of(kOne) == 0);
}

TEST_CASE("the best metric is the lowest of what covers the address, lingering claims and bare ones aside",
          "[claims]") {
  Claims claims;
  CHECK_FALSE(claims.best_metric(kDefault, ip(11)));
  claims.see(seen(host_key(11), RouteClass::kSettled, kOne, 1000), kNow);
  claims.see(seen({kDefault, IpPrefix(ip(0), 28)}, RouteClass::kSettled, kOne, 700), kNow);
  claims.see(seen({kDefault, IpPrefix(ip(0), 27)}, RouteClass::kLingering, kOne, 1), kNow);
  claims.see(seen({kDefault, IpPrefix(ip(0), 26)}, RouteClass::kSettled, kOne, std::nullopt), kNow);
  claims.see(seen({VrfId{7}, IpPrefix::host(ip(11))}, RouteClass::kSettled, kOne, 2), kNow);
  CHECK(claims.best_metric(kDefault, ip(11)) == 700);
  CHECK(claims.best_metric(kDefault, ip(20)) == std::nullopt);
  CHECK(claims.best_metric(VrfId{7}, ip(11)) == 2);
  std::vector<unsigned> lengths;
  claims.for_each_covering(kDefault, ip(11), [&](const RouteKey& key, const Claims::Entry& entry) {
    lengths.push_back(key.prefix.length());
    CHECK(entry.from == kNextHop);
  });
  CHECK(lengths == std::vector<unsigned>{32, 28, 27, 26});
}

}  // namespace untrombone::core
