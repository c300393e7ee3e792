// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "agent/cli/doctor.hpp"
#include "agent/cli/document.hpp"
#include "agent/cli/style.hpp"

namespace untrombone::cli {

/// The document of `doctor` (docs/json.md). `fixed`: what `--fix` set, by path.
[[nodiscard]] Json view_doctor(const std::string& config_path, const std::vector<Check>& checks,
                               const std::vector<Check::Fix>& fixed);

/// Every check in a table, then what is wrong, why it matters and the command that mends it.
[[nodiscard]] std::string render_doctor(const Json& document, const Style& style);

}  // namespace untrombone::cli
