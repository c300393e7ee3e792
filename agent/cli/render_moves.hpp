// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/cli/document.hpp"
#include "agent/cli/style.hpp"

namespace untrombone::cli {

/// One line per move, oldest first, then how long each stage took.
[[nodiscard]] std::string render_moves(const Json& document, const Style& style);

/// One event of `watch` as one line, without its end.
[[nodiscard]] std::string render_event(const Json& event, const Style& style);

}  // namespace untrombone::cli
