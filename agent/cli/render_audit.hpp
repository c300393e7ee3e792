// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/cli/document.hpp"
#include "agent/cli/style.hpp"

namespace untrombone::cli {

/// The findings, each with the command that looks closer; one line when there are none.
[[nodiscard]] std::string render_audit(const Json& report, const Style& style);

/// Is there something to see to? With `--against` only what is new counts.
[[nodiscard]] bool has_audit_findings(const Json& report);

}  // namespace untrombone::cli
