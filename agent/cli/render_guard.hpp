// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/cli/document.hpp"
#include "agent/cli/style.hpp"

namespace untrombone::cli {

/// The answers to guard-show, guard-open and guard-close.
[[nodiscard]] std::string render_guard(const Json& document, const Style& style);
/// Every segment keeps its egress local, or is not asked to.
[[nodiscard]] bool is_guard_closed(const Json& document);

[[nodiscard]] std::string render_guard_test(const Json& document, const Style& style);

}  // namespace untrombone::cli
