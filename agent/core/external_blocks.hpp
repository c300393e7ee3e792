// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "agent/core/segment_routes.hpp"

namespace untrombone::core {

/// One block as this site sees it.
struct ExternalView {
  IpPrefix prefix;
  RouteClass route_class = RouteClass::kNone;
  RouteClass wanted = RouteClass::kNone;  ///< what it will be at `due`, if nothing changes
  TimePoint due = kNever;
  std::size_t here = 0;
  std::size_t elsewhere = 0;
};

/// The blocks of one segment that are announced to the outside, where nobody takes a host route: the parts of its IPv4
/// subnets that are `external-length` long and have hosts. The site that has more hosts of a block than all the others
/// together announces it; the others hold it in reserve, by a route that loses to anybody's. So a block changes sites
/// in one update of whoever hears both, and while its site is cut off another one has it.
///
/// Each site counts for itself: its own hosts, those that its bridge sees behind the DCI, and what others announce. A
/// block becomes something else when that has been right for `hold` without a break, looked at once a second. A site
/// keeps a block that it shares evenly. What has no host any more is withdrawn.
class ExternalBlocks {
 public:
  ExternalBlocks(const SegmentSettings& settings, SegmentId segment);

  void set_host(const HostFact& fact, TimePoint now);
  /// A prefix that another site announces, better than a lingering route.
  void set_claimed(const IpPrefix& prefix, bool claimed, TimePoint now);
  /// A block, or a summary as long as one, that an earlier run left: this site's until it is known who is here.
  void adopt(const IpPrefix& prefix, TimePoint now, Announcements& out);
  void start_complete(TimePoint now);
  void repeat_all(TimePoint now, Announcements& out) const;
  /// Of other settings: takes over the blocks of `old` that still are some; the others have class kNone in `out`.
  void take_over(const ExternalBlocks& old, TimePoint now, Announcements& out);

  [[nodiscard]] TimePoint next_deadline() const { return std::min(look_at_, due_); }
  /// What is not announced any more has class kNone in `out`; it may be a summary, too.
  void handle_time(TimePoint now, Announcements& out);

  /// kNone for what is no block, or not announced as one.
  [[nodiscard]] RouteClass class_of(const IpPrefix& prefix) const;
  /// The block around `ip`; nullopt when there is none.
  [[nodiscard]] std::optional<ExternalView> view_of(const IpAddress& ip) const;
  [[nodiscard]] const std::set<IpPrefix>& claimed() const { return claimed_; }

 private:
  struct Block {
    RouteClass route_class = RouteClass::kNone;
    RouteClass wanted = RouteClass::kNone;
    TimePoint due = kNever;  ///< when it becomes what is wanted
  };
  struct Tally {
    std::size_t here = 0;
    std::size_t elsewhere = 0;
  };
  using Blocks = std::map<IpPrefix, Block>;

  [[nodiscard]] bool is_block(const IpPrefix& prefix) const;
  [[nodiscard]] std::optional<IpPrefix> block_of(const IpAddress& ip) const;
  [[nodiscard]] Tally count(const IpPrefix& block) const;
  [[nodiscard]] std::size_t hosts_in(const IpPrefix& claim, const std::set<IpAddress>& elsewhere) const;
  [[nodiscard]] RouteClass wanted_for(const IpPrefix& prefix, RouteClass present) const;
  void look_soon(const IpPrefix& block, TimePoint now);
  void look(TimePoint now);
  void change(TimePoint now, Announcements& out);

  SegmentSettings settings_;
  SegmentId segment_;
  std::map<IpAddress, bool> hosts_;  ///< known ones of the blocks: is it here?
  std::set<IpPrefix> claimed_;
  Blocks blocks_;
  std::set<IpPrefix> unseen_;  ///< blocks of which something has changed
  TimePoint look_at_ = kNever;
  TimePoint due_ = kNever;  ///< of the block that is due first
  bool started_ = false;
};

}  // namespace untrombone::core
