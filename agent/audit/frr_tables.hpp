// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <istream>
#include <map>
#include <vector>

#include "agent/audit/snapshot.hpp"

/// What FRR's daemons answer in JSON, read as a stream. Prefixes outside the configured subnets are dropped at once, so
/// that a full table of the Internet costs time only.
namespace untrombone::audit {

struct RibTables {
  std::vector<RibRoute> ours;
  std::vector<core::IpPrefix> others;   ///< in our subnets, of another protocol
  std::vector<core::IpPrefix> statics;  ///< static ones that are not ours, anywhere
};

/// "show ip route json" of zebra. Ours are those of type table, and those with one of our tags; of ours also those
/// outside the subnets. False: not JSON.
[[nodiscard]] bool read_rib(std::istream& document, const Snapshot& snapshot, RibTables& tables);

/// By prefix, while several documents are read.
using BgpTable = std::map<core::IpPrefix, BgpEntry>;

/// "show bgp ipv4 unicast json" of bgpd.
[[nodiscard]] bool read_bgp(std::istream& document, const Snapshot& snapshot, BgpTable& table);

/// The same with a "community" filter: the prefixes whose own path is in it are marked.
[[nodiscard]] bool read_marked(std::istream& document, BgpTable& table);

/// "show bgp ipv4 unicast PREFIX json": counts the paths of others that carry the community "lingering".
[[nodiscard]] std::uint16_t count_paths_with(std::istream& document, const std::string& community);

}  // namespace untrombone::audit
