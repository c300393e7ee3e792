// SPDX-License-Identifier: GPL-2.0-or-later
// Random lives of hosts under summaries, on virtual time, with a routing daemon that acknowledges late or not at all.
// At every instant, however the daemon may have ordered what it was told, each local host that once had a route has
// one; nothing is withdrawn before its replacement is old enough; and when it is quiet, the ideal set is announced.
#include <chrono>
#include <map>
#include <random>
#include <set>

#include <catch2/catch.hpp>

#include "agent/core/announcer.hpp"
#include "tests/scenario/summary_oracle.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;
using summary::BitPrefix;
using summary::to_bits;

constexpr SegmentId kSegment{0};
using Set = summary::testing::Oracle<std::uint32_t>::Set;

const IpPrefix kSubnet = *IpPrefix::parse("192.0.2.0/24");
IpAddress ip(unsigned last) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(last)}); }

SiteSettings settings_for(SummaryMode mode) {
  SegmentSettings segment;
  segment.name = "vlan10";
  segment.subnets = {kSubnet};
  segment.gateways = {ip(1)};
  segment.mode = mode;
  if (mode == SummaryMode::kHome) segment.home_blocks = {IpPrefix(ip(64), 26)};
  SiteSettings settings;
  settings.segments = {segment};
  settings.routes.mass_threshold = 20;
  return settings;
}

/// The announcer, the hosts as the site would tell them, and the daemon's view of the routes.
class World {
 public:
  World(SummaryMode mode, unsigned seed)
      : mode_(mode), random_(seed), settings_(settings_for(mode)), announcer_(settings_) {
    announcer_.repeat_all(kSegment, now_, out_);
    take();
  }

  void step() {
    const unsigned first = 2 + below(250);
    const unsigned count = below(8) == 0 ? 1 + below(30) : 1;  // sometimes a whole group
    const unsigned what = below(6);
    for (unsigned i = 0; i < count && first + i < 255; ++i) live(first + i, what);
    if (below(12) == 0) claim();
    if (below(40) == 0) repeat();
    if (below(40) == 0) reconfigure();
    constexpr Duration kPauses[] = {0ms, 1ms, 40ms, 700ms, 3s, 20s, 2min};
    pass(kPauses[below(std::size(kPauses))]);
  }

  /// Everybody settles, others' claims go, and nothing happens for hours.
  void settle() {
    for (auto& [last, route_class] : classes_) {
      if (route_class == RouteClass::kFresh) tell(last, RouteClass::kSettled);
      if (route_class == RouteClass::kLingering) tell(last, RouteClass::kNone);
    }
    const Set claims = claims_;
    for (const auto& prefix : claims) set_claim(prefix, false);
    while (settings_.segments[0].mode != mode_) reconfigure();
    pass(5h);
    Set announced;
    for (const auto& [prefix, route] : routes_) announced.insert(BitPrefix<std::uint32_t>::of(prefix));
    REQUIRE(announced == ideal());
  }

  [[nodiscard]] std::size_t changes() const { return changes_; }

  void pass(Duration by) {
    const TimePoint until = now_ + by;
    while (true) {
      TimePoint next = std::min(until, announcer_.next_deadline());
      if (!acks_.empty()) next = std::min(next, acks_.begin()->first);
      now_ = std::max(now_, next);
      if (!acks_.empty() && acks_.begin()->first <= now_) {
        acknowledge();
      } else if (announcer_.next_deadline() <= now_) {
        announcer_.handle_time(now_, out_);
        take();
      } else if (now_ >= until) {
        return;
      }
    }
  }

  void tell(unsigned last, RouteClass route_class, bool remote = false) {
    if (!is_local(last)) covered_.erase(last);
    classes_[last] = route_class;
    remote_[last] = remote;
    if (!is_local(last)) covered_.erase(last);
    announcer_.set_host(kSegment, {ip(last), route_class, remote, now_}, now_, out_);
    take();
  }

 private:
  struct Programmed {
    TimePoint sent;
    std::optional<TimePoint> acked;
  };

  unsigned below(std::size_t bound) { return static_cast<unsigned>(random_() % bound); }
  [[nodiscard]] bool is_local(unsigned last) const {
    const auto found = classes_.find(last);
    return found != classes_.end() &&
           (found->second == RouteClass::kFresh || found->second == RouteClass::kSettled);
  }

  void live(unsigned last, unsigned what) {
    if (!is_local(last)) {
      if (what < 4) return tell(last, RouteClass::kFresh);
      return tell(last, classes_[last] == RouteClass::kLingering ? RouteClass::kNone : classes_[last],
                  what == 4);
    }
    if (what == 0) return tell(last, RouteClass::kLingering);
    if (what == 1) return tell(last, RouteClass::kNone, true);
    if (what < 5) tell(last, RouteClass::kSettled);
  }
  void claim() {
    const auto prefix = BitPrefix<std::uint32_t>::of(to_bits<std::uint32_t>(ip(below(256))), 32 - below(5));
    set_claim(prefix, !claims_.contains(prefix));
  }
  void set_claim(const BitPrefix<std::uint32_t>& prefix, bool visible) {
    visible ? void(claims_.insert(prefix)) : void(claims_.erase(prefix));
    announcer_.set_claimed(kSegment, prefix.to_prefix(), visible, now_, out_);
    take();
  }
  /// The interface was away and is back: all routes are sent again.
  void repeat() {
    for (auto& [prefix, route] : routes_) route = {now_, std::nullopt};
    covered_.clear();
    acks_.clear();
    announcer_.repeat_all(kSegment, now_, out_);
    take();
    std::set<IpPrefix> sent_again;
    for (const auto& [at, prefix] : acks_) sent_again.insert(prefix);
    for (const auto& [prefix, route] : routes_) {
      INFO(prefix.to_string());
      REQUIRE(sent_again.contains(prefix));
    }
  }

  /// Other settings while it runs: another hold, for a while another mode.
  void reconfigure() {
    settings_.segments[0].hold = std::chrono::seconds(20 + below(20));
    settings_.segments[0].mode = mode_ == SummaryMode::kCover && below(2) == 0 ? SummaryMode::kExact : mode_;
    const std::vector<SegmentId> changed = announcer_.reconfigure(settings_, now_, out_);
    take();
    for (const auto& [last, route_class] : classes_) {
      if (changed.empty()) return;
      announcer_.set_host(kSegment, {ip(last), route_class, remote_[last], now_}, now_, out_);
    }
    announcer_.start_complete(now_, out_);
    take();
  }

  /// The daemon notes what it is told, and answers some time later.
  void take() {
    for (const Announcement& change : out_) {
      ++changes_;
      const bool known = routes_.contains(change.prefix);
      if (change.route_class == RouteClass::kNone) {
        INFO("withdraws " << change.prefix.to_string());
        REQUIRE(known);
        check_withdrawal(change.prefix);
        routes_.erase(change.prefix);
      } else {
        if (!known) routes_[change.prefix] = {now_, std::nullopt};
        acks_.emplace(now_ + std::chrono::milliseconds(below(2) == 0 ? 10 : below(4000)), change.prefix);
      }
    }
    out_.clear();
    check_scope();
  }
  void acknowledge() {
    const IpPrefix prefix = acks_.begin()->second;
    acks_.erase(acks_.begin());
    const auto route = routes_.find(prefix);
    if (route == routes_.end()) return;
    if (!route->second.acked) route->second.acked = now_;
    for (const auto& [last, route_class] : classes_) {
      if (is_local(last) && prefix.contains(ip(last))) covered_.insert(last);
    }
    announcer_.note(kSegment, prefix, RouteNote::kInstalled, now_, out_);
    take();
  }

  /// Everyone behind it who has a route must have another one, acknowledged break-delay ago.
  void check_withdrawal(const IpPrefix& prefix) {
    for (const unsigned last : covered_) {
      if (!prefix.contains(ip(last))) continue;
      bool other = false;
      for (const auto& [another, route] : routes_) {
        other = other || (another != prefix && another.contains(ip(last)) && route.acked &&
                          now_ - *route.acked >= settings_.segments[0].break_delay);
      }
      if (!other) FAIL(ip(last).to_string() << " would have no route:" << routes_to(ip(last)));
    }
  }
  [[nodiscard]] std::string routes_to(const IpAddress& address) const {
    std::string text;
    for (const auto& [prefix, route] : routes_) {
      if (!prefix.contains(address)) continue;
      text += " " + prefix.to_string() + " sent " + std::to_string((now_ - route.sent) / 1ms) + " ms ago";
      if (route.acked) text += ", acknowledged " + std::to_string((now_ - *route.acked) / 1ms) + " ms ago";
    }
    return text;
  }
  /// Never outside the subnet; each local host is covered by something that was announced.
  void check_scope() const {
    for (const auto& [prefix, route] : routes_) {
      if (!kSubnet.contains(prefix) || prefix == kSubnet) FAIL(prefix.to_string() << " is out of bounds");
    }
    for (const auto& [last, route_class] : classes_) {
      if (!is_local(last)) continue;
      bool found = false;
      for (unsigned length = 25; length <= 32; ++length)
        found = found || routes_.contains(IpPrefix(ip(last), length));
      if (!found) FAIL(ip(last).to_string() << " is announced by nothing");
    }
  }

  [[nodiscard]] Set ideal() const {
    const bool covers = mode_ == SummaryMode::kCover;
    summary::testing::Oracle<std::uint32_t> oracle(BitPrefix<std::uint32_t>::of(kSubnet), 25, covers);
    for (const unsigned last : {0U, 1U, 255U}) oracle.free.insert(to_bits<std::uint32_t>(ip(last)));
    Set wanted;
    const auto& blocks = settings_.segments[0].home_blocks;
    for (const IpPrefix& block : blocks) wanted.insert(BitPrefix<std::uint32_t>::of(block));
    for (const auto& [last, route_class] : classes_) {
      if (is_local(last)) oracle.local.insert(to_bits<std::uint32_t>(ip(last)));
    }
    for (const auto& [last, remote] : remote_) {
      if (remote && !is_local(last)) oracle.remote.insert(to_bits<std::uint32_t>(ip(last)));
    }
    for (const auto& prefix : oracle.ideal()) {
      const bool at_home = std::any_of(blocks.begin(), blocks.end(), [&](const IpPrefix& block) {
        return block.contains(prefix.to_prefix());
      });
      if (!at_home) wanted.insert(prefix);
    }
    return wanted;
  }

  SummaryMode mode_;
  std::mt19937 random_;
  SiteSettings settings_;
  Announcer announcer_;
  TimePoint now_{1h};
  Announcements out_;
  std::map<unsigned, RouteClass> classes_;
  std::map<unsigned, bool> remote_;
  std::set<unsigned> covered_;  ///< local, and had a route that was acknowledged
  Set claims_;
  std::map<IpPrefix, Programmed> routes_;
  std::multimap<TimePoint, IpPrefix> acks_;
  std::size_t changes_ = 0;
};

void run(SummaryMode mode, unsigned seeds) {
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    INFO(to_string(mode) << ", seed " << seed);
    World world(mode, seed);
    for (int i = 0; i < 250; ++i) {
      INFO("step " << i);
      world.step();
    }
    world.settle();
  }
}

TEST_CASE("announcer: exact: no local host ever lacks a route, and the ideal set is reached") {
  run(SummaryMode::kExact, 25);
}
TEST_CASE("announcer: cover: no local host ever lacks a route, and the ideal set is reached") {
  run(SummaryMode::kCover, 25);
}
TEST_CASE("announcer: home: no local host ever lacks a route, and the ideal set is reached") {
  run(SummaryMode::kHome, 25);
}

TEST_CASE("announcer: a host that flaps in a full subnet costs little more than its own route (theorem 3)") {
  for (const Duration period : {Duration(500ms), Duration(45s), Duration(120s)}) {
    World world(SummaryMode::kExact, 1);
    for (unsigned last = 2; last < 255; ++last) world.tell(last, RouteClass::kSettled);
    world.pass(1h);
    const std::size_t before = world.changes();
    constexpr unsigned kFlips = 400;
    for (unsigned i = 0; i < kFlips; ++i) {
      world.tell(77, i % 2 == 0 ? RouteClass::kNone : RouteClass::kFresh);
      world.pass(period / 2);
      if (i % 2 == 1 && period > 30s) world.tell(77, RouteClass::kSettled);
      world.pass(period / 2);
    }
    const double per_flip = static_cast<double>(world.changes() - before) / kFlips;
    INFO("period " << period.count() / 1'000'000 << " ms: " << per_flip << " changes per flip");
    CHECK(per_flip <= 1.7);
    world.pass(5h);
  }
}

}  // namespace
}  // namespace untrombone::core
