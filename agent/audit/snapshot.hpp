// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/settings.hpp"
#include "agent/core/types.hpp"

/// What an audit compares: each source as it was read, in values small enough for 100,000 hosts and routes.
namespace untrombone::audit {

enum class Place : std::uint8_t { kUnknown, kLocal, kRemote };
[[nodiscard]] std::string_view to_string(Place place);

/// One address of a segment, as the kernel and the agent see it.
struct HostFact {
  core::IpAddress ip;
  core::MacAddress mac;
  std::uint16_t segment = 0;
  Place kernel = Place::kUnknown;  ///< where the forwarding database has its MAC
  Place agent = Place::kUnknown;   ///< the agent's verdict
  bool known_to_agent = false;
  bool in_transit = false;  ///< arriving or departing: nothing is wrong yet

  [[nodiscard]] Place place() const { return agent != Place::kUnknown ? agent : kernel; }
};

/// A route of ours in zebra's table.
struct RibRoute {
  core::IpPrefix prefix;
  std::uint32_t tag = 0;
  bool selected = false;
  bool installed = false;
};

/// A route of zebra's out of a segment's interface, in the kernel.
struct FibRoute {
  core::IpPrefix prefix;
  std::uint16_t segment = 0;
  bool is_static = false;  ///< from FRR's static routes, which the vtysh sink makes and operators make
};

/// A prefix inside our subnets in bgpd's table.
struct BgpEntry {
  core::IpPrefix prefix;
  bool own = false;                    ///< this router announces it
  bool own_best = false;               ///< and takes its own path
  bool marked = false;                 ///< with one of our communities
  std::uint16_t others = 0;            ///< paths of other routers
  std::uint16_t lingering_others = 0;  ///< of which say that they only linger
  std::string best_peer;               ///< whose path is taken, if not the own
};

struct SegmentFacts {
  std::string name;
  std::string interface;
  std::string vrf;                                  ///< empty: the default one
  const core::SegmentSettings* settings = nullptr;  ///< outlives the snapshot
  std::vector<std::string> dci_ports;               ///< those that exist
  bool guard = true;
  bool announces_subnet = false;
};

/// The guard's table in nftables.
struct GuardFacts {
  bool present = false;
  bool dormant = false;
  std::vector<std::string> hooks;  ///< of its base chains: "forward", "input", "output"
  std::vector<std::pair<std::string, std::string>> guarded;  ///< (port, gateway)
};

/// Names of addresses that belong together, from `--groups`.
struct Group {
  std::string name;
  std::vector<core::IpAddress> members;
};

struct Snapshot {
  std::string site;
  core::RouteSettings routes;            ///< tags and distances of ours
  std::uint16_t community_as = 65000;    ///< the first half of our communities; the second is the tag
  std::optional<unsigned> kernel_table;  ///< of the sink that writes there
  std::vector<SegmentFacts> segments;
  std::vector<HostFact> hosts;
  std::optional<std::vector<RibRoute>> rib;  ///< absent: zebra did not answer
  std::optional<std::vector<core::IpPrefix>>
      other_rib;                              ///< prefixes in our subnets that zebra has from elsewhere
  std::vector<core::IpPrefix> other_statics;  ///< of somebody else's static routes, anywhere
  std::optional<std::vector<FibRoute>> fib;
  std::optional<std::vector<BgpEntry>> bgp;  ///< absent: no bgpd
  std::optional<GuardFacts> guard;           ///< absent: nftables did not answer
  bool agent = false;                        ///< an agent answered
  bool guard_expected = false;
  std::vector<std::pair<std::string, std::string>>
      missing;  ///< sources that should be there, and why they are not
  std::vector<Group> groups;
};

}  // namespace untrombone::audit
