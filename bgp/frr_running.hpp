// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/frr_version.hpp"

namespace untrombone::bgp {

/// Words of a configuration line: "match tag 4211".
using FrrWords = std::vector<std::string>;

struct FrrClause {
  bool permit = true;
  std::vector<FrrWords> matches;  ///< without the word `match`
  std::vector<FrrWords> sets;     ///< without the word `set`
};

/// One line of a community-list or a prefix-list: what follows `permit` or `deny`.
struct FrrListEntry {
  bool permit = true;
  FrrWords what;
};

struct FrrRedistribution {
  std::string family;  ///< "ipv4", "ipv6"; empty where the daemon has one only
  FrrWords
      words;  ///< what follows `redistribute`, IS-IS's family left out: {"table", "201", "route-map", "X"}
};

struct FrrNeighbor {
  std::string remote_as;                               ///< a number, "internal" or "external"
  std::string peer_group;                              ///< its group, if any
  std::map<std::string, bool> active;                  ///< by family, where it is said
  std::map<std::string, std::string> route_map_out;    ///< by family
  std::map<std::string, std::string> prefix_list_out;  ///< by family
};

/// One `router ...` of the configuration.
struct FrrRouter {
  std::string protocol;  ///< "bgp", "ospf", "ospf6", "isis"
  std::string name;      ///< BGP: the AS; IS-IS: the area tag
  std::string vrf;       ///< empty: the default
  std::vector<FrrRedistribution> redistributions;
  std::map<std::string, FrrNeighbor> neighbors;  ///< groups, too
  bool narrow_metrics = false;                   ///< IS-IS
  bool ipv4_by_default = true;                   ///< BGP: sessions carry IPv4 unless told otherwise
};

/// As much of FRR's `show running-config` as concerns our routes. What is not understood is not an error.
struct FrrRunning {
  std::optional<FrrVersion> version;
  std::map<std::string, std::vector<FrrClause>> route_maps;  ///< clauses in their order
  std::map<std::string, std::vector<FrrListEntry>> community_lists;
  std::map<std::string, std::vector<FrrListEntry>> prefix_lists;  ///< both families
  std::vector<FrrRouter> routers;
};

/// Reads what vtysh prints, or what each daemon's vty does, one after the other. Pure.
[[nodiscard]] FrrRunning parse_frr_running(std::string_view text);

}  // namespace untrombone::bgp
