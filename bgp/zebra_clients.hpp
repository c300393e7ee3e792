// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace untrombone::bgp {

/// What zebra has handed a routing daemon since that connected: routes of whatever it redistributes.
struct ZebraClient {
  std::uint64_t redistributed4 = 0;
  std::uint64_t redistributed6 = 0;

  bool operator==(const ZebraClient&) const = default;
};

/// Reads `show zebra client` for the first client of that name ("bgp", "ospf"; the label manager's session "bgp [1]" is
/// another one); absent: it is not connected. Pure.
[[nodiscard]] std::optional<ZebraClient> read_zebra_client(std::string_view text, std::string_view name);

}  // namespace untrombone::bgp
