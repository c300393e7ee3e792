// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/scenario/sim/edge.hpp"
#include "tests/scenario/sim/history.hpp"
#include "tests/scenario/sim/routing.hpp"
#include "tests/scenario/sim/scheduler.hpp"

namespace untrombone::sim {

/// What must never happen did; what() says when, and what.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How much a run saw.
struct RunCounters {
  std::uint64_t checks = 0;
  std::uint64_t moves = 0;
  std::uint64_t faults = 0;
  std::uint64_t changes = 0;
};

/// The sites, their stretched L2 domain, the guests and the remote router of one history.
///
/// After every single thing that happens, at the remote router:
///  - no guest that was ever routed and is somewhere is without a route (linger, make before break);
///  - a stable guest (it has spoken where it is, `kStable` ago, and no fault excuses it) is routed to its site; one
///    that is frozen to any site: the DCI takes it on;
/// and at every edge: nothing outside the subnets, no gateway, nothing excluded is announced, with the modes `off` and
/// `exact` nothing but hosts that are, or just were, here, and its home blocks always.
/// When it has been quiet for long enough, exactly the guests that are there are announced, by exactly their sites;
/// what may cover unknown addresses, by decision, covers nobody who is routed elsewhere.
class World {
 public:
  /// `trace` may be empty.
  World(const History& history, Trace trace);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Throws Violation.
  RunCounters run();

 private:
  struct Place {
    SiteIndex site = 0;
    core::Ifindex port;
    bool operator==(const Place&) const = default;
  };
  struct Guest {
    core::MacAddress mac;
    core::IpAddress ip;
    std::optional<Place> place;
    std::uint32_t life = 0;            ///< grows with every move: what an earlier place had scheduled is void
    TimePoint moved;                   ///< when it came to its place, or went
    TimePoint frozen_until;            ///< until then it may be routed to where it was
    TimePoint restless_until;          ///< it moved on before the routed world knew of the move before
    std::optional<TimePoint> spoke;    ///< with its address, first, since it came to its place
    std::optional<TimePoint> flooded;  ///< the same, so that all sites could hear it
    bool silent = true;                ///< it has sent nothing since it came to its place
    bool was_routed = false;
    std::optional<SiteIndex>
        routed_to;  ///< what the remote router's table said when it had changed so often:
    std::uint64_t looked_up_at = ~std::uint64_t{0};
    bool flooding = true;  ///< it also talks to its neighbours, not to the gateway only
    Duration pause{};      ///< between two things it says
  };
  /// From a fault until what it spoilt must be right again.
  struct Excuse {
    StepKind fault{};
    SiteIndex site = 0;
    TimePoint from;
    TimePoint mended = core::kNever;
    TimePoint until = core::kNever;
  };

  void apply(const Step& step);
  void move(std::size_t index, Place place, Announcement announcement);
  void power_off(std::size_t index);
  void announce_arrival(std::size_t index, Announcement announcement);
  void talk(std::size_t index, std::uint32_t life);
  void say(std::size_t index, std::optional<core::FrameKind> kind, bool floods);
  void answer(SiteIndex site, const core::ProbeRequest& probe);
  void excuse(const Step& fault);
  void mend(StepKind fault, SiteIndex site, Duration recovery);
  void heal_everything();

  void check();
  void check_guest(Guest& guest);
  void check_edge(const Edge& edge) const;
  void check_quiet();
  [[nodiscard]] bool may_cover_unknown(SiteIndex site, const core::IpPrefix& prefix,
                                       const core::Route& route) const;
  [[nodiscard]] bool is_excused(const Guest& guest) const;
  [[nodiscard]] bool is_in_home_block(const core::IpAddress& ip) const;
  [[nodiscard]] bool is_frozen(const Guest& guest) const;
  /// The time, for people.
  [[nodiscard]] std::string stamp() const;
  [[noreturn]] void fail(const std::string& what) const;

  const History& history_;
  Trace trace_;
  Scheduler scheduler_;
  Random random_;
  Routing routing_;
  std::vector<std::unique_ptr<Edge>> edges_;
  std::vector<Guest> guests_;
  std::vector<std::vector<TimePoint>> dci_busy_until_;  ///< by sender and receiver: the DCI keeps the order
  std::vector<Excuse> excuses_;
  std::vector<std::uint64_t> edges_checked_at_;
  bool dci_cut_ = false;
  RunCounters counters_;
};

}  // namespace untrombone::sim
