// SPDX-License-Identifier: GPL-2.0-or-later
// Hosts that an operator claims for this site ahead of their move: a route that wins nowhere while the old site
// announces the host, and is in place when it does not any more. Where the host is, its port decides. Hosts that are
// frozen as being elsewhere, and seen here, have such a route, too.
#include "agent/core/site.hpp"

namespace untrombone::core {

bool Site::may_expect(SegmentId segment, const IpAddress& ip) const {
  if (!settings_.segments[segment.value].may_be_host(ip) || is_own(segment, ip)) return false;
  const HostIndex known = hosts_.find(segment, ip);
  return known == kNoHost || (!hosts_[known].is_here() && !hosts_[known].is_frozen());
}

void Site::on(const HostExpected& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  if (!may_expect(event.segment, event.ip)) return;
  if (event.mac && !may_be_station(event.segment, *event.mac)) return;
  const Sighting sighting = binding_of(event.segment, event.mac.value_or(MacAddress{}), event.ip, now, now);
  HostIndex index = hosts_.find(event.segment, event.ip);
  if (event.mac) {
    index = bind(sighting, out);
  } else if (index == kNoHost) {
    index = add_host(sighting, out);
  }
  if (index == kNoHost) return;
  Host& host = hosts_[index];
  host.expected_until = now + event.lasts;
  host.linger_until = host.forget_at = kNever;
  expected_.insert({host.segment, host.ip});
  set_state(host, state_elsewhere(host), Reason::kExpected, {}, now, out);
  announce_ahead(host, now, out);
  schedule(index);
  // Its MAC is here already: it was quicker than whoever told us.
  const Station& station = hosts_.station(host.segment, host.mac);
  if (station.is_local() && station.listed) arrive(index, sighting, false, out);
}

void Site::on(const HostReleased& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  const HostIndex index = hosts_.find(event.segment, event.ip);
  if (index != kNoHost && hosts_[index].is_expected()) end_expectation(index, Reason::kReleased, now, out);
}

/// Ahead of a move: lingering, unless that would attract what it must not: beside the old site's host route it loses
/// everywhere, but of the old site's summary it would be a more specific part. A last resort is a backup, always: each
/// of two sites that have one has to announce it, or there would be none for an instant when the other's route, or its
/// summary, goes.
RouteClass Site::class_while_absent(const Host& host) const {
  if (host.last_resort) return RouteClass::kBackup;
  if (!host.is_expected()) return RouteClass::kNone;
  bool summarised = false;
  claims_.for_each_covering(
      segments_[host.segment.value].vrf, host.ip, [&](const RouteKey& key, const Claims::Entry& entry) {
        summarised = summarised || (!key.prefix.is_host() && entry.route_class != RouteClass::kLingering);
      });
  return summarised ? RouteClass::kNone : RouteClass::kLingering;
}

void Site::announce_ahead(Host& host, TimePoint now, Actions& out) {
  if (!host.is_announced()) set_route(host, class_while_absent(host), now, now, out);
}

/// Other sites' summaries are different now.
void Site::announce_expected(TimePoint now, Actions& out) {
  for (const HostKey& key : expected_) announce_ahead(hosts_[hosts_.find(key.segment, key.ip)], now, out);
}

void Site::stop_expecting(Host& host) {
  if (!host.is_expected()) return;
  host.expected_until = kNever;
  expected_.erase({host.segment, host.ip});
}

/// It is frozen as being elsewhere, and seen here. It may be frozen so at every site, and then nobody announces it: so
/// it has a route that loses to anybody's, until the freeze is over. It does not come and go with the host, which may
/// be the one that moves all the time, or two that fight.
void Site::stand_by_frozen(Host& host, TimePoint now, Actions& out) {
  if (host.last_resort) return;
  host.last_resort = true;
  host.forget_at = kNever;
  announce_ahead(host, now, out);
}

/// The freeze is over, or it is forgotten.
void Site::stop_last_resort(Host& host, TimePoint now, Actions& out) {
  if (!host.last_resort) return;
  host.last_resort = false;
  if (host.is_announced()) return;
  host.forget_at = host.is_expected() ? kNever : now + kBindingMemory;
  set_route(host, class_while_absent(host), now, now, out);
}

/// One that is here provisionally, or lingers, goes the way of all others.
void Site::end_expectation(HostIndex index, Reason reason, TimePoint now, Actions& out) {
  Host& host = hosts_[index];
  stop_expecting(host);
  if (!host.is_announced()) withdraw(index, state_elsewhere(host), reason, now, out);
}

}  // namespace untrombone::core
