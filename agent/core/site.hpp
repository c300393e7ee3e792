// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <optional>
#include <queue>
#include <vector>

#include "agent/core/event.hpp"
#include "agent/core/history.hpp"
#include "agent/core/host_table.hpp"
#include "agent/core/settings.hpp"
#include "agent/core/strangers.hpp"

namespace untrombone::core {

/// The decisions of one site: `State x Event x Time -> State + Actions`. No I/O, no clock, no thread.
///
/// Rules (design 3 and 4). The port decides: a host is local iff the latest evidence for its MAC is a local port.
/// Evidence that carries the address (ARP, ND) on a local port makes it `local`; evidence of the MAC alone (RARP, FDB)
/// makes it `provisional`: announced, probed, and retracted unless it answers within `confirm`. Evidence on a DCI
/// port makes it `departing`: its route lingers at a worse metric until another site's claim wins or `linger` is over.
/// Hosts found by the first dump are announced settled, later ones fresh.
class Site {
 public:
  explicit Site(SiteSettings settings);

  /// Feeds one event. `now` must not go backwards; `when` is the time of the evidence (a frame's receive time).
  void handle(const Event& event, TimePoint when, TimePoint now, Actions& out);

  /// When handle_time() wants to be called next; kNever if not at all.
  [[nodiscard]] TimePoint next_deadline() const;
  /// Runs what is due at `now`.
  void handle_time(TimePoint now, Actions& out);

  [[nodiscard]] const SiteSettings& settings() const { return settings_; }
  [[nodiscard]] const HostTable& hosts() const { return hosts_; }
  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] Verdict verdict(const Host& host) const;
  /// MACs on local ports whose IP packets should be listened to, for want of an address.
  [[nodiscard]] std::span<const Stranger> strangers() const { return strangers_.list(); }
  [[nodiscard]] std::uint64_t strangers_turned_away() const { return strangers_.turned_away(); }
  [[nodiscard]] bool started() const { return started_; }
  /// The route this host asks for now; nullopt when none.
  [[nodiscard]] std::optional<Route> route_of(const Host& host) const;

 private:
  struct Port {
    SegmentId segment;
    PortClass port_class = PortClass::kLocal;
  };
  struct Segment {
    Ifindex interface;
    MacAddress mac;
    bool up = false;
    std::size_t hosts = 0;
  };
  struct Timer {
    TimePoint at;
    HostIndex host = kNoHost;
    bool operator>(const Timer& other) const { return at > other.at; }
  };
  /// Who speaks, where and when: the context of one piece of evidence.
  struct Sighting {
    SegmentId segment;
    MacAddress mac;
    Ifindex port;
    PortClass port_class = PortClass::kLocal;
    Evidence evidence = Evidence::kNone;
    bool remote_vtep = false;
    std::optional<IpAddress> ip;  ///< the address the evidence carries
    Reason reason = Reason::kNone;
    TimePoint when;
    TimePoint now;
    [[nodiscard]] bool is_local() const { return port_class != PortClass::kDci && !remote_vtep; }
  };

  // site.cpp: events
  void on(const InterfaceChanged& event, TimePoint when, TimePoint now, Actions& out);
  void on(const PortChanged& event, TimePoint when, TimePoint now, Actions& out);
  void on(const FrameSeen& event, TimePoint when, TimePoint now, Actions& out);
  void on(const SourceSeen& event, TimePoint when, TimePoint now, Actions& out);
  void on(const FdbSeen& event, TimePoint when, TimePoint now, Actions& out);
  void on(const FdbGone& event, TimePoint when, TimePoint now, Actions& out);
  void on(const NeighbourSeen& event, TimePoint when, TimePoint now, Actions& out);
  void on(const PriorRoute& event, TimePoint when, TimePoint now, Actions& out);
  void on(const DumpStarted& event, TimePoint when, TimePoint now, Actions& out);
  void on(const DumpFinished& event, TimePoint when, TimePoint now, Actions& out);
  void on(const RouteNoted& event, TimePoint when, TimePoint now, Actions& out);
  void on(const FreezeCleared& event, TimePoint when, TimePoint now, Actions& out);
  [[nodiscard]] bool may_be_station(SegmentId segment, const MacAddress& mac) const;
  void locate(const Sighting& sighting, Actions& out);
  HostIndex bind(const Sighting& sighting, Actions& out);
  void lose_place(const StationKey& key, bool aged, TimePoint now, Actions& out);
  void probe_prior_routes(TimePoint now, Actions& out);
  void look_for_strangers(TimePoint now, Actions& out);
  void withdraw_prior_routes(TimePoint now, Actions& out);

  // site_hosts.cpp: the life of one host
  void arrive(HostIndex index, const Sighting& sighting, bool confirmed, Actions& out);
  void depart(HostIndex index, Reason reason, Ifindex port, TimePoint now, Actions& out);
  void challenge(HostIndex index, Duration window, TimePoint now, Actions& out);
  void withdraw(HostIndex index, HostState state, Reason reason, TimePoint now, Actions& out);
  void count_move(Host& host, Ifindex port, TimePoint now, Actions& out);
  void thaw(HostIndex index, TimePoint now, Actions& out);
  void run_host_timers(HostIndex index, TimePoint now, Actions& out);
  void run_probe_timer(HostIndex index, TimePoint now, Actions& out);
  [[nodiscard]] TimePoint next_refresh(const Host& host) const;
  void set_state(Host& host, HostState state, Reason reason, Ifindex port, TimePoint now, Actions& out);
  void set_route(Host& host, RouteClass route_class, TimePoint cause, Actions& out);
  void emit_route(const Host& host, TimePoint cause, Actions& out);
  void greet(Host& host, TimePoint now, Actions& out);
  [[nodiscard]] bool has_ipv6_host(const Station& station) const;
  void probe(const Host& host, Actions& out);
  void schedule(HostIndex index);
  [[nodiscard]] HostState state_elsewhere(const Host& host) const;
  [[nodiscard]] const SegmentSettings& settings_of(const Host& host) const {
    return settings_.segments[host.segment.value];
  }

  SiteSettings settings_;
  HostTable hosts_;
  History history_;
  std::vector<Segment> segments_;
  std::map<Ifindex, Port> ports_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  Strangers strangers_;
  std::vector<PriorRoute> prior_routes_;
  std::uint32_t generation_ = 0;
  std::size_t routes_ = 0;
  bool dumped_ = false;
  bool started_ = false;
  TimePoint start_at_ = kNever;
  TimePoint prior_probe_at_ = kNever;
  TimePoint look_again_at_ = kNever;
};

}  // namespace untrombone::core
