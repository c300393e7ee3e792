// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render_moves.hpp"

#include <array>

#include <fmt/format.h>

#include "agent/cli/quantity.hpp"
#include "agent/cli/table.hpp"

namespace untrombone::cli {
namespace {

std::string latency_at(const Json& object, std::string_view key) {
  const auto microseconds = number_at(object, key);
  return microseconds ? format_microseconds(*microseconds) : "-";
}

Colour colour_of_move(std::string_view kind) { return kind == "arrival" ? Colour::kGreen : Colour::kYellow; }

std::string render_latency(const Json& latency, const Style& style) {
  constexpr auto kRight = Align::kRight;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kStages = {{
      {"verdict", "first frame to verdict"},
      {"greeting", "to the greeting on the wire"},
      {"sent", "to the routing daemon's socket"},
      {"installed", "to its acknowledgement"},
      {"bgpd", "to bgpd's table (a sample)"},
  }};
  Table table({{"STAGE"}, {"COUNT", kRight}, {"MEDIAN", kRight}, {"99 %", kRight}});
  for (const auto& [key, name] : kStages) {
    const Json& stage = object_at(latency, key);
    table.add({{std::string(name)},
               {text_at(stage, "count")},
               {latency_at(stage, "median_us")},
               {latency_at(stage, "p99_us")}});
  }
  return fmt::format(
      "\n{} arrivals, {} departures since the agent started; bounds that are not exceeded:\n\n{}",
      text_at(latency, "arrivals"), text_at(latency, "departures"), table.render(style));
}

std::string describe_move(const Json& event, const Style& style) {
  const std::string kind = text_at(event, "kind");
  const Json& latency = object_at(event, "latency_us");
  std::string text =
      fmt::format("{} {} {} at {}: {}", paint(style, colour_of_move(kind), kind), text_at(event, "ip"),
                  text_at(event, "mac"), text_at(event, "port"), text_at(event, "reason"));
  if (number_at(latency, "bgpd")) {
    text += fmt::format(" (in bgpd after {})", latency_at(latency, "bgpd"));
  } else if (number_at(latency, "installed")) {
    text += fmt::format(" (installed after {})", latency_at(latency, "installed"));
  }
  return text;
}

std::string describe_host(const Json& event, const Style& style) {
  const std::string to = text_at(event, "to");
  return fmt::format("{} {} -> {} at {}: {}", text_at(event, "ip"), text_at(event, "from"),
                     paint(style, colour_of(to), to), text_at(event, "port"), text_at(event, "reason"));
}

std::string describe_state(const Json& event, const Style& style) {
  const std::string state = text_at(event, "state");
  const std::string detail = text_at(event, "detail", "");
  return paint(style, colour_of(state), state) + (detail.empty() ? "" : ": " + detail);
}

std::string describe(std::string_view kind, const Json& event, const Style& style) {
  if (kind == "move") return describe_move(event, style);
  if (kind == "host") return describe_host(event, style);
  if (kind == "route") return fmt::format("{} {}", text_at(event, "prefix"), text_at(event, "note"));
  if (kind == "alarm") {
    return fmt::format("{} in {}: {}", paint(style, Colour::kRed, text_at(event, "kind")),
                       text_at(event, "segment"), text_at(event, "subject"));
  }
  if (kind == "segment") return fmt::format("{} {}", text_at(event, "segment"), describe_state(event, style));
  if (kind == "sink" || kind == "guard") return describe_state(event, style);
  if (kind == "dropped") return fmt::format("{} events, read too slowly", text_at(event, "count"));
  return {};
}

}  // namespace

std::string render_moves(const Json& document, const Style& style) {
  constexpr auto kRight = Align::kRight;
  Table table({{"TIME"},
               {"MOVE"},
               {"ADDRESS"},
               {"MAC"},
               {"PORT"},
               {"SEGMENT"},
               {"VERDICT", kRight},
               {"SENT", kRight},
               {"INSTALLED", kRight},
               {"IN BGPD", kRight},
               {"REASON"}});
  for (const Json& move : array_at(document, "moves")) {
    const std::string kind = text_at(move, "kind");
    const Json& latency = object_at(move, "latency_us");
    table.add({{text_at(move, "moved_at")},
               {kind, colour_of_move(kind)},
               {text_at(move, "ip")},
               {text_at(move, "mac")},
               {text_at(move, "port")},
               {text_at(move, "segment")},
               {latency_at(latency, "verdict")},
               {latency_at(latency, "sent")},
               {latency_at(latency, "installed")},
               {latency_at(latency, "bgpd")},
               {text_at(move, "reason")}});
  }
  const std::string list = table.empty() ? "nobody moved\n" : table.render(style);
  return list + render_latency(object_at(document, "latency"), style);
}

std::string render_event(const Json& event, const Style& style) {
  const std::string kind = text_at(event, "event");
  return fmt::format("{}  {:<8} {}", text_at(event, "at", "                        "), kind,
                     describe(kind, event, style));
}

}  // namespace untrombone::cli
