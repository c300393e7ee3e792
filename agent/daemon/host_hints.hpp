// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/core/types.hpp"

namespace untrombone::daemon {

class Agent;

/// What operators and orchestrators tell the agent about a host (docs/json.md): the answers to "host-claim",
/// "host-release" and "host-clear". A request that cannot be understood is answered with {"error": ...}.
[[nodiscard]] nlohmann::ordered_json answer_host_claim(Agent& agent, const nlohmann::json& request);
[[nodiscard]] nlohmann::ordered_json answer_host_release(Agent& agent, const nlohmann::json& request);
[[nodiscard]] nlohmann::ordered_json answer_host_clear(Agent& agent, const nlohmann::json& request);

/// Why the segment can have no host with this address; nullopt when it can, or when it is in none of its subnets.
[[nodiscard]] std::optional<std::string> why_no_host(const Agent& agent, core::SegmentId id,
                                                     const core::IpAddress& ip);

}  // namespace untrombone::daemon
