// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render_guard.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/cli/quantity.hpp"
#include "agent/cli/table.hpp"

namespace untrombone::cli {
namespace {

std::string render_head(const Json& document, const Style& style) {
  const std::string state = text_at(document, "state");
  const std::string detail = text_at(document, "detail", "");
  return fmt::format("the guard of site {} is {}{}\n", text_at(document, "site"),
                     paint(style, colour_of(state), state), detail.empty() ? "" : ": " + detail);
}

/// The options that are not as they come.
std::string name_options(const Json& options) {
  std::vector<std::string> names;
  const auto add_if = [&](bool unusual, const char* name) {
    if (unusual) names.emplace_back(name);
  };
  add_if(!flag_at(options, "ra").value_or(true), "ra = false");
  add_if(!flag_at(options, "fhrp").value_or(true), "fhrp = false");
  add_if(text_at(options, "dhcp", "pass") == "local", "dhcp = local");
  add_if(text_at(options, "fail", "open") == "closed", "fail = closed");
  add_if(flag_at(options, "adopt_macs").value_or(false), "adopt-macs");
  add_if(flag_at(options, "strict_mac").value_or(false), "strict-mac");
  return names.empty() ? "-" : fmt::format("{}", fmt::join(names, ", "));
}

std::string render_segments(const Json& document, const Style& style) {
  Table table(
      {{"SEGMENT"}, {"STANCE"}, {"GATEWAYS"}, {"GATEWAY MAC"}, {"DCI PORTS"}, {"OPTIONS"}, {"REASON"}});
  for (const Json& segment : array_at(document, "segments")) {
    const std::string stance = text_at(segment, "stance");
    table.add({{text_at(segment, "name")},
               {stance, stance == "closed" ? Colour::kGreen : Colour::kYellow},
               {list_at(segment, "gateways")},
               {text_at(segment, "gateway_mac")},
               {list_at(segment, "dci_ports")},
               {name_options(object_at(segment, "options"))},
               {text_at(segment, "reason")}});
  }
  return table.empty() ? "no segments\n" : table.render(style);
}

std::string render_frames(const Json& document, const Style& style) {
  const Json& frames = object_at(document, "frames");
  Table table({{"RULE"}, {"FRAMES", Align::kRight}});
  for (const auto& [name, value] : frames.items()) {
    if (number_at(frames, name).value_or(0) == 0) continue;
    table.add({{printable(name)}, {text_at(frames, name)}});
  }
  return table.empty() ? "no frame was stopped yet\n" : table.render(style);
}

std::string render_table(const Json& document) {
  const Json& table = object_at(document, "table");
  const auto took = number_at(table, "last_change_us");
  std::string text = fmt::format(
      "{} rules over {} elements; loaded {} times, changed {} times, the last in {}; {} drifts repaired\n",
      text_at(table, "rules"), text_at(table, "elements"), text_at(table, "replaced"),
      text_at(table, "changed"), took ? format_microseconds(*took) : "-", text_at(table, "drifts"));
  const std::string drift = text_at(table, "last_drift", "");
  if (!drift.empty()) text += fmt::format("the last drift: {}\n", drift);
  return text;
}

}  // namespace

std::string render_guard(const Json& document, const Style& style) {
  return fmt::format("{}\n{}\n{}\n{}", render_head(document, style), render_segments(document, style),
                     render_frames(document, style), render_table(document));
}

bool is_guard_closed(const Json& document) {
  const auto& segments = array_at(document, "segments");
  const std::string state = text_at(document, "state");
  return (state == "active" || state == "open" || state == "off") &&
         std::all_of(segments.begin(), segments.end(), [](const Json& segment) {
           const std::string stance = text_at(segment, "stance");
           return stance == "closed" || stance == "off";
         });
}

std::string render_guard_test(const Json& document, const Style& style) {
  Table table({{"SEGMENT"}, {"RULE"}, {"DCI PORTS", Align::kRight}, {"STOPPED", Align::kRight}, {"RESULT"}});
  for (const Json& test : array_at(document, "tests")) {
    const bool passed = flag_at(test, "passed").value_or(false);
    table.add({{text_at(test, "segment")},
               {text_at(test, "rule")},
               {text_at(test, "ports")},
               {text_at(test, "stopped")},
               {passed ? "bites" : "DOES NOT BITE", passed ? Colour::kGreen : Colour::kRed}});
  }
  if (table.empty()) return render_head(document, style) + "\nno rule to test\n";
  return fmt::format("{}\n{}", render_head(document, style), table.render(style));
}

}  // namespace untrombone::cli
