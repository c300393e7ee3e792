// SPDX-License-Identifier: GPL-2.0-or-later
// What the summaries of two sites cost the routed world: routes beside the fewest possible ones, and changes of routes
// while hosts move, flip and fail over. Virtual time; the sites hear each other's routes at once.
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "agent/core/announcer.hpp"
#include "agent/core/summary/bits.hpp"
#include "bench/workload.hpp"

namespace untrombone::bench {
namespace {

using core::RouteClass;
using core::SummaryMode;
using Site = std::size_t;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kSites = 2;
constexpr core::SegmentId kSegment{0};
constexpr std::uint32_t kFirst = 0x0a000000U;
constexpr seconds kSettle{30};
constexpr unsigned kHomeLength = 24;

struct Guest {
  std::uint32_t address = 0;
  Site site = 0;
};

core::IpAddress ip_of(const Guest& guest) { return core::summary::to_address(guest.address); }

/// The hosts of tenants, each tenant at one site.
std::vector<Guest> guests_of_tenants(std::size_t count, std::mt19937_64& random) {
  std::vector<Guest> guests;
  for (const Tenant& tenant : tenants(count, random)) {
    const Site site = random() % kSites;
    for (std::uint64_t i = 0; i < tenant.hosts; ++i)
      guests.push_back({static_cast<std::uint32_t>(kFirst + tenant.first + i), site});
  }
  return guests;
}

/// So many of a hundred guests are at the other site.
void drift(std::vector<Guest>& guests, unsigned percent, std::mt19937_64& random) {
  for (Guest& guest : guests) {
    if (random() % 100 < percent) guest.site = 1 - guest.site;
  }
}

// ---- the fewest routes -------------------------------------------------------------------------------------------

/// With holes, all sites together, unknown addresses to whoever: ORTC's count, as the parsimony of the tree of labels.
class Fewest {
 public:
  explicit Fewest(const std::vector<Guest>& guests) : guests_(guests) {}
  std::size_t count(unsigned length) {
    splits_ = 0;
    const unsigned root = labels(0, guests_.size(), length);
    return splits_ + ((root & kNobody) == 0 ? 1 : 0);
  }

 private:
  static constexpr unsigned kNobody = 1U << kSites;
  static constexpr unsigned kAnything = 2 * kNobody - 1;

  unsigned labels(std::size_t first, std::size_t last, unsigned length) {
    if (first == last) return kAnything;
    if (length == 32) return 1U << guests_[first].site;
    const std::uint32_t bit = 1U << (31 - length);
    const auto begin = guests_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = guests_.begin() + static_cast<std::ptrdiff_t>(last);
    const auto middle = static_cast<std::size_t>(
        std::partition_point(begin, end, [&](const Guest& guest) { return (guest.address & bit) == 0; }) -
        guests_.begin());
    const unsigned left = labels(first, middle, length + 1);
    const unsigned right = labels(middle, last, length + 1);
    if ((left & right) != 0) return left & right;
    ++splits_;
    return left | right;
  }

  const std::vector<Guest>& guests_;
  std::size_t splits_ = 0;
};

/// Each block belongs to the site of the most of its guests.
std::vector<core::IpPrefix> homes(const std::vector<Guest>& guests, Site site) {
  std::map<std::uint32_t, std::array<std::size_t, kSites>> blocks;
  for (const Guest& guest : guests) ++blocks[guest.address >> (32 - kHomeLength)][guest.site];
  std::vector<core::IpPrefix> found;
  for (const auto& [block, of] : blocks) {
    const Site owner = of[1] > of[0] ? 1 : 0;
    if (owner == site)
      found.emplace_back(core::summary::to_address(block << (32 - kHomeLength)), kHomeLength);
  }
  return found;
}

core::SegmentSettings segment_of(const std::vector<Guest>& guests, SummaryMode mode, Site site) {
  const unsigned bits = static_cast<unsigned>(std::bit_width(guests.back().address - kFirst));
  core::SegmentSettings segment;
  segment.subnets = {core::IpPrefix(core::summary::to_address(kFirst), 32 - bits)};
  segment.mode = mode;
  segment.budget = 10'000'000;
  if (mode == SummaryMode::kHome) segment.home_blocks = homes(guests, site);
  return segment;
}

// ---- two sites ---------------------------------------------------------------------------------------------------

class Sites {
 public:
  Sites(const std::vector<Guest>& guests, SummaryMode mode, core::Duration hold) {
    for (Site site = 0; site < kSites; ++site) {
      core::SegmentSettings segment = segment_of(guests, mode, site);
      segment.hold = hold;
      subnet_length_ = segment.subnets.front().length();
      core::SiteSettings settings;
      settings.segments = {segment};
      settings.routes.settle = kSettle;
      settings.routes.mass_threshold = 1'000'000;
      linger_ = segment.linger;
      announcers_.push_back(std::make_unique<core::Announcer>(settings));
    }
    for (Site site = 0; site < kSites; ++site) {
      core::Announcements homes;
      announcers_[site]->repeat_all(kSegment, now_, homes);
      take(site, homes);
    }
  }

  void place(const Guest& guest) {
    tell(guest.site, {ip_of(guest), RouteClass::kFresh, false, now_});
    later(kSettle, guest, guest.site, {ip_of(guest), RouteClass::kSettled, false, {}});
  }
  void move(Guest& guest) {
    const Site from = std::exchange(guest.site, 1 - guest.site);
    ++moves_[guest.address];
    tell(from, {ip_of(guest), RouteClass::kLingering, true, now_});  // by the frame that tells the other site
    place(guest);
    later(linger_, guest, from, {ip_of(guest), RouteClass::kNone, true, {}});
  }
  /// The site and all that it announces is gone; nobody knows where its guests are.
  void lose(Site site) {
    const auto gone = std::exchange(announced_[site], {});
    for (const auto& [prefix, route_class] : gone) pass_on(site, prefix, RouteClass::kNone);
    announcers_[site].reset();
  }
  void run(core::TimePoint until) {
    while (true) {
      core::TimePoint next = tasks_.empty() ? core::kNever : tasks_.top().at;
      for (const auto& announcer : announcers_) {
        if (announcer) next = std::min(next, announcer->next_deadline());
      }
      if (next > until) break;
      now_ = std::max(now_, next);
      while (!tasks_.empty() && tasks_.top().at <= now_) {
        const Task task = tasks_.top();
        tasks_.pop();
        task.run();
      }
      for (Site site = 0; site < kSites; ++site) {
        if (!announcers_[site] || announcers_[site]->next_deadline() > now_) continue;
        core::Announcements out;
        announcers_[site]->handle_time(now_, out);
        take(site, out);
      }
    }
    now_ = std::max(now_, until);
  }
  [[nodiscard]] core::TimePoint now() const { return now_; }
  [[nodiscard]] std::size_t routes() const { return announced_[0].size() + announced_[1].size(); }
  /// Prefixes more or less, so far; a change of class is none.
  [[nodiscard]] std::size_t changes() const { return changes_; }
  [[nodiscard]] unsigned subnet_length() const { return subnet_length_; }

 private:
  struct Task {
    core::TimePoint at;
    std::function<void()> run;
    bool operator<(const Task& other) const { return at > other.at; }
  };

  /// Tells that, unless the guest has moved on by then.
  void later(core::Duration delay, const Guest& guest, Site site, core::HostFact fact) {
    tasks_.push(
        {now_ + delay, [this, address = guest.address, site, fact, move = moves_[guest.address]]() mutable {
           fact.cause = now_;
           if (moves_[address] == move) tell(site, fact);
         }});
  }
  void tell(Site site, const core::HostFact& fact) {
    core::Announcements out;
    announcers_[site]->set_host(kSegment, fact, now_, out);
    take(site, out);
  }
  /// What a site announces is acknowledged, and heard by the other, at once.
  void take(Site site, const core::Announcements& out) {
    for (const core::Announcement& change : out) {
      auto& announced = announced_[site];
      const bool was = announced.contains(change.prefix);
      const bool is = change.route_class != RouteClass::kNone;
      changes_ += was == is ? 0U : 1U;
      if (is) {
        announced[change.prefix] = change.route_class;
        core::Announcements more;
        announcers_[site]->note(kSegment, change.prefix, core::RouteNote::kInstalled, now_, more);
        take(site, more);
      } else {
        announced.erase(change.prefix);
      }
      pass_on(site, change.prefix, change.route_class);
    }
  }
  void pass_on(Site site, const core::IpPrefix& prefix, RouteClass route_class) {
    const bool claimed = route_class == RouteClass::kFresh || route_class == RouteClass::kSettled;
    if (!announcers_[1 - site]) return;
    core::Announcements out;
    announcers_[1 - site]->set_claimed(kSegment, prefix, claimed, now_, out);
    take(1 - site, out);
  }

  std::vector<std::unique_ptr<core::Announcer>> announcers_;
  std::array<std::map<core::IpPrefix, RouteClass>, kSites> announced_;
  std::priority_queue<Task> tasks_;
  std::map<std::uint32_t, std::uint64_t> moves_;
  core::TimePoint now_{std::chrono::hours(1)};
  core::Duration linger_{};
  std::size_t changes_ = 0;
  unsigned subnet_length_ = 0;
};

constexpr std::array kModes{SummaryMode::kOff, SummaryMode::kExact, SummaryMode::kCover, SummaryMode::kHome};
constexpr std::array kNames{"off", "exact", "cover", "home"};

Sites settled(const std::vector<Guest>& guests, SummaryMode mode, core::Duration hold) {
  Sites sites(guests, mode, hold);
  for (const Guest& guest : guests) sites.place(guest);
  sites.run(sites.now() + std::chrono::hours(3));
  return sites;
}

void print_routes(std::size_t count) {
  fmt::print("routes of two sites together, tenants, {} hosts; so many are not at their tenant's site\n",
             count);
  fmt::print("  {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "moved", "exact", "cover", "home", "fewest",
             "home to it");
  for (const unsigned percent : {0U, 1U, 5U, 20U, 50U}) {
    std::mt19937_64 random(1);
    std::vector<Guest> guests = guests_of_tenants(count, random);
    drift(guests, percent, random);
    fmt::print("  {:>4} %", percent);
    std::size_t routes = 0;
    unsigned length = 0;
    for (const std::size_t mode : {1U, 2U, 3U}) {
      const Sites sites = settled(guests, kModes[mode], seconds(30));
      routes = sites.routes();
      length = sites.subnet_length();
      fmt::print(" {:>9}", routes);
    }
    const std::size_t fewest = Fewest(guests).count(length);
    fmt::print(" {:>9} {:>+8.0f} %\n", fewest,
               100.0 * (static_cast<double>(routes) / static_cast<double>(fewest) - 1));
  }
}

struct IdealChanges {
  double fewest = 0;
  double with_own_routes = 0;
};

/// Changes a move of the fewest routes that each mode can have, were each site to announce them at every instant: no
/// hold, nothing that lingers, and each site knows of every guest where it is. Then the same with a route of its own
/// for each guest that arrives, for as short a time as may be: two changes more where a summary stands for it.
IdealChanges changes_of_the_ideal(std::vector<Guest> guests, SummaryMode mode, std::size_t moves,
                                  std::mt19937_64 random) {
  std::vector<core::summary::Summarizer> sites;
  std::vector<core::summary::PrefixChange> changes;
  for (Site site = 0; site < kSites; ++site)
    sites.emplace_back(segment_of(guests, mode, site), core::Family::kIpv4, mode);
  const auto place = [&](const Guest& guest) {
    sites[1 - guest.site].set_local(ip_of(guest), false, changes);
    sites[1 - guest.site].set_remote(ip_of(guest), true, changes);
    sites[guest.site].set_remote(ip_of(guest), false, changes);
    sites[guest.site].set_local(ip_of(guest), true, changes);
  };
  for (const Guest& guest : guests) place(guest);
  std::size_t fewest = 0;
  std::size_t own_routes = 0;
  for (std::size_t i = 0; i < moves; ++i) {
    Guest& guest = guests[random() % guests.size()];
    guest.site = 1 - guest.site;
    changes.clear();
    place(guest);
    fewest += changes.size();
    own_routes += sites[guest.site].top_of(ip_of(guest)).is_host() ? 0U : 2U;
  }
  const auto a_move = [&](std::size_t count) {
    return static_cast<double>(count) / static_cast<double>(moves);
  };
  return {a_move(fewest), a_move(fewest + own_routes)};
}

void print_moves(std::size_t count) {
  const std::size_t moves = count / 2;
  fmt::print(
      "\nsingle moves, {} in an hour, tenants, {} hosts: changes a move, both sites; a pure /32 design: 2\n",
      moves, count);
  for (const std::size_t mode : {1U, 2U, 3U}) {
    std::mt19937_64 random(1);
    std::vector<Guest> guests = guests_of_tenants(count, random);
    const IdealChanges ideal = changes_of_the_ideal(guests, kModes[mode], moves, random);
    Sites sites = settled(guests, kModes[mode], seconds(30));
    const std::size_t before = sites.changes();
    for (std::size_t i = 0; i < moves; ++i) {
      sites.run(sites.now() + std::chrono::duration_cast<core::Duration>(minutes(60)) / moves);
      sites.move(guests[random() % guests.size()]);
    }
    sites.run(sites.now() + std::chrono::hours(3));
    fmt::print(
        "  {:<6} {:>6.2f}   {} routes then; the ideal at every instant: {:.2f}, with the mover's own: "
        "{:.2f}\n",
        kNames[mode], static_cast<double>(sites.changes() - before) / static_cast<double>(moves),
        sites.routes(), ideal.fewest, ideal.with_own_routes);
  }
}

/// The last but one of a full /24 goes and comes.
void print_flips() {
  fmt::print("\none host of a full /24 goes to and fro: changes a flip, exact, hold 30 s\n");
  for (const auto every : {std::chrono::milliseconds(500), std::chrono::milliseconds(45'000),
                           std::chrono::milliseconds(120'000)}) {
    std::vector<Guest> guests;
    for (std::uint32_t i = 0; i < 512; ++i) guests.push_back({kFirst + i, i < 256 ? Site{0} : Site{1}});
    Sites sites = settled(guests, SummaryMode::kExact, seconds(30));
    const std::size_t before = sites.changes();
    constexpr std::size_t kFlips = 400;
    for (std::size_t i = 0; i < kFlips; ++i) {
      sites.move(guests[100]);
      sites.run(sites.now() + every);
    }
    fmt::print("  every {:>5.1f} s {:>6.2f}\n", static_cast<double>(every.count()) / 1e3,
               static_cast<double>(sites.changes() - before) / static_cast<double>(kFlips));
  }
}

/// Site 0 is lost; its guests come up at site 1 in random order within a minute.
void print_failover(std::size_t count) {
  fmt::print(
      "\na site of two is lost, its half of {} hosts comes up at the other within a minute: changes a host\n",
      count);
  for (const std::size_t mode : {1U, 2U, 3U}) {
    std::mt19937_64 random(1);
    std::vector<Guest> guests = guests_of_tenants(count, random);
    Sites sites = settled(guests, kModes[mode], seconds(30));
    std::vector<std::size_t> lost;
    for (std::size_t i = 0; i < guests.size(); ++i) {
      if (guests[i].site == 0) lost.push_back(i);
    }
    std::shuffle(lost.begin(), lost.end(), random);
    sites.lose(0);
    const std::size_t before = sites.changes();
    for (const std::size_t index : lost) {
      sites.run(sites.now() + std::chrono::duration_cast<core::Duration>(minutes(1)) / lost.size());
      guests[index].site = 1;
      sites.place(guests[index]);
    }
    sites.run(sites.now() + std::chrono::hours(3));
    fmt::print("  {:<6} {:>6.2f}   {} routes then\n", kNames[mode],
               static_cast<double>(sites.changes() - before) / static_cast<double>(lost.size()),
               sites.routes());
  }
}

}  // namespace
}  // namespace untrombone::bench

int main(int argc, char** argv) {
  CLI::App app("Summaries of two sites: routes beside the fewest possible, changes while hosts move");
  std::size_t hosts = 100'000;
  app.add_option("--hosts", hosts, "how many there are");
  CLI11_PARSE(app, argc, argv);
  untrombone::bench::print_routes(hosts);
  untrombone::bench::print_moves(hosts);
  untrombone::bench::print_flips();
  untrombone::bench::print_failover(hosts);
  return 0;
}
