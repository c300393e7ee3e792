// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render_routes.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/cli/quantity.hpp"
#include "agent/cli/table.hpp"

namespace untrombone::cli {
namespace {

std::string latency_at(const Json& route, std::string_view stage) {
  const auto microseconds = number_at(object_at(route, "latency_us"), stage);
  return microseconds ? format_microseconds(*microseconds) : "-";
}

std::string age_of(const Json& route) {
  const auto seconds = number_at(route, "age_seconds");
  return seconds ? format_seconds(*seconds) : "-";
}

/// How long an operator's claim keeps it, if that is why it is there.
std::string claim_of(const Json& route) {
  const auto left = number_at(route, "expected_seconds");
  return left ? fmt::format(", claimed for {}", format_seconds(*left)) : "";
}

/// The first of the hosts that it stands for, and how many there are.
std::string whom_at(const Json& route) {
  constexpr std::size_t kMostHosts = 3;
  const Json::array_t& hosts = array_at(route, "hosts");
  const auto count = static_cast<std::size_t>(
      std::max(number_at(route, "host_count").value_or(0), static_cast<double>(hosts.size())));
  std::vector<std::string> first;
  for (std::size_t i = 0; i < hosts.size() && i < kMostHosts; ++i) {
    if (hosts[i].is_string()) first.push_back(printable(hosts[i].get<std::string>()));
  }
  if (first.empty()) return "-";
  const std::string text = fmt::format("{}", fmt::join(first, ", "));
  return count > kMostHosts ? fmt::format("{} and {} more", text, count - kMostHosts) : text;
}

}  // namespace

std::string render_routes(const Json& document, const Style& style) {
  constexpr auto kRight = Align::kRight;
  const Json::array_t& routes = array_at(document, "routes");
  const bool with_vrf = std::any_of(routes.begin(), routes.end(),
                                    [](const Json& route) { return find(route, "vrf") != nullptr; });
  std::vector<Column> columns{{"PREFIX"},          {"STATE"},
                              {"CLASS"},           {"AGE", kRight},
                              {"SENT IN", kRight}, {"INSTALLED IN", kRight},
                              {"INTERFACE"},       {"DISTANCE", kRight},
                              {"METRIC", kRight},  {"TAG", kRight},
                              {"SEGMENT"},         {"HOSTS"}};
  if (with_vrf) columns.insert(columns.begin() + 1, {"VRF"});
  Table table(std::move(columns));
  for (const Json& route : routes) {
    const std::string state = text_at(route, "state");
    const std::string route_class = text_at(route, "class");
    std::vector<Cell> row{{text_at(route, "prefix")},
                          {state, colour_of(state)},
                          {route_class + claim_of(route), colour_of(route_class)},
                          {age_of(route)},
                          {latency_at(route, "sent")},
                          {latency_at(route, "installed")},
                          {text_at(route, "interface")},
                          {text_at(route, "distance")},
                          {text_at(route, "metric")},
                          {text_at(route, "tag")},
                          {text_at(route, "segment")},
                          {whom_at(route)}};
    if (with_vrf) row.insert(row.begin() + 1, {text_at(route, "vrf", "default")});
    table.add(std::move(row));
  }
  if (table.empty()) return "no routes\n";
  const std::size_t count = routes.size();
  return fmt::format("{}\n{} route{}; times count from the frame that caused it\n", table.render(style),
                     count, count == 1 ? "" : "s");
}

}  // namespace untrombone::cli
