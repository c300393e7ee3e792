// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/audit/compare_guard.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace untrombone::audit {
namespace {

constexpr std::string_view kHint = "nft list table bridge untrombone";

bool holds(const GuardFacts& guard, const std::string& port, const std::string& gateway) {
  return std::find(guard.guarded.begin(), guard.guarded.end(), std::pair(port, gateway)) !=
         guard.guarded.end();
}

void compare_segment(const SegmentFacts& segment, const GuardFacts& guard, std::vector<Finding>& findings) {
  for (const std::string& port : segment.dci_ports) {
    for (const core::IpAddress& gateway : segment.settings->gateways) {
      if (holds(guard, port, gateway.to_string())) continue;
      findings.push_back({FindingId::kGuardDrifted, segment.name,
                          fmt::format("{} at {}", gateway.to_string(), port), "kept off the DCI port",
                          "not guarded", std::string(kHint)});
    }
  }
}

}  // namespace

void compare_guard(const Snapshot& snapshot, std::vector<Finding>& findings) {
  if (!snapshot.guard || !snapshot.guard_expected) return;
  const GuardFacts& guard = *snapshot.guard;
  const bool wanted =
      std::any_of(snapshot.segments.begin(), snapshot.segments.end(),
                  [](const SegmentFacts& segment) { return segment.guard && !segment.dci_ports.empty(); });
  if (!wanted) return;
  if (!guard.present) {
    findings.push_back({FindingId::kGuardMissing, "", "table bridge untrombone", "the guard is loaded",
                        "no such table", "untrombone status"});
    return;
  }
  if (guard.dormant) {
    findings.push_back({FindingId::kGuardDormant, "", "table bridge untrombone", "its rules bite",
                        "the table is dormant: no rule is looked at", std::string(kHint)});
    return;
  }
  for (const std::string_view hook : std::array<std::string_view, 3>{"forward", "input", "output"}) {
    if (std::find(guard.hooks.begin(), guard.hooks.end(), hook) != guard.hooks.end()) continue;
    findings.push_back({FindingId::kGuardDrifted, "", fmt::format("hook {}", hook),
                        "a chain of the guard there", "none", std::string(kHint)});
  }
  for (const SegmentFacts& segment : snapshot.segments) {
    if (segment.guard) compare_segment(segment, guard, findings);
  }
}

}  // namespace untrombone::audit
