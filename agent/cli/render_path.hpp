// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/cli/document.hpp"
#include "agent/cli/style.hpp"

namespace untrombone::cli {

/// The way of a packet to one host and back, a line for each step; a detour is red.
[[nodiscard]] std::string render_path(const Json& document, const Style& style);

}  // namespace untrombone::cli
