// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render_status.hpp"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/cli/quantity.hpp"
#include "agent/cli/render.hpp"
#include "agent/cli/table.hpp"

namespace untrombone::cli {
namespace {

std::string age_at(const Json& object, std::string_view key) {
  const auto seconds = number_at(object, key);
  return seconds ? format_seconds(*seconds) : "-";
}

/// ": detail", or nothing.
std::string detail_of(const Json& object) {
  const std::string detail = text_at(object, "detail", "");
  return detail.empty() ? "" : fmt::format(": {}", detail);
}

/// What keeps the site from being healthy, one line each.
std::string render_troubles(const Json& status) {
  std::string text;
  for (const Json& segment : array_at(status, "segments")) {
    const std::string state = text_at(segment, "state");
    if (state == "ready") continue;
    text += fmt::format("  segment {} is {}{}\n", text_at(segment, "name"), state, detail_of(segment));
  }
  const Json& sink = object_at(status, "sink");
  const std::string state = text_at(sink, "state");
  if (state != "synced")
    text += fmt::format("  sink {} is {}{}\n", text_at(sink, "kind"), state, detail_of(sink));
  const Json& guard = object_at(status, "guard");
  if (text_at(guard, "state") == "failed") text += fmt::format("  guard has failed{}\n", detail_of(guard));
  return text;
}

std::string render_head(const Json& status, const Style& style) {
  const bool healthy = is_healthy(status);
  std::string text = fmt::format(
      "site {} is {} (untrombone {}, pid {}, up {})\n", text_at(status, "site"),
      healthy ? paint(style, Colour::kGreen, "healthy") : paint(style, Colour::kRed, "NOT HEALTHY"),
      text_at(status, "version"), text_at(status, "pid"), age_at(status, "uptime_seconds"));
  if (!healthy) text += render_troubles(status);
  if (flag_at(status, "observe").value_or(false)) {
    text += "it only observes: nothing is announced, nothing is guarded\n";
  }
  return text;
}

/// "3 up", "2 of 3 up"; "none" without any.
std::string count_local_ports(const Json& segment) {
  std::size_t all = 0;
  std::size_t up = 0;
  for (const Json& port : array_at(segment, "ports")) {
    if (text_at(port, "class") != "local") continue;
    ++all;
    if (flag_at(port, "up").value_or(false)) ++up;
  }
  if (all == 0) return "none";
  return up == all ? fmt::format("{} up", all) : fmt::format("{} of {} up", up, all);
}

Cell name_ports(const Json& segment, std::string_view port_class) {
  std::vector<std::string> names;
  Colour colour = Colour::kPlain;
  for (const Json& port : array_at(segment, "ports")) {
    if (text_at(port, "class") != port_class) continue;
    const bool up = flag_at(port, "up").value_or(false);
    names.push_back(text_at(port, "name") + (up ? "" : " (down)"));
    if (!up) colour = Colour::kYellow;
  }
  if (names.empty()) return {"none"};
  return {fmt::format("{}", fmt::join(names, ", ")), colour};
}

/// The field, and behind it another one where that is known.
std::string with_extra(const Json& segment, std::string_view field, std::string_view word,
                       std::string_view extra) {
  const std::string text = text_at(segment, field);
  return find(segment, extra) == nullptr ? text
                                         : fmt::format("{} {} {}", text, word, text_at(segment, extra));
}

std::string render_segments(const Json& status, const Style& style) {
  Table edges(
      {{"SEGMENT"}, {"STATE"}, {"BRIDGE"}, {"INTERFACE"}, {"SUBNETS"}, {"GATEWAYS"}, {"GATEWAY MAC"}});
  Table ports({{"SEGMENT"}, {"LOCAL PORTS"}, {"PEER PORTS"}, {"DCI PORTS"}});
  constexpr auto kRight = Align::kRight;
  Table hosts({{"SEGMENT"},
               {"LOCAL", kRight},
               {"PROVISIONAL", kRight},
               {"DEPARTING", kRight},
               {"REMOTE", kRight},
               {"UNKNOWN", kRight}});
  for (const Json& segment : array_at(status, "segments")) {
    const std::string name = text_at(segment, "name");
    const std::string state = text_at(segment, "state");
    edges.add({{name},
               {state, colour_of(state)},
               {with_extra(segment, "bridge", "VLAN", "vlan")},
               {with_extra(segment, "interface", "in", "vrf")},
               {list_at(segment, "subnets")},
               {list_at(segment, "gateways")},
               {text_at(segment, "gateway_mac")}});
    ports.add(
        {{name}, {count_local_ports(segment)}, name_ports(segment, "peer"), name_ports(segment, "dci")});
    const Json& counts = object_at(segment, "hosts");
    hosts.add({{name},
               {text_at(counts, "local")},
               {text_at(counts, "provisional")},
               {text_at(counts, "departing")},
               {text_at(counts, "remote")},
               {text_at(counts, "unknown")}});
  }
  if (edges.empty()) return "\nno segments\n";
  return fmt::format("\n{}\n{}\n{}", edges.render(style), ports.render(style), hosts.render(style));
}

std::string paint_state(const Json& object, const Style& style) {
  const std::string state = text_at(object, "state");
  return paint(style, colour_of(state), state) + detail_of(object);
}

std::string render_uplink(const Json& uplink, const Style& style) {
  if (uplink.empty()) return {};
  const std::string absent = list_at(uplink, "absent");
  const std::string state = text_at(uplink, "state");
  return fmt::format("uplink  {}{}\n", paint(style, colour_of(state), state),
                     array_at(uplink, "absent").empty() ? "" : fmt::format(": no {}", absent));
}

std::string render_claims(const Json& claims) {
  if (claims.empty()) return {};
  std::vector<std::string> lists;
  for (const Json& list : array_at(claims, "lists")) {
    const std::string detail = text_at(list, "detail", "");
    lists.push_back(fmt::format("{} in {}{}", text_at(list, "claims"), text_at(list, "name"),
                                detail.empty() ? "" : fmt::format(" ({})", detail)));
  }
  return fmt::format("claims  {} prefixes of other sites: {}; {} conflicts\n", text_at(claims, "prefixes"),
                     fmt::join(lists, ", "), text_at(claims, "conflicts"));
}

std::string render_outputs(const Json& status, const Style& style) {
  const Json& sink = object_at(status, "sink");
  const Json& routes = object_at(sink, "routes");
  std::string text = fmt::format("\nsink    {} is {}\n", text_at(sink, "kind"), paint_state(sink, style));
  text += fmt::format("        FRR {} at {}\n", text_at(sink, "release"), text_at(sink, "socket"));
  text +=
      fmt::format("routes  {} desired: {} queued, {} sent, {} installed, {} rejected, {} lost, {} removing\n",
                  text_at(routes, "desired"), text_at(routes, "queued"), text_at(routes, "sent"),
                  text_at(routes, "installed"), text_at(routes, "rejected"), text_at(routes, "lost"),
                  text_at(routes, "removing", "0"));
  text += fmt::format("guard   {}\n", paint_state(object_at(status, "guard"), style));
  text += render_uplink(object_at(status, "uplink"), style);
  text += render_claims(object_at(status, "claims"));
  return text;
}

std::string render_alarms(const Json& status, const Style& style) {
  Table table({{"ALARM"}, {"SEGMENT"}, {"SUBJECT"}, {"COUNT", Align::kRight}, {"LAST SEEN", Align::kRight}});
  for (const Json& alarm : array_at(status, "alarms")) {
    table.add({{text_at(alarm, "kind"), Colour::kRed},
               {text_at(alarm, "segment")},
               {text_at(alarm, "subject")},
               {text_at(alarm, "count")},
               {age_at(alarm, "last_seconds") + " ago"}});
  }
  if (table.empty()) return "alarms  none\n";
  std::string text = fmt::format("\n{}", table.render(style));
  for (const Json& alarm : array_at(status, "alarms")) {
    const std::string hint = text_at(alarm, "hint", "");
    if (!hint.empty()) text += fmt::format("{}: {}\n", text_at(alarm, "kind"), hint);
  }
  return text;
}

std::string render_counters(const Json& status, const Style& style) {
  const Json& counters = object_at(status, "counters");
  Table table({{"COUNTER"}, {"VALUE", Align::kRight}});
  for (const auto& [name, value] : counters.items()) {
    if (number_at(counters, name).value_or(0) == 0) continue;
    table.add({{printable(name)}, {text_at(counters, name)}});
  }
  return table.empty() ? "" : fmt::format("\n{}", table.render(style));
}

}  // namespace

std::string render_status(const Json& document, const Style& style) {
  return render_head(document, style) + render_segments(document, style) + render_outputs(document, style) +
         render_alarms(document, style) + render_counters(document, style);
}

}  // namespace untrombone::cli
