// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json.hpp>

namespace untrombone::daemon {

class Agent;

/// The documents of `untrombone guard` (docs/json.md). `request` may name a segment; an unknown one is an error
/// document.
[[nodiscard]] nlohmann::ordered_json answer_guard_show(Agent& agent, const nlohmann::json& request);
[[nodiscard]] nlohmann::ordered_json answer_guard_open(Agent& agent, const nlohmann::json& request);
[[nodiscard]] nlohmann::ordered_json answer_guard_close(Agent& agent, const nlohmann::json& request);
[[nodiscard]] nlohmann::ordered_json answer_guard_test(Agent& agent, const nlohmann::json& request);

}  // namespace untrombone::daemon
