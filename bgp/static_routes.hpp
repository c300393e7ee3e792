// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::bgp {

/// A static route of FRR's configuration: out of an interface, with a tag and a distance.
struct StaticRoute {
  std::string vrf;  ///< empty: the default one
  core::IpPrefix prefix;
  std::string interface;
  std::uint32_t tag = 0;
  std::uint8_t distance = 0;

  bool operator==(const StaticRoute&) const = default;
};

/// The configuration line that makes the route, or, behind "no ", unmakes it: exactly this one, which 7.5 insists on.
[[nodiscard]] std::string configuration_line(const StaticRoute& route);

/// Those in a running configuration that carry one of the three tags from `first_tag` on. Whatever is written in
/// another form is not ours. Pure.
[[nodiscard]] std::vector<StaticRoute> read_static_routes(std::string_view configuration,
                                                          std::uint32_t first_tag);

}  // namespace untrombone::bgp
