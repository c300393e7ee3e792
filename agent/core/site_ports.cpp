// SPDX-License-Identifier: GPL-2.0-or-later
// What a segment is made of: its interface, its ports, and the edge's own addresses, none of which is a host.
#include <algorithm>

#include "agent/core/site.hpp"

namespace untrombone::core {

Site::Segment::Segment(const SegmentSettings& settings)
    : probes(settings.probe_rate), sweeper(settings.subnets, settings.probe_rate) {
  configure(settings);
}

/// A host is asked before the bridge forgets its MAC, so that its entry lives on and frames to it are not flooded.
void Site::Segment::configure(const SegmentSettings& settings) {
  constexpr Duration kShortest = std::chrono::seconds(1);
  subnets = settings.subnets.size();
  refresh = settings.refresh;
  if (ageing > Duration::zero()) refresh = std::max(kShortest, std::min(refresh, ageing / 2));
  new_hosts.clear();
  probes.set_rate(settings.probe_rate);
  sweeper = Sweeper(settings.subnets, settings.probe_rate);
}

void Site::on(const InterfaceChanged& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  Segment& segment = segments_[event.segment.value];
  const bool vrf_changes = segment.vrf != event.vrf;
  const bool routes_change = segment.up != event.up || segment.interface != event.interface || vrf_changes;
  if (vrf_changes) leave_vrf(event.segment, now, out);
  segment.interface = event.interface;
  segment.mac = event.mac;
  segment.up = event.up;
  segment.vrf = event.vrf;
  if (!routes_change) return;
  announcer_.repeat_all(event.segment, now, announcements_);
  program(out);
  if (announcer_.summarises(event.segment)) return;
  hosts_.for_each([&](HostIndex index) {
    const Host& host = hosts_[index];
    if (host.segment == event.segment && host.route_class != RouteClass::kNone) emit_route(host, now, out);
  });
}

/// The interface went to another VRF: what is announced in the old one goes.
void Site::leave_vrf(SegmentId segment, TimePoint now, Actions& out) {
  announcer_.repeat_all(segment, now, announcements_);
  for (Announcement& announced : announcements_) announced.route_class = RouteClass::kNone;
  program(out);
  if (announcer_.summarises(segment)) return;
  hosts_.for_each([&](HostIndex index) {
    const Host& host = hosts_[index];
    if (host.segment == segment && route_of(host))
      out.routes.push_back({key_of(segment, IpPrefix::host(host.ip)), std::nullopt, now});
  });
}

/// A port that goes down takes its hosts with it only when it stays down for `port-hold`: a flap withdraws nothing.
void Site::on(const PortChanged& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  if (event.up) return port_up(event, now, out);
  const PortKey place{event.port, event.vlan};
  const auto known = ports_.find(place);
  const bool ours = known != ports_.end() && known->second.segment == event.segment;
  if (!ours || is_held(event.segment, event.port)) return;
  if (strangers_.remove_port(event.segment, event.port)) out.strangers_changed = true;
  if (settings_.segments[event.segment.value].port_hold > Duration::zero()) {
    hold_port({event.segment, event.port}, now);
  } else {
    release_port(place, now, out);
  }
}

void Site::port_up(const PortChanged& event, TimePoint now, Actions& out) {
  const PortKey place{event.port, event.vlan};
  const auto known = ports_.find(place);
  if (known != ports_.end() && known->second.segment != event.segment) release_port(place, now, out);
  const auto [entry, is_new] = ports_.try_emplace(place, Port{event.segment, event.port_class});
  if (is_new) return;
  if (std::exchange(entry->second.port_class, event.port_class) != event.port_class)
    reclassify_port(event, now, out);
  if (held_.erase({event.segment, event.port}) != 0) challenge_port({event.segment, event.port}, now, out);
}

/// Nobody can answer on a port that is down, so nobody is asked there.
void Site::hold_port(PortOfSegment port, TimePoint now) {
  const TimePoint until = now + settings_.segments[port.first.value].port_hold;
  held_[port] = until;
  ports_at_ = std::min(ports_at_, until);
  for (const StationKey& key : stations_at(port)) {
    hosts_.for_each_of(hosts_.station(key.segment, key.mac), [&](HostIndex index) {
      Host& host = hosts_[index];
      if (host.is_here()) host.answer_by = host.probe_at = host.greet_at = kNever;
    });
  }
}

/// The port is back: are its hosts?
void Site::challenge_port(PortOfSegment port, TimePoint now, Actions& out) {
  for (const StationKey& key : stations_at(port)) {
    hosts_.for_each_of(hosts_.station(key.segment, key.mac), [&](HostIndex index) {
      if (hosts_[index].is_here()) challenge(index, false, now, out);
    });
  }
}

/// A port that was renamed leads elsewhere now, and so do the stations behind it.
void Site::reclassify_port(const PortChanged& event, TimePoint now, Actions& out) {
  for (const StationKey& key : stations_at({event.segment, event.port})) {
    const Station& station = hosts_.station(key.segment, key.mac);
    Sighting sighting{.segment = key.segment,
                      .mac = key.mac,
                      .port = event.port,
                      .port_class = event.port_class,
                      .evidence = station.evidence,
                      .remote_vtep = station.remote_vtep,
                      .dumped = false,
                      .ip = std::nullopt,
                      .reason = Reason::kFdbOnLocalPort,
                      .when = station.when,
                      .now = now};
    if (!sighting.is_local()) sighting.reason = Reason::kFdbOnDci;
    locate(sighting, out);
  }
}

void Site::release_port(PortKey place, TimePoint now, Actions& out) {
  const PortOfSegment port{ports_.at(place).segment, place.port};
  ports_.erase(place);
  held_.erase(port);
  segments_[port.first.value].new_hosts.erase(place.port);
  for (const StationKey& key : stations_at(port)) {
    Station& station = hosts_.station(key.segment, key.mac);
    station.port = {};
    hosts_.for_each_of(station, [&](HostIndex index) {
      depart(index, Reason::kPortDown, place.port, now, out);
      if (hosts_[index].state == HostState::kRemote) tell_announcer(hosts_[index], now, now, out);
    });
    hosts_.prune(key);
  }
}

void Site::release_held_ports(TimePoint now, Actions& out) {
  ports_at_ = kNever;
  std::vector<PortKey> over;
  for (const auto& [place, port] : ports_) {
    const auto held = held_.find({port.segment, place.port});
    if (held == held_.end()) continue;
    if (held->second <= now) {
      over.push_back(place);
    } else {
      ports_at_ = std::min(ports_at_, held->second);
    }
  }
  for (const PortKey& place : over) release_port(place, now, out);
}

std::vector<StationKey> Site::stations_at(PortOfSegment port) {
  std::vector<StationKey> found;
  hosts_.for_each_station([&](const StationKey& key, const Station& station) {
    if (key.segment == port.first && station.port == port.second) found.push_back(key);
  });
  return found;
}

void Site::on(const OwnAddress& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  std::vector<IpAddress>& own = segments_[event.segment.value].own_addresses;
  std::erase(own, event.ip);
  if (!event.present) return;
  own.push_back(event.ip);
  const HostIndex index = hosts_.find(event.segment, event.ip);
  if (index != kNoHost) forget(index, Reason::kOwnAddress, now, out);
}

void Site::on(const OwnMac& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  const StationKey key{event.segment, event.mac};
  if (!event.present) {
    own_macs_.erase(key);
    return;
  }
  own_macs_.insert(key);
  if (hosts_.find_station(key.segment, key.mac) == nullptr) return;
  std::vector<HostIndex> impostors;
  Station& station = hosts_.station(key.segment, key.mac);
  hosts_.for_each_of(station, [&](HostIndex index) { impostors.push_back(index); });
  if (strangers_.remove(key.segment, key.mac)) out.strangers_changed = true;
  station.port = {};
  hosts_.prune(key);
  for (const HostIndex index : impostors) forget(index, Reason::kOwnAddress, now, out);
}

void Site::on(const BridgeAgeing& event, TimePoint /*when*/, TimePoint /*now*/, Actions& /*out*/) {
  Segment& segment = segments_[event.segment.value];
  segment.ageing = event.ageing;
  segment.configure(settings_.segments[event.segment.value]);
}

/// The bridge's table heals places. Addresses are asked for once the next dump has shown which MACs have none.
void Site::on(const FramesLost& event, TimePoint /*when*/, TimePoint /*now*/, Actions& /*out*/) {
  segments_[event.segment.value].frames_lost = true;
}

bool Site::is_own(SegmentId segment, const IpAddress& ip) const {
  const std::vector<IpAddress>& own = segments_[segment.value].own_addresses;
  return std::find(own.begin(), own.end(), ip) != own.end();
}

/// Takes a host out of the table, and its route with it.
void Site::forget(HostIndex index, Reason reason, TimePoint now, Actions& out) {
  Host& host = hosts_[index];
  stop_expecting(host);
  stop_last_resort(host, now, out);
  set_state(host, HostState::kUnknown, reason, {}, now, out);
  set_route(host, RouteClass::kNone, now, now, out);
  --segments_[host.segment.value].hosts;
  hosts_.remove(index);
}

/// A host of this site is worth more than the memory of one that is elsewhere: a flood of those behind the DCI must not
/// keep ours out. False when all of them are ours.
bool Site::make_room(SegmentId segment, TimePoint now, Actions& out) {
  const Segment& full = segments_[segment.value];
  if (full.hosts <= full.announced) return false;
  for (HostIndex steps = 0; steps < hosts_.slots(); ++steps) {
    room_hand_ = room_hand_ + 1 < hosts_.slots() ? room_hand_ + 1 : 0;
    const Host& host = hosts_[room_hand_];
    const bool forgettable = !host.ip.is_unspecified() && host.segment == segment && !host.is_announced();
    if (!forgettable || host.is_frozen() || host.is_expected()) continue;
    forget(room_hand_, Reason::kMadeRoom, now, out);
    return true;
  }
  return false;
}

}  // namespace untrombone::core
