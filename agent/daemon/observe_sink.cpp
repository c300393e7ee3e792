// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/observe_sink.hpp"

#include <utility>

#include <boost/asio/post.hpp>

#include "agent/daemon/clock.hpp"
#include "agent/daemon/log_events.hpp"

namespace untrombone::daemon {

void ObserveSink::apply(const core::RouteChange& change) {
  if (change.route) {
    routes_[change.key].want(change, monotonic_now());
    boost::asio::post(io_, [this, key = change.key] {
      if (routes_.contains(key)) listener_.on_route_noted({key, core::RouteNote::kInstalled});
    });
  } else if (routes_.erase(change.key) == 0) {
    return;
  }
  log_.event(LogLevel::kInfo, log_events::kRouteObserved, change.route ? "would announce" : "would withdraw",
             {{"prefix", change.key.prefix.to_string()},
              {"class",
               std::string(to_string(change.route ? change.route->route_class : core::RouteClass::kNone))}});
}

void ObserveSink::stop(std::function<void()> done) { boost::asio::post(io_, std::move(done)); }

bgp::SinkStatus ObserveSink::status() const {
  return {
      .kind = "observe", .state = bgp::SinkState::kSynced, .detail = "nothing is announced", .release = {}};
}

}  // namespace untrombone::daemon
