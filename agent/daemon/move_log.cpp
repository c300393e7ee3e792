// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/move_log.hpp"

namespace untrombone::daemon {
namespace {

bool is_here(core::HostState state) {
  return state == core::HostState::kProvisional || state == core::HostState::kLocal;
}

}  // namespace

std::string_view to_string(MoveKind kind) { return kind == MoveKind::kArrival ? "arrival" : "departure"; }

const Move* MoveLog::take(const core::Transition& transition, const core::Host& host,
                          const core::RouteKey& key, core::TimePoint now) {
  if (is_here(transition.from) == is_here(transition.to)) return nullptr;
  if (!is_here(transition.to)) {
    ++departures_;
    waiting_.erase(key);
    Move& move = add(MoveKind::kDeparture, transition, key);
    move.cause = transition.when;
    return &move;
  }
  if (host.route_class != core::RouteClass::kFresh) return nullptr;  // it was here when the agent started
  ++arrivals_;
  Move& move = add(MoveKind::kArrival, transition, key);
  move.cause = host.cause;
  move.verdict = now - host.cause;
  verdict_.observe(move.verdict);
  waiting_[key] = move.id;
  return &move;
}

const Move* MoveLog::note_installed(const core::RouteKey& key, const bgp::Arrival& arrival) {
  const auto waiting = waiting_.find(key);
  if (waiting == waiting_.end()) return nullptr;
  const std::uint64_t oldest = next_id_ - moves_.size();
  Move& move = moves_[waiting->second - oldest];
  if (!arrival.sent || !arrival.installed || arrival.cause != move.cause) return nullptr;
  waiting_.erase(waiting);
  move.sent = *arrival.sent - arrival.cause;
  move.installed = *arrival.installed - arrival.cause;
  sent_.observe(*move.sent);
  installed_.observe(*move.installed);
  return &move;
}

const Move* MoveLog::note_in_bgpd(std::uint64_t id, core::TimePoint when) {
  const std::uint64_t oldest = next_id_ - moves_.size();
  if (id < oldest || id >= next_id_) return nullptr;
  Move& move = moves_[id - oldest];
  move.bgpd = when - move.cause;
  bgpd_.observe(*move.bgpd);
  return &move;
}

Move& MoveLog::add(MoveKind kind, const core::Transition& transition, const core::RouteKey& key) {
  if (moves_.size() == kCapacity) {
    const auto waiting = waiting_.find(moves_.front().key);
    if (waiting != waiting_.end() && waiting->second == moves_.front().id) waiting_.erase(waiting);
    moves_.pop_front();
  }
  Move& move = moves_.emplace_back();
  move.id = next_id_++;
  move.kind = kind;
  move.key = key;
  move.transition = transition;
  return move;
}

}  // namespace untrombone::daemon
