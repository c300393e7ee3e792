// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/core/event.hpp"

namespace untrombone::bgp {

/// bgpd's command for its unicast table of a family as JSON; `vrf` empty: the default one. `what`: a prefix, "community
/// 65000:1", or nothing for all of it.
[[nodiscard]] std::string show_bgp(std::string_view vrf, bool v4, std::string_view what);

/// Somebody else's route, as a table of FRR shows it.
struct ClaimedRoute {
  core::IpPrefix prefix;
  core::RouteClass route_class = core::RouteClass::kSettled;
  std::optional<std::uint32_t> metric;  ///< BGP's MED; none where it is not comparable with ours
  core::IpAddress from;                 ///< its next hop
  bool operator==(const ClaimedRoute&) const = default;
};

/// What a member of a table says: nothing understood, nothing of interest (our own routes), or a claim.
struct TableMember {
  bool understood = false;
  std::optional<ClaimedRoute> claim;
};

/// A member of "routes" in bgpd's "show bgp ... json": {"10.1.0.11/32": [path, ...]}. All paths have the class that was
/// asked for; the one that does not come from this router itself, with the best metric, is the claim.
[[nodiscard]] TableMember decode_bgp_member(std::string_view name, std::string_view value,
                                            core::RouteClass asked_for);

/// A member of zebra's "show ip route ... json", of whatever another routing protocol gave it, selected or not. `tag`
/// is that of settled routes; the class follows from the route's own. IS-IS carries none: such a route is settled.
[[nodiscard]] TableMember decode_zebra_member(std::string_view name, std::string_view value,
                                              std::uint32_t tag);

}  // namespace untrombone::bgp
