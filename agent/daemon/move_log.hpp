// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "agent/core/host_table.hpp"
#include "agent/daemon/latency.hpp"
#include "bgp/route_sink.hpp"

namespace untrombone::daemon {

enum class MoveKind : std::uint8_t { kArrival, kDeparture };
[[nodiscard]] std::string_view to_string(MoveKind kind);

/// A host came or went. The stages count from the frame or event behind it; a departure has none but the verdict.
struct Move {
  std::uint64_t id = 0;
  MoveKind kind = MoveKind::kArrival;
  core::Transition transition;
  core::RouteKey key;                       ///< of its host route
  core::TimePoint cause;                    ///< the frame or event
  core::Duration verdict{};                 ///< until the decision
  std::optional<core::Duration> sent;       ///< until its route was written to the routing daemon
  std::optional<core::Duration> installed;  ///< until that was acknowledged
  std::optional<core::Duration> bgpd;       ///< until bgpd had it; of a sample of them
};

/// The last moves of the site, and how long each stage took. Bounded: the oldest are forgotten. Hosts found at start
/// did not move. A host that is covered by another route than its own has no stage beyond the verdict.
class MoveLog {
 public:
  static constexpr std::size_t kCapacity = 4096;

  /// Takes a transition of `host`, which is in its new state already; the move that it is, else nullptr.
  /// `key`: of its host route.
  const Move* take(const core::Transition& transition, const core::Host& host, const core::RouteKey& key,
                   core::TimePoint now);
  /// A route got through; the move that it completes, else nullptr.
  const Move* note_installed(const core::RouteKey& key, const bgp::Arrival& arrival);

  /// bgpd had the route of this move; nullptr when the move is forgotten.
  const Move* note_in_bgpd(std::uint64_t id, core::TimePoint when);

  [[nodiscard]] const std::deque<Move>& moves() const { return moves_; }
  [[nodiscard]] std::uint64_t arrivals() const { return arrivals_; }
  [[nodiscard]] std::uint64_t departures() const { return departures_; }
  [[nodiscard]] const LatencyHistogram& verdict() const { return verdict_; }
  [[nodiscard]] const LatencyHistogram& sent() const { return sent_; }
  [[nodiscard]] const LatencyHistogram& installed() const { return installed_; }
  [[nodiscard]] const LatencyHistogram& bgpd() const { return bgpd_; }

 private:
  Move& add(MoveKind kind, const core::Transition& transition, const core::RouteKey& key);

  std::deque<Move> moves_;
  boost::unordered_flat_map<core::RouteKey, std::uint64_t>
      waiting_;  ///< arrivals whose route is under way, by id
  std::uint64_t next_id_ = 1;
  std::uint64_t arrivals_ = 0;
  std::uint64_t departures_ = 0;
  LatencyHistogram verdict_;
  LatencyHistogram sent_;
  LatencyHistogram installed_;
  LatencyHistogram bgpd_;
};

}  // namespace untrombone::daemon
