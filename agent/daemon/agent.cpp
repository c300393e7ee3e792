// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/agent.hpp"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/daemon/frr_setup.hpp"
#include "agent/daemon/log_events.hpp"
#include "agent/daemon/sinks.hpp"
#include "agent/daemon/views_moves.hpp"

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

bgp::BgpdLookoutOptions lookout_options(const Config& config) {
  const bgp::RouteMarks marks = route_marks(config);
  bgp::BgpdLookoutOptions options;
  options.vty_dir = config.vty_dir;
  options.stale = {marks.settled(), marks.lingering()};
  return options;
}

core::FrameKind kind_of(const arp::ArpFrame& frame) {
  if (frame.protocol == arp::Protocol::kRarp) return core::FrameKind::kRarp;
  return frame.operation == arp::kReply ? core::FrameKind::kArpReply : core::FrameKind::kArpRequest;
}

}  // namespace

Agent::Agent(boost::asio::io_context& io, const Config& config, Log& log, bool observe)
    : config_(config),
      log_(log),
      observe_(observe),
      started_at_(monotonic_now()),
      site_(core_settings(config_, observe)),
      topology_(config_),
      own_(config_),
      monitor_(io, *this),
      tap_(io, *this),
      taps_(config_, log, topology_, tap_, monitor_),
      tap_watch_(io, tap_, [this](const std::vector<Ifindex>& ports) { on_frames_lost(ports); }),
      guard_(io, config_, topology_, log),
      answers_(io, config_, topology_, site_, log),
      sink_(make_sink(io, *this, config, log, observe)),
      frr_(io, config_, *sink_, log),
      claim_sources_(io, *this, config_, topology_),
      uplink_(io, config_, topology_, log),
      timer_(io),
      lookout_(io, lookout_options(config_),
               [this](std::uint64_t id, TimePoint when) { note_move(moves_.note_in_bgpd(id, when)); }),
      announced_missing_(config.segments.size(), "not looked at yet") {}

ConfigResult<void> Agent::start() {
  guard_.on_change([this] {
    events_->publish(EventKind::kGuard, {{"state", to_string(guard_.state())}, {"detail", guard_.detail()}});
    if (status_changed_) status_changed_();
  });
  guard_.start(observe_);
  uplink_.on_change([this](const core::UplinkChanged& change) { note_uplink(change); });
  if (const auto error = uplink_.start()) return ConfigError{"netlink: " + error.message()};
  if (const auto error = monitor_.start()) return ConfigError{"netlink: " + error.message()};
  tap_watch_.start();
  sink_->start();
  if (!observe_) {
    frr_.on_change([this] {
      if (status_changed_) status_changed_();
    });
    frr_.look_soon();
  }
  return {};
}

void Agent::stop(std::function<void()> done) {
  stopping_ = true;
  timer_.cancel();
  claim_sources_.stop();
  lookout_.stop();
  frr_.stop();
  taps_.give_up_probe_macs();
  tap_watch_.stop();
  monitor_.stop();
  sink_->stop([this, done = std::move(done)]() mutable {
    guard_.stop(config_.on_exit == OnExit::kWithdraw, std::move(done));
  });
}

ConfigResult<ReloadPlan> Agent::reload() {
  auto wanted = load_config(config_path_);
  if (wanted.has_error()) {
    log_.event(LogLevel::kError, log_events::kReloadRefused, "the configuration stays as it was",
               {{"error", wanted.error().message}});
    return wanted.error();
  }
  auto plan = plan_reload(config_, *wanted);
  if (plan.has_error()) {
    log_.event(LogLevel::kError, log_events::kReloadRefused, "the configuration stays as it was",
               {{"error", plan.error().message}});
    return plan;
  }
  apply(plan->config);
  log_.event(LogLevel::kInfo, log_events::kReloaded, "the configuration was read again",
             {{"changed", fmt::format("{}", fmt::join(plan->changed, ", "))},
              {"needs-restart", fmt::format("{}", fmt::join(plan->needs_restart, ", "))}});
  return plan;
}

/// What did not change is not touched: the core withdraws what is not wanted any more, and a new dump of the kernel's
/// tables finds what is wanted now.
void Agent::apply(const Config& config) {
  config_ = config;
  log_.set_level(config_.log_level);
  announced_missing_.resize(config_.segments.size(), "not looked at yet");
  site_.reconfigure(core_settings(config_, observe_), monotonic_now(), actions_);
  act();
  topology_.reconfigure();
  update_topology();
  monitor_.resync();
  settle();
  if (!observe_) frr_.look_soon();
  if (status_changed_) status_changed_();
}

void Agent::take_hint(const core::Event& hint) {
  feed(hint, monotonic_now());
  settle();
}

const GreetingRecord* Agent::greeting_of(const core::HostKey& host) const {
  const auto found = greetings_.find(host);
  return found == greetings_.end() ? nullptr : &found->second;
}

// ---- what the kernel says ----------------------------------------------------------------------------------------

void Agent::on_kernel_message(const netlink::Message& message, bool dumped) {
  dumped_ = dumped;
  const bool of_topology = std::holds_alternative<netlink::LinkMessage>(message) ||
                           std::holds_alternative<netlink::VlanMessage>(message);
  if (!of_topology && topology_.changed()) update_topology();
  std::visit([this](const auto& specific) { take(specific); }, message);
}

void Agent::take(const netlink::LinkMessage& message) {
  topology_.take(message);
  own_.take(message);
}

void Agent::take(const netlink::AddressMessage& message) { own_.take(message); }

void Agent::take(const netlink::VlanMessage& message) { topology_.take(message); }

void Agent::take(const netlink::FdbMessage& message) {
  const TimePoint now = monotonic_now();
  if (message.removed) return feed(core::FdbGone{message.port, message.mac, message.aged, message.vlan}, now);
  feed(core::FdbSeen{message.port, message.mac, message.remote, message.vlan, dumped_}, now);
}

void Agent::take(const netlink::NeighbourMessage& message) {
  const auto segment = topology_.segment_of_interface(message.interface);
  if (segment) feed(core::NeighbourSeen{*segment, message.ip, message.mac}, monotonic_now());
}

void Agent::take(const netlink::RouteMessage& message) {
  const auto segment = topology_.segment_of_interface(message.interface);
  if (!segment || message.protocol != RTPROT_ZEBRA || config_.sink != SinkKind::kZapi) return;
  const core::RouteKey key{topology_.segment(*segment).vrf, message.prefix};
  if (key.prefix.is_host()) sink_->note_prior(key);
  on_prior_route(key, message.interface);
}

void Agent::on_prior_route(const core::RouteKey& key, Ifindex interface) {
  const auto segment = topology_.segment_of_interface(interface);
  if (!segment) return;
  if (key.prefix.is_host()) {
    feed(core::PriorRoute{*segment, key.prefix.address()}, monotonic_now());
  } else if (config_.core.segments[segment->value].is_inside(key.prefix)) {
    feed(core::PriorSummary{*segment, key.prefix}, monotonic_now());
  }
}

void Agent::on_dump_started() {
  const std::uint64_t overruns = monitor_.counters().overruns;
  if (std::exchange(overruns_told_, overruns) != overruns) {
    log_.event(LogLevel::kWarning, log_events::kKernelOverrun,
               "netlink events were lost; dumping the tables again",
               {{"overruns", std::to_string(overruns)}});
  }
  topology_.start_dump();
  own_.start_dump();
  feed(core::DumpStarted{}, monotonic_now());
}

void Agent::on_dump_finished() {
  own_.finish_dump();
  if (topology_.changed() || own_.changed()) update_topology();
  feed(core::DumpFinished{}, monotonic_now());
}

void Agent::on_kernel_idle() {
  if (topology_.changed() || own_.changed()) update_topology();
  settle();
}

netlink::DumpScope Agent::dump_scope() {
  topology_.finish_dump();
  update_topology();
  netlink::DumpScope scope;
  std::set<Ifindex> bridges;
  for (std::uint16_t i = 0; i < config_.segments.size(); ++i) {
    const SegmentView& view = topology_.segment({i});
    if (view.bridge) bridges.insert(view.bridge);
    if (view.interface && !start_complete_) scope.routes.push_back({view.interface, view.table});
  }
  scope.bridges.assign(bridges.begin(), bridges.end());
  return scope;
}

void Agent::on_kernel_failure(const boost::system::error_code& error, std::string_view what) {
  log_.event(LogLevel::kError, log_events::kKernelFailed, "the kernel's events are lost",
             {{"what", std::string(what)}, {"error", error.message()}});
  if (failed_) failed_();
}

void Agent::update_topology() {
  for (const core::Event& event : topology_.update()) feed(event, monotonic_now());
  taps_.follow();
  if (!observe_) answers_.follow();
  std::vector<MacAddress> probe_macs;
  for (std::uint16_t i = 0; i < config_.segments.size(); ++i) {
    announce_segment({i});
    probe_macs.push_back(taps_.probe_mac({i}));
  }
  for (const core::Event& event : own_.update(topology_, probe_macs)) feed(event, monotonic_now());
  uplink_.update();
  claim_sources_.update();
  guard_.update();
}

void Agent::announce_segment(SegmentId id) {
  const std::string& missing = topology_.segment(id).missing;
  if (config_.segments[id.value].removed) return;
  if (announced_missing_[id.value] == missing) return;
  announced_missing_[id.value] = missing;
  events_->publish(EventKind::kSegment, {{"segment", config_.segments[id.value].name},
                                         {"state", missing.empty() ? "ready" : "waiting"},
                                         {"detail", missing}});
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

std::optional<Place> Agent::place_of(const arp::FrameOrigin& origin) {
  const auto place = topology_.place_of(origin.port, origin.tag);
  if (!place) ++foreign_frames_;
  return place;
}

void Agent::on_frame(const arp::FrameOrigin& origin, const arp::ArpFrame& frame) {
  const auto place = place_of(origin);
  if (!place) return;
  core::FrameSeen seen;
  seen.port = origin.port;
  seen.vlan = place->vlan;
  seen.kind = kind_of(frame);
  seen.mac = frame.source;  // what the bridge learns from
  // Who speaks for another MAC (a proxy, a liar) gives no binding.
  const bool binds = frame.protocol == arp::Protocol::kArp && frame.sender_mac == frame.source;
  if (binds && !frame.sender_ip.is_unspecified()) seen.sender = frame.sender_ip;
  seen.to_gateway_mac = frame.destination == topology_.segment(place->segment).interface_mac;
  feed(seen, from_wall(origin.received));
  stand_in(place->segment, seen, frame.target_ip);
}

void Agent::on_nd_frame(const arp::FrameOrigin& origin, const arp::NdFrame& frame) {
  const auto place = place_of(origin);
  if (!place) return;
  core::FrameSeen seen;
  seen.port = origin.port;
  seen.vlan = place->vlan;
  seen.kind = frame.type == arp::NdType::kSolicitation ? core::FrameKind::kNeighbourSolicitation
                                                       : core::FrameKind::kNeighbourAdvertisement;
  seen.mac = frame.source;
  if (const auto binding = binding_of(frame)) seen.sender = binding->ip;
  seen.to_gateway_mac = frame.destination == topology_.segment(place->segment).interface_mac;
  feed(seen, from_wall(origin.received));
  stand_in(place->segment, seen, frame.target);
}

void Agent::on_packet(const arp::FrameOrigin& origin, const arp::PacketSource& source) {
  const auto place = place_of(origin);
  if (place)
    feed(core::SourceSeen{origin.port, source.mac, source.ip, place->vlan}, from_wall(origin.received));
}

/// While guests are led to another site's gateway, somebody has to tell those who ask what the dead one's MAC was.
void Agent::stand_in(SegmentId id, const core::FrameSeen& seen, const core::IpAddress& target) {
  if (!seen.sender || !guard_.stands_in(id) || !config_.core.segments[id.value].is_gateway(target)) return;
  const auto& ports = topology_.segment(id).ports;
  const auto port = ports.find(seen.port);
  if (port == ports.end() || port->second.port_class == core::PortClass::kDci) return;
  send_greeting({id, seen.port, *seen.sender, seen.mac, target, monotonic_now()});
}

void Agent::on_tap_idle() { settle(); }

/// The bridge's table tells where the MACs of lost frames are, the kernel's neighbours some addresses; the core asks
/// for the others.
void Agent::on_frames_lost(const std::vector<Ifindex>& ports) {
  for (const Ifindex port : ports) {
    log_.event(LogLevel::kWarning, log_events::kTapOverrun,
               "frames came faster than they were read, and some are lost; dumping the tables again",
               {{"port", topology_.name_of(port)}, {"dropped", std::to_string(tap_.counters().dropped)}});
    for (std::uint16_t i = 0; i < config_.segments.size(); ++i) {
      if (topology_.segment({i}).ports.contains(port)) feed(core::FramesLost{{i}}, monotonic_now());
    }
  }
  monitor_.resync();
}

void Agent::on_route_noted(const core::RouteNoted& note) {
  if (note.note == core::RouteNote::kRejected) {
    log_.event(LogLevel::kWarning, log_events::kRouteRejected, "a route was not installed",
               {{"prefix", note.key.prefix.to_string()}, {"reason", sink_->reason_of(note.key)}});
  }
  const auto route = sink_->routes().find(note.key);
  if (note.note == core::RouteNote::kInstalled && route != sink_->routes().end()) {
    const Move* const move = moves_.note_installed(note.key, route->second.arrival);
    note_move(move);
    if (move != nullptr && !observe_)
      lookout_.look_for(move->id, note.key.prefix, topology_.segment(move->transition.segment).vrf_name);
  }
  if (events_->is_watched()) {
    events_->publish(EventKind::kRoute,
                     {{"prefix", note.key.prefix.to_string()}, {"note", to_string(note.note)}});
  }
  feed(note, monotonic_now());
  settle();
}

void Agent::on_sink_status() {
  const bgp::SinkStatus status = sink_->status();
  events_->publish(EventKind::kSink, {{"state", to_string(status.state)}, {"detail", status.detail}});
  log_.event(LogLevel::kInfo, log_events::kSinkState, std::string(to_string(status.state)),
             {{"detail", status.detail}, {"release", status.release}});
  note_announced();
  if (!observe_ && !stopping_) frr_.look_soon();
  if (status_changed_) status_changed_();
}

/// They come in batches: a line for each.
void Agent::on_leftovers_superseded(const std::vector<core::RouteKey>& keys) {
  zebra_leftovers_ += keys.size();
  log_.event(
      LogLevel::kWarning, log_events::kZebraLeftover,
      "routes that a killed zebra left were in the way of ours, and are taken out of its successor's table",
      {{"routes", std::to_string(keys.size())}, {"first", keys.front().prefix.to_string()}});
}

void Agent::on_claim_event(const core::Event& event) { feed(event, monotonic_now()); }

void Agent::on_claims_idle() { settle(); }

/// Without an uplink the local gateway leads nowhere: guests may use the other sites'.
void Agent::note_uplink(const core::UplinkChanged& change) {
  feed(change, monotonic_now());
  guard_.set_isolated(uplink_.any_isolated());
  settle();
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
  for (const core::FdbLookup& lookup : actions_.lookups) {
    const SegmentView& view = topology_.segment(lookup.segment);
    monitor_.look_up(view.bridge, view.vlan, lookup.port, lookup.mac);
  }
  if (actions_.strangers_changed) taps_.listen_for(site_.strangers());
  if (actions_.start_complete) {
    start_complete_ = true;
    log_.event(LogLevel::kInfo, log_events::kStartComplete, "the hosts that were here before are known");
    sink_->allow_sweep();
    note_announced();
  }
  actions_.clear();
}

/// The guard waits for this: with gateway ARP filtered an edge cannot resolve the other sites' hosts itself.
void Agent::note_announced() {
  if (start_complete_ && sink_->status().state != bgp::SinkState::kWaiting) guard_.set_announced();
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
  const MacAddress gateway_mac = guard_.gateway_mac(request.segment);
  if (request.gateway.is_v4()) {
    taps_.send(request.segment, request.port,
               arp::encode(arp::make_greeting(gateway_mac, request.gateway, request.mac, request.ip)));
  } else if (request.ip.is_v4()) {
    const auto told = arp::make_nd_greeting(gateway_mac, request.gateway, request.mac, arp::all_nodes());
    taps_.send(request.segment, request.port, arp::encode_nd(told));
    return;  // not a greeting of this address
  } else {
    for (const auto make : {arp::make_nd_greeting, arp::make_nd_greeting_question}) {
      const auto frame = make(gateway_mac, request.gateway, request.mac, request.ip);
      taps_.send(request.segment, request.port, arp::encode_nd(frame));
    }
  }
  GreetingRecord& record = greetings_[{request.segment, request.ip}];
  const core::HostIndex index = site_.hosts().find(request.segment, request.ip);
  if (index != core::kNoHost && site_.hosts()[index].greetings_sent <= 1) {
    record = {0, monotonic_now() - request.cause};
    greeting_latency_.observe(record.first_latency);
  }
  ++record.sent;
}

void Agent::send_probe(const core::ProbeRequest& request) {
  std::optional<core::IpAddress> sender = config_.segments[request.segment.value].probe_address;
  if (sender && sender->family() != request.ip.family()) sender.reset();
  const MacAddress own = taps_.probe_mac(request.segment);
  if (request.ip.is_v4()) {
    const auto probe = arp::make_probe(own, sender.value_or(core::IpAddress{}), request.mac, request.ip);
    send_probe_frame(request, arp::encode(probe));
  } else {
    send_probe_frame(request, arp::encode_nd(arp::make_nd_probe(own, sender, request.mac, request.ip)));
  }
}

void Agent::send_probe_frame(const core::ProbeRequest& request, std::span<const std::byte> frame) {
  if (request.port) {
    taps_.send(request.segment, request.port, frame);
  } else {
    taps_.send_to_local_ports(request.segment, frame);
  }
}

void Agent::note_transition(const core::Transition& transition) {
  const bool gone = transition.to == core::HostState::kUnknown || transition.to == core::HostState::kRemote;
  if (gone) greetings_.erase({transition.segment, transition.ip});
  const core::HostIndex index = site_.hosts().find(transition.segment, transition.ip);
  if (index != core::kNoHost) {
    const core::RouteKey key{topology_.segment(transition.segment).vrf, core::IpPrefix::host(transition.ip)};
    note_move(moves_.take(transition, site_.hosts()[index], key, monotonic_now()));
  }
  if (events_->is_watched()) events_->publish(EventKind::kHost, view_transition(*this, transition));
  log_.event(LogLevel::kInfo, log_events::kHostState, to_string(transition.reason),
             {{"segment", config_.segments[transition.segment.value].name},
              {"ip", transition.ip.to_string()},
              {"mac", transition.mac.to_string()},
              {"from", std::string(to_string(transition.from))},
              {"to", std::string(to_string(transition.to))},
              {"port", topology_.name_of(transition.port)}});
}

void Agent::note_move(const Move* move) {
  if (move != nullptr && events_->is_watched()) events_->publish(EventKind::kMove, view_move(*this, *move));
}

void Agent::log_alarm(const core::Alarm& alarm) {
  const std::string port = topology_.name_of(alarm.port);
  if (!alarms_.raise(alarm, port, monotonic_now())) return;
  events_->publish(EventKind::kAlarm, {{"kind", to_string(alarm.kind)},
                                       {"segment", config_.segments[alarm.segment.value].name},
                                       {"subject", Alarms::subject_of(alarm, port)}});
  log_.event(LogLevel::kWarning, log_events::kAlarm, to_string(alarm.kind),
             {{"segment", config_.segments[alarm.segment.value].name},
              {"subject", Alarms::subject_of(alarm, port)},
              {"ip", alarm.ip.to_string()},
              {"mac", alarm.mac.to_string()},
              {"port", port}});
}

}  // namespace untrombone::daemon
