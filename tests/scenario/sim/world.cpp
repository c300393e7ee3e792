// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenario/sim/world.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace untrombone::sim {
namespace {

using namespace std::chrono_literals;
using core::FrameKind;
using core::IpAddress;
using core::IpPrefix;
using core::MacAddress;

constexpr Duration kShortestDci = 1ms;
constexpr Duration kLongestDci = 40ms;
/// Longer than linger, the routing's way there and back, and a probe's.
constexpr Duration kStable = 6500ms;
/// Guests without flooding frames are only noticed to have left by probes: refresh, silent-after, and some.
constexpr Duration kUnnoticed = 260s;
/// A lingering route gives way to any other one; within the routing's way there and back that may be an outdated one.
constexpr Duration kRestless = 3s;
/// The routing's way to the other site, and back again.
constexpr Duration kAnswered = 3500ms;
/// A little less than what the settings say.
constexpr Duration kLinger = 4500ms;
constexpr Duration kQuietTime = 420s;
constexpr Duration kQemuBurst[] = {0ms, 50ms, 200ms, 450ms, 800ms};

/// Of all home blocks, its own.
core::SiteSettings settings_of(const History& history, SiteIndex site) {
  core::SiteSettings settings = history.settings;
  std::vector<IpPrefix>& blocks = settings.segments.front().home_blocks;
  if (!history.one_home_a_block) return settings;
  const std::vector<IpPrefix> all = std::exchange(blocks, {});
  if (site < all.size()) blocks = {all[site]};
  return settings;
}

MacAddress mac_of(std::size_t guest) {
  return {{0x00, 0x00, 0x5e, 0x00, 0x53, static_cast<std::uint8_t>(0x10 + guest)}};
}

}  // namespace

World::World(const History& history, Trace trace)
    : history_(history),
      trace_(std::move(trace)),
      random_(history.seed),
      routing_(scheduler_, random_, history.sites, history.routing,
               [this](SiteIndex site, const IpPrefix& prefix, const std::optional<core::Route>& route) {
                 if (history_.sites_hear_claims) edges_[site]->learn_claim(prefix, route);
               }),
      dci_busy_until_(history.sites, std::vector<TimePoint>(history.sites)),
      edges_checked_at_(history.sites) {
  for (SiteIndex site = 0; site < history.sites; ++site) {
    Edge::Ports ports;
    if (trace_) {
      ports.trace = [this, site](const std::string& line) {
        trace_(fmt::format("{} site {}: {}", stamp(), site, line));
      };
    }
    ports.probe = [this, site](const core::ProbeRequest& probe) { answer(site, probe); };
    ports.announce = [this, site](const IpPrefix& prefix, const std::optional<core::Route>& route) {
      routing_.announce(site, prefix, route);
    };
    edges_.push_back(
        std::make_unique<Edge>(scheduler_, random_, settings_of(history, site), std::move(ports)));
  }
  for (std::size_t i = 0; i < history.guests; ++i) {
    Guest guest;
    guest.mac = mac_of(i);
    guest.ip = IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(32 + i)});
    guest.flooding = random_.chance(80);
    guest.pause = random_.between(500ms, 20s);
    guests_.push_back(guest);
  }
}

RunCounters World::run() {
  scheduler_.run(scheduler_.now() + 2s, [this] { check(); });
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    const auto port = random_.chance(50) ? kFirstLocalPort : kSecondLocalPort;
    move(i, {i * history_.sites / guests_.size(), port}, Announcement::kGarp);
  }
  scheduler_.run(scheduler_.now() + 40s, [this] { check(); });
  for (const Step& step : history_.steps) {
    scheduler_.run(scheduler_.now() + step.after, [this] { check(); });
    apply(step);
    check();
  }
  heal_everything();
  scheduler_.run(scheduler_.now() + kQuietTime, [this] { check(); });
  check_quiet();
  counters_.changes = routing_.changes();
  return counters_;
}

void World::apply(const Step& step) {
  const SiteIndex site = step.site;
  Edge& edge = *edges_[site];
  if (trace_) trace_(fmt::format("{} {}", stamp(), to_string(step)));
  const bool move_step =
      step.kind == StepKind::kMove || step.kind == StepKind::kMoveAll || step.kind == StepKind::kPowerOff;
  if (!move_step) ++counters_.faults;
  switch (step.kind) {
    case StepKind::kMove:
      return move(step.guest, {step.to, {kFirstLocalPort.value + static_cast<int>(step.port)}},
                  step.announcement);
    case StepKind::kMoveAll:
      for (std::size_t i = 0; i < guests_.size(); ++i) {
        if (!guests_[i].place || guests_[i].place->site != site) continue;
        scheduler_.after(random_.between(0ms, 4s), [this, i, step, life = guests_[i].life] {
          if (guests_[i].life == life) move(i, {step.to, kFirstLocalPort}, step.announcement);
        });
      }
      return;
    case StepKind::kPowerOff: return power_off(step.guest);
    case StepKind::kAgentCrash: edge.crash_agent(); return excuse(step);
    case StepKind::kAgentStart: edge.start_agent(); return mend(StepKind::kAgentCrash, site, 15s);
    case StepKind::kEventsLost: edge.lose_events(); return excuse(step);
    case StepKind::kResync: edge.resync(); return mend(StepKind::kEventsLost, site, 2s);
    case StepKind::kZebraLost: edge.lose_zebra(); return excuse(step);
    case StepKind::kZebraBack: edge.restart_zebra(); return mend(StepKind::kZebraLost, site, 5s);
    case StepKind::kUplinkLost: routing_.set_session(site, false); return excuse(step);
    case StepKind::kUplinkBack:
      routing_.set_session(site, true);
      return mend(StepKind::kUplinkLost, site, 5s);
    case StepKind::kDciCut: dci_cut_ = true; return excuse(step);
    case StepKind::kDciHealed: dci_cut_ = false; return mend(StepKind::kDciCut, site, kUnnoticed);
  }
}

// ---- the guests --------------------------------------------------------------------------------------------------

void World::move(std::size_t index, Place place, Announcement announcement) {
  Guest& guest = guests_[index];
  if (guest.place == place) return;
  ++counters_.moves;
  const bool far = !guest.place || guest.place->site != place.site;
  guest.place = place;
  ++guest.life;
  if (far) {
    if (scheduler_.now() - guest.moved < kRestless) guest.restless_until = scheduler_.now() + kRestless;
    guest.moved = scheduler_.now();
    guest.spoke.reset();
    guest.flooded.reset();
    guest.silent = true;
  }
  announce_arrival(index, announcement);
  scheduler_.after(random_.between(200ms, 3s), [this, index, life = guest.life] { talk(index, life); });
}

void World::power_off(std::size_t index) {
  Guest& guest = guests_[index];
  guest.place.reset();
  guest.spoke.reset();
  guest.was_routed = false;
  guest.moved = scheduler_.now();
  ++guest.life;
}

void World::announce_arrival(std::size_t index, Announcement announcement) {
  if (announcement == Announcement::kNothing) return;
  const auto kind = announcement == Announcement::kRarp ? FrameKind::kRarp : FrameKind::kArpRequest;
  for (const Duration delay : kQemuBurst) {
    scheduler_.after(delay, [this, index, kind, life = guests_[index].life] {
      if (guests_[index].life == life) say(index, kind, true);
    });
    if (announcement == Announcement::kGarp) return;
  }
}

/// Something that guests say by themselves, again and again.
void World::talk(std::size_t index, std::uint32_t life) {
  Guest& guest = guests_[index];
  if (guest.life != life) return;
  switch (random_.below(3)) {
    case 0: say(index, FrameKind::kArpRequest, guest.flooding); break;  // for a neighbour
    case 1: say(index, FrameKind::kArpRequest, false); break;  // for the gateway: the guard keeps it here
    default: say(index, std::nullopt, false); break;
  }
  scheduler_.after(guest.pause, [this, index, life] { talk(index, life); });
}

void World::say(std::size_t index, std::optional<FrameKind> kind, bool floods) {
  Guest& guest = guests_[index];
  if (!guest.place) return;
  guest.silent = false;
  const bool has_address = kind && *kind != FrameKind::kRarp;
  if (has_address && !guest.spoke) guest.spoke = scheduler_.now();
  if (floods && !dci_cut_ && !guest.flooded) guest.flooded = scheduler_.now();
  Frame frame{guest.mac, kind, std::nullopt, floods};
  if (!kind || has_address) frame.address = guest.ip;
  const SiteIndex from = guest.place->site;
  edges_[from]->hear(guest.place->port, frame);
  if (!floods || dci_cut_) return;
  for (SiteIndex to = 0; to < edges_.size(); ++to) {
    if (to == from) continue;
    TimePoint& busy = dci_busy_until_[from][to];
    busy = std::max(busy, scheduler_.now() + random_.between(kShortestDci, kLongestDci));
    scheduler_.at(busy, [this, to, frame] { edges_[to]->hear(kDciPort, frame); });
  }
}

/// A probe leaves by local ports only; whoever it asks for answers to the prober alone.
void World::answer(SiteIndex site, const core::ProbeRequest& probe) {
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    const Guest& guest = guests_[i];
    const bool asked = guest.ip == probe.ip && (!probe.mac || *probe.mac == guest.mac);
    if (!asked || !guest.place || guest.place->site != site) continue;
    if (probe.port && probe.port != guest.place->port) continue;
    scheduler_.after(random_.between(100us, 3ms), [this, i, life = guest.life] {
      if (guests_[i].life == life) say(i, FrameKind::kArpReply, false);
    });
  }
}

// ---- what faults excuse ------------------------------------------------------------------------------------------

void World::excuse(const Step& fault) {
  for (Excuse& one : excuses_) {
    // The recovery that was under way begins anew.
    if (one.fault == fault.kind && one.site == fault.site && one.until > scheduler_.now())
      one.until = core::kNever;
  }
  excuses_.push_back({fault.kind, fault.site, scheduler_.now()});
}

void World::mend(StepKind fault, SiteIndex site, Duration recovery) {
  for (Excuse& one : excuses_) {
    const bool same = one.fault == fault && (one.site == site || fault == StepKind::kDciCut);
    if (!same || one.until != core::kNever) continue;
    one.mended = scheduler_.now();
    one.until = scheduler_.now() + recovery;
  }
}

void World::heal_everything() {
  dci_cut_ = false;
  mend(StepKind::kDciCut, 0, kUnnoticed);
  for (SiteIndex site = 0; site < edges_.size(); ++site) {
    edges_[site]->start_agent();
    edges_[site]->resync();
    edges_[site]->restart_zebra();
    routing_.set_session(site, true);
    for (const StepKind fault :
         {StepKind::kAgentCrash, StepKind::kZebraLost, StepKind::kUplinkLost, StepKind::kEventsLost})
      mend(fault, site, kUnnoticed);
  }
}

/// A guest is excused while its own site cannot announce, and when a fault began anywhere before all had noticed its
/// last move, until that one's recovery is over. When a site's routes are back, its home block may attract guests that
/// visit elsewhere behind something no longer, and its outdated summary guests that are at home again, until the other
/// site has heard of that and answered.
bool World::is_excused(const Guest& guest) const {
  if (guest.restless_until > scheduler_.now()) return true;
  if (guest.silent && scheduler_.now() - guest.moved > kLinger) return true;  // nobody can know where it is
  const TimePoint noticed = guest.flooded ? *guest.flooded + kStable : guest.moved + kUnnoticed;
  return std::any_of(excuses_.begin(), excuses_.end(), [&](const Excuse& one) {
    if (one.until <= scheduler_.now()) return false;
    const bool hurts_all = one.fault != StepKind::kDciCut && one.fault != StepKind::kEventsLost;
    const bool at_its_site = hurts_all && guest.place && one.site == guest.place->site;
    const bool unanswered = hurts_all && one.mended != core::kNever && is_in_home_block(guest.ip) &&
                            scheduler_.now() - one.mended < kAnswered;
    return at_its_site || unanswered || noticed >= one.from;
  });
}

bool World::is_in_home_block(const IpAddress& ip) const {
  const auto& blocks = history_.settings.segments.front().home_blocks;
  return std::any_of(blocks.begin(), blocks.end(), [&](const IpPrefix& block) { return block.contains(ip); });
}

/// Who moves too often stays, by decision, where it was; but somewhere.
bool World::is_frozen(const Guest& guest) const {
  return std::any_of(edges_.begin(), edges_.end(), [&](const auto& edge) {
    if (!edge->runs()) return false;
    const core::HostIndex index = edge->site().hosts().find(kSegment, guest.ip);
    return index != core::kNoHost && edge->site().hosts()[index].is_frozen();
  });
}

// ---- what must hold ----------------------------------------------------------------------------------------------

void World::check() {
  for (SiteIndex site = 0; site < edges_.size(); ++site) {
    if (std::exchange(edges_checked_at_[site], edges_[site]->changes()) != edges_[site]->changes())
      check_edge(*edges_[site]);
  }
  for (Guest& guest : guests_) check_guest(guest);
}

void World::check_guest(Guest& guest) {
  if (!guest.place) return;
  ++counters_.checks;
  if (guest.looked_up_at != routing_.changes()) {
    guest.routed_to = routing_.lookup(guest.ip);
    guest.looked_up_at = routing_.changes();
  }
  const std::optional<SiteIndex> site = guest.routed_to;
  // Not by what a guest of that address has left, nor by a summary of others that happens to cover a silent one.
  if (guest.spoke && site && *site == guest.place->site) guest.was_routed = true;
  const TimePoint now = scheduler_.now();
  const bool told = guest.flooded && now - *guest.flooded >= kStable;
  const bool stable = guest.spoke && now - *guest.spoke >= (told ? kStable : kUnnoticed);
  if (is_frozen(guest)) guest.frozen_until = now + kStable;
  if (is_excused(guest)) {
    guest.was_routed = site && (guest.was_routed || guest.spoke);
    return;
  }
  if (!site && guest.was_routed) fail(fmt::format("no route for {} any more", guest.ip.to_string()));
  if (!stable) return;
  if (!site) fail(fmt::format("stable {} has no route", guest.ip.to_string()));
  if (*site != guest.place->site && guest.frozen_until <= now) {
    fail(fmt::format("stable {} is at site {} but routed to site {}", guest.ip.to_string(), guest.place->site,
                     *site));
  }
}

void World::check_edge(const Edge& edge) const {
  if (!edge.runs()) return;
  const core::SegmentSettings& segment = edge.settings().segments.front();
  for (const IpPrefix& block : segment.home_blocks) {
    if (!edge.wanted().contains(block)) fail(block.to_string() + " is not announced by its home");
  }
  for (const auto& [prefix, route] : edge.wanted()) {
    const bool inside =
        std::any_of(segment.subnets.begin(), segment.subnets.end(),
                    [&prefix = prefix](const IpPrefix& subnet) { return subnet.contains(prefix); });
    if (!inside) fail(prefix.to_string() + " is announced, outside the subnets");
    if (prefix.is_host() && !segment.may_be_host(prefix.address()))
      fail(prefix.to_string() + " is announced");
  }
}

/// `cover`, a home block, what can be over its budget, and the subnet itself.
bool World::may_cover_unknown(SiteIndex site, const IpPrefix& prefix, const core::Route& route) const {
  const core::SegmentSettings& segment = edges_[site]->settings().segments.front();
  const auto& blocks = segment.home_blocks;
  return segment.mode == core::SummaryMode::kCover || route.route_class == core::RouteClass::kBackup ||
         std::find(blocks.begin(), blocks.end(), prefix) != blocks.end() || segment.budget < guests_.size();
}

/// Every guest is routed to where it is, and nothing is announced for anybody else, or, by what may cover unknown
/// addresses, for a guest of another site.
void World::check_quiet() {
  const core::SegmentSettings& segment = history_.settings.segments.front();
  std::map<IpAddress, SiteIndex> places;
  for (const Guest& guest : guests_) {
    if (!guest.place) continue;
    places[guest.ip] = guest.place->site;
    if (routing_.lookup(guest.ip) != guest.place->site)
      fail(fmt::format("{} is not routed to its site when it is quiet", guest.ip.to_string()));
  }
  routing_.for_each([&](const IpPrefix& prefix, SiteIndex site, const core::Route& route) {
    const bool covers = may_cover_unknown(site, prefix, route);
    for (unsigned last = 0; last < 256; ++last) {
      const IpAddress address = IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(last)});
      if (!prefix.contains(address) || !segment.may_be_host(address)) continue;
      const auto guest = places.find(address);
      const bool wrong = guest == places.end() ? !covers : guest->second != site;
      const bool more_specific =
          wrong && covers && guest != places.end() && routing_.lookup(address) == guest->second;
      if (wrong && !more_specific)
        fail(fmt::format("when it is quiet, site {} announces {}, which covers {}", site, prefix.to_string(),
                         address.to_string()));
    }
  });
}

std::string World::stamp() const {
  const auto since = std::chrono::duration<double>(scheduler_.now() - TimePoint(std::chrono::hours(1)));
  return fmt::format("{:.6f} s", since.count());
}

void World::fail(const std::string& what) const { throw Violation(fmt::format("at {}: {}", stamp(), what)); }

}  // namespace untrombone::sim
