// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/views_moves.hpp"

#include "agent/daemon/agent.hpp"
#include "agent/daemon/clock.hpp"

namespace untrombone::daemon {
namespace {

using Json = nlohmann::ordered_json;

Json microseconds(const std::optional<core::Duration>& duration) {
  return duration ? Json(to_microseconds(*duration)) : Json(nullptr);
}

Json view_histogram(const LatencyHistogram& histogram) {
  if (histogram.count() == 0) return {{"count", 0}, {"median_us", nullptr}, {"p99_us", nullptr}};
  return {{"count", histogram.count()},
          {"median_us", to_microseconds(histogram.quantile(0.5))},
          {"p99_us", to_microseconds(histogram.quantile(0.99))}};
}

}  // namespace

Json view_transition(const Agent& agent, const core::Transition& transition) {
  const std::string port = agent.topology().name_of(transition.port);
  return {{"segment", agent.config().segments[transition.segment.value].name},
          {"ip", transition.ip.to_string()},
          {"mac", transition.mac.is_zero() ? Json(nullptr) : Json(transition.mac.to_string())},
          {"from", to_string(transition.from)},
          {"to", to_string(transition.to)},
          {"reason", to_string(transition.reason)},
          {"port", port.empty() ? Json(nullptr) : Json(port)}};
}

Json view_move(const Agent& agent, const Move& move) {
  const bool arrival = move.kind == MoveKind::kArrival;
  Json view{{"id", move.id}, {"kind", to_string(move.kind)}, {"moved_at", to_iso8601(move.cause)}};
  view.update(view_transition(agent, move.transition));
  view["latency_us"] = {{"verdict", arrival ? Json(to_microseconds(move.verdict)) : Json(nullptr)},
                        {"sent", microseconds(move.sent)},
                        {"installed", microseconds(move.installed)},
                        {"bgpd", microseconds(move.bgpd)}};
  return view;
}

Json view_latencies(const Agent& agent) {
  const MoveLog& moves = agent.moves();
  return {{"arrivals", moves.arrivals()},
          {"departures", moves.departures()},
          {"verdict", view_histogram(moves.verdict())},
          {"greeting", view_histogram(agent.greeting_latency())},
          {"sent", view_histogram(moves.sent())},
          {"installed", view_histogram(moves.installed())},
          {"bgpd", view_histogram(moves.bgpd())}};
}

Json view_moves(const Agent& agent) {
  Json list = Json::array();
  for (const Move& move : agent.moves().moves()) list.push_back(view_move(agent, move));
  return {{"site", agent.config().site}, {"moves", list}, {"latency", view_latencies(agent)}};
}

}  // namespace untrombone::daemon
