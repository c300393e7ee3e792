// SPDX-License-Identifier: GPL-2.0-or-later
// How the summaries of a segment come and go.
#include <algorithm>
#include <utility>

#include "agent/core/segment_routes.hpp"
#include "agent/core/spare_room.hpp"

namespace untrombone::core {
namespace {

constexpr Duration kLongestHold = std::chrono::hours(1);
constexpr Duration kSplitMemory = std::chrono::hours(1);  ///< one split less is remembered after each
constexpr unsigned kMostSplits = 16;
constexpr std::size_t kSplitsKept = 4096;
/// A summary that the routing daemon does not take is not tried again before this.
constexpr Duration kRetryAfter = std::chrono::minutes(10);
/// Between two looks whether a segment over its budget could be exact again.
constexpr Duration kBudgetInterval = std::chrono::minutes(10);

}  // namespace

// ---- following the ideal set -------------------------------------------------------------------------------------

/// Lets summaries begin and end as the ideal set has changed. One event may take a prefix away and bring it back.
void SegmentRoutes::follow_ideal(TimePoint now, Announcements& out) {
  for (const summary::PrefixChange& change : changes_) {
    ideal_size_ += change.added ? std::size_t{1} : ~std::size_t{0};
    if (change.prefix.is_host()) continue;
    change.added ? join(change.prefix, now, out) : leave(change.prefix, now, out);
  }
  changes_.clear();
}

/// It is possible now. Announced summaries inside it become its parts, even those that were about to leave.
void SegmentRoutes::join(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  announced_.for_each(prefix, [&](const IpPrefix& part, SummaryFlags& flags) {
    if (flags.leaving) stay(part, flags, now);
  });
  if (announced_.contains(prefix)) return;
  const Duration hold = hold_of(prefix, now);
  if (hold <= Duration::zero()) return announce_summary(prefix, now, out);
  holding_[prefix] = now + hold;
  schedule(now, hold, TimerKind::kHold, prefix);
}

/// A split was taken back. It replaces what is inside again, but not before a hold.
void SegmentRoutes::stay(const IpPrefix& prefix, SummaryFlags& flags, TimePoint now) {
  flags.leaving = false;
  const Duration hold = hold_of(prefix, now);
  progress_[prefix].break_not_before = now + hold;
  schedule(now, hold, TimerKind::kSummary, prefix);
}

/// It is not in the ideal set any more: it may not stay, or it is a part of a shorter one now.
void SegmentRoutes::leave(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  erase_key(holding_, prefix);
  std::vector<IpPrefix> condemned;
  announced_.for_each(prefix, [&](const IpPrefix& part, const SummaryFlags& flags) {
    if (!flags.leaving && !flags.fixed && !flags.adopted && !is_admissible(part)) condemned.push_back(part);
  });
  for (const IpPrefix& part : condemned) condemn(part, now, out);
}

/// It may not stay. Whoever relies on it gets other routes at once; it goes when they are solid.
void SegmentRoutes::condemn(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  SummaryFlags& flags = announced_.at(prefix);
  flags.leaving = true;
  progress_[prefix].leaving_since = now;
  if (splits_.size() >= kSplitsKept) {
    erase_if(splits_, [&](const auto& each) { return now - each.second.last > kSplitMemory; });
  }
  const unsigned before = splits_of(prefix, now);
  if (splits_.size() < kSplitsKept) splits_[prefix] = {std::min(before + 1, kMostSplits), now};
  if (flags.relied) announce_inside(prefix, now, out);
  schedule(now, settings_.break_delay, TimerKind::kLeaving, prefix);
}

/// Withdraws it if nobody needs it. Hosts that have left do, until `linger` is over; one that lingers longer, for an
/// operator expects it here, gets a route of its own then.
void SegmentRoutes::check_leaving(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  if (!leaning_.is_needed(prefix)) {
    if (is_replaced(prefix)) return withdraw_summary(prefix, now, out);
  } else if (progress_.at(prefix).leaving_since + settings_.linger <= now) {
    for (const IpAddress& ip : leaning_.hosts_on(prefix)) {
      leaning_.remove(ip);
      transient_[ip] = RouteClass::kLingering;
      announce_host(ip, RouteClass::kLingering, now, out);
    }
    return schedule(now, settings_.break_delay, TimerKind::kLeaving, prefix);
  }
  schedule(now, std::max<Duration>(settings_.break_delay / 4, std::chrono::milliseconds(50)),
           TimerKind::kLeaving, prefix);
}

/// What the ideal set has inside `prefix`, at once.
void SegmentRoutes::announce_inside(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  std::vector<IpPrefix> tops;
  ideal_.for_each_top(prefix, [&](const IpPrefix& top) { tops.push_back(top); });
  for (const IpPrefix& top : tops) {
    if (!top.is_host()) {
      if (!announced_.contains(top)) announce_summary(top, now, out);
      announced_.at(top).relied = true;
    } else if (!has_own_route(top.address())) {
      const bool fresh = transient_.contains(top.address());
      announce_host(top.address(), fresh ? RouteClass::kFresh : RouteClass::kSettled, now, out);
    }
  }
}

void SegmentRoutes::announce_summary(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  erase_key(holding_, prefix);
  announced_.add(prefix);
  out.push_back({segment_, prefix, RouteClass::kSettled, now});
}

void SegmentRoutes::withdraw_summary(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  const bool is_backup = settings_.is_announced_half(prefix);
  out.push_back({segment_, prefix, is_backup ? RouteClass::kBackup : RouteClass::kNone, now});
  announced_.remove(prefix);
  erase_key(progress_, prefix);
}

void SegmentRoutes::check_solid(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  SummaryFlags& flags = announced_.at(prefix);
  if (!flags.solid) flags.solid = *progress_.at(prefix).acked_at + settings_.break_delay <= now;
  if (flags.solid && !flags.leaving) break_parts(prefix, now, out);
}

/// Withdraws what a solid summary replaces. Everything is looked at anew: it may have changed since the timer was set.
void SegmentRoutes::break_parts(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  if (const auto progress = progress_.find(prefix); progress != progress_.end()) {
    const TimePoint not_before = progress->second.break_not_before;
    if (now < not_before) return schedule(now, not_before - now, TimerKind::kSummary, prefix);
    erase_key(progress_, prefix);
  }
  announced_.at(prefix).relied = true;
  std::vector<IpAddress> hosts;
  ideal_.for_each_marked(prefix, [&](const IpAddress& ip) {
    if (!transient_.contains(ip) && !needs_own_route(ip)) hosts.push_back(ip);
  });
  for (const IpAddress& ip : hosts) withdraw_host(ip, now, out);
  std::vector<IpPrefix> parts;
  announced_.for_each(prefix, [&](const IpPrefix& part, const SummaryFlags& flags) {
    if (part != prefix && !flags.fixed) parts.push_back(part);
  });
  for (const IpPrefix& part : parts) {
    for (const IpAddress& ip : leaning_.hosts_on(part)) leaning_.add(ip, prefix);
    withdraw_summary(part, now, out);
  }
}

// ---- questions ---------------------------------------------------------------------------------------------------

/// May it be announced, and is there a host for it?
bool SegmentRoutes::is_admissible(const IpPrefix& prefix) const {
  const auto first = ideal_.first_local(prefix);
  return first && ideal_.top_of(*first).length() <= prefix.length();
}

/// Does each host that `prefix` stands for have another route that has been there long enough?
bool SegmentRoutes::is_replaced(const IpPrefix& prefix) const {
  bool replaced = true;
  ideal_.for_each_local(prefix,
                        [&](const IpAddress& ip) { replaced = replaced && has_solid_route(ip, prefix); });
  return replaced;
}

/// Is there a route for `ip`, other than `but`, that may stay and was acknowledged `break-delay` ago?
bool SegmentRoutes::has_solid_route(const IpAddress& ip, const IpPrefix& but) const {
  if (!but.is_host() && has_own_route(ip) && !recent_.contains(ip)) return true;
  const auto accept = [&](const IpPrefix& prefix, const SummaryFlags& flags) {
    return prefix != but && flags.solid && !flags.leaving;
  };
  return announced_.find_cover(ip, accept).has_value();
}

std::optional<IpPrefix> SegmentRoutes::covering(const IpAddress& ip) const {
  return announced_.find_cover(
      ip, [](const IpPrefix& /*prefix*/, const SummaryFlags& flags) { return !flags.leaving; });
}

std::optional<SummaryView> SegmentRoutes::view_of(const IpPrefix& prefix) const {
  using State = SummaryView::State;
  if (const auto held = holding_.find(prefix); held != holding_.end())
    return SummaryView{prefix, State::kHolding, false, held->second, splits_of(prefix, held->second)};
  const SummaryFlags* const flags = announced_.find(prefix);
  if (flags == nullptr) return std::nullopt;
  SummaryView view{prefix, State::kAnnounced, flags->fixed, kNever, 0};
  const auto progress = progress_.find(prefix);
  if (flags->leaving) {
    view.state = State::kLeaving;
    view.due = progress->second.leaving_since + settings_.break_delay;
  } else if (flags->solid) {
    view.state = State::kSolid;
  } else if (progress != progress_.end() && progress->second.acked_at) {
    view.due = *progress->second.acked_at + settings_.break_delay;
  }
  const auto splits = splits_.find(prefix);
  if (splits != splits_.end()) view.splits = splits->second.count;
  return view;
}

Obstacle SegmentRoutes::what_stops(const IpPrefix& prefix) const {
  using Kind = Obstacle::Kind;
  const SummaryFlags* const flags = announced_.find(prefix);
  if (flags != nullptr && flags->fixed) return {Kind::kHome};
  const IpPrefix* const subnet = settings_.subnet_of(prefix.address());
  if (subnet == nullptr || prefix.length() <= settings_.shortest_summary(*subnet)) return {Kind::kLimit};
  const IpPrefix parent(prefix.address(), prefix.length() - 1);
  for (const IpPrefix& claim : claimed_) {
    if (parent.contains(claim)) return {Kind::kClaimed, claim};
  }
  for (const IpPrefix& refused : refused_) {
    if (parent.contains(refused)) return {Kind::kRefused, refused};
  }
  if (ideal_.mode() == SummaryMode::kCover) {
    for (const IpAddress& ip : remote_) {
      if (parent.contains(ip)) return {Kind::kRemote, IpPrefix::host(ip)};
    }
  }
  const IpAddress beside = prefix.address() == parent.address() ? parent.last() : parent.address();
  const IpPrefix other(beside, prefix.length());
  const auto unknown = ideal_.first_unknown(other);
  return unknown ? Obstacle{Kind::kUnknown, IpPrefix::host(*unknown)} : Obstacle{Kind::kInside, other};
}

// ---- churn -------------------------------------------------------------------------------------------------------

unsigned SegmentRoutes::splits_of(const IpPrefix& prefix, TimePoint now) const {
  const auto found = splits_.find(prefix);
  if (found == splits_.end()) return 0;
  const auto forgotten =
      static_cast<unsigned>(std::max<Duration::rep>((now - found->second.last) / kSplitMemory, 0));
  return found->second.count - std::min(found->second.count, forgotten);
}

/// Doubled by each split that is still remembered.
Duration SegmentRoutes::hold_of(const IpPrefix& prefix, TimePoint now) const {
  const Duration longest = std::max(kLongestHold, settings_.hold);
  Duration hold = settings_.hold;
  for (unsigned i = splits_of(prefix, now); i > 0 && hold < longest; --i) hold *= 2;
  return std::min(hold, longest);
}

/// The routing daemon does not take it, or another route wins there: it stands for nobody.
void SegmentRoutes::refuse(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  const SummaryFlags& flags = announced_.at(prefix);
  if (flags.fixed || flags.leaving || !refused_.insert(prefix).second) return;
  changes_.clear();
  ideal_.set_claimed(prefix, true, changes_);
  follow_ideal(now, out);
  schedule(now, kRetryAfter, TimerKind::kRetry, prefix);
}

void SegmentRoutes::retry(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  refused_.erase(prefix);
  if (claimed_.contains(prefix)) return;
  changes_.clear();
  ideal_.set_claimed(prefix, false, changes_);
  follow_ideal(now, out);
}

// ---- the budget --------------------------------------------------------------------------------------------------

/// Over the budget for as long as a hold: it is no passing peak.
void SegmentRoutes::check_budget(TimePoint now) {
  if (settings_.mode != SummaryMode::kExact || is_over_budget()) return;
  if (ideal_size_ <= settings_.budget) {
    over_since_ = kNever;
  } else if (over_since_ == kNever) {
    over_since_ = now;
    schedule(now, settings_.hold, TimerKind::kBudget, {});
  }
}

void SegmentRoutes::run_budget(TimePoint now, Announcements& out) {
  if (!is_over_budget()) {
    if (over_since_ == kNever || now - over_since_ < settings_.hold) return;
    over_since_ = kNever;
    rebuild(SummaryMode::kCover, now, out);
  } else {
    summary::Summarizer exact(settings_, ideal_.family(), SummaryMode::kExact);
    std::vector<summary::PrefixChange> changes;
    for (const IpPrefix& subnet : settings_.subnets) {
      ideal_.for_each_local(subnet, [&](const IpAddress& ip) {
        changes.clear();
        exact.set_local(ip, true, changes);
      });
    }
    if (exact.size() <= settings_.budget - settings_.budget / 4)
      return rebuild(SummaryMode::kExact, now, out);
  }
  schedule(now, kBudgetInterval, TimerKind::kBudget, {});
}

/// The same facts under another mode. Cover is there to save routes: it does not wait.
void SegmentRoutes::rebuild(SummaryMode mode, TimePoint now, Announcements& out) {
  summary::Summarizer next(settings_, ideal_.family(), mode);
  changes_.clear();
  for (const IpPrefix& prefix : claimed_) next.set_claimed(prefix, true, changes_);
  for (const IpPrefix& prefix : refused_) next.set_claimed(prefix, true, changes_);
  for (const IpAddress& ip : remote_) next.set_remote(ip, true, changes_);
  for (const IpPrefix& subnet : settings_.subnets) {
    ideal_.for_each_local(subnet, [&](const IpAddress& ip) { next.set_local(ip, true, changes_); });
    ideal_.for_each_marked(subnet, [&](const IpAddress& ip) { next.mark(ip, true); });
  }
  changes_.clear();
  ideal_ = std::move(next);
  ideal_size_ = ideal_.size();
  holding_.clear();
  std::vector<IpPrefix> condemned;
  announced_.for_each([&](const IpPrefix& prefix, SummaryFlags& flags) {
    if (flags.fixed || flags.adopted) return;
    if (is_admissible(prefix)) {
      if (flags.leaving) stay(prefix, flags, now);
    } else if (!flags.leaving) {
      condemned.push_back(prefix);
    }
  });
  for (const IpPrefix& prefix : condemned) condemn(prefix, now, out);
  std::vector<IpPrefix> tops;
  for (const IpPrefix& subnet : settings_.subnets)
    ideal_.for_each_top(subnet, [&](const IpPrefix& top) { tops.push_back(top); });
  for (const IpPrefix& top : tops) {
    if (top.is_host() || announced_.contains(top)) continue;
    mode == SummaryMode::kCover ? announce_summary(top, now, out) : join(top, now, out);
  }
}

}  // namespace untrombone::core
