// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/audit/finding.hpp"

#include <array>

namespace untrombone::audit {
namespace {

constexpr auto kError = Severity::kError;
constexpr auto kWarning = Severity::kWarning;

/// In the order of the enumeration.
constexpr std::array<FindingKind, 21> kKinds = {{
    {FindingId::kMissingRoute, "missing-route", kError},
    {FindingId::kRouteShadowed, "route-shadowed", kError},
    {FindingId::kStaleRoute, "stale-route", kError},
    {FindingId::kRemoteAnnounced, "remote-announced", kError},
    {FindingId::kTrombone, "trombone", kError},
    {FindingId::kDoubleClaim, "double-claim", kWarning},
    {FindingId::kUnclaimed, "unclaimed", kWarning},
    {FindingId::kOrphanSummary, "orphan-summary", kWarning},
    {FindingId::kSummaryCoversRemote, "summary-covers-remote", kError},
    {FindingId::kGatewayAnnounced, "gateway-announced", kError},
    {FindingId::kOutsideSubnets, "outside-subnets", kError},
    {FindingId::kUnmarkedRoute, "unmarked-route", kError},
    {FindingId::kNotRedistributed, "not-redistributed", kError},
    {FindingId::kGhostRoute, "ghost-route", kError},
    {FindingId::kKernelDisagrees, "kernel-disagrees", kError},
    {FindingId::kPlaceDisagrees, "place-disagrees", kWarning},
    {FindingId::kGuardMissing, "guard-missing", kError},
    {FindingId::kGuardDrifted, "guard-drifted", kError},
    {FindingId::kGuardDormant, "guard-dormant", kError},
    {FindingId::kGroupSplit, "group-split", kWarning},
    {FindingId::kSourceMissing, "source-missing", kWarning},
}};

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kNote: return "note";
    case Severity::kWarning: return "warning";
    case Severity::kError: return "error";
  }
  return "?";
}

std::span<const FindingKind> finding_kinds() { return kKinds; }

const FindingKind& kind_of(FindingId id) { return kKinds[static_cast<std::size_t>(id)]; }

}  // namespace untrombone::audit
