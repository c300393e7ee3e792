// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render_routes.hpp"

#include <fmt/format.h>

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

}  // namespace

std::string render_routes(const Json& document, const Style& style) {
  constexpr auto kRight = Align::kRight;
  constexpr std::size_t kMostHosts = 3;
  Table table({{"PREFIX"},
               {"STATE"},
               {"CLASS"},
               {"AGE", kRight},
               {"SENT IN", kRight},
               {"INSTALLED IN", kRight},
               {"INTERFACE"},
               {"DISTANCE", kRight},
               {"METRIC", kRight},
               {"TAG", kRight},
               {"SEGMENT"},
               {"HOSTS"}});
  for (const Json& route : array_at(document, "routes")) {
    const std::string state = text_at(route, "state");
    const std::string route_class = text_at(route, "class");
    table.add({{text_at(route, "prefix")},
               {state, colour_of(state)},
               {route_class, colour_of(route_class)},
               {age_of(route)},
               {latency_at(route, "sent")},
               {latency_at(route, "installed")},
               {text_at(route, "interface")},
               {text_at(route, "distance")},
               {text_at(route, "metric")},
               {text_at(route, "tag")},
               {text_at(route, "segment")},
               {list_at(route, "hosts", "-", kMostHosts)}});
  }
  if (table.empty()) return "no routes\n";
  const std::size_t count = array_at(document, "routes").size();
  return fmt::format("{}\n{} route{}; times count from the frame that caused it\n", table.render(style),
                     count, count == 1 ? "" : "s");
}

}  // namespace untrombone::cli
