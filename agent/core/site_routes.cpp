// SPDX-License-Identifier: GPL-2.0-or-later
// Between the hosts and the announcer: what it is told, and the routes that it wants.
#include <algorithm>

#include "agent/core/route_metrics.hpp"
#include "agent/core/site.hpp"

namespace untrombone::core {
namespace {

constexpr std::uint8_t kLingeringDistance = 250;  // worse than any routing protocol: facts on recency

}  // namespace

/// Behind the DCI, by what the bridge still knows. Without the DCI, or when the bridge has forgotten it, nobody knows.
bool Site::is_elsewhere(const Host& host) const {
  if (host.state != HostState::kRemote) return false;
  const Station* const station = hosts_.find_station(host.segment, host.mac);
  return station != nullptr && station->is_remote() && station->listed;
}

void Site::tell_announcer(const Host& host, TimePoint cause, TimePoint now, Actions& out) {
  if (!announcer_.follows(host.segment)) return;
  announcer_.set_host(host.segment, {host.ip, host.route_class, is_elsewhere(host), cause}, now,
                      announcements_);
  program(out);
}

/// Turns what the announcer wants into routes of the segment's interface.
void Site::program(Actions& out) {
  for (const Announcement& wanted : announcements_) {
    const Family family = wanted.prefix.address().family();
    std::optional<Route> route = route_for(wanted.segment, family, announcer_.class_of(wanted));
    if (route && wanted.route_class == RouteClass::kFresh) {
      const HostIndex host = hosts_.find(wanted.segment, wanted.prefix.address());
      if (host != kNoHost) route->metric = hosts_[host].bid;
    }
    out.routes.push_back({key_of(wanted.segment, wanted.prefix), route, wanted.cause});
  }
  announcements_.clear();
}

/// Does another site announce exactly this, better than lingering?
void Site::sync_claim(const RouteKey& key, TimePoint now, Actions& out) {
  const auto entries = claims_.of(key);
  const bool claimed = std::any_of(entries.begin(), entries.end(), [](const Claims::Entry& entry) {
    return entry.route_class != RouteClass::kLingering;
  });
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].vrf != key.vrf || settings_.segments[i].subnet_of(key.prefix.address()) == nullptr)
      continue;
    announcer_.set_claimed({i}, key.prefix, claimed, now, announcements_);
  }
  program(out);
}

/// After a list was read anew: what the announcer knows of may be gone.
void Site::sync_claims(TimePoint now, Actions& out) {
  std::vector<RouteKey> keys;
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      const SegmentRoutes* const routes = announcer_.routes_of({i}, family);
      if (routes == nullptr) continue;
      for (const IpPrefix& prefix : routes->claimed()) keys.push_back({segments_[i].vrf, prefix});
    }
    const ExternalBlocks* const external = announcer_.external_of({i});
    if (external == nullptr) continue;
    for (const IpPrefix& prefix : external->claimed()) keys.push_back({segments_[i].vrf, prefix});
  }
  for (const RouteKey& key : keys) sync_claim(key, now, out);
}

void Site::check_budgets(Actions& out) {
  for (std::uint16_t i = 0; i < over_budget_.size(); ++i) {
    bool over = false;
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      const SegmentRoutes* const routes = announcer_.routes_of({i}, family);
      over = over || (routes != nullptr && routes->is_over_budget());
    }
    if (over && !over_budget_[i])
      out.alarms.push_back(
          {AlarmKind::kOverBudget, {i}, settings_.segments[i].subnets.front().address(), {}, {}});
    over_budget_[i] = over;
  }
}

void Site::emit_route(const Host& host, TimePoint cause, Actions& out) {
  out.routes.push_back({key_of(host.segment, IpPrefix::host(host.ip)), route_of(host), cause});
}

std::optional<Route> Site::route_of(const Host& host) const {
  std::optional<Route> route = route_for(host.segment, host.ip.family(), host.route_class);
  if (route && host.route_class == RouteClass::kFresh) route->metric = host.bid;
  return route;
}

std::optional<Route> Site::route_for(SegmentId id, Family family, RouteClass route_class) const {
  const Segment& segment = segments_[id.value];
  if (route_class == RouteClass::kNone || !segment.up || is_isolated(id, family)) return std::nullopt;
  const RouteSettings& routes = settings_.routes;
  switch (route_class) {
    case RouteClass::kNone: break;
    case RouteClass::kFresh:
      return Route{segment.interface, route_class, routes.distance, routes.metric - 1, routes.tag + 1};
    case RouteClass::kSettled:
      return Route{segment.interface, route_class, routes.distance, routes.metric, routes.tag};
    case RouteClass::kLingering:
      return Route{segment.interface, route_class, kLingeringDistance,
                   routes.metric + kLingeringMetricPenalty, routes.tag + 2};
    case RouteClass::kBackup:
      return Route{segment.interface, route_class, routes.distance, routes.metric + kLingeringMetricPenalty,
                   routes.tag + 2};
    case RouteClass::kExternal:
      return Route{segment.interface, route_class, routes.distance, routes.metric, routes.tag + 3};
    case RouteClass::kReserve:
      return Route{segment.interface, route_class, kLingeringDistance,
                   routes.metric + kLingeringMetricPenalty, routes.tag + 4};
  }
  return std::nullopt;
}

}  // namespace untrombone::core
