// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace untrombone::audit {

/// An error loses or misleads packets, a warning may, a note is worth knowing.
enum class Severity : std::uint8_t { kNote, kWarning, kError };
[[nodiscard]] std::string_view to_string(Severity severity);

/// The kinds of finding. Their ids are stable; docs/audit.md explains each, and a test holds the two together.
enum class FindingId : std::uint8_t {
  kMissingRoute,
  kRouteShadowed,
  kStaleRoute,
  kRemoteAnnounced,
  kTrombone,
  kDoubleClaim,
  kUnclaimed,
  kOrphanSummary,
  kSummaryCoversRemote,
  kGatewayAnnounced,
  kOutsideSubnets,
  kUnmarkedRoute,
  kNotRedistributed,
  kGhostRoute,
  kKernelDisagrees,
  kPlaceDisagrees,
  kGuardMissing,
  kGuardDrifted,
  kGuardDormant,
  kGroupSplit,
  kSourceMissing,
};

struct FindingKind {
  FindingId id;
  std::string_view name;  ///< "missing-route"
  Severity severity;
};
[[nodiscard]] std::span<const FindingKind> finding_kinds();
[[nodiscard]] const FindingKind& kind_of(FindingId id);

struct Finding {
  FindingId id = FindingId::kMissingRoute;
  std::string segment;
  std::string subject;  ///< the address, prefix, port, group or source
  std::string expected;
  std::string observed;
  std::string hint;  ///< the command that looks closer
};

}  // namespace untrombone::audit
