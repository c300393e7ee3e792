// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/frr_policy.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace untrombone::bgp {

std::string_view to_string(RoutingProtocol protocol) {
  return kRoutingProtocols[static_cast<std::size_t>(protocol)];
}

std::optional<RoutingProtocol> parse_protocol(std::string_view text) {
  const auto* const found = std::find(kRoutingProtocols.begin(), kRoutingProtocols.end(), text);
  if (found == kRoutingProtocols.end()) return std::nullopt;
  return static_cast<RoutingProtocol>(found - kRoutingProtocols.begin());
}

std::string RouteMarks::community(std::uint32_t value) const {
  return fmt::format("{}:{}", community_as, value);
}

}  // namespace untrombone::bgp
