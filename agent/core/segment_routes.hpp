// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "agent/core/announced_summaries.hpp"
#include "agent/core/event.hpp"
#include "agent/core/host_table.hpp"
#include "agent/core/leaning.hpp"
#include "agent/core/settings.hpp"
#include "agent/core/summary/summarizer.hpp"
#include "agent/core/timer_queue.hpp"

namespace untrombone::core {

/// One change of what a segment announces. Class kNone: withdraw.
struct Announcement {
  SegmentId segment;
  IpPrefix prefix;
  RouteClass route_class = RouteClass::kNone;
  TimePoint cause;
};
using Announcements = std::vector<Announcement>;

/// What the site has concluded about one address.
struct HostFact {
  IpAddress ip;
  RouteClass route_class = RouteClass::kNone;  ///< fresh and settled: it is here
  bool remote = false;                         ///< it is known to be behind the DCI
  TimePoint cause;

  [[nodiscard]] bool is_here() const {
    return route_class == RouteClass::kFresh || route_class == RouteClass::kSettled;
  }
};

/// A route shorter than a host's, or one that is only possible yet.
struct SummaryView {
  enum class State : std::uint8_t {
    kHolding,    ///< possible, not announced yet
    kAnnounced,  ///< what it stands for has its own routes, still
    kSolid,      ///< acknowledged and old enough: it stands alone
    kLeaving,    ///< what it stands for gets its own routes; then it is withdrawn
  };
  IpPrefix prefix;
  State state = State::kHolding;
  bool is_home = false;
  TimePoint due = kNever;  ///< when the state may end by itself
  unsigned splits = 0;     ///< not yet forgotten; each doubles the hold
};
[[nodiscard]] std::string_view to_string(SummaryView::State state);

/// Why a summary is not one bit shorter.
struct Obstacle {
  enum class Kind : std::uint8_t {
    kHome,     ///< it is a home block
    kLimit,    ///< it would be the subnet, or shorter than `shortest`
    kUnknown,  ///< `prefix` is nobody's that we know
    kRemote,   ///< `prefix` is known to be behind the DCI
    kClaimed,  ///< another site announces `prefix`
    kRefused,  ///< the routing daemon does not take `prefix`
    kInside,   ///< something in its other half
  };
  Kind kind = Kind::kLimit;
  IpPrefix prefix{};
};

/// The routes of one segment and address family: the ideal set of the Summarizer, approached in time so that no
/// receiver ever lacks a route and nobody can buy churn (docs/summaries.md).
///
/// A host that comes is announced at once by itself, and absorbed by a summary once it has settled. A summary that has
/// been possible without a break for `hold` is announced; what it replaces is withdrawn `break-delay` after the routing
/// daemon acknowledged it. A summary that may not stay is replaced first, at once, and withdrawn when each host that it
/// stood for has another route, acknowledged as long ago. A host that left lingers by its own route, or by the summary
/// that stood for it: if that has to go, it is kept until `linger` is over.
class SegmentRoutes {
 public:
  SegmentRoutes(const SegmentSettings& settings, SegmentId segment, Family family);

  /// `may_wait`: many arrive at once. If the host is covered, its fresh route is left to release_fresh(); then true.
  bool set_host(const HostFact& fact, bool may_wait, TimePoint now, Announcements& out);
  /// The fresh route that set_host() left out, unless it is not wanted any more.
  void release_fresh(const IpAddress& ip, TimePoint now, Announcements& out);
  /// A prefix that another site announces, better than a lingering route.
  void set_claimed(const IpPrefix& prefix, bool claimed, TimePoint now, Announcements& out);
  void note(const IpPrefix& prefix, RouteNote note, TimePoint now, Announcements& out);

  /// A summary that an earlier run left in the kernel: kept until start_complete() knows who is here.
  void adopt(const IpPrefix& prefix, TimePoint now, Announcements& out);
  void start_complete(TimePoint now, Announcements& out);
  /// Everything again: the interface came back. None of it counts as acknowledged.
  void repeat_all(TimePoint now, Announcements& out);

  [[nodiscard]] TimePoint next_deadline() const { return timers_.next(); }
  void handle_time(TimePoint now, Announcements& out);

  /// Of other settings: takes over what `old` announces. Summaries are adopted, until start_complete() is called again.
  void take_over(const SegmentRoutes& old, TimePoint now, Announcements& out);
  [[nodiscard]] const SegmentSettings& settings() const { return settings_; }
  /// What others are known to announce.
  [[nodiscard]] const boost::unordered_flat_set<IpPrefix>& claimed() const { return claimed_; }
  /// Calls `visit(prefix)` for each summary that is announced.
  template <typename Visit>
  void for_each_summary(Visit visit) const {
    announced_.for_each([&](const IpPrefix& prefix, const SummaryFlags&) { visit(prefix); });
  }

  // What the views show.
  [[nodiscard]] const summary::Summarizer& ideal() const { return ideal_; }
  [[nodiscard]] bool is_over_budget() const { return ideal_.mode() != settings_.mode; }
  [[nodiscard]] std::size_t routes() const { return own_ + announced_.size(); }
  [[nodiscard]] bool has_own_route(const IpAddress& ip) const { return ideal_.is_marked(ip); }
  [[nodiscard]] bool announces(const IpPrefix& summary) const { return announced_.contains(summary); }
  /// The longest announced summary that covers it and is to stay.
  [[nodiscard]] std::optional<IpPrefix> covering(const IpAddress& ip) const;
  [[nodiscard]] std::optional<SummaryView> view_of(const IpPrefix& prefix) const;
  [[nodiscard]] Obstacle what_stops(const IpPrefix& prefix) const;

 private:
  /// Of an announced summary while something is under way; one that is solid and stays has none.
  struct Progress {
    std::optional<TimePoint> acked_at;
    TimePoint break_not_before;  ///< after a split that was taken back
    TimePoint leaving_since;
  };
  struct Splits {
    unsigned count = 0;
    TimePoint last;
  };
  enum class TimerKind : std::uint8_t { kHold, kSummary, kHost, kLeaving, kRetry, kBudget };
  struct Timer {
    TimePoint at;
    IpPrefix prefix;
    TimerKind kind = TimerKind::kHold;
  };

  // segment_routes.cpp: hosts
  void route_host(const HostFact& fact, TimePoint now, Announcements& out);
  bool leave_to_summary(const IpAddress& ip, TimePoint now, Announcements& out);
  [[nodiscard]] bool is_claimed_beyond(const IpAddress& ip, unsigned length) const;
  [[nodiscard]] bool needs_own_route(const IpAddress& ip) const;
  void answer_claim(const IpPrefix& prefix, bool claimed, TimePoint now, Announcements& out);
  void set_remote(const IpAddress& ip, bool remote);
  void announce_host(const IpAddress& ip, RouteClass route_class, TimePoint cause, Announcements& out);
  void withdraw_host(const IpAddress& ip, TimePoint now, Announcements& out);
  void rely_on_cover(const IpAddress& ip);
  bool lean(const IpAddress& ip);

  // segment_summaries.cpp: summaries
  void follow_ideal(TimePoint now, Announcements& out);
  void join(const IpPrefix& prefix, TimePoint now, Announcements& out);
  void leave(const IpPrefix& prefix, TimePoint now, Announcements& out);
  void stay(const IpPrefix& prefix, SummaryFlags& flags, TimePoint now);
  void check_solid(const IpPrefix& prefix, TimePoint now, Announcements& out);
  void condemn(const IpPrefix& prefix, TimePoint now, Announcements& out);
  void check_leaving(const IpPrefix& prefix, TimePoint now, Announcements& out);
  void announce_inside(const IpPrefix& prefix, TimePoint now, Announcements& out);
  void announce_summary(const IpPrefix& prefix, TimePoint now, Announcements& out);
  void withdraw_summary(const IpPrefix& prefix, TimePoint now, Announcements& out);
  void break_parts(const IpPrefix& prefix, TimePoint now, Announcements& out);
  [[nodiscard]] bool is_admissible(const IpPrefix& prefix) const;
  [[nodiscard]] bool is_replaced(const IpPrefix& prefix) const;
  [[nodiscard]] bool has_solid_route(const IpAddress& ip, const IpPrefix& but) const;
  void refuse(const IpPrefix& prefix, TimePoint now, Announcements& out);
  void retry(const IpPrefix& prefix, TimePoint now, Announcements& out);
  [[nodiscard]] unsigned splits_of(const IpPrefix& prefix, TimePoint now) const;
  [[nodiscard]] Duration hold_of(const IpPrefix& prefix, TimePoint now) const;
  void check_budget(TimePoint now);
  void run_budget(TimePoint now, Announcements& out);
  void rebuild(SummaryMode mode, TimePoint now, Announcements& out);
  void run(const Timer& timer, TimePoint now, Announcements& out);
  void schedule(TimePoint now, Duration delay, TimerKind kind, const IpPrefix& prefix);
  void drop_stale_timers();
  void end_recent(const Timer& timer);
  [[nodiscard]] bool is_due(const std::optional<TimePoint>& acknowledged, const Timer& timer) const;
  [[nodiscard]] bool is_current(const Timer& timer) const;

  SegmentSettings settings_;
  SegmentId segment_;
  summary::Summarizer ideal_;  ///< its marks: addresses with a host route of their own, of any class
  std::size_t own_ = 0;
  std::size_t ideal_size_ = 0;
  /// Fresh, lingering or a backup; the others with a route of their own are settled.
  boost::unordered_flat_map<IpAddress, RouteClass> transient_;
  Leaning leaning_;
  /// Host routes that are not solid yet: when they were acknowledged, if they were.
  boost::unordered_flat_map<IpAddress, std::optional<TimePoint>> recent_;
  boost::unordered_flat_set<IpAddress> remote_;
  boost::unordered_flat_set<IpPrefix> claimed_;
  boost::unordered_flat_set<IpPrefix> refused_;  ///< summaries that the routing daemon does not take
  boost::unordered_flat_map<IpPrefix, TimePoint> holding_;  ///< possible summaries: when they are announced
  boost::unordered_flat_map<IpPrefix, Splits> splits_;
  AnnouncedSummaries announced_;
  boost::unordered_flat_map<IpPrefix, Progress> progress_;
  std::vector<summary::PrefixChange> changes_;
  TimerQueue<Timer, 2> timers_;  ///< with a lane for `break-delay` and one for `hold`
  TimePoint over_since_ = kNever;
};

}  // namespace untrombone::core
