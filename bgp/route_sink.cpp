// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/route_sink.hpp"

namespace untrombone::bgp {

std::string_view to_string(RouteState state) {
  switch (state) {
    case RouteState::kQueued: return "queued";
    case RouteState::kSent: return "sent";
    case RouteState::kInstalled: return "installed";
    case RouteState::kRejected: return "rejected";
    case RouteState::kLost: return "lost";
    case RouteState::kRemoving: return "removing";
  }
  return "?";
}

bool SinkRoute::want(const core::RouteChange& change, core::TimePoint now) {
  const bool arrives = change.route && (!wanted || (change.route->route_class == core::RouteClass::kFresh &&
                                                    wanted->route_class != core::RouteClass::kFresh));
  if (arrives) arrival = {change.cause, std::nullopt, std::nullopt};
  const bool differs = wanted != change.route;
  wanted = change.route;
  changed = now;
  return differs;
}

std::string_view to_string(SinkState state) {
  switch (state) {
    case SinkState::kWaiting: return "waiting";
    case SinkState::kSyncing: return "syncing";
    case SinkState::kSynced: return "synced";
  }
  return "?";
}

}  // namespace untrombone::bgp
