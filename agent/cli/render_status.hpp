// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/cli/document.hpp"
#include "agent/cli/style.hpp"

namespace untrombone::cli {

/// Health first, with what spoils it; then segments, hosts, sink, guard, alarms and the counters that are not zero.
[[nodiscard]] std::string render_status(const Json& document, const Style& style);

}  // namespace untrombone::cli
