// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/cli/document.hpp"
#include "agent/cli/style.hpp"

namespace untrombone::cli {

/// One line per route, with the hosts it stands for.
[[nodiscard]] std::string render_routes(const Json& document, const Style& style);

}  // namespace untrombone::cli
