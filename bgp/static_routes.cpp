// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/static_routes.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "bgp/frr_policy.hpp"

namespace untrombone::bgp {
namespace {

constexpr std::uint8_t kDefaultDistance = 1;

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

template <typename T>
bool read_number(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size();
}

/// What follows "ip route " or "ipv6 route ".
std::optional<StaticRoute> read_route(std::string_view line, std::string_view vrf) {
  StaticRoute route{
      .vrf = std::string(vrf), .prefix = {}, .interface = {}, .tag = 0, .distance = kDefaultDistance};
  const auto prefix = core::IpPrefix::parse(take_word(line));
  route.interface = take_word(line);
  if (!prefix || route.interface.empty() || core::IpAddress::parse(route.interface)) return std::nullopt;
  route.prefix = *prefix;
  for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
    if (word == "tag") {
      if (!read_number(take_word(line), route.tag)) return std::nullopt;
    } else if (word == "vrf") {
      route.vrf = take_word(line);
    } else if (!read_number(word, route.distance)) {
      return std::nullopt;
    }
  }
  return route;
}

}  // namespace

std::string configuration_line(const StaticRoute& route) {
  return fmt::format("{} route {} {} tag {} {}{}", route.prefix.address().is_v4() ? "ip" : "ipv6",
                     route.prefix.to_string(), route.interface, route.tag, route.distance,
                     route.vrf.empty() ? std::string() : " vrf " + route.vrf);
}

std::vector<StaticRoute> read_static_routes(std::string_view configuration, std::uint32_t first_tag) {
  std::vector<StaticRoute> routes;
  std::string_view vrf;
  while (!configuration.empty()) {
    std::string_view line = configuration.substr(0, configuration.find('\n'));
    configuration.remove_prefix(std::min(line.size() + 1, configuration.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool indented = line.starts_with(' ');
    const std::string_view first = take_word(line);
    if (!indented) vrf = first == "vrf" ? take_word(line) : std::string_view();
    if ((first != "ip" && first != "ipv6") || take_word(line) != "route") continue;
    const auto route = read_route(line, vrf);
    if (route && route->tag >= first_tag && route->tag - first_tag < RouteMarks::kTags)
      routes.push_back(*route);
  }
  return routes;
}

}  // namespace untrombone::bgp
