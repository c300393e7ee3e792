// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "agent/daemon/agent.hpp"

namespace untrombone::daemon {

/// Adds to a route's document whom it stands for (`host_count`, and the first ones as `hosts`), and as `summary`, for a
/// prefix shorter than a host's, in what state it is, why it is as long as it is, and what would split it.
void add_hosts_of(const Agent& agent, std::optional<core::SegmentId> segment, const core::IpPrefix& prefix,
                  nlohmann::ordered_json& route);

/// The longest summary that is announced for the host, if there is one.
[[nodiscard]] std::optional<core::IpPrefix> summary_of(const Agent& agent, const core::Host& host);

/// The block for the outside around the address, null without one: who has how many of its hosts, and what follows.
[[nodiscard]] nlohmann::ordered_json view_external(const Agent& agent, core::SegmentId segment,
                                                   const core::IpAddress& ip);

}  // namespace untrombone::daemon
