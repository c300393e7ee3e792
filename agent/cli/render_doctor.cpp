// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render_doctor.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agent/cli/table.hpp"

namespace untrombone::cli {
namespace {

Colour colour_of_severity(std::string_view severity) {
  if (severity == "ok") return Colour::kGreen;
  if (severity == "error") return Colour::kRed;
  return severity == "warning" ? Colour::kYellow : Colour::kPlain;
}

std::string render_problem(const Json& check, const Style& style) {
  const std::string severity = text_at(check, "severity");
  return fmt::format("\n{} {}, {}: {}\n  wanted  {}\n  why     {}\n  run     {}\n",
                     paint(style, colour_of_severity(severity), severity), text_at(check, "id"),
                     text_at(check, "subject"), text_at(check, "seen"), text_at(check, "wanted"),
                     text_at(check, "why"), text_at(check, "command"));
}

std::string render_fixed(const Json& document) {
  std::string text;
  for (const Json& fix : array_at(document, "fixed")) {
    text += fmt::format("set {} = {} (until the next boot; /etc/sysctl.d keeps it)\n", text_at(fix, "sysctl"),
                        text_at(fix, "value"));
  }
  return text.empty() ? text : text + "\n";
}

std::string render_tally(const Json& document) {
  std::size_t errors = 0;
  std::size_t warnings = 0;
  std::size_t notes = 0;
  const auto& checks = array_at(document, "checks");
  for (const Json& check : checks) {
    const std::string severity = text_at(check, "severity");
    if (severity == "error") ++errors;
    if (severity == "warning") ++warnings;
    if (severity == "note") ++notes;
  }
  return fmt::format("\n{} checks: {} error{}, {} warning{}, {} note{}\n", checks.size(), errors,
                     errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", notes,
                     notes == 1 ? "" : "s");
}

}  // namespace

Json view_doctor(const std::string& config_path, const std::vector<Check>& checks,
                 const std::vector<Check::Fix>& fixed) {
  Json list = Json::array();
  for (const Check& check : checks) {
    list.push_back({{"id", check.id},
                    {"severity", to_string(check.severity)},
                    {"subject", check.subject},
                    {"seen", check.seen},
                    {"wanted", check.wanted},
                    {"why", check.why},
                    {"command", check.command},
                    {"fixable", check.fix.has_value()}});
  }
  Json set = Json::array();
  for (const Check::Fix& fix : fixed) set.push_back({{"sysctl", fix.path}, {"value", fix.value}});
  const bool fit = std::none_of(checks.begin(), checks.end(),
                                [](const Check& check) { return check.severity >= Severity::kWarning; });
  return {{"config", config_path}, {"fit", fit}, {"checks", list}, {"fixed", set}};
}

std::string render_doctor(const Json& document, const Style& style) {
  Table table({{"STATE"}, {"CHECK"}, {"SUBJECT"}, {"SEEN"}});
  std::string problems;
  for (const Json& check : array_at(document, "checks")) {
    const std::string severity = text_at(check, "severity");
    table.add({{severity, colour_of_severity(severity)},
               {text_at(check, "id")},
               {text_at(check, "subject")},
               {text_at(check, "seen")}});
    if (severity != "ok") problems += render_problem(check, style);
  }
  if (table.empty()) return "no checks\n";
  return render_fixed(document) + table.render(style) + problems + render_tally(document);
}

}  // namespace untrombone::cli
