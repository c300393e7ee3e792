// SPDX-License-Identifier: GPL-2.0-or-later
// The hosts' own routes, what the routing daemon says, and the deadlines. segment_summaries.cpp has the summaries.
#include "agent/core/segment_routes.hpp"

#include <algorithm>
#include <utility>

#include "agent/core/spare_room.hpp"

namespace untrombone::core {

std::string_view to_string(SummaryView::State state) {
  switch (state) {
    case SummaryView::State::kHolding: return "holding";
    case SummaryView::State::kAnnounced: return "announced";
    case SummaryView::State::kSolid: return "solid";
    case SummaryView::State::kLeaving: return "leaving";
  }
  return "?";
}

SegmentRoutes::SegmentRoutes(const SegmentSettings& settings, SegmentId segment, Family family)
    : settings_(settings), segment_(segment), ideal_(settings, family, settings.mode), announced_(family) {
  if (settings.mode != SummaryMode::kHome) return;
  for (const IpPrefix& block : settings.home_blocks) {
    if (block.address().family() == family) announced_.add(block).fixed = true;
  }
}

bool SegmentRoutes::set_host(const HostFact& fact, bool may_wait, TimePoint now, Announcements& out) {
  const bool here = fact.is_here();
  leaning_.remove(fact.ip);
  changes_.clear();
  if (!here) ideal_.set_local(fact.ip, false, changes_);
  set_remote(fact.ip, fact.remote && !here);
  if (here) ideal_.set_local(fact.ip, true, changes_);
  bool waits = false;
  if (may_wait && fact.route_class == RouteClass::kFresh && !has_own_route(fact.ip) &&
      leave_to_summary(fact.ip, now, out)) {
    transient_[fact.ip] = RouteClass::kFresh;
    waits = true;
  } else {
    route_host(fact, now, out);
  }
  follow_ideal(now, out);
  check_budget(now);
  return waits;
}

void SegmentRoutes::route_host(const HostFact& fact, TimePoint now, Announcements& out) {
  switch (fact.route_class) {
    case RouteClass::kLingering:
      if (lean(fact.ip)) return;
      [[fallthrough]];
    case RouteClass::kFresh:
    case RouteClass::kBackup:
      transient_[fact.ip] = fact.route_class;
      return announce_host(fact.ip, fact.route_class, fact.cause, out);
    case RouteClass::kSettled: break;
    default: erase_key(transient_, fact.ip); return withdraw_host(fact.ip, now, out);
  }
  erase_key(transient_, fact.ip);
  const bool covered = has_own_route(fact.ip) ? has_solid_route(fact.ip, IpPrefix::host(fact.ip))
                                              : covering(fact.ip).has_value();
  if (covered && !needs_own_route(fact.ip)) {
    rely_on_cover(fact.ip);
    return withdraw_host(fact.ip, now, out);
  }
  announce_host(fact.ip, RouteClass::kSettled, fact.cause, out);
}

/// Does another site announce a prefix longer than that, which the address is in?
bool SegmentRoutes::is_claimed_beyond(const IpAddress& ip, unsigned length) const {
  for (unsigned longer = ip.bits(); longer > length; --longer) {
    if (claimed_.contains(IpPrefix(ip, longer))) return true;
  }
  return false;
}

/// A home block stays whatever others announce inside it. So a host behind it that another site's route attracts has to
/// be announced by itself.
bool SegmentRoutes::needs_own_route(const IpAddress& ip) const {
  return ideal_.is_home(ip) && is_claimed_beyond(ip, ideal_.top_of(ip).length() - 1);
}

/// Of what another site announces in a home block. A new claim to a single host is answered by a probe, elsewhere.
void SegmentRoutes::answer_claim(const IpPrefix& prefix, bool claimed, TimePoint now, Announcements& out) {
  if ((prefix.is_host() && claimed) || !ideal_.is_home(prefix.address())) return;
  const IpPrefix block = ideal_.top_of(prefix.address());
  if (!claimed) return schedule(now, settings_.break_delay, TimerKind::kSummary, block);
  std::vector<IpAddress> hosts;
  ideal_.for_each_local(prefix, [&](const IpAddress& ip) {
    if (!has_own_route(ip) && needs_own_route(ip)) hosts.push_back(ip);
  });
  for (const IpAddress& ip : hosts) {
    announce_host(ip, transient_.contains(ip) ? RouteClass::kFresh : RouteClass::kSettled, now, out);
  }
}

/// Where unknown addresses may be covered, the summary of a whole failed site is there with its first host. A summary
/// may not help a host whose old site still announces anything around it: that may be split into longer prefixes before
/// we hear of it.
bool SegmentRoutes::leave_to_summary(const IpAddress& ip, TimePoint now, Announcements& out) {
  if (is_claimed_beyond(ip, 0)) return false;
  const IpPrefix top = ideal_.top_of(ip);
  if (ideal_.mode() == SummaryMode::kCover && !top.is_host() && !announced_.contains(top))
    announce_summary(top, now, out);
  if (!covering(ip)) return false;
  rely_on_cover(ip);
  return true;
}

void SegmentRoutes::release_fresh(const IpAddress& ip, TimePoint now, Announcements& out) {
  const auto found = transient_.find(ip);
  if (found == transient_.end() || found->second != RouteClass::kFresh || has_own_route(ip)) return;
  announce_host(ip, RouteClass::kFresh, now, out);
}

void SegmentRoutes::set_remote(const IpAddress& ip, bool remote) {
  if (remote ? !remote_.insert(ip).second : remote_.erase(ip) == 0) return;
  ideal_.set_remote(ip, remote, changes_);
}

void SegmentRoutes::announce_host(const IpAddress& ip, RouteClass route_class, TimePoint cause,
                                  Announcements& out) {
  if (!ideal_.is_marked(ip)) {
    ideal_.mark(ip, true);
    ++own_;
    recent_[ip] = std::nullopt;
  }
  out.push_back({segment_, IpPrefix::host(ip), route_class, cause});
}

void SegmentRoutes::withdraw_host(const IpAddress& ip, TimePoint now, Announcements& out) {
  if (!ideal_.is_marked(ip)) return;
  ideal_.mark(ip, false);
  --own_;
  erase_key(recent_, ip);
  out.push_back({segment_, IpPrefix::host(ip), RouteClass::kNone, now});
}

/// From now on the summary may not go before this host has another route.
void SegmentRoutes::rely_on_cover(const IpAddress& ip) {
  if (const auto cover = covering(ip)) announced_.at(*cover).relied = true;
}

/// Does a summary that the receivers have go on attracting for a host that left? Then it needs no route that lingers.
bool SegmentRoutes::lean(const IpAddress& ip) {
  if (has_own_route(ip)) return false;
  const auto stands = [](const IpPrefix& /*prefix*/, const SummaryFlags& flags) { return flags.solid; };
  const auto summary = announced_.find_cover(ip, stands);
  if (summary) leaning_.add(ip, *summary);
  return summary.has_value();
}

void SegmentRoutes::set_claimed(const IpPrefix& prefix, bool claimed, TimePoint now, Announcements& out) {
  if (claimed ? !claimed_.insert(prefix).second : claimed_.erase(prefix) == 0) return;
  if (refused_.contains(prefix)) return;
  changes_.clear();
  ideal_.set_claimed(prefix, claimed, changes_);
  follow_ideal(now, out);
  answer_claim(prefix, claimed, now, out);
}

void SegmentRoutes::note(const IpPrefix& prefix, RouteNote note, TimePoint now, Announcements& out) {
  const SummaryFlags* const summary = announced_.find(prefix);
  if (note != RouteNote::kInstalled) {
    if (summary != nullptr && note != RouteNote::kRemoved) refuse(prefix, now, out);
    return;
  }
  if (summary != nullptr && !summary->solid && !progress_[prefix].acked_at) {
    progress_[prefix].acked_at = now;
    schedule(now, settings_.break_delay, TimerKind::kSummary, prefix);
  }
  if (!prefix.is_host()) return;
  const auto host = recent_.find(prefix.address());
  if (host == recent_.end() || host->second) return;
  host->second = now;
  schedule(now, settings_.break_delay, TimerKind::kHost, prefix);
}

void SegmentRoutes::adopt(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  if (!settings_.is_inside(prefix) || prefix.is_host() || announced_.contains(prefix)) return;
  announce_summary(prefix, now, out);
  SummaryFlags& flags = announced_.at(prefix);
  flags.solid = flags.relied = flags.adopted = true;
}

void SegmentRoutes::start_complete(TimePoint now, Announcements& out) {
  std::vector<IpPrefix> adopted;
  announced_.for_each([&](const IpPrefix& prefix, SummaryFlags& flags) {
    if (flags.adopted) adopted.push_back(prefix);
    flags.adopted = false;
  });
  for (const IpPrefix& prefix : adopted) {
    const SummaryFlags* const flags = announced_.find(prefix);
    if (flags == nullptr) continue;
    if (!is_admissible(prefix)) {
      condemn(prefix, now, out);
    } else if (flags->solid) {
      schedule(now, {}, TimerKind::kSummary, prefix);
    }
  }
}

void SegmentRoutes::take_over(const SegmentRoutes& old, TimePoint now, Announcements& out) {
  changes_.clear();
  claimed_ = old.claimed_;
  for (const IpPrefix& prefix : claimed_) ideal_.set_claimed(prefix, true, changes_);
  changes_.clear();
  transient_ = old.transient_;
  for (const IpPrefix& subnet : old.settings_.subnets) {
    old.ideal_.for_each_marked(subnet, [&](const IpAddress& ip) {
      if (settings_.subnet_of(ip) == nullptr || ideal_.is_marked(ip)) return;
      ideal_.mark(ip, true);
      ++own_;
      const auto recent = old.recent_.find(ip);
      if (recent == old.recent_.end()) return;
      recent_[ip] = recent->second;
      if (recent->second)
        schedule(*recent->second, settings_.break_delay, TimerKind::kHost, IpPrefix::host(ip));
    });
  }
  old.announced_.for_each([&](const IpPrefix& prefix, const SummaryFlags& before) {
    if (!settings_.is_inside(prefix) || announced_.contains(prefix)) return;
    adopt(prefix, now, out);
    announced_.at(prefix).solid = before.solid;
    const auto progress = old.progress_.find(prefix);
    if (before.solid) {
      schedule(now, settings_.break_delay, TimerKind::kSummary, prefix);
    } else if (progress != old.progress_.end() && progress->second.acked_at) {
      progress_[prefix].acked_at = progress->second.acked_at;
      schedule(*progress->second.acked_at, settings_.break_delay, TimerKind::kSummary, prefix);
    }
  });
  for (const IpAddress& ip : old.leaning_.hosts()) {
    if (settings_.subnet_of(ip) != nullptr) route_host({ip, RouteClass::kLingering, true, now}, now, out);
  }
}

void SegmentRoutes::repeat_all(TimePoint now, Announcements& out) {
  for (const IpPrefix& subnet : settings_.subnets) {
    ideal_.for_each_marked(subnet, [&](const IpAddress& ip) {
      recent_[ip] = std::nullopt;
      const auto found = transient_.find(ip);
      const RouteClass route_class = found == transient_.end() ? RouteClass::kSettled : found->second;
      out.push_back({segment_, IpPrefix::host(ip), route_class, now});
    });
  }
  announced_.for_each([&](const IpPrefix& prefix, SummaryFlags& flags) {
    flags.solid = false;
    out.push_back({segment_, prefix, RouteClass::kSettled, now});
  });
  for (auto& [prefix, progress] : progress_) progress.acked_at.reset();
}

// ---- time --------------------------------------------------------------------------------------------------------

void SegmentRoutes::handle_time(TimePoint now, Announcements& out) {
  while (timers_.next() <= now) run(timers_.pop(), now, out);
  check_budget(now);
}

void SegmentRoutes::run(const Timer& timer, TimePoint now, Announcements& out) {
  if (timer.kind == TimerKind::kHost) return end_recent(timer);
  if (!is_current(timer)) return;
  switch (timer.kind) {
    case TimerKind::kHold: return announce_summary(timer.prefix, now, out);
    case TimerKind::kRetry: return retry(timer.prefix, now, out);
    case TimerKind::kBudget: return run_budget(now, out);
    case TimerKind::kSummary: return check_solid(timer.prefix, now, out);
    case TimerKind::kLeaving: return check_leaving(timer.prefix, now, out);
    case TimerKind::kHost: break;
  }
}

/// The host route is solid.
void SegmentRoutes::end_recent(const Timer& timer) {
  const auto found = recent_.find(timer.prefix.address());
  if (found == recent_.end() || !is_due(found->second, timer)) return;
  erase_found(recent_, found);
}

bool SegmentRoutes::is_due(const std::optional<TimePoint>& acknowledged, const Timer& timer) const {
  return acknowledged && *acknowledged + settings_.break_delay == timer.at;
}

/// Whether it still means something: what it was set for may be over, or may have got another time.
bool SegmentRoutes::is_current(const Timer& timer) const {
  if (timer.kind == TimerKind::kHold) {
    const auto found = holding_.find(timer.prefix);
    return found != holding_.end() && found->second == timer.at;
  }
  if (timer.kind == TimerKind::kHost) {
    const auto found = recent_.find(timer.prefix.address());
    return found != recent_.end() && is_due(found->second, timer);
  }
  if (timer.kind == TimerKind::kRetry) return refused_.contains(timer.prefix);
  if (timer.kind == TimerKind::kBudget) return true;
  const SummaryFlags* const flags = announced_.find(timer.prefix);
  if (flags == nullptr) return false;
  if (timer.kind == TimerKind::kLeaving) return flags->leaving;
  const auto progress = progress_.find(timer.prefix);
  return flags->solid || (progress != progress_.end() && progress->second.acked_at);
}

void SegmentRoutes::schedule(TimePoint now, Duration delay, TimerKind kind, const IpPrefix& prefix) {
  const std::size_t lane = delay == settings_.break_delay ? 0 : delay == settings_.hold ? 1 : kNoLane;
  timers_.push({now + delay, prefix, kind}, lane);
  const std::size_t useful = holding_.size() + recent_.size() + announced_.size() + claimed_.size();
  if (timers_.size() > 4 * useful + 1024) drop_stale_timers();
}

/// A host that comes and goes leaves timers behind; there are never more than four times what is useful.
void SegmentRoutes::drop_stale_timers() {
  timers_.erase_if([&](const Timer& timer) { return !is_current(timer); });
}

}  // namespace untrombone::core
