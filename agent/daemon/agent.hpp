// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/core/site.hpp"
#include "agent/daemon/alarms.hpp"
#include "agent/daemon/claim_sources.hpp"
#include "agent/daemon/clock.hpp"
#include "agent/daemon/config.hpp"
#include "agent/daemon/config_reload.hpp"
#include "agent/daemon/event_hub.hpp"
#include "agent/daemon/frr_watch.hpp"
#include "agent/daemon/guard_keeper.hpp"
#include "agent/daemon/kernel_answers.hpp"
#include "agent/daemon/log.hpp"
#include "agent/daemon/move_log.hpp"
#include "agent/daemon/own_addresses.hpp"
#include "agent/daemon/port_taps.hpp"
#include "agent/daemon/tap_watch.hpp"
#include "agent/daemon/topology.hpp"
#include "agent/daemon/uplink_watch.hpp"
#include "arp/tap.hpp"
#include "bgp/bgpd_lookout.hpp"
#include "bgp/route_sink.hpp"
#include "netlink/monitor.hpp"

namespace untrombone::daemon {

/// How a host's last greeting went.
struct GreetingRecord {
  unsigned sent = 0;
  core::Duration first_latency{};  ///< from the first frame to the first greeting sent
};

/// The shell around the core: feeds it what the kernel, the ports and the sink say, and does what it decides.
/// Everything happens on the io_context's one thread.
class Agent final : public netlink::MonitorListener,
                    public arp::TapListener,
                    public bgp::SinkListener,
                    public bgp::ClaimListener {
 public:
  Agent(boost::asio::io_context& io, const Config& config, Log& log, bool observe);

  /// Opens the kernel sockets and the sink.
  [[nodiscard]] ConfigResult<void> start();
  /// Leaves in order; `done` is called once.
  void stop(std::function<void()> done);
  /// `changed` is called when something that `status` shows may have changed.
  void on_status_change(std::function<void()> changed) { status_changed_ = std::move(changed); }
  /// `failed` is called when the agent cannot go on: the kernel's events are lost for good.
  void on_failure(std::function<void()> failed) { failed_ = std::move(failed); }

  /// Where reload() reads the configuration.
  void set_config_path(std::string path) { config_path_ = std::move(path); }
  /// Reads the configuration again and applies what changed; says what. An error changes nothing.
  ConfigResult<ReloadPlan> reload();

  /// What an operator says of a host.
  void take_hint(const core::Event& hint);

  // What the views show.
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const core::Site& site() const { return site_; }
  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] const bgp::RouteSink& sink() const { return *sink_; }
  [[nodiscard]] const Alarms& alarms() const { return alarms_; }
  [[nodiscard]] const netlink::Monitor::Counters& kernel_counters() const { return monitor_.counters(); }
  [[nodiscard]] const arp::PortTap::Counters& tap_counters() { return tap_.counters(); }
  /// Routes of ours that a killed zebra had left in its successor's table, in the way of ours.
  [[nodiscard]] std::uint64_t zebra_leftovers() const { return zebra_leftovers_; }
  /// Frames with a VLAN that no segment has on their port.
  [[nodiscard]] std::uint64_t foreign_frames() const { return foreign_frames_; }
  /// The MAC that the site's own questions come from.
  [[nodiscard]] core::MacAddress probe_mac(core::SegmentId id) const { return taps_.probe_mac(id); }
  [[nodiscard]] const GreetingRecord* greeting_of(const core::HostKey& host) const;
  [[nodiscard]] const GuardKeeper& guard() const { return guard_; }
  [[nodiscard]] GuardKeeper& guard() { return guard_; }
  [[nodiscard]] const ClaimSources& claim_sources() const { return claim_sources_; }
  [[nodiscard]] const FrrWatch& frr() const { return frr_; }
  [[nodiscard]] const UplinkWatch& uplink() const { return uplink_; }
  [[nodiscard]] const MoveLog& moves() const { return moves_; }
  [[nodiscard]] const LatencyHistogram& greeting_latency() const { return greeting_latency_; }
  [[nodiscard]] const EventHub& events() const { return *events_; }
  /// Watchers may outlive the agent by a moment.
  [[nodiscard]] std::shared_ptr<EventHub> share_events() const { return events_; }
  [[nodiscard]] core::TimePoint started_at() const { return started_at_; }
  [[nodiscard]] bool observes() const { return observe_; }

 private:
  struct HostKeyHash {
    std::size_t operator()(const core::HostKey& key) const { return hash_value(key); }
  };

  // MonitorListener
  void on_kernel_message(const netlink::Message& message, bool dumped) override;
  void on_dump_started() override;
  void on_dump_finished() override;
  void on_kernel_idle() override;
  netlink::DumpScope dump_scope() override;
  void on_kernel_failure(const boost::system::error_code& error, std::string_view what) override;
  // TapListener
  void on_frame(const arp::FrameOrigin& origin, const arp::ArpFrame& frame) override;
  void on_nd_frame(const arp::FrameOrigin& origin, const arp::NdFrame& frame) override;
  void on_packet(const arp::FrameOrigin& origin, const arp::PacketSource& source) override;
  void on_tap_idle() override;
  // SinkListener
  void on_route_noted(const core::RouteNoted& note) override;
  void on_prior_route(const core::RouteKey& key, core::Ifindex interface) override;
  void on_sink_status() override;
  void on_leftovers_superseded(const std::vector<core::RouteKey>& keys) override;
  // ClaimListener
  void on_claim_event(const core::Event& event) override;
  void on_claims_idle() override;

  void take(const netlink::LinkMessage& message);
  void take(const netlink::AddressMessage& message);
  void take(const netlink::VlanMessage& message);
  void take(const netlink::FdbMessage& message);
  void take(const netlink::NeighbourMessage& message);
  void take(const netlink::RouteMessage& message);
  void update_topology();
  void announce_segment(core::SegmentId id);

  void feed(const core::Event& event, core::TimePoint when);
  void act();
  void settle();
  void arm_timer();
  void stand_in(core::SegmentId id, const core::FrameSeen& seen, const core::IpAddress& target);
  void send_greeting(const core::GreetRequest& request);
  void on_frames_lost(const std::vector<core::Ifindex>& ports);
  [[nodiscard]] std::optional<Place> place_of(const arp::FrameOrigin& origin);
  void send_probe(const core::ProbeRequest& request);
  void send_probe_frame(const core::ProbeRequest& request, std::span<const std::byte> frame);
  void note_transition(const core::Transition& transition);
  void note_move(const Move* move);
  void log_alarm(const core::Alarm& alarm);
  void note_announced();
  void apply(const Config& config);
  void note_uplink(const core::UplinkChanged& change);

  Config config_;
  Log& log_;
  bool observe_;
  core::TimePoint started_at_;
  core::Site site_;
  core::Actions actions_;
  Topology topology_;
  OwnAddresses own_;
  netlink::Monitor monitor_;
  arp::PortTap tap_;
  PortTaps taps_;
  TapWatch tap_watch_;
  std::uint64_t foreign_frames_ = 0;
  std::uint64_t zebra_leftovers_ = 0;
  GuardKeeper guard_;
  KernelAnswers answers_;
  std::unique_ptr<bgp::RouteSink> sink_;
  FrrWatch frr_;
  ClaimSources claim_sources_;
  UplinkWatch uplink_;
  boost::asio::steady_timer timer_;
  core::TimePoint timer_at_ = core::kNever;
  bool dumped_ = false;              ///< the kernel message that is taken is part of a dump
  std::uint64_t overruns_told_ = 0;  ///< how many of them are in the log
  Alarms alarms_;
  std::shared_ptr<EventHub> events_ = std::make_shared<EventHub>();
  MoveLog moves_;
  bgp::BgpdLookout lookout_;
  LatencyHistogram greeting_latency_;
  std::unordered_map<core::HostKey, GreetingRecord, HostKeyHash> greetings_;
  std::vector<std::string> announced_missing_;  ///< what was last logged as missing, by segment
  bool start_complete_ = false;
  bool stopping_ = false;
  std::string config_path_;
  std::function<void()> status_changed_;
  std::function<void()> failed_;
};

}  // namespace untrombone::daemon
