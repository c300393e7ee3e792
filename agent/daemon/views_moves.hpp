// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json.hpp>

#include "agent/core/event.hpp"
#include "agent/daemon/move_log.hpp"

/// Moves, as documents and as events (docs/json.md, docs/control-protocol.md).
namespace untrombone::daemon {

class Agent;

[[nodiscard]] nlohmann::ordered_json view_transition(const Agent& agent, const core::Transition& transition);
[[nodiscard]] nlohmann::ordered_json view_move(const Agent& agent, const Move& move);
/// How many moved, and how long each stage took.
[[nodiscard]] nlohmann::ordered_json view_latencies(const Agent& agent);
/// All moves that are remembered, oldest first, and the latencies.
[[nodiscard]] nlohmann::ordered_json view_moves(const Agent& agent);

}  // namespace untrombone::daemon
