// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json.hpp>

#include "agent/core/host_table.hpp"

namespace untrombone::daemon {

class Agent;

/// "claims" of the status document: the lists and how they are doing.
[[nodiscard]] nlohmann::ordered_json view_claim_lists(const Agent& agent);
/// "claims" of the explanation: what other sites announce that covers the address.
[[nodiscard]] nlohmann::ordered_json view_claims_of(const Agent& agent, core::SegmentId segment,
                                                    const core::IpAddress& ip);
/// "uplink" of the status document.
[[nodiscard]] nlohmann::ordered_json view_uplink(const Agent& agent);

}  // namespace untrombone::daemon
