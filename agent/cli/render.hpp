// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/cli/document.hpp"
#include "agent/cli/style.hpp"

namespace untrombone::cli {

/// The documents an agent answers with (docs/json.md).
enum class DocumentKind : std::uint8_t {
  kStatus,
  kHosts,
  kRoutes,
  kExplain,
  kHostClaim,
  kHostRelease,
  kHostClear,
  kReload,
  kDoctor,
  kMoves,
  kAudit,
  kPath,
  kGuardShow,
  kGuardOpen,
  kGuardClose,
  kGuardTest
};

/// The control command that asks for it: "status", "hosts", "routes", "explain".
[[nodiscard]] std::string_view command_of(DocumentKind kind);

/// What makes `document` useless as a `kind`, or nullopt. A field that is missing elsewhere only leaves a gap.
[[nodiscard]] std::optional<std::string> find_fault(DocumentKind kind, const Json& document);

/// Text for people; ends with '\n'. Never throws, whatever the document is.
[[nodiscard]] std::string render(DocumentKind kind, const Json& document, const Style& style);

/// Does it say that something is not as it should be (exit code 1): a status that is not healthy, an address that
/// nobody knows?
[[nodiscard]] bool has_findings(DocumentKind kind, const Json& document);

/// `healthy` of a status; without that field: every segment is ready and the sink is synced.
[[nodiscard]] bool is_healthy(const Json& status);

}  // namespace untrombone::cli
