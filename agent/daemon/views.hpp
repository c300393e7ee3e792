// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace untrombone::daemon {

class Agent;

/// Answers one request of the control protocol (docs/json.md) with a JSON document. A request that is not understood
/// gets `{"error": "..."}`; nothing is thrown.
[[nodiscard]] std::string answer_request(Agent& agent, const std::string& request);

/// Every segment is ready, the sink is synced, and the guard has not failed.
[[nodiscard]] bool is_healthy(const Agent& agent);

/// One line for `systemctl status`.
[[nodiscard]] std::string status_line(const Agent& agent);

}  // namespace untrombone::daemon
