// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/daemon/http_request.hpp"

namespace untrombone::daemon {

class Agent;

/// Everything of docs/metrics.md in Prometheus' text format. Counts afresh each time; nothing is kept twice.
[[nodiscard]] std::string render_metrics(Agent& agent);

/// /metrics and /healthz.
[[nodiscard]] HttpAnswer serve_metrics(Agent& agent, const std::string& path);

}  // namespace untrombone::daemon
