// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/audit/finding.hpp"
#include "agent/audit/snapshot.hpp"

namespace untrombone::audit {

/// The document of `audit` (docs/json.md). `at`: when, as text.
[[nodiscard]] nlohmann::ordered_json view_report(const Snapshot& snapshot,
                                                 const std::vector<Finding>& findings, const std::string& at);

/// Compares with an earlier report: marks each finding "new" or not, and lists in "resolved" what is no more. Findings
/// are the same when id, segment and subject are.
void compare_reports(nlohmann::ordered_json& report, const nlohmann::ordered_json& earlier);

/// Addresses by name: {"shop": ["10.1.0.11", "10.1.0.12"]}. `error`: what is wrong with it; then there are none.
[[nodiscard]] std::vector<Group> parse_groups(const std::string& text, std::string& error);

/// The report as one page that needs nothing else: a picture of sites, hosts and routes, then the findings.
[[nodiscard]] std::string render_html(const Snapshot& snapshot, const nlohmann::ordered_json& report);

}  // namespace untrombone::audit
