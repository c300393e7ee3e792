// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::core {

/// What a prefix shorter than a host route may cover (docs/summaries.md).
enum class SummaryMode : std::uint8_t {
  kOff,    ///< nothing: host routes only
  kExact,  ///< local hosts, and addresses that can be nobody's
  kCover,  ///< all but what is known to be elsewhere
  kHome,   ///< this site's own blocks, always; elsewhere as kExact
};
[[nodiscard]] std::string_view to_string(SummaryMode mode);

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
  Duration port_hold =
      std::chrono::seconds(3);      ///< a port that goes down and comes back within this lost nobody
  std::uint32_t probe_rate = 2000;  ///< probes per second, of all kinds together
  bool sweep = false;               ///< ask every unknown IPv4 address once after the start
  std::size_t max_hosts = 20000;    ///< bindings kept, local and remote
  std::size_t max_ips_per_mac = 32;
  std::uint32_t new_host_rate = 10000;  ///< new hosts per second and port; 0: no limit
  bool greet = true;
  unsigned greet_tries = 5;

  SummaryMode mode = SummaryMode::kExact;
  std::vector<IpPrefix> home_blocks;  ///< inside the subnets, disjoint; only with SummaryMode::kHome
  unsigned shortest = 0;              ///< no IPv4 summary is shorter; 0: as the subnet allows
  unsigned shortest6 = 0;
  Duration break_delay =
      std::chrono::seconds(5);  ///< from an acknowledged route to the withdrawal of what it replaces
  Duration hold = std::chrono::seconds(30);  ///< a summary is possible this long before it is announced
  std::size_t budget = 2000;                 ///< routes for each family; over it `exact` becomes `cover`
  bool announce_subnet = false;              ///< at the worst metric, always
  unsigned external_length = 0;  ///< of the IPv4 blocks that are announced to the outside; 0: none

  bool operator==(const SegmentSettings&) const = default;
  /// The first subnet that contains `ip`, or nullptr.
  [[nodiscard]] const IpPrefix* subnet_of(const IpAddress& ip) const;
  [[nodiscard]] bool is_gateway(const IpAddress& ip) const;
  [[nodiscard]] bool is_gateway_mac(const MacAddress& mac) const;
  /// May this address be a host at all? Design 3.7: not a gateway, not reserved, not excluded, in a subnet.
  [[nodiscard]] bool may_be_host(const IpAddress& ip) const;
  /// Is it one of the halves of a subnet that `announce_subnet` asks for?
  [[nodiscard]] bool is_announced_half(const IpPrefix& prefix) const;
  /// Is it a part of a subnet, and not a whole one?
  [[nodiscard]] bool is_inside(const IpPrefix& prefix) const;
  /// The shortest length of a summary in `subnet`. The subnet itself is the interface's connected route, which would
  /// shadow ours in the routing daemon: a summary is at least one longer.
  [[nodiscard]] unsigned shortest_summary(const IpPrefix& subnet) const;
};

/// How host routes are announced. Metrics and tags are zebra's (unsigned 32 bit), distances 1..255.
struct RouteSettings {
  std::uint8_t distance = 5;
  std::uint32_t tag = 4210;  ///< settled; +1 fresh, +2 lingering
  std::uint32_t metric = 1000;
  Duration settle = std::chrono::seconds(30);
  std::size_t max_routes = 100000;
  std::size_t mass_threshold =
      200;  ///< arrivals per second; above it summaries come before fresh host routes
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
