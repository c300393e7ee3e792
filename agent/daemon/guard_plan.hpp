// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/core/settings.hpp"
#include "agent/daemon/config.hpp"
#include "agent/daemon/topology.hpp"
#include "arp/guard_rules.hpp"

namespace untrombone::daemon {

/// How a segment's guard stands.
enum class GuardStance {
  kClosed,   ///< egress is local
  kOpen,     ///< an operator lifted what keeps guests from the other sites' gateways
  kSteering  ///< the local gateway cannot be used: lifted, and guests are led to another site's
};
[[nodiscard]] std::string_view to_string(GuardStance stance);

/// One segment, as far as its guard needs it.
struct GuardInput {
  const SegmentConfig& config;
  const core::SegmentSettings& settings;
  const SegmentView& view;
  core::MacAddress own_mac;  ///< of the local gateway, the last one known
  std::function<std::string(core::Ifindex)> name_of;
};

/// The rules that a segment needs.
[[nodiscard]] arp::GuardedSegment plan_guard(const GuardInput& input, GuardStance stance);

/// The gateway MAC that guests are told: the local one, also when it is dead, since steering takes its frames along;
/// another site's when the local one was never seen.
[[nodiscard]] core::MacAddress gateway_mac_for_guests(const GuardInput& input);

}  // namespace untrombone::daemon
