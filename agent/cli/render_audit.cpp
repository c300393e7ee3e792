// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render_audit.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agent/cli/table.hpp"

namespace untrombone::cli {
namespace {

constexpr std::size_t kMostHints = 20;

Colour colour_of_severity(std::string_view severity) {
  if (severity == "error") return Colour::kRed;
  return severity == "warning" ? Colour::kYellow : Colour::kPlain;
}

std::string count_at(const Json& sources, std::string_view key) { return text_at(sources, key, "no"); }

std::string render_sources(const Json& report) {
  const Json& sources = object_at(report, "sources");
  const bool agent = flag_at(sources, "agent").value_or(false);
  return fmt::format("site {}, {}: {} hosts, {} routes in zebra, {} in the kernel, {} prefixes in bgpd\n",
                     text_at(report, "site"), agent ? "with its agent" : "without an agent",
                     count_at(sources, "hosts"), count_at(sources, "zebra_routes"),
                     count_at(sources, "kernel_routes"), count_at(sources, "bgp_prefixes"));
}

std::string render_hints(const Json::array_t& findings) {
  std::string text = "\nto look closer:\n";
  for (std::size_t i = 0; i < std::min(findings.size(), kMostHints); ++i) {
    text += fmt::format("  {}  {}\n", text_at(findings[i], "subject"), text_at(findings[i], "hint"));
  }
  if (findings.size() > kMostHints) text += fmt::format("  and {} more\n", findings.size() - kMostHints);
  return text;
}

std::string render_resolved(const Json& report) {
  std::string text;
  for (const Json& finding : array_at(report, "resolved")) {
    text += fmt::format("no more: {} {}\n", text_at(finding, "id"), text_at(finding, "subject"));
  }
  return text.empty() ? text : "\n" + text;
}

}  // namespace

bool has_audit_findings(const Json& report) {
  const auto& findings = array_at(report, "findings");
  return std::any_of(findings.begin(), findings.end(),
                     [](const Json& finding) { return flag_at(finding, "new").value_or(true); });
}

std::string render_audit(const Json& report, const Style& style) {
  const auto& findings = array_at(report, "findings");
  if (findings.empty()) return render_sources(report) + "nothing is wrong\n" + render_resolved(report);
  Table table({{"SEVERITY"}, {"FINDING"}, {"SUBJECT"}, {"SEGMENT"}, {"EXPECTED"}, {"OBSERVED"}, {""}});
  for (const Json& finding : findings) {
    const std::string severity = text_at(finding, "severity");
    const auto fresh = flag_at(finding, "new");
    table.add({{severity, colour_of_severity(severity)},
               {text_at(finding, "id")},
               {text_at(finding, "subject")},
               {text_at(finding, "segment")},
               {text_at(finding, "expected")},
               {text_at(finding, "observed")},
               {fresh.value_or(false) ? "new" : ""}});
  }
  return fmt::format("{}\n{}{}{}", render_sources(report), table.render(style), render_hints(findings),
                     render_resolved(report));
}

}  // namespace untrombone::cli
