// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "agent/core/external_blocks.hpp"
#include "agent/core/segment_routes.hpp"

namespace untrombone::core {

/// Between the site's hosts and its routes: what is announced for each segment with summaries, and when. Segments with
/// mode `off` are none of its business; the site announces their hosts itself, without a detour.
///
/// Beside the summaries there may be blocks for the outside (ExternalBlocks), with mode `off`, too. A prefix
/// that is both has one route; being a block counts more.
///
/// Adds to SegmentRoutes what concerns them all: in a mass event (more arrivals in a second than `mass-threshold`)
/// summaries come first, and the fresh routes of hosts that they cover follow at that rate.
class Announcer {
 public:
  explicit Announcer(const SiteSettings& settings);

  [[nodiscard]] bool summarises(SegmentId segment) const {
    return settings_.segments[segment.value].mode != SummaryMode::kOff;
  }

  /// Does it want to hear of the segment's hosts?
  [[nodiscard]] bool follows(SegmentId segment) const {
    return summarises(segment) || external_of(segment) != nullptr;
  }

  /// All of these append what is to be announced or withdrawn to `out`. Only for segments that it follows.
  void set_host(SegmentId segment, const HostFact& fact, TimePoint now, Announcements& out);
  /// A prefix that another site announces, not lingering. Segments that it does not follow ignore it.
  void set_claimed(SegmentId segment, const IpPrefix& prefix, bool claimed, TimePoint now,
                   Announcements& out);
  void note(SegmentId segment, const IpPrefix& prefix, RouteNote note, TimePoint now, Announcements& out);

  /// A summary that an earlier run left, in any segment: it stays until the hosts that are here have routes.
  void adopt(SegmentId segment, const IpPrefix& prefix, TimePoint now, Announcements& out);
  void start_complete(TimePoint now, Announcements& out);
  /// Everything that the segment announces beside what the site announces itself, again.
  void repeat_all(SegmentId segment, TimePoint now, Announcements& out);

  /// Goes on with other settings. The caller tells every host of the segments that it returns again, and then calls
  /// start_complete(): what was announced for them stays until then.
  [[nodiscard]] std::vector<SegmentId> reconfigure(const SiteSettings& settings, TimePoint now,
                                                   Announcements& out);

  [[nodiscard]] TimePoint next_deadline() const;
  void handle_time(TimePoint now, Announcements& out);

  /// What the route of an announcement is by now: a block for the outside may be a summary, too.
  [[nodiscard]] RouteClass class_of(const Announcement& announcement) const;
  /// nullptr for a segment without blocks for the outside.
  [[nodiscard]] const ExternalBlocks* external_of(SegmentId segment) const {
    return external_[segment.value].get();
  }
  /// nullptr for a segment without summaries.
  [[nodiscard]] const SegmentRoutes* routes_of(SegmentId segment, Family family) const;
  /// Fresh routes that wait because many arrive at once.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    SegmentId segment;
    IpAddress ip;
  };
  struct Leftover {
    SegmentId segment;
    IpPrefix prefix;
    TimePoint until = kNever;
  };
  using Families = std::array<std::unique_ptr<SegmentRoutes>, 2>;

  [[nodiscard]] SegmentRoutes* find(SegmentId segment, const IpAddress& ip);
  void rebuild(SegmentId segment, TimePoint now, Announcements& out);
  void rebuild_external(SegmentId segment, TimePoint now, Announcements& out);
  void fall_back(SegmentId segment, std::size_t first, Announcements& out) const;
  [[nodiscard]] RouteClass class_inside(SegmentId segment, const IpPrefix& prefix) const;
  bool count_arrival(TimePoint now);
  void release_waiting(TimePoint now, Announcements& out);

  SiteSettings settings_;
  std::vector<Families> segments_;
  std::vector<std::unique_ptr<ExternalBlocks>> external_;
  std::deque<Waiting> waiting_;
  TimePoint release_at_ = kNever;
  TimePoint second_began_;
  std::size_t arrivals_ = 0;         ///< in the second that began then
  std::size_t arrivals_before_ = 0;  ///< in the second before
  std::vector<Leftover> leftovers_;  ///< adopted in segments that announce no summaries now
};

}  // namespace untrombone::core
