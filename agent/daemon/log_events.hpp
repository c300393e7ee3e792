// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string_view>

/// The stable ids of everything the agent logs; docs/log-events.md explains each, and a check compares the two.
namespace untrombone::daemon::log_events {

inline constexpr std::string_view kAgentStarted = "agent-started";
inline constexpr std::string_view kAgentStopping = "agent-stopping";
inline constexpr std::string_view kAgentStopped = "agent-stopped";
inline constexpr std::string_view kReloaded = "reloaded";
inline constexpr std::string_view kReloadRefused = "reload-refused";
inline constexpr std::string_view kStartComplete = "start-complete";
inline constexpr std::string_view kSegmentReady = "segment-ready";
inline constexpr std::string_view kSegmentWaiting = "segment-waiting";
inline constexpr std::string_view kPortUp = "port-up";
inline constexpr std::string_view kPortDown = "port-down";
inline constexpr std::string_view kTapFailed = "tap-failed";
inline constexpr std::string_view kTapOverrun = "tap-overrun";
inline constexpr std::string_view kHostState = "host-state";
inline constexpr std::string_view kAlarm = "alarm";
inline constexpr std::string_view kSinkState = "sink-state";
inline constexpr std::string_view kRouteRejected = "route-rejected";
inline constexpr std::string_view kZebraLeftover = "zebra-leftover";
inline constexpr std::string_view kRouteObserved = "route-observed";
inline constexpr std::string_view kGuardActive = "guard-active";
inline constexpr std::string_view kGuardOpen = "guard-open";
inline constexpr std::string_view kGuardClosed = "guard-closed";
inline constexpr std::string_view kGuardDrift = "guard-drift";
inline constexpr std::string_view kGuardFailed = "guard-failed";
inline constexpr std::string_view kUplinkLost = "uplink-lost";
inline constexpr std::string_view kUplinkBack = "uplink-back";
inline constexpr std::string_view kFrrTrouble = "frr-trouble";
inline constexpr std::string_view kFrrTroubleOver = "frr-trouble-over";
inline constexpr std::string_view kKernelOverrun = "kernel-overrun";
inline constexpr std::string_view kKernelFailed = "kernel-failed";

}  // namespace untrombone::daemon::log_events
