// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/daemon/config.hpp"
#include "agent/daemon/gateway_health.hpp"
#include "agent/daemon/guard_plan.hpp"
#include "agent/daemon/log.hpp"
#include "agent/daemon/topology.hpp"
#include "arp/guard.hpp"
#include "netlink/addresses.hpp"

namespace untrombone::daemon {

enum class GuardState { kOff, kWaiting, kActive, kOpen, kFailed };
[[nodiscard]] std::string_view to_string(GuardState state);

/// One rule, tried on a segment: each DCI port must have stopped the frame that went to all ports.
struct GuardTest {
  std::string rule;
  std::size_t ports = 0;
  std::uint64_t stopped = 0;
  [[nodiscard]] bool passed() const { return ports != 0 && stopped >= ports; }
};

/// Keeps the kernel's guard what it should be: not before everything was announced a first time, for the ports that
/// exist now, lifted where the local gateway cannot be used or an operator says so, and put back when somebody else
/// took it away. Everything happens on the io_context's thread.
///
/// off (not wanted, or observing) | waiting -> active <-> open, failed when nftables refuses; that is tried again.
class GuardKeeper {
 public:
  /// How the guard of one segment stands, and why if it is not closed.
  struct Segment {
    GatewayHealth health;
    core::MacAddress own_mac;  ///< of the local gateway, the last one known
    bool opened = false;       ///< by an operator
    GuardStance stance = GuardStance::kClosed;
    std::string reason;
  };
  struct Counters {
    std::uint64_t replaced = 0;  ///< whole tables loaded
    std::uint64_t changed = 0;   ///< changes by elements
    std::uint64_t failed = 0;    ///< loads that nftables refused
    std::uint64_t drifts = 0;    ///< times that the kernel had something else than was loaded
  };

  GuardKeeper(boost::asio::io_context& io, const Config& config, const Topology& topology, const Log& log);

  /// `changed` is called when the state changed.
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }
  /// `observe`: nothing is ever loaded.
  void start(bool observe);
  /// Call when the ports or interfaces of `topology` changed.
  void update();
  /// Everything was announced a first time: from now on an edge need not resolve the other sites' hosts itself.
  void set_announced();
  /// The site has lost its uplink, or got it back: while it is isolated guests are led to the other sites' gateways.
  void set_isolated(bool isolated);
  /// An operator lifts a segment's rules, or ends that.
  void set_opened(core::SegmentId id, bool opened);
  /// Sends a frame from `sender`, a MAC of this site only, to nobody for each rule to the DCI, and sees whether the
  /// rule's counter moves. Takes as long as a few frames.
  [[nodiscard]] std::vector<GuardTest> test(core::SegmentId id, const core::MacAddress& sender);
  /// The last call. `remove`: takes the rules out; else they stay. `done` is called once.
  void stop(bool remove, std::function<void()> done);

  [[nodiscard]] GuardState state() const { return state_; }
  [[nodiscard]] const std::string& detail() const { return detail_; }
  [[nodiscard]] const Segment& segment(core::SegmentId id) const { return segments_[id.value]; }
  /// The gateway MAC to tell the segment's guests.
  [[nodiscard]] core::MacAddress gateway_mac(core::SegmentId id) const;
  /// The local gateway cannot answer for itself, and guests are led elsewhere: somebody has to tell them its MAC.
  [[nodiscard]] bool stands_in(core::SegmentId id) const;
  /// What the rules have counted since the agent started, replaced tables included.
  [[nodiscard]] arp::GuardCounts rule_counters() { return guard_.counters(); }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  /// The last change that worked.
  [[nodiscard]] const arp::GuardOutcome& last_outcome() const { return outcome_; }
  [[nodiscard]] const std::string& last_drift() const { return drift_; }

 private:
  [[nodiscard]] bool in_force() const { return state_ == GuardState::kActive || state_ == GuardState::kOpen; }
  [[nodiscard]] bool any_guarded() const;
  void begin();
  [[nodiscard]] GuardInput input_of(core::SegmentId id) const;
  [[nodiscard]] std::string trouble_of(core::SegmentId id) const;
  [[nodiscard]] std::vector<arp::GuardedSegment> wanted() const;
  void examine(core::SegmentId id);
  void log_stance(core::SegmentId id) const;
  void load();
  void conclude(const arp::GuardOutcome& outcome);
  void look_after();
  void arm();
  void set_state(GuardState state, const std::string& detail);
  void show_stances();

  const Config& config_;
  const Topology& topology_;
  const Log& log_;
  arp::Guard guard_;
  netlink::AddressWatch address_watch_;
  netlink::InterfaceAddresses addresses_;
  boost::asio::steady_timer timer_;
  std::function<void()> changed_;
  std::vector<Segment> segments_;
  std::vector<arp::GuardedSegment> loaded_;  ///< what the kernel was last told
  arp::GuardOutcome outcome_;
  Counters counters_;
  std::string drift_;
  GuardState state_ = GuardState::kOff;
  std::string detail_;
  bool observing_ = false;
  bool loading_ = false;  ///< a change is under way
  bool announced_ = false;
  bool isolated_ = false;
  bool stopping_ = false;
};

}  // namespace untrombone::daemon
