// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "agent/core/event.hpp"

namespace untrombone::bgp {

/// What is known of one route at the sink.
enum class RouteState : std::uint8_t {
  kQueued,     ///< wanted, not yet written
  kSent,       ///< written, no answer yet
  kInstalled,  ///< the routing daemon says so
  kRejected,   ///< it would not, or could not, install it
  kLost,       ///< another route won
  kRemoving,   ///< the removal is under way
};
[[nodiscard]] std::string_view to_string(RouteState state);

/// How fast a host's arrival got through: set when its route is first wanted or becomes fresh, kept when it settles.
struct Arrival {
  core::TimePoint cause;                     ///< the first frame or event
  std::optional<core::TimePoint> sent;       ///< written to the daemon
  std::optional<core::TimePoint> installed;  ///< acknowledged by it
};

/// One route: what is wanted and how far it got. Times are the core's.
struct SinkRoute {
  std::optional<core::Route> wanted;  ///< absent: it is being removed
  RouteState state = RouteState::kQueued;
  core::TimePoint changed;  ///< when the last change reached the sink
  Arrival arrival;
  bool queued = false;  ///< the sink has yet to tell the daemon
  bool told = false;    ///< it may have told it before, on this connection or another
  bool won = false;     ///< the daemon has installed it, on this connection

  /// Takes over a change; true when it differs from what was wanted.
  bool want(const core::RouteChange& change, core::TimePoint now);
};
using SinkRoutes = boost::unordered_flat_map<core::RouteKey, SinkRoute>;

enum class SinkState : std::uint8_t { kWaiting, kSyncing, kSynced };
[[nodiscard]] std::string_view to_string(SinkState state);

struct SinkStatus {
  std::string_view kind;
  SinkState state = SinkState::kWaiting;
  std::string detail;   ///< why it waits
  std::string release;  ///< of the routing daemon, once known
};

/// Receives what the sink learns. Called on the io_context's thread, and, except on_prior_route(), never from within a
/// call of the sink.
class SinkListener {
 public:
  virtual ~SinkListener() = default;
  virtual void on_route_noted(const core::RouteNoted& note) = 0;
  /// The sink found a route that an earlier run left, out of `interface`. Only while it starts.
  virtual void on_prior_route(const core::RouteKey& key, core::Ifindex interface) = 0;
  virtual void on_sink_status() = 0;
  /// The sink took out of the daemon's table what a killed one had left there for these; they are ours, or were.
  virtual void on_leftovers_superseded(const std::vector<core::RouteKey>& /*keys*/) {}
};

/// Takes route changes and keeps the routing daemon equal to them, whatever happens to it (design 4).
class RouteSink {
 public:
  virtual ~RouteSink() = default;
  virtual void start() = 0;
  /// Notes the change; flush() sends what was noted.
  virtual void apply(const core::RouteChange& change) = 0;
  virtual void flush() = 0;
  /// A route that an earlier run may have left, as the kernel shows it. Ours only if the daemon says so.
  virtual void note_prior(const core::RouteKey& key) = 0;
  /// From now on whatever the daemon still holds of an earlier run and we do not want may go.
  virtual void allow_sweep() = 0;
  /// Ends the connection, leaving or removing the routes as configured; `done` is called once, soon, even if the
  /// daemon does not answer.
  virtual void stop(std::function<void()> done) = 0;
  [[nodiscard]] virtual const SinkRoutes& routes() const = 0;
  [[nodiscard]] virtual SinkStatus status() const = 0;
  /// Why the route is rejected or lost, a phrase; empty when it is neither, or nobody said why.
  [[nodiscard]] virtual std::string reason_of(const core::RouteKey& key) const = 0;
};

}  // namespace untrombone::bgp
