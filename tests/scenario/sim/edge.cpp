// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenario/sim/edge.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace untrombone::sim {
namespace {

using namespace std::chrono_literals;
using core::Ifindex;
using core::IpPrefix;
using core::MacAddress;
using core::Route;

constexpr Duration kAgeing = 300s;  // the kernel's default
constexpr Duration kAgeingScan = 5s;
constexpr Duration kShortestWayToZebra = 1ms;
constexpr Duration kLongestWayToZebra = 15ms;
constexpr Duration kLookup = 1ms;
constexpr std::uint8_t kBgpDistance = 200;
/// What zebra keeps of an agent that is gone: the default of `retain-time`.
constexpr Duration kRetainTime = 120s;

constexpr core::ClaimList kClaims{0};
constexpr MacAddress kSviMac{{0x00, 0x00, 0x5e, 0x00, 0x53, 0xfe}};

core::ClaimSeen claim(const IpPrefix& prefix, const Route& route) {
  // A backup has the tag of a lingering route.
  const core::RouteClass route_class =
      route.route_class == core::RouteClass::kBackup ? core::RouteClass::kLingering : route.route_class;
  return {kClaims, {{}, prefix}, route_class, route.metric, core::IpAddress::v4({198, 51, 100, 1})};
}

}  // namespace

Edge::Edge(Scheduler& scheduler, Random& random, core::SiteSettings settings, Ports ports)
    : scheduler_(scheduler), random_(random), settings_(std::move(settings)), ports_(std::move(ports)) {
  start_agent();
  scheduler_.after(kAgeingScan, [this] { age(); });
}

void Edge::hear(Ifindex port, const Frame& frame) {
  learn(port, frame.mac);
  if (!site_) return;
  if (frame.kind) {
    if (frame.address && *frame.kind != core::FrameKind::kRarp) neighbours_[*frame.address] = frame.mac;
    return feed(core::FrameSeen{port, *frame.kind, frame.mac, frame.address, false});
  }
  const auto strangers = site_->strangers();
  const bool heard = std::any_of(strangers.begin(), strangers.end(), [&](const core::Stranger& stranger) {
    return stranger.mac == frame.mac && stranger.port == port;
  });
  if (heard && frame.address) feed(core::SourceSeen{port, frame.mac, *frame.address});
}

void Edge::learn_claim(const IpPrefix& prefix, const std::optional<Route>& route) {
  if (ports_.trace && (route || others_.contains(prefix)))
    ports_.trace(
        fmt::format("hears {} {}", prefix.to_string(), route ? to_string(route->route_class) : "is gone"));
  const core::RouteKey key{{}, prefix};
  if (route) {
    others_[prefix] = *route;
    feed(claim(prefix, *route));
  } else if (others_.erase(prefix) != 0) {
    feed(core::ClaimGone{kClaims, key});
  }
  select(prefix);
}

void Edge::crash_agent() {
  if (!site_) return;
  site_.reset();
  ++life_;
  wanted_.clear();
  wake_at_ = core::kNever;
  deaf_ = false;
  scheduler_.after(kRetainTime, [this, life = life_] {
    if (life == life_) sweep();
  });
}

/// What daemon::Agent does: links, the routes of an earlier run, the tables, and then events.
void Edge::start_agent() {
  if (site_) return;
  site_.emplace(settings_);
  ++life_;
  feed(core::InterfaceChanged{kSegment, kSvi, kSviMac, true});
  for (const Ifindex port : {kDciPort, kFirstLocalPort, kSecondLocalPort}) {
    const auto port_class = port == kDciPort ? core::PortClass::kDci : core::PortClass::kLocal;
    feed(core::PortChanged{kSegment, port, port_class, true});
  }
  feed(core::DumpStarted{});
  for (const auto& [mac, entry] : fdb_) feed(core::FdbSeen{entry.port, mac, false, {}, true});
  for (const auto& [ip, mac] : neighbours_) feed(core::NeighbourSeen{kSegment, ip, mac});
  for (const auto& [prefix, route] : rib_) {
    if (prefix.is_host()) {
      feed(core::PriorRoute{kSegment, prefix.address()});
    } else {
      feed(core::PriorSummary{kSegment, prefix});
    }
  }
  for (const auto& [prefix, route] : others_) feed(claim(prefix, route));
  feed(core::DumpFinished{});
}

void Edge::resync() {
  deaf_ = false;
  if (!site_) return;
  feed(core::DumpStarted{});
  for (const auto& [mac, entry] : fdb_) feed(core::FdbSeen{entry.port, mac, false, {}, true});
  feed(core::DumpFinished{});
}

void Edge::lose_zebra() {
  zebra_runs_ = false;
  ++zebra_life_;
  for (const IpPrefix& prefix : selected_) ports_.announce(prefix, std::nullopt);
  selected_.clear();
  rib_.clear();
}

void Edge::restart_zebra() {
  if (zebra_runs_) return;
  zebra_runs_ = true;
  for (const auto& [prefix, route] : wanted_) program(prefix, route);
}

void Edge::learn(Ifindex port, const MacAddress& mac) {
  const auto found = fdb_.find(mac);
  const bool event = found == fdb_.end() || found->second.port != port;
  fdb_[mac] = {port, scheduler_.now()};
  if (event && ports_.trace) ports_.trace(fmt::format("learns {} on port {}", mac.to_string(), port.value));
  if (event && !deaf_) feed(core::FdbSeen{port, mac, false});
}

void Edge::age() {
  for (auto entry = fdb_.begin(); entry != fdb_.end();) {
    if (entry->second.refreshed + kAgeing > scheduler_.now()) {
      ++entry;
      continue;
    }
    const core::FdbGone gone{entry->second.port, entry->first, true};
    entry = fdb_.erase(entry);
    if (!deaf_) feed(gone);
  }
  scheduler_.after(kAgeingScan, [this] { age(); });
}

void Edge::feed(const core::Event& event) {
  if (!site_) return;
  site_->handle(event, scheduler_.now(), scheduler_.now(), actions_);
  act();
}

void Edge::act() {
  const core::Actions done = std::exchange(actions_, {});
  if (ports_.trace) trace(done);
  for (const core::RouteChange& change : done.routes) apply(change);
  for (const core::ProbeRequest& probe : done.probes) ports_.probe(probe);
  for (const core::FdbLookup& lookup : done.lookups) look_up(lookup);
  if (done.start_complete) sweep();
  wake();
}

/// The bridge is asked for one entry.
void Edge::look_up(const core::FdbLookup& lookup) {
  scheduler_.after(kLookup, [this, lookup, life = life_] {
    if (life != life_) return;
    const auto found = fdb_.find(lookup.mac);
    if (found != fdb_.end()) {
      feed(core::FdbSeen{found->second.port, lookup.mac, false});
    } else {
      feed(core::FdbGone{lookup.port, lookup.mac, false});
    }
  });
}

void Edge::trace(const core::Actions& done) const {
  const auto class_of = [](const std::optional<Route>& route) {
    return route ? to_string(route->route_class) : std::string_view("withdrawn");
  };
  for (const core::Transition& change : done.transitions) {
    ports_.trace(
        fmt::format("{} is {}: {}", change.ip.to_string(), to_string(change.to), to_string(change.reason)));
  }
  for (const core::RouteChange& change : done.routes)
    ports_.trace(fmt::format("{} {}", change.key.prefix.to_string(), class_of(change.route)));
}

/// Sets the alarm clock, as Agent::arm_timer() does.
void Edge::wake() {
  const TimePoint next = site_->next_deadline();
  if (next == wake_at_ || next == core::kNever) return;
  wake_at_ = next;
  scheduler_.at(next, [this, life = life_, next] {
    if (life != life_ || wake_at_ != next) return;
    wake_at_ = core::kNever;
    site_->handle_time(scheduler_.now(), actions_);
    act();
  });
}

void Edge::apply(const core::RouteChange& change) {
  ++changes_;
  if (change.route) {
    wanted_[change.key.prefix] = *change.route;
  } else {
    wanted_.erase(change.key.prefix);
  }
  program(change.key.prefix, change.route);
}

/// The socket to zebra keeps the order.
void Edge::program(const IpPrefix& prefix, const std::optional<Route>& route) {
  if (!zebra_runs_) return;
  zebra_busy_until_ = std::max(zebra_busy_until_,
                               scheduler_.now() + random_.between(kShortestWayToZebra, kLongestWayToZebra));
  scheduler_.at(zebra_busy_until_, [this, prefix, route, life = zebra_life_] {
    if (life != zebra_life_) return;
    if (route) {
      rib_[prefix] = *route;
    } else if (rib_.erase(prefix) == 0) {
      return;
    }
    select(prefix);
    note(prefix, route ? core::RouteNote::kInstalled : core::RouteNote::kRemoved);
  });
}

/// zebra redistributes what it selects: ours, unless the other one's distance is better.
void Edge::select(const IpPrefix& prefix) {
  const auto ours = rib_.find(prefix);
  const bool better_won =
      others_.contains(prefix) && ours != rib_.end() && ours->second.distance > kBgpDistance;
  if (ours != rib_.end() && !better_won) {
    selected_.insert(prefix);
    ports_.announce(prefix, ours->second);
    return;
  }
  if (selected_.erase(prefix) == 0) return;
  ports_.announce(prefix, std::nullopt);
  if (better_won) note(prefix, core::RouteNote::kBetterWon);
}

void Edge::note(const IpPrefix& prefix, core::RouteNote note) {
  scheduler_.after(kShortestWayToZebra, [this, prefix, note, life = life_] {
    if (life == life_) feed(core::RouteNoted{{{}, prefix}, note});
  });
}

/// zebra removes what the agent that runs now did not send again.
void Edge::sweep() {
  std::vector<IpPrefix> stale;
  for (const auto& [prefix, route] : rib_) {
    if (!wanted_.contains(prefix)) stale.push_back(prefix);
  }
  for (const IpPrefix& prefix : stale) program(prefix, std::nullopt);
}

}  // namespace untrombone::sim
