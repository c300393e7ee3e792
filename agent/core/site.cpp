// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/site.hpp"

#include <algorithm>
#include <utility>

#include "agent/core/frame_rules.hpp"

namespace untrombone::core {
namespace {

constexpr std::size_t kHistoryCapacity = 16384;

/// What a kind of frame counts as, and the reason it gives on either side.
struct FrameMeaning {
  Evidence evidence;
  Reason on_local_port;
  Reason on_dci;
};

FrameMeaning meaning_of(FrameKind kind) {
  switch (kind) {
    case FrameKind::kArpRequest:
    case FrameKind::kArpReply: break;
    case FrameKind::kRarp: return {Evidence::kRarp, Reason::kRarpOnLocalPort, Reason::kRarpOnDci};
    case FrameKind::kNeighbourSolicitation:
    case FrameKind::kNeighbourAdvertisement: return {Evidence::kNd, Reason::kNdOnLocalPort, Reason::kNdOnDci};
  }
  return {Evidence::kArp, Reason::kArpOnLocalPort, Reason::kArpOnDci};
}

/// Between two scans of all stations for strangers who were turned away.
constexpr Duration kLookAgainInterval = std::chrono::milliseconds(100);

}  // namespace

Site::Site(SiteSettings settings)
    : settings_(std::move(settings)),
      history_(kHistoryCapacity),
      segments_(settings_.segments.begin(), settings_.segments.end()),
      announcer_(settings_),
      over_budget_(settings_.segments.size()) {}

void Site::handle(const Event& event, TimePoint when, TimePoint now, Actions& out) {
  std::visit([&](const auto& specific) { on(specific, when, now, out); }, event);
}

void Site::on(const FrameSeen& event, TimePoint when, TimePoint now, Actions& out) {
  const auto port = ports_.find({event.port, event.vlan});
  if (port == ports_.end()) return;
  const FrameMeaning meaning = meaning_of(event.kind);
  Sighting sighting{.segment = port->second.segment,
                    .mac = event.mac,
                    .port = event.port,
                    .port_class = port->second.port_class,
                    .evidence = meaning.evidence,
                    .remote_vtep = false,
                    .ip = event.sender,
                    .reason = Reason::kNone,
                    .when = when,
                    .now = now};
  sighting.reason = sighting.is_local() ? meaning.on_local_port : meaning.on_dci;
  if (!may_be_station(sighting.segment, sighting.mac)) return;
  if (sighting.ip) check_claim(sighting, out);
  const HostIndex bound = sighting.ip ? bind(sighting, out) : kNoHost;
  locate(sighting, out);
  if (bound != kNoHost && event.to_gateway_mac && sighting.is_local()) {
    hosts_[bound].greeting_answered = true;
    hosts_[bound].greet_at = kNever;
  }
}

/// A packet's source is not its sender's word for its address: a guest that forwards sends those of others. So it is
/// asked, on its own port, and its answer is what makes it a host.
void Site::on(const SourceSeen& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  const auto port = ports_.find({event.port, event.vlan});
  if (port == ports_.end() || port->second.port_class == PortClass::kDci) return;
  const SegmentId segment = port->second.segment;
  const HostIndex known = hosts_.find(segment, event.source);
  if (known != kNoHost && hosts_[known].is_here()) return;
  if (!settings_.segments[segment.value].may_be_host(event.source) || is_own(segment, event.source)) return;
  if (strangers_.may_ask(segment, event.mac, now) &&
      segments_[segment.value].probes.pass(Urgency::kRefresh, now)) {
    out.probes.push_back({segment, event.port, event.source, event.mac});
  }
}

void Site::on(const FdbSeen& event, TimePoint when, TimePoint now, Actions& out) {
  const auto port = ports_.find({event.port, event.vlan});
  if (port == ports_.end() || !may_be_station(port->second.segment, event.mac)) return;
  if (event.dumped) {
    const Station* const known = hosts_.find_station(port->second.segment, event.mac);
    if (known != nullptr && known->generation == generation_) return;  // heard since the dump began
  }
  Sighting sighting{.segment = port->second.segment,
                    .mac = event.mac,
                    .port = event.port,
                    .port_class = port->second.port_class,
                    .evidence = Evidence::kFdb,
                    .remote_vtep = event.remote_vtep,
                    .dumped = event.dumped,
                    .ip = std::nullopt,
                    .reason = Reason::kFdbOnLocalPort,
                    .when = when,
                    .now = now};
  if (event.remote_vtep) {
    sighting.reason = Reason::kRemoteVtep;
  } else if (!sighting.is_local()) {
    sighting.reason = Reason::kFdbOnDci;
  }
  locate(sighting, out);
}

void Site::on(const FdbGone& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  const auto port = ports_.find({event.port, event.vlan});
  if (port == ports_.end()) return;
  const StationKey key{port->second.segment, event.mac};
  const Station* station = hosts_.find_station(key.segment, key.mac);
  if (station == nullptr || station->port != event.port) return;
  lose_place(key, event.aged, now, out);
}

Site::Sighting Site::binding_of(SegmentId segment, const MacAddress& mac, const IpAddress& ip, TimePoint when,
                                TimePoint now) {
  return {.segment = segment,
          .mac = mac,
          .port = {},
          .port_class = PortClass::kDci,
          .evidence = Evidence::kNone,
          .remote_vtep = false,
          .ip = ip,
          .reason = Reason::kMacIsLocal,
          .when = when,
          .now = now};
}

void Site::on(const NeighbourSeen& event, TimePoint when, TimePoint now, Actions& out) {
  if (!may_be_station(event.segment, event.mac)) return;
  const HostIndex known = hosts_.find(event.segment, event.ip);
  if (known != kNoHost && (hosts_[known].mac == event.mac || hosts_[known].is_here())) return;
  const Sighting sighting = binding_of(event.segment, event.mac, event.ip, when, now);
  const HostIndex index = bind(sighting, out);
  if (index == kNoHost) return;
  const Station& station = hosts_.station(event.segment, event.mac);
  if (station.is_local()) {
    arrive(index, sighting, false, out);
  } else if (station.is_remote() && hosts_[index].state == HostState::kUnknown) {
    hosts_[index].state = HostState::kRemote;
    tell_announcer(hosts_[index], now, now, out);
  }
}

void Site::on(const PriorRoute& event, TimePoint /*when*/, TimePoint /*now*/, Actions& /*out*/) {
  if (settings_.segments[event.segment.value].may_be_host(event.ip)) prior_routes_.push_back(event);
}

void Site::on(const PriorSummary& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  if (started_) return;
  announcer_.adopt(event.segment, event.prefix, now, announcements_);
  program(out);
}

void Site::on(const DumpStarted& /*event*/, TimePoint /*when*/, TimePoint /*now*/, Actions& /*out*/) {
  ++generation_;
}

void Site::on(const DumpFinished& /*event*/, TimePoint /*when*/, TimePoint now, Actions& out) {
  if (!std::exchange(dumped_, true)) return probe_prior_routes(now, out);
  hosts_.for_each_station([&](const StationKey& key, const Station& station) {
    const bool unlisted = station.port && station.listed && station.generation != generation_;
    if (unlisted && !is_held(key.segment, station.port))
      out.lookups.push_back({key.segment, station.port, key.mac});
  });
  for (std::uint16_t i = 0; i < segments_.size(); ++i) sweep_after_loss({i}, now);
}

void Site::on(const RouteNoted& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  const IpPrefix& prefix = event.key.prefix;
  for (std::uint16_t segment = 0; segment < segments_.size(); ++segment) {
    if (segments_[segment].vrf == event.key.vrf)
      announcer_.note({segment}, prefix, event.note, now, announcements_);
  }
  program(out);
  if (event.note != RouteNote::kBetterWon || !prefix.is_host()) return;
  for (std::uint16_t segment = 0; segment < segments_.size(); ++segment) {
    if (segments_[segment].vrf != event.key.vrf) continue;
    const HostIndex index = hosts_.find({segment}, event.key.prefix.address());
    if (index == kNoHost || hosts_[index].state != HostState::kDeparting) continue;
    withdraw(index, state_elsewhere(hosts_[index]), Reason::kClaimedElsewhere, now, out);
  }
}

void Site::on(const FreezeCleared& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  const HostIndex index = hosts_.find(event.segment, event.ip);
  if (index != kNoHost && hosts_[index].is_frozen()) thaw(index, now, out);
}

/// Design 3.7: gateways, the edge itself and virtual routers are never hosts.
bool Site::may_be_station(SegmentId segment, const MacAddress& mac) const {
  return !mac.is_group() && !mac.is_zero() && mac != segments_[segment.value].mac &&
         !settings_.segments[segment.value].is_gateway_mac(mac) && !is_virtual_router_mac(mac) &&
         !own_macs_.contains({segment, mac});
}

/// Somebody who is not the edge says that an address of the edge is its own. The gateway has one owner at each site, so
/// only one on our side lies.
void Site::check_claim(const Sighting& sighting, Actions& out) {
  const bool gateway = settings_.segments[sighting.segment.value].is_gateway(*sighting.ip);
  if (gateway ? !sighting.is_local() : !is_own(sighting.segment, *sighting.ip)) return;
  out.alarms.push_back({gateway ? AlarmKind::kGatewayClaimed : AlarmKind::kOwnAddressClaimed,
                        sighting.segment, *sighting.ip, sighting.mac, sighting.port});
}

/// Notes where a MAC is and lets its hosts arrive or depart. A MAC that was here all the time does not bring back an
/// address that did not answer here.
void Site::locate(const Sighting& sighting, Actions& out) {
  Station& station = hosts_.station(sighting.segment, sighting.mac);
  const bool arrives = !station.is_local() || !station.listed || sighting.is_announcement();
  station.port = sighting.port;
  station.port_class = sighting.port_class;
  station.remote_vtep = sighting.remote_vtep;
  station.evidence = sighting.evidence;
  station.generation = generation_;
  station.listed = true;
  station.when = sighting.when;
  hosts_.for_each_of(station, [&](HostIndex index) {
    Host& host = hosts_[index];
    if (sighting.is_local()) {
      const bool confirmed = sighting.ip == host.ip;
      if (confirmed || arrives || host.is_here()) arrive(index, sighting, confirmed, out);
    } else if (host.state == HostState::kRemote) {
      tell_announcer(host, sighting.now, sighting.now, out);
    } else if (host.state == HostState::kUnknown) {
      set_state(host, HostState::kRemote, sighting.reason, sighting.port, sighting.now, out);
    } else {
      depart(index, sighting.reason, sighting.port, sighting.now, out);
    }
  });
  const bool stranger = sighting.is_local() && station.hosts == 0 && started_;
  const bool changed = stranger ? strangers_.add(sighting.segment, sighting.mac, sighting.port, sighting.now)
                                : strangers_.remove(sighting.segment, sighting.mac);
  if (changed) out.strangers_changed = true;
  if (strangers_.has_missed()) look_again_at_ = std::min(look_again_at_, sighting.now + kLookAgainInterval);
}

/// Those on local ports of whom no address is known, and who had no turn yet.
void Site::look_for_strangers(TimePoint now, Actions& out) {
  look_again_at_ = kNever;
  strangers_.forget_missed();
  hosts_.for_each_station([&](const StationKey& key, Station& station) {
    if (!station.is_local() || station.hosts != 0 || station.listened_to) return;
    if (!strangers_.add(key.segment, key.mac, station.port, now)) return;
    station.listened_to = true;
    out.strangers_changed = true;
  });
}

/// There is a MAC on a local port whose address nobody said.
bool Site::has_lonely_station(SegmentId segment) {
  bool found = false;
  hosts_.for_each_station([&](const StationKey& key, const Station& station) {
    found = found || (key.segment == segment && station.is_local() && station.hosts == 0);
  });
  return found;
}

/// Learns the binding that the sighting carries. kNoHost when the address may not be a host or a bound is reached.
HostIndex Site::bind(const Sighting& sighting, Actions& out) {
  const SegmentSettings& settings = settings_.segments[sighting.segment.value];
  if (!settings.may_be_host(*sighting.ip) || is_own(sighting.segment, *sighting.ip)) return kNoHost;
  const HostIndex index = hosts_.find(sighting.segment, *sighting.ip);
  if (index != kNoHost && hosts_[index].mac == sighting.mac) {
    if (!hosts_[index].is_here()) hosts_[index].heard = sighting.now;
    return index;
  }
  const Station* station = hosts_.find_station(sighting.segment, sighting.mac);
  if (station != nullptr && station->hosts >= settings.max_ips_per_mac) {
    out.alarms.push_back(
        {AlarmKind::kTooManyIpsOnMac, sighting.segment, *sighting.ip, sighting.mac, sighting.port});
    return kNoHost;
  }
  if (index == kNoHost) return add_host(sighting, out);
  if (hosts_[index].is_frozen()) return kNoHost;  // two MACs fight for it: the first one keeps it
  if (hosts_[index].is_here()) count_move(hosts_[index], sighting.port, sighting.now, out);
  hosts_.rebind(index, sighting.mac);
  Host& host = hosts_[index];
  if (host.is_here())
    set_state(host, host.state, Reason::kReboundToOtherMac, sighting.port, sighting.now, out);
  return index;
}

/// kNoHost, and an alarm, when there are too many or they come too fast.
HostIndex Site::add_host(const Sighting& sighting, Actions& out) {
  const auto refuse = [&](AlarmKind kind) {
    out.alarms.push_back({kind, sighting.segment, *sighting.ip, sighting.mac, sighting.port});
    return kNoHost;
  };
  Segment& segment = segments_[sighting.segment.value];
  if (segment.hosts >= settings_.segments[sighting.segment.value].max_hosts &&
      !(sighting.port && sighting.is_local() && make_room(sighting.segment, sighting.now, out))) {
    return refuse(AlarmKind::kTooManyHosts);
  }
  if (sighting.port) {
    const std::uint32_t rate = settings_.segments[sighting.segment.value].new_host_rate;
    const auto bucket = segment.new_hosts.try_emplace(sighting.port, TokenBucket(rate, rate)).first;
    if (!bucket->second.take(sighting.now)) return refuse(AlarmKind::kTooManyNewHosts);
  }
  const HostIndex index = hosts_.add(sighting.segment, *sighting.ip, sighting.mac);
  ++segment.hosts;
  Host& host = hosts_[index];
  host.reason = Reason::kBindingLearned;
  host.since = host.heard = sighting.now;
  host.forget_at = sighting.now + kBindingMemory;
  schedule(index);
  return index;
}

/// The bridge no longer lists the MAC. Ageing is not departure: its hosts are asked. A flush is asked about at once,
/// with a deadline, because it is what a port that goes down looks like from here.
void Site::lose_place(const StationKey& key, bool aged, TimePoint now, Actions& out) {
  Station& station = hosts_.station(key.segment, key.mac);
  station.generation = generation_;
  if (station.hosts == 0) {
    station.port = {};
    hosts_.prune(key);
    return;
  }
  station.listed = false;
  if (is_held(key.segment, station.port))
    return;  // it is what a port that goes down does, and `port-hold` decides
  hosts_.for_each_of(station, [&](HostIndex index) {
    if (hosts_[index].state == HostState::kRemote) tell_announcer(hosts_[index], now, now, out);
    if (!hosts_[index].is_here()) return;
    if (!aged) {
      challenge(index, false, now, out);
    } else if (hosts_[index].answer_by == kNever) {
      refresh(index, now, out);
    }
  });
}

TimePoint Site::next_deadline() const {
  TimePoint next = std::min({started_ ? kNever : start_at_, prior_probe_at_, look_again_at_, probes_at_,
                             ports_at_, strangers_.next_deadline()});
  if (!timers_.empty()) next = std::min(next, timers_.top().at);
  return std::min(next, announcer_.next_deadline());
}

void Site::handle_time(TimePoint now, Actions& out) {
  if (ports_at_ <= now) release_held_ports(now, out);
  if (prior_probe_at_ <= now) probe_prior_routes(now, out);
  if (strangers_.expire(now)) out.strangers_changed = true;
  if (look_again_at_ <= now || strangers_.has_missed()) look_for_strangers(now, out);
  while (!timers_.empty() && timers_.top().at <= now) {
    const Timer timer = timers_.top();
    timers_.pop();
    if (hosts_[timer.host].queued_for != timer.at) continue;  // superseded
    hosts_[timer.host].queued_for = kNever;
    run_host_timers(timer.host, now, out);
  }
  if (probes_at_ <= now) run_probe_queues(now, out);
  if (!started_ && start_at_ <= now) {
    started_ = true;
    out.start_complete = true;
    announcer_.start_complete(now, announcements_);
    program(out);
    withdraw_prior_routes(now, out);
    look_for_strangers(now, out);
    prior_probe_at_ = kNever;
    sweep_unknown(now);
  }
  announcer_.handle_time(now, announcements_);
  program(out);
  check_budgets(out);
}

Verdict Site::verdict(const Host& host) const {
  if (host.is_here()) return Verdict::kLocal;
  const HostState state = host.state == HostState::kDeparting ? state_elsewhere(host) : host.state;
  return state == HostState::kRemote ? Verdict::kRemote : Verdict::kUnknown;
}

}  // namespace untrombone::core
