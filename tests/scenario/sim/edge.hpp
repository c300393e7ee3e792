// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "agent/core/site.hpp"
#include "tests/scenario/sim/routing.hpp"
#include "tests/scenario/sim/scheduler.hpp"

namespace untrombone::sim {

inline constexpr core::SegmentId kSegment{0};
inline constexpr core::Ifindex kSvi{10};
inline constexpr core::Ifindex kDciPort{1};
inline constexpr core::Ifindex kFirstLocalPort{2};
inline constexpr core::Ifindex kSecondLocalPort{3};

/// What a guest sends, as far as it matters here.
struct Frame {
  core::MacAddress mac;
  std::optional<core::FrameKind> kind;     ///< nullopt: an IP packet to the gateway
  std::optional<core::IpAddress> address;  ///< what it says of itself; of a packet: its source
  bool floods = false;                     ///< it goes to all sites: a broadcast that the guard lets pass
};

/// One site's edge: the kernel's bridge with its FDB, zebra with our routes, and between them the agent: the real core,
/// which crashes and starts again, and whose netlink events get lost.
class Edge {
 public:
  /// What the edge does to the world around it.
  struct Ports {
    std::function<void(const core::ProbeRequest&)> probe;
    std::function<void(const core::IpPrefix&, const std::optional<core::Route>&)> announce;
    Trace trace;
  };

  Edge(Scheduler& scheduler, Random& random, core::SiteSettings settings, Ports ports);

  /// A frame comes in on a port.
  void hear(core::Ifindex port, const Frame& frame);
  /// The routing protocol offers, or no longer offers, another site's route.
  void learn_claim(const core::IpPrefix& prefix, const std::optional<core::Route>& route);

  void crash_agent();
  void start_agent();
  /// The kernel's events are lost until resync(), as after an overrun.
  void lose_events() { deaf_ = true; }
  void resync();
  /// zebra and all that it announces are gone until it comes back and the sink has told it everything again.
  void lose_zebra();
  void restart_zebra();

  [[nodiscard]] bool runs() const { return site_.has_value(); }
  /// Only while it runs.
  [[nodiscard]] const core::Site& site() const { return *site_; }
  /// What the agent wants announced; empty while it does not run.
  [[nodiscard]] const std::map<core::IpPrefix, core::Route>& wanted() const { return wanted_; }
  /// Grows with every change of wanted().
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  [[nodiscard]] const core::SiteSettings& settings() const { return settings_; }

 private:
  struct Entry {
    core::Ifindex port;
    TimePoint refreshed;
  };

  void learn(core::Ifindex port, const core::MacAddress& mac);
  void age();
  void feed(const core::Event& event);
  void act();
  void look_up(const core::FdbLookup& lookup);
  void trace(const core::Actions& done) const;
  void wake();
  void apply(const core::RouteChange& change);
  void program(const core::IpPrefix& prefix, const std::optional<core::Route>& route);
  void select(const core::IpPrefix& prefix);
  void note(const core::IpPrefix& prefix, core::RouteNote note);
  void sweep();

  Scheduler& scheduler_;
  Random& random_;
  core::SiteSettings settings_;
  Ports ports_;

  std::optional<core::Site> site_;
  std::uint32_t life_ = 0;  ///< of the agent: what was scheduled for an earlier one is void
  core::Actions actions_;
  TimePoint wake_at_ = core::kNever;
  bool deaf_ = false;

  std::map<core::MacAddress, Entry> fdb_;
  std::map<core::IpAddress, core::MacAddress> neighbours_;

  std::map<core::IpPrefix, core::Route> wanted_;  ///< the sink's
  std::uint64_t changes_ = 0;
  bool zebra_runs_ = true;
  std::uint32_t zebra_life_ = 0;
  TimePoint zebra_busy_until_{};
  std::map<core::IpPrefix, core::Route> rib_;     ///< zebra's, of our type
  std::map<core::IpPrefix, core::Route> others_;  ///< what the routing protocol offers
  std::set<core::IpPrefix> selected_;
};

}  // namespace untrombone::sim
