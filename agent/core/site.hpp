// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <map>
#include <optional>
#include <queue>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "agent/core/announcer.hpp"
#include "agent/core/claims.hpp"
#include "agent/core/event.hpp"
#include "agent/core/history.hpp"
#include "agent/core/host_table.hpp"
#include "agent/core/pacer.hpp"
#include "agent/core/probe_queue.hpp"
#include "agent/core/settings.hpp"
#include "agent/core/strangers.hpp"
#include "agent/core/sweeper.hpp"

namespace untrombone::core {

/// The decisions of one site: `State x Event x Time -> State + Actions`. No I/O, no clock, no thread.
///
/// Rules (design 3 and 4). The port decides: a host is local iff the latest evidence for its MAC is a local port.
/// Evidence that carries the address (ARP, ND) on a local port makes it `local`; evidence of the MAC alone (RARP, FDB)
/// makes it `provisional`: announced, probed, and retracted unless it answers within `confirm`. Evidence on a DCI
/// port makes it `departing`: its route lingers at a worse metric until another site's claim wins or `linger` is over.
/// A host that an operator claims for this site ahead of its move lingers, too, until it arrives or the claim ends.
/// Hosts found by the first dump are announced settled, later ones fresh. Questions are paced (ProbeQueue): a
/// deadline for an answer runs from when the question was asked, and nobody is given up who was not asked.
class Site {
 public:
  explicit Site(SiteSettings settings);

  /// Feeds one event. `now` must not go backwards; `when` is the time of the evidence (a frame's receive time).
  void handle(const Event& event, TimePoint when, TimePoint now, Actions& out);

  /// Goes on with other settings. Segments keep their position, and may only be added; one that is given up has no
  /// subnets any more. What the new settings do not change is not touched.
  void reconfigure(SiteSettings settings, TimePoint now, Actions& out);

  /// When handle_time() wants to be called next; kNever if not at all.
  [[nodiscard]] TimePoint next_deadline() const;
  /// Runs what is due at `now`.
  void handle_time(TimePoint now, Actions& out);

  [[nodiscard]] const SiteSettings& settings() const { return settings_; }
  [[nodiscard]] const HostTable& hosts() const { return hosts_; }
  [[nodiscard]] const History& history() const { return history_; }
  /// What other sites announce inside our subnets.
  [[nodiscard]] const Claims& claims() const { return claims_; }
  /// Hosts that answered here although another site claimed them.
  [[nodiscard]] std::uint64_t conflicts() const { return conflicts_; }
  [[nodiscard]] Verdict verdict(const Host& host) const;
  /// MACs on local ports whose IP packets should be listened to, for want of an address.
  [[nodiscard]] std::span<const Stranger> strangers() const { return strangers_.list(); }
  [[nodiscard]] std::uint64_t strangers_turned_away() const { return strangers_.turned_away(); }
  [[nodiscard]] bool started() const { return started_; }
  /// Hosts of the segment that wait for their turn to be asked.
  [[nodiscard]] std::size_t probes_waiting(SegmentId segment) const {
    return segments_[segment.value].probes.waiting();
  }
  [[nodiscard]] bool sweeps(SegmentId segment) const { return segments_[segment.value].sweeper.walks(); }
  /// After how much silence a host of the segment is asked: `refresh`, or half of what the bridge remembers a MAC for.
  [[nodiscard]] Duration refresh_of(SegmentId segment) const { return segments_[segment.value].refresh; }
  [[nodiscard]] bool is_own(SegmentId segment, const IpAddress& ip) const;
  /// May it be claimed for this site ahead of its move? Not what can be no host, is here, or is frozen.
  [[nodiscard]] bool may_expect(SegmentId segment, const IpAddress& ip) const;
  /// What summaries there are, and why.
  [[nodiscard]] const Announcer& announcer() const { return announcer_; }
  /// The route of its own that this host asks for now; nullopt when none.
  [[nodiscard]] std::optional<Route> route_of(const Host& host) const;

 private:
  struct PortKey {
    Ifindex port;
    VlanId vlan;
    auto operator<=>(const PortKey&) const = default;
  };
  struct Port {
    SegmentId segment;
    PortClass port_class = PortClass::kLocal;
  };
  /// A port as one segment sees it.
  using PortOfSegment = std::pair<SegmentId, Ifindex>;
  struct Segment {
    explicit Segment(const SegmentSettings& settings);
    /// Takes over what may change under way.
    void configure(const SegmentSettings& settings);
    Ifindex interface;
    MacAddress mac;
    bool up = false;
    std::array<bool, 2> isolated{};  ///< IPv4, IPv6: cut off from the rest of the world
    VrfId vrf;
    bool frames_lost = false;   ///< since the last dump
    std::size_t hosts = 0;      ///< in the table
    std::size_t announced = 0;  ///< of these, those that may not be forgotten to make room
    std::size_t subnets = 0;    ///< 0: given up
    TimePoint fresh_from{};     ///< who arrives before was there before us: settled, not fresh
    Duration ageing{};          ///< of the bridge
    Duration refresh{};
    std::vector<IpAddress> own_addresses;
    std::map<Ifindex, TokenBucket> new_hosts;  ///< a new host costs a token of its port
    ProbeQueue probes;
    Sweeper sweeper;
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
    bool dumped = false;
    std::optional<IpAddress> ip;  ///< the address the evidence carries
    Reason reason = Reason::kNone;
    TimePoint when;
    TimePoint now;
    /// It is only seen when a MAC comes to a port: a frame may be the guest's hundredth from there.
    [[nodiscard]] bool is_announcement() const {
      return evidence == Evidence::kRarp || (evidence == Evidence::kFdb && !dumped);
    }
    [[nodiscard]] bool is_local() const { return port_class != PortClass::kDci && !remote_vtep; }
  };

  /// That the MAC has the address, from who does not know where it is.
  static Sighting binding_of(SegmentId segment, const MacAddress& mac, const IpAddress& ip, TimePoint when,
                             TimePoint now);

  // site.cpp: evidence
  void on(const FrameSeen& event, TimePoint when, TimePoint now, Actions& out);
  void on(const SourceSeen& event, TimePoint when, TimePoint now, Actions& out);
  void on(const FdbSeen& event, TimePoint when, TimePoint now, Actions& out);
  void on(const FdbGone& event, TimePoint when, TimePoint now, Actions& out);
  void on(const NeighbourSeen& event, TimePoint when, TimePoint now, Actions& out);
  void on(const PriorRoute& event, TimePoint when, TimePoint now, Actions& out);
  void on(const PriorSummary& event, TimePoint when, TimePoint now, Actions& out);
  void on(const DumpStarted& event, TimePoint when, TimePoint now, Actions& out);
  void on(const DumpFinished& event, TimePoint when, TimePoint now, Actions& out);
  void on(const RouteNoted& event, TimePoint when, TimePoint now, Actions& out);
  void on(const FreezeCleared& event, TimePoint when, TimePoint now, Actions& out);
  // site_expected.cpp: hosts that are claimed for this site ahead of their move, and those frozen in the wrong place
  void on(const HostExpected& event, TimePoint when, TimePoint now, Actions& out);
  void on(const HostReleased& event, TimePoint when, TimePoint now, Actions& out);
  void announce_ahead(Host& host, TimePoint now, Actions& out);
  void announce_expected(TimePoint now, Actions& out);
  void stop_expecting(Host& host);
  void stand_by_frozen(Host& host, TimePoint now, Actions& out);
  void stop_last_resort(Host& host, TimePoint now, Actions& out);
  void end_expectation(HostIndex index, Reason reason, TimePoint now, Actions& out);
  [[nodiscard]] RouteClass class_while_absent(const Host& host) const;
  // site_claims.cpp: other sites' claims, and isolation
  void on(const ClaimSeen& event, TimePoint when, TimePoint now, Actions& out);
  void on(const ClaimGone& event, TimePoint when, TimePoint now, Actions& out);
  void on(const ClaimsBegun& event, TimePoint when, TimePoint now, Actions& out);
  void on(const ClaimsListed& event, TimePoint when, TimePoint now, Actions& out);
  void on(const UplinkChanged& event, TimePoint when, TimePoint now, Actions& out);
  [[nodiscard]] bool concerns_us(const RouteKey& key) const;
  void meet_claim(const ClaimSeen& claim, TimePoint now, Actions& out);
  void take_contested_answer(Host& host, Ifindex port, TimePoint now, Actions& out);
  [[nodiscard]] std::uint32_t outbid(const Host& host) const;
  [[nodiscard]] bool is_isolated(SegmentId segment, Family family) const {
    return segments_[segment.value].isolated[family == Family::kIpv4 ? 0 : 1];
  }

  // site_reconfigure.cpp
  void give_up(HostIndex index, TimePoint now, Actions& out);
  void tell_all(SegmentId segment, TimePoint now, Actions& out);
  void tell_claims(TimePoint now, Actions& out);
  [[nodiscard]] bool is_news(const Host& host, TimePoint now) const {
    return started_ && now >= segments_[host.segment.value].fresh_from;
  }

  [[nodiscard]] bool may_be_station(SegmentId segment, const MacAddress& mac) const;
  void check_claim(const Sighting& sighting, Actions& out);
  void locate(const Sighting& sighting, Actions& out);
  HostIndex bind(const Sighting& sighting, Actions& out);
  HostIndex add_host(const Sighting& sighting, Actions& out);
  void lose_place(const StationKey& key, bool aged, TimePoint now, Actions& out);
  void look_for_strangers(TimePoint now, Actions& out);
  [[nodiscard]] bool has_lonely_station(SegmentId segment);

  // site_ports.cpp: what the segment is made of
  void on(const InterfaceChanged& event, TimePoint when, TimePoint now, Actions& out);
  void on(const PortChanged& event, TimePoint when, TimePoint now, Actions& out);
  void on(const OwnAddress& event, TimePoint when, TimePoint now, Actions& out);
  void on(const OwnMac& event, TimePoint when, TimePoint now, Actions& out);
  void on(const BridgeAgeing& event, TimePoint when, TimePoint now, Actions& out);
  void on(const FramesLost& event, TimePoint when, TimePoint now, Actions& out);
  void leave_vrf(SegmentId segment, TimePoint now, Actions& out);
  void port_up(const PortChanged& event, TimePoint now, Actions& out);
  void hold_port(PortOfSegment port, TimePoint now);
  void challenge_port(PortOfSegment port, TimePoint now, Actions& out);
  void reclassify_port(const PortChanged& event, TimePoint now, Actions& out);
  void release_port(PortKey place, TimePoint now, Actions& out);
  void release_held_ports(TimePoint now, Actions& out);
  [[nodiscard]] bool is_held(SegmentId segment, Ifindex port) const {
    return !held_.empty() && held_.contains({segment, port});
  }
  [[nodiscard]] std::vector<StationKey> stations_at(PortOfSegment port);
  void forget(HostIndex index, Reason reason, TimePoint now, Actions& out);
  bool make_room(SegmentId segment, TimePoint now, Actions& out);

  // site_probes.cpp: who is asked, and when
  void challenge(HostIndex index, bool brief, TimePoint now, Actions& out);
  void refresh(HostIndex index, TimePoint now, Actions& out);
  void ask_again(HostIndex index, TimePoint now, Actions& out);
  void ask(HostIndex index, Urgency urgency, TimePoint now, Actions& out);
  void ask_now(HostIndex index, Urgency urgency, TimePoint now, Actions& out);
  bool ask_in_turn(SegmentId segment, const ProbeQueue::Turn& turn, TimePoint now, Actions& out);
  void heard(Host& host, TimePoint now);
  void answered(HostIndex index);
  void run_probe_timer(HostIndex index, TimePoint now, Actions& out);
  void run_probe_queues(TimePoint now, Actions& out);
  void run_sweep(SegmentId id, TimePoint now, Actions& out);
  void sweep_unknown(TimePoint now);
  void sweep_after_loss(SegmentId id, TimePoint now);
  [[nodiscard]] bool is_worth_sweeping(SegmentId segment, const IpAddress& ip) const;
  void wake_for_probes(TimePoint at, TimePoint now);
  [[nodiscard]] TimePoint next_refresh(const Host& host) const;
  void emit_probe(const Host& host, Actions& out);
  void probe_prior_routes(TimePoint now, Actions& out);
  void withdraw_prior_routes(TimePoint now, Actions& out);
  [[nodiscard]] RouteKey key_of(SegmentId segment, const IpPrefix& prefix) const {
    return {segments_[segment.value].vrf, prefix};
  }

  // site_routes.cpp: what the announcer is told, and what it wants
  [[nodiscard]] bool is_elsewhere(const Host& host) const;
  void tell_announcer(const Host& host, TimePoint cause, TimePoint now, Actions& out);
  void program(Actions& out);
  void check_budgets(Actions& out);
  void sync_claim(const RouteKey& key, TimePoint now, Actions& out);
  void sync_claims(TimePoint now, Actions& out);
  [[nodiscard]] std::optional<Route> route_for(SegmentId id, Family family, RouteClass route_class) const;

  // site_hosts.cpp: the life of one host
  void arrive(HostIndex index, const Sighting& sighting, bool confirmed, Actions& out);
  void depart(HostIndex index, Reason reason, Ifindex port, TimePoint now, Actions& out);
  void withdraw(HostIndex index, HostState state, Reason reason, TimePoint now, Actions& out);
  void count_move(Host& host, Ifindex port, TimePoint now, Actions& out);
  void thaw(HostIndex index, TimePoint now, Actions& out);
  void run_host_timers(HostIndex index, TimePoint now, Actions& out);
  void set_state(Host& host, HostState state, Reason reason, Ifindex port, TimePoint now, Actions& out);
  void set_route(Host& host, RouteClass route_class, TimePoint cause, TimePoint now, Actions& out);
  void emit_route(const Host& host, TimePoint cause, Actions& out);
  void greet(Host& host, TimePoint now, Actions& out);
  [[nodiscard]] bool has_ipv6_host(const Station& station) const;
  void schedule(HostIndex index);
  [[nodiscard]] HostState state_elsewhere(const Host& host) const;
  [[nodiscard]] const SegmentSettings& settings_of(const Host& host) const {
    return settings_.segments[host.segment.value];
  }

  /// First greetings in a mass event: 20,000 a second after a burst.
  static constexpr Duration kGreetingInterval = std::chrono::microseconds(50);
  static constexpr unsigned kGreetingBurst = 500;

  SiteSettings settings_;
  HostTable hosts_;
  History history_;
  Claims claims_;
  boost::unordered_flat_set<HostKey> expected_;  ///< the hosts that are
  std::uint64_t conflicts_ = 0;
  std::vector<Segment> segments_;
  std::map<PortKey, Port> ports_;
  std::map<PortOfSegment, TimePoint> held_;  ///< down, but until then their hosts are believed to be there
  boost::unordered_flat_set<StationKey> own_macs_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  Strangers strangers_;
  Pacer greeting_pace_{kGreetingInterval, kGreetingBurst};
  std::vector<PriorRoute> prior_routes_;
  std::size_t prior_next_ = 0;  ///< the next of them to be asked in this round
  HostIndex room_hand_ = 0;     ///< where make_room() looks next
  Announcer announcer_;
  Announcements announcements_;
  std::vector<bool> over_budget_;  ///< by segment, as last said
  std::uint32_t generation_ = 0;
  std::size_t routes_ = 0;
  bool dumped_ = false;
  bool started_ = false;
  bool prior_round_over_ = false;  ///< everybody was asked once
  TimePoint start_at_ = kNever;
  TimePoint probes_at_ = kNever;  ///< somebody waits to be asked
  TimePoint ports_at_ = kNever;   ///< a held port is given up
  TimePoint prior_probe_at_ = kNever;
  TimePoint look_again_at_ = kNever;
};

}  // namespace untrombone::core
