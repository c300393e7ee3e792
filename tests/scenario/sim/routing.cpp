// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenario/sim/routing.hpp"

#include <algorithm>
#include <tuple>

namespace untrombone::sim {
namespace {

using core::IpAddress;
using core::IpPrefix;
using core::Route;

/// Local preference as docs/frr.md has it: greater wins.
int preference_of(const Route& route) {
  switch (route.route_class) {
    case core::RouteClass::kFresh: return 200;
    case core::RouteClass::kSettled: return 100;
    default: return 1;
  }
}

}  // namespace

Routing::Routing(Scheduler& scheduler, Random& random, std::size_t sites, RoutingDelays delays, Heard heard)
    : scheduler_(scheduler),
      random_(random),
      delays_(delays),
      heard_(std::move(heard)),
      announced_(sites),
      sessions_(sites, true),
      epochs_(sites, 0) {}

void Routing::announce(SiteIndex site, const IpPrefix& prefix, const std::optional<Route>& route) {
  if (route) {
    announced_[site][prefix] = *route;
  } else if (announced_[site].erase(prefix) == 0) {
    return;
  }
  if (!sessions_[site]) return;
  const std::uint32_t order = ++entry_of(prefix).sent[site];
  scheduler_.after(delay_of(!route), [this, site, prefix, route, order, epoch = epochs_[site]] {
    if (epoch == epochs_[site] && order == entry_of(prefix).sent[site]) deliver(site, prefix, route);
  });
}

void Routing::set_session(SiteIndex site, bool up) {
  if (sessions_[site] == up) return;
  sessions_[site] = up;
  ++epochs_[site];
  if (up) {
    const auto again = announced_[site];
    for (const auto& [prefix, route] : again) announce(site, prefix, route);
    for (auto& [prefix, entry] : table_) reflect(prefix, entry);
    return;
  }
  for (auto& [prefix, entry] : table_) {
    if (entry.routes[site]) deliver(site, prefix, std::nullopt);
    heard_(site, prefix, std::nullopt);
  }
}

std::optional<SiteIndex> Routing::lookup(const IpAddress& address) const {
  for (unsigned length = address.bits() + 1; length-- > 0;) {
    const auto found = table_.find(IpPrefix(address, length));
    if (found != table_.end() && found->second.best) return found->second.best;
  }
  return std::nullopt;
}

std::size_t Routing::size() const {
  return static_cast<std::size_t>(std::count_if(
      table_.begin(), table_.end(), [](const auto& entry) { return entry.second.best.has_value(); }));
}

Duration Routing::delay_of(bool withdrawal) {
  return random_.between(delays_.shortest, withdrawal ? delays_.longest_withdrawal : delays_.longest);
}

void Routing::deliver(SiteIndex site, const IpPrefix& prefix, const std::optional<Route>& route) {
  Entry& entry = entry_of(prefix);
  std::optional<Path>& slot = entry.routes[site];
  if (!route) {
    slot.reset();
  } else if (slot && slot->route == *route) {
    return;
  } else {
    // An update with the same preference does not make a path younger.
    const bool same =
        slot && preference_of(slot->route) == preference_of(*route) && slot->route.metric == route->metric;
    slot = Path{*route, same ? slot->order : next_order_++};
  }
  choose(prefix, entry);
}

void Routing::choose(const IpPrefix& prefix, Entry& entry) {
  std::optional<SiteIndex> best;
  for (SiteIndex site = 0; site < entry.routes.size(); ++site) {
    if (!entry.routes[site]) continue;
    const auto rank = [&](SiteIndex of) {
      const Path& one = *entry.routes[of];
      return std::tuple(preference_of(one.route), ~one.route.metric, ~one.order);
    };
    if (!best || rank(site) > rank(*best)) best = site;
  }
  entry.best = best;
  ++changes_;
  reflect(prefix, entry);
}

void Routing::reflect(const IpPrefix& prefix, Entry& entry) {
  for (SiteIndex site = 0; site < sessions_.size(); ++site) {
    if (!sessions_[site]) continue;
    const bool other = entry.best && *entry.best != site;
    const auto route = other ? std::optional(entry.routes[*entry.best]->route) : std::nullopt;
    const std::uint32_t order = ++entry.reflected[site];
    scheduler_.after(delay_of(!other), [this, site, prefix, route, order, epoch = epochs_[site]] {
      if (epoch == epochs_[site] && order == entry_of(prefix).reflected[site]) heard_(site, prefix, route);
    });
  }
}

Routing::Entry& Routing::entry_of(const IpPrefix& prefix) {
  Entry& entry = table_[prefix];
  const std::size_t sites = sessions_.size();
  entry.routes.resize(sites);
  entry.sent.resize(sites);
  entry.reflected.resize(sites);
  return entry;
}

}  // namespace untrombone::sim
