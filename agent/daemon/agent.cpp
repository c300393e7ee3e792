// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/agent.hpp"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/core/frame_rules.hpp"
#include "agent/daemon/log_events.hpp"
#include "agent/daemon/observe_sink.hpp"
#include "bgp/zapi_sink.hpp"

namespace untrombone::daemon {
namespace {

using core::Ifindex;
using core::MacAddress;
using core::SegmentId;
using core::TimePoint;

core::SiteSettings core_settings(const Config& config, bool observe) {
  core::SiteSettings settings = config.core;
  if (observe) {
    for (core::SegmentSettings& segment : settings.segments) segment.greet = false;
  }
  return settings;
}

std::unique_ptr<bgp::RouteSink> make_sink(boost::asio::io_context& io, bgp::SinkListener& listener,
                                          const Config& config, const Log& log, bool observe) {
  if (observe) return std::make_unique<ObserveSink>(io, log);
  bgp::ZapiSinkOptions options;
  options.socket = config.zapi_socket;
  options.version = config.frr_version;
  options.table = config.table;
  options.retain = config.on_exit == OnExit::kRetain;
  options.retain_time = std::chrono::ceil<std::chrono::seconds>(config.retain_time);
  return std::make_unique<bgp::ZapiSink>(io, listener, options, monotonic_now);
}

core::FrameKind kind_of(const arp::ArpFrame& frame) {
  if (frame.protocol == arp::Protocol::kRarp) return core::FrameKind::kRarp;
  return frame.operation == arp::kReply ? core::FrameKind::kArpReply : core::FrameKind::kArpRequest;
}

}  // namespace

std::string_view to_string(GuardState state) {
  switch (state) {
    case GuardState::kOff: return "off";
    case GuardState::kWaiting: return "waiting";
    case GuardState::kActive: return "active";
    case GuardState::kFailed: return "failed";
  }
  return "?";
}

Agent::Agent(boost::asio::io_context& io, const Config& config, const Log& log, bool observe)
    : config_(config),
      log_(log),
      observe_(observe),
      started_at_(monotonic_now()),
      site_(core_settings(config, observe)),
      topology_(config),
      monitor_(io, *this),
      tap_(io, *this),
      guard_(io),
      sink_(make_sink(io, *this, config, log, observe)),
      timer_(io),
      tapped_(config.segments.size()),
      announced_missing_(config.segments.size(), "not looked at yet"),
      probe_bridges_(config.segments.size()) {}

ConfigResult<void> Agent::start() {
  const bool guard_wanted = std::any_of(config_.segments.begin(), config_.segments.end(),
                                        [](const SegmentConfig& segment) { return segment.guard; });
  if (observe_) {
    set_guard(GuardState::kOff, "observing only");
  } else if (guard_wanted) {
    set_guard(GuardState::kWaiting, "waiting for the first full announcement");
  }
  if (const auto error = monitor_.start()) return ConfigError{"netlink: " + error.message()};
  sink_->start();
  return {};
}

void Agent::stop(std::function<void()> done) {
  stopping_ = true;
  timer_.cancel();
  for (std::uint16_t i = 0; i < probe_bridges_.size(); ++i) {
    if (probe_bridges_[i]) monitor_.change_own_mac(probe_bridges_[i], probe_mac({i}), false);
  }
  const bool withdraw = config_.on_exit == OnExit::kWithdraw && guard_state_ == GuardState::kActive;
  sink_->stop([this, withdraw, done = std::move(done)] {
    if (!withdraw) return done();
    guard_.remove([done](const std::string& /*error*/) { done(); });
  });
}

bool Agent::clear_freeze(const core::IpAddress& ip) {
  bool cleared = false;
  for (std::uint16_t i = 0; i < config_.segments.size(); ++i) {
    const core::HostIndex index = site_.hosts().find({i}, ip);
    if (index == core::kNoHost || !site_.hosts()[index].is_frozen()) continue;
    feed(core::FreezeCleared{{i}, ip}, monotonic_now());
    cleared = true;
  }
  settle();
  return cleared;
}

const GreetingRecord* Agent::greeting_of(const core::HostKey& host) const {
  const auto found = greetings_.find(host);
  return found == greetings_.end() ? nullptr : &found->second;
}

// ---- what the kernel says ----------------------------------------------------------------------------------------

void Agent::on_kernel_message(const netlink::Message& message) {
  const bool link = std::holds_alternative<netlink::LinkMessage>(message);
  if (!link && topology_.changed()) update_topology();
  std::visit([this](const auto& specific) { take(specific); }, message);
}

void Agent::take(const netlink::LinkMessage& message) { topology_.take(message); }

void Agent::take(const netlink::FdbMessage& message) {
  if (message.removed) return feed(core::FdbGone{message.port, message.mac, message.aged}, monotonic_now());
  feed(core::FdbSeen{message.port, message.mac, message.remote}, monotonic_now());
}

void Agent::take(const netlink::NeighbourMessage& message) {
  const auto segment = topology_.segment_of_interface(message.interface);
  if (segment) feed(core::NeighbourSeen{*segment, message.ip, message.mac}, monotonic_now());
}

void Agent::take(const netlink::RouteMessage& message) {
  const auto segment = topology_.segment_of_interface(message.interface);
  const bool ours = segment && message.prefix.is_host() && message.protocol == RTPROT_ZEBRA;
  if (ours) feed(core::PriorRoute{*segment, message.prefix.address()}, monotonic_now());
}

void Agent::on_dump_started() {
  if (monitor_.counters().overruns != 0) {
    log_.event(LogLevel::kWarning, log_events::kKernelOverrun,
               "netlink events were lost; dumping the tables again",
               {{"overruns", std::to_string(monitor_.counters().overruns)}});
  }
  feed(core::DumpStarted{}, monotonic_now());
}

void Agent::on_dump_finished() {
  if (topology_.changed()) update_topology();
  feed(core::DumpFinished{}, monotonic_now());
}

void Agent::on_kernel_idle() {
  if (topology_.changed()) update_topology();
  settle();
}

std::vector<Ifindex> Agent::prior_route_interfaces() {
  update_topology();
  std::vector<Ifindex> interfaces;
  if (start_complete_) return interfaces;
  for (std::uint16_t i = 0; i < config_.segments.size(); ++i) {
    const Ifindex interface = topology_.segment({i}).interface;
    if (interface) interfaces.push_back(interface);
  }
  return interfaces;
}

void Agent::on_kernel_failure(const boost::system::error_code& error, std::string_view what) {
  log_.event(LogLevel::kError, log_events::kKernelFailed, "the kernel's events are lost",
             {{"what", std::string(what)}, {"error", error.message()}});
  if (failed_) failed_();
}

void Agent::update_topology() {
  for (const core::Event& event : topology_.update()) feed(event, monotonic_now());
  for (std::uint16_t i = 0; i < config_.segments.size(); ++i) {
    follow_ports({i});
    announce_segment({i});
  }
  update_guard();
}

/// Opens and closes taps as ports come and go, and makes the bridge own the probe MAC.
void Agent::follow_ports(SegmentId id) {
  const SegmentView& view = topology_.segment(id);
  std::vector<Ifindex>& tapped = tapped_[id.value];
  std::erase_if(tapped, [&](Ifindex port) {
    if (view.ports.contains(port)) return false;
    tap_.close(port);
    log_.event(LogLevel::kInfo, log_events::kPortDown, "a port left the bridge",
               {{"segment", config_.segments[id.value].name}, {"ifindex", std::to_string(port.value)}});
    return true;
  });
  for (const auto& [port, state] : view.ports) {
    if (std::find(tapped.begin(), tapped.end(), port) != tapped.end()) continue;
    if (const auto error = tap_.open(port)) {
      log_.event(LogLevel::kError, log_events::kTapFailed, "a port cannot be heard",
                 {{"port", topology_.name_of(port)}, {"error", error.message()}});
      continue;
    }
    tapped.push_back(port);
    log_.event(LogLevel::kInfo, log_events::kPortUp, "hearing a port",
               {{"segment", config_.segments[id.value].name},
                {"port", topology_.name_of(port)},
                {"class", std::string(to_string(state.port_class))}});
  }
  if (view.bridge && probe_bridges_[id.value] != view.bridge)
    monitor_.change_own_mac(view.bridge, probe_mac(id), true);
  probe_bridges_[id.value] = view.bridge;
}

void Agent::announce_segment(SegmentId id) {
  const std::string& missing = topology_.segment(id).missing;
  if (announced_missing_[id.value] == missing) return;
  announced_missing_[id.value] = missing;
  if (missing.empty()) {
    log_.event(LogLevel::kInfo, log_events::kSegmentReady, "the segment is ready",
               {{"segment", config_.segments[id.value].name}});
  } else {
    log_.event(LogLevel::kWarning, log_events::kSegmentWaiting, "the segment is not ready",
               {{"segment", config_.segments[id.value].name}, {"missing", missing}});
  }
  if (status_changed_) status_changed_();
}

// ---- what the ports and the sink say -----------------------------------------------------------------------------

void Agent::on_frame(Ifindex port, const arp::ArpFrame& frame, arp::FrameTime received) {
  const auto segment = topology_.segment_of_port(port);
  if (!segment) return;
  core::FrameSeen seen;
  seen.port = port;
  seen.kind = kind_of(frame);
  seen.mac = frame.source;  // what the bridge learns from
  // Who speaks for another MAC (a proxy, a liar) gives no binding.
  const bool binds = frame.protocol == arp::Protocol::kArp && frame.sender_mac == frame.source;
  if (binds && !frame.sender_ip.is_unspecified()) seen.sender = frame.sender_ip;
  seen.to_gateway_mac = frame.destination == topology_.segment(*segment).interface_mac;
  feed(seen, from_wall(received));
}

void Agent::on_nd_frame(Ifindex port, const arp::NdFrame& frame, arp::FrameTime received) {
  const auto segment = topology_.segment_of_port(port);
  if (!segment) return;
  core::FrameSeen seen;
  seen.port = port;
  seen.kind = frame.type == arp::NdType::kSolicitation ? core::FrameKind::kNeighbourSolicitation
                                                       : core::FrameKind::kNeighbourAdvertisement;
  seen.mac = frame.source;
  if (const auto binding = binding_of(frame)) seen.sender = binding->ip;
  seen.to_gateway_mac = frame.destination == topology_.segment(*segment).interface_mac;
  feed(seen, from_wall(received));
}

void Agent::on_packet(Ifindex port, const arp::PacketSource& source, arp::FrameTime received) {
  feed(core::SourceSeen{port, source.mac, source.ip}, from_wall(received));
}

void Agent::on_tap_idle() { settle(); }

void Agent::on_route_noted(const core::RouteNoted& note) {
  if (note.note == core::RouteNote::kRejected) {
    log_.event(LogLevel::kWarning, log_events::kRouteRejected, "zebra could not install a route",
               {{"prefix", note.prefix.to_string()}});
  }
  feed(note, monotonic_now());
  settle();
}

void Agent::on_sink_status() {
  const bgp::SinkStatus status = sink_->status();
  log_.event(LogLevel::kInfo, log_events::kSinkState, std::string(to_string(status.state)),
             {{"detail", status.detail}, {"release", status.release}});
  update_guard();
  if (status_changed_) status_changed_();
}

// ---- what the core decides ---------------------------------------------------------------------------------------

void Agent::feed(const core::Event& event, TimePoint when) {
  site_.handle(event, when, monotonic_now(), actions_);
  if (!actions_.empty()) act();
}

/// Does what was decided. Greetings first: a guest with the wrong gateway loses the most by waiting.
void Agent::act() {
  for (const core::GreetRequest& request : actions_.greetings) send_greeting(request);
  for (const core::RouteChange& change : actions_.routes) sink_->apply(change);
  for (const core::ProbeRequest& request : actions_.probes) send_probe(request);
  for (const core::Transition& transition : actions_.transitions) note_transition(transition);
  for (const core::Alarm& alarm : actions_.alarms) log_alarm(alarm);
  if (actions_.strangers_changed) listen_for_strangers();
  if (actions_.start_complete) {
    start_complete_ = true;
    log_.event(LogLevel::kInfo, log_events::kStartComplete, "the hosts that were here before are known");
    sink_->allow_sweep();
    update_guard();
  }
  actions_.clear();
}

/// After a batch of input: writes the routes and sets the alarm clock.
void Agent::settle() {
  sink_->flush();
  arm_timer();
}

void Agent::arm_timer() {
  const TimePoint next = site_.next_deadline();
  if (next == timer_at_ || stopping_) return;
  timer_at_ = next;
  if (next == core::kNever) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(std::chrono::steady_clock::time_point(next.time_since_epoch()));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    timer_at_ = core::kNever;
    site_.handle_time(monotonic_now(), actions_);
    act();
    settle();
  });
}

void Agent::send_greeting(const core::GreetRequest& request) {
  const MacAddress& gateway_mac = topology_.segment(request.segment).interface_mac;
  if (request.gateway.is_v4()) {
    tap_.send(request.port,
              arp::encode(arp::make_greeting(gateway_mac, request.gateway, request.mac, request.ip)));
  } else if (request.ip.is_v4()) {
    const auto told = arp::make_nd_greeting(gateway_mac, request.gateway, request.mac, arp::all_nodes());
    tap_.send(request.port, arp::encode_nd(told));
    return;  // not a greeting of this address
  } else {
    for (const auto make : {arp::make_nd_greeting, arp::make_nd_greeting_question})
      tap_.send(request.port, arp::encode_nd(make(gateway_mac, request.gateway, request.mac, request.ip)));
  }
  GreetingRecord& record = greetings_[{request.segment, request.ip}];
  const core::HostIndex index = site_.hosts().find(request.segment, request.ip);
  if (index != core::kNoHost && site_.hosts()[index].greetings_sent <= 1) {
    record = {0, monotonic_now() - request.cause};
  }
  ++record.sent;
}

void Agent::listen_for_strangers() {
  for (const auto& tapped : tapped_) {
    for (const Ifindex port : tapped) {
      std::vector<MacAddress> macs;
      for (const core::Stranger& stranger : site_.strangers()) {
        if (stranger.port == port) macs.push_back(stranger.mac);
      }
      tap_.listen_for(port, macs);
    }
  }
}

void Agent::send_probe(const core::ProbeRequest& request) {
  std::optional<core::IpAddress> sender = config_.segments[request.segment.value].probe_address;
  if (sender && sender->family() != request.ip.family()) sender.reset();
  const MacAddress own = probe_mac(request.segment);
  if (request.ip.is_v4()) {
    const auto probe = arp::make_probe(own, sender.value_or(core::IpAddress{}), request.mac, request.ip);
    send_probe_frame(request, arp::encode(probe));
  } else {
    send_probe_frame(request, arp::encode_nd(arp::make_nd_probe(own, sender, request.mac, request.ip)));
  }
}

void Agent::send_probe_frame(const core::ProbeRequest& request, std::span<const std::byte> frame) {
  if (request.port) {
    tap_.send(request.port, frame);
    return;
  }
  for (const auto& [port, state] : topology_.segment(request.segment).ports) {
    if (state.up && state.port_class != core::PortClass::kDci) tap_.send(port, frame);
  }
}

void Agent::note_transition(const core::Transition& transition) {
  const bool gone = transition.to == core::HostState::kUnknown || transition.to == core::HostState::kRemote;
  if (gone) greetings_.erase({transition.segment, transition.ip});
  log_.event(LogLevel::kInfo, log_events::kHostState, to_string(transition.reason),
             {{"segment", config_.segments[transition.segment.value].name},
              {"ip", transition.ip.to_string()},
              {"mac", transition.mac.to_string()},
              {"from", std::string(to_string(transition.from))},
              {"to", std::string(to_string(transition.to))},
              {"port", topology_.name_of(transition.port)}});
}

void Agent::log_alarm(const core::Alarm& alarm) {
  if (!alarms_.raise(alarm, monotonic_now())) return;
  log_.event(LogLevel::kWarning, log_events::kAlarm, to_string(alarm.kind),
             {{"segment", config_.segments[alarm.segment.value].name},
              {"subject", Alarms::subject_of(alarm)},
              {"port", topology_.name_of(alarm.port)}});
}

// ---- the guard ---------------------------------------------------------------------------------------------------

/// Loads the guard once everything was announced a first time, and whenever the DCI ports change after that.
void Agent::update_guard() {
  if (guard_state_ == GuardState::kOff || stopping_) return;
  if (guard_state_ == GuardState::kWaiting) {
    if (!start_complete_ || sink_->status().state == bgp::SinkState::kWaiting) return;
  }
  std::vector<arp::GuardedSegment> wanted;
  for (std::uint16_t i = 0; i < config_.segments.size(); ++i) {
    if (!config_.segments[i].guard) continue;
    arp::GuardedSegment segment{{}, guarded_gateways({i})};
    for (const auto& [port, state] : topology_.segment({i}).ports) {
      if (state.port_class == core::PortClass::kDci) segment.dci_ports.push_back(topology_.name_of(port));
    }
    wanted.push_back(std::move(segment));
  }
  if (guard_state_ == GuardState::kActive && wanted == guarded_) return;
  guarded_ = wanted;
  guard_.apply(wanted, [this](const std::string& error) {
    if (error.empty()) return set_guard(GuardState::kActive, "");
    log_.event(LogLevel::kError, log_events::kGuardFailed, "nftables refused the guard", {{"error", error}});
    set_guard(GuardState::kFailed, error);
  });
}

/// The configured gateways and, where there is IPv6, what the edges form of a MAC that they share: their kernels ask
/// for guests from that link-local address, and each would find the other's a duplicate.
std::vector<core::IpAddress> Agent::guarded_gateways(SegmentId id) const {
  const core::SegmentSettings& settings = config_.core.segments[id.value];
  std::vector<core::IpAddress> gateways = settings.gateways;
  if (std::all_of(settings.subnets.begin(), settings.subnets.end(),
                  [](const core::IpPrefix& subnet) { return subnet.address().is_v4(); })) {
    return gateways;
  }
  for (const MacAddress& mac : settings.gateway_macs) gateways.push_back(arp::link_local_of(mac));
  const MacAddress& own = topology_.segment(id).interface_mac;
  if (core::is_virtual_router_mac(own)) gateways.push_back(arp::link_local_of(own));
  return gateways;
}

void Agent::set_guard(GuardState state, const std::string& detail) {
  if (state == GuardState::kActive && guard_state_ != state) {
    log_.event(LogLevel::kInfo, log_events::kGuardActive, "gateway ARP and ND stay off the DCI");
  }
  guard_state_ = state;
  guard_detail_ = detail;
  if (status_changed_) status_changed_();
}

/// A locally administered MAC that depends on the site and the segment only, so that a restart does not change it.
MacAddress Agent::probe_mac(SegmentId id) const {
  std::size_t hash = id.value;
  for (const char c : config_.site) hash = core::hash_mix(hash, static_cast<std::uint8_t>(c));
  MacAddress mac{{0x02, 0x75, 0x74, 0, 0, 0}};
  for (std::size_t i = 3; i < mac.octets.size(); ++i, hash >>= 8U)
    mac.octets[i] = static_cast<std::uint8_t>(hash & 0xffU);
  return mac;
}

}  // namespace untrombone::daemon
