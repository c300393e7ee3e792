// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/cli/document.hpp"
#include "agent/cli/style.hpp"

namespace untrombone::cli {

/// One line per host, and a summary by verdict.
[[nodiscard]] std::string render_hosts(const Json& document, const Style& style);

}  // namespace untrombone::cli
