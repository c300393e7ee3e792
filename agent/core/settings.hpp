// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::core {

/// What the core needs to know of one [[segment]] of the configuration.
struct SegmentSettings {
  std::string name;
  std::vector<IpPrefix> subnets;
  std::vector<IpAddress> gateways;
  std::vector<MacAddress> gateway_macs;
  std::vector<IpPrefix> exclude;

  Duration confirm = std::chrono::seconds(1);   ///< a provisional host answers within this, or is retracted
  Duration refresh = std::chrono::seconds(60);  ///< a silent host is probed after this
  Duration silent_after = std::chrono::seconds(180);  ///< and given up after this
  Duration linger = std::chrono::seconds(5);          ///< a departed host's route stays this long at most
  std::size_t max_hosts = 20000;                      ///< bindings kept, local and remote
  std::size_t max_ips_per_mac = 32;
  bool greet = true;
  unsigned greet_tries = 5;

  /// The first subnet that contains `ip`, or nullptr.
  [[nodiscard]] const IpPrefix* subnet_of(const IpAddress& ip) const;
  [[nodiscard]] bool is_gateway(const IpAddress& ip) const;
  [[nodiscard]] bool is_gateway_mac(const MacAddress& mac) const;
  /// May this address be a host at all? Design 3.7: not a gateway, not reserved, not excluded, in a subnet.
  [[nodiscard]] bool may_be_host(const IpAddress& ip) const;
};

/// How host routes are announced. Metrics and tags are zebra's (unsigned 32 bit), distances 1..255.
struct RouteSettings {
  std::uint8_t distance = 5;
  std::uint32_t tag = 4210;  ///< settled; +1 fresh, +2 lingering
  std::uint32_t metric = 1000;
  Duration settle = std::chrono::seconds(30);
  std::size_t max_routes = 100000;
};

/// A host that moves `max_moves` times within `move_window` stays where it is for `freeze_time` (RFC 7432, 15.1).
struct ConflictSettings {
  unsigned max_moves = 5;
  Duration move_window = std::chrono::seconds(180);
  Duration freeze_time = std::chrono::seconds(300);
};

struct SiteSettings {
  RouteSettings routes;
  ConflictSettings conflict;
  std::vector<SegmentSettings> segments;  ///< indexed by SegmentId
};

}  // namespace untrombone::core
