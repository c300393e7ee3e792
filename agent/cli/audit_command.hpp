// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "agent/cli/document.hpp"

namespace untrombone::cli {

struct AuditOptions {
  std::string config;
  std::string socket;
  std::string segment;  ///< only its findings; empty: all
  std::string against;  ///< a saved report
  std::string groups;
  std::string html;  ///< where to write the page
};

/// The report, or why there is none (`error` not empty).
struct AuditAnswer {
  Json document;
  std::string error;
};
[[nodiscard]] AuditAnswer run_audit(const AuditOptions& options);

/// The way of one address (docs/json.md, "explain --path"); of the options only `config` and `socket` count.
[[nodiscard]] AuditAnswer run_path(const AuditOptions& options, const std::string& address);

}  // namespace untrombone::cli
