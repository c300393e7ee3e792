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
#include "agent/daemon/clock.hpp"
#include "agent/daemon/config.hpp"
#include "agent/daemon/log.hpp"
#include "agent/daemon/topology.hpp"
#include "arp/guard.hpp"
#include "arp/tap.hpp"
#include "bgp/route_sink.hpp"
#include "netlink/monitor.hpp"

namespace untrombone::daemon {

enum class GuardState { kOff, kWaiting, kActive, kFailed };
[[nodiscard]] std::string_view to_string(GuardState state);

/// How a host's last greeting went.
struct GreetingRecord {
  unsigned sent = 0;
  core::Duration first_latency{};  ///< from the first frame to the first greeting sent
};

/// The shell around the core: feeds it what the kernel, the ports and the sink say, and does what it decides.
/// Everything happens on the io_context's one thread.
class Agent final : public netlink::MonitorListener, public arp::TapListener, public bgp::SinkListener {
 public:
  Agent(boost::asio::io_context& io, const Config& config, const Log& log, bool observe);

  /// Opens the kernel sockets and the sink.
  [[nodiscard]] ConfigResult<void> start();
  /// Leaves in order; `done` is called once.
  void stop(std::function<void()> done);
  /// `changed` is called when something that `status` shows may have changed.
  void on_status_change(std::function<void()> changed) { status_changed_ = std::move(changed); }
  /// `failed` is called when the agent cannot go on: the kernel's events are lost for good.
  void on_failure(std::function<void()> failed) { failed_ = std::move(failed); }

  /// Ends the freeze of a host; false when no segment has it frozen.
  bool clear_freeze(const core::IpAddress& ip);

  // What the views show.
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const core::Site& site() const { return site_; }
  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] const bgp::RouteSink& sink() const { return *sink_; }
  [[nodiscard]] const Alarms& alarms() const { return alarms_; }
  [[nodiscard]] const netlink::Monitor::Counters& kernel_counters() const { return monitor_.counters(); }
  [[nodiscard]] const arp::PortTap::Counters& tap_counters() { return tap_.counters(); }
  [[nodiscard]] const GreetingRecord* greeting_of(const core::HostKey& host) const;
  [[nodiscard]] GuardState guard_state() const { return guard_state_; }
  [[nodiscard]] const std::string& guard_detail() const { return guard_detail_; }
  [[nodiscard]] core::TimePoint started_at() const { return started_at_; }
  [[nodiscard]] bool observes() const { return observe_; }

 private:
  struct HostKeyHash {
    std::size_t operator()(const core::HostKey& key) const { return hash_value(key); }
  };

  // MonitorListener
  void on_kernel_message(const netlink::Message& message) override;
  void on_dump_started() override;
  void on_dump_finished() override;
  void on_kernel_idle() override;
  std::vector<core::Ifindex> prior_route_interfaces() override;
  void on_kernel_failure(const boost::system::error_code& error, std::string_view what) override;
  // TapListener
  void on_frame(core::Ifindex port, const arp::ArpFrame& frame, arp::FrameTime received) override;
  void on_nd_frame(core::Ifindex port, const arp::NdFrame& frame, arp::FrameTime received) override;
  void on_packet(core::Ifindex port, const arp::PacketSource& source, arp::FrameTime received) override;
  void on_tap_idle() override;
  // SinkListener
  void on_route_noted(const core::RouteNoted& note) override;
  void on_sink_status() override;

  void take(const netlink::LinkMessage& message);
  void take(const netlink::FdbMessage& message);
  void take(const netlink::NeighbourMessage& message);
  void take(const netlink::RouteMessage& message);
  void update_topology();
  void follow_ports(core::SegmentId id);
  void announce_segment(core::SegmentId id);

  void feed(const core::Event& event, core::TimePoint when);
  void act();
  void settle();
  void arm_timer();
  void send_greeting(const core::GreetRequest& request);
  void listen_for_strangers();
  void send_probe(const core::ProbeRequest& request);
  void send_probe_frame(const core::ProbeRequest& request, std::span<const std::byte> frame);
  void note_transition(const core::Transition& transition);
  void log_alarm(const core::Alarm& alarm);
  void update_guard();
  void set_guard(GuardState state, const std::string& detail);
  [[nodiscard]] std::vector<core::IpAddress> guarded_gateways(core::SegmentId id) const;

  [[nodiscard]] core::MacAddress probe_mac(core::SegmentId id) const;

  const Config& config_;
  const Log& log_;
  bool observe_;
  core::TimePoint started_at_;
  core::Site site_;
  core::Actions actions_;
  Topology topology_;
  netlink::Monitor monitor_;
  arp::PortTap tap_;
  arp::Guard guard_;
  std::unique_ptr<bgp::RouteSink> sink_;
  boost::asio::steady_timer timer_;
  core::TimePoint timer_at_ = core::kNever;
  Alarms alarms_;
  std::unordered_map<core::HostKey, GreetingRecord, HostKeyHash> greetings_;
  std::vector<std::vector<core::Ifindex>> tapped_;  ///< open ports, by segment
  std::vector<std::string> announced_missing_;      ///< what was last logged as missing, by segment
  std::vector<core::Ifindex> probe_bridges_;        ///< bridges that know our probe MAC, by segment
  std::vector<arp::GuardedSegment> guarded_;        ///< what the kernel was last told
  GuardState guard_state_ = GuardState::kOff;
  std::string guard_detail_;
  bool start_complete_ = false;
  bool stopping_ = false;
  std::function<void()> status_changed_;
  std::function<void()> failed_;
};

}  // namespace untrombone::daemon
