// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/cli/document.hpp"
#include "agent/cli/style.hpp"

namespace untrombone::cli {

/// Everything known about one address, for a person at 3 a.m.: the verdict in one sentence, then what it rests on, then
/// what was done about it, then how it came to be.
[[nodiscard]] std::string render_explain(const Json& document, const Style& style);

}  // namespace untrombone::cli
