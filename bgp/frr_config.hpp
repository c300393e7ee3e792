// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/system/result.hpp>

#include "bgp/frr_policy.hpp"
#include "bgp/frr_version.hpp"

namespace untrombone::bgp {

/// What a router is in the domain.
enum class FrrRole : std::uint8_t {
  kEdge,      ///< runs an agent: redistributes its routes
  kReceiver,  ///< hears the sites across an AS border: gives the claims their order again
  kBorder     ///< talks to routers outside the domain: lets no host route out
};

struct FrrVrf {
  std::string name;  ///< empty: the default VRF
  bool ipv4 = false;
  bool ipv6 = false;

  bool operator==(const FrrVrf&) const = default;
};

struct FrrConfigRequest {
  RoutingProtocol protocol = RoutingProtocol::kBgp;
  FrrRole role = FrrRole::kEdge;
  FrrVersion version;
  RouteOrigin origin = RouteOrigin::kZapi;
  RouteMarks marks;
  LeakGuard leak_guard = LeakGuard::kMarker;
  std::uint16_t table = 201;
  /// Routes carry the table's number as zebra's instance even where the release could do without (table_instance()).
  bool with_instance = false;
  bool external = false;               ///< a segment has blocks for the outside: external-length
  bool ibgp = false;                   ///< BGP: the edge hears the other sites over sessions inside one AS
  std::vector<FrrVrf> vrfs;            ///< at least one
  std::optional<std::uint32_t> asn;    ///< BGP: without it FRR takes the instance that it has
  std::string isis_area;               ///< IS-IS: the tag of `router isis TAG`
  std::vector<std::string> neighbors;  ///< BGP: sessions that get the route-map of the role
};

/// What FRR cannot do, and the way out. The tag keeps a plain string from converting to it, which
/// boost::system::result<std::string, FrrConfigError> needs.
struct FrrConfigError {
  FrrConfigError() = default;
  FrrConfigError(std::in_place_t /*tag*/, std::string why) : message(std::move(why)) {}
  std::string message;
};
using FrrConfigResult = boost::system::result<std::string, FrrConfigError>;

/// Releases that redistribute a table by number only; before them the plain `table` reaches every daemon and family.
[[nodiscard]] constexpr bool needs_table_number(FrrVersion version) { return version >= FrrVersion{10, 5}; }
/// isisd knows only the numbered form since 9.1, and until 10.4 it takes the plain one without a word and without
/// effect: routes that IS-IS is to carry need the table's number as their instance then, which BGP's IPv6 and OSPFv3
/// of these releases cannot redistribute.
[[nodiscard]] constexpr bool isis_needs_table_number(FrrVersion version) {
  return version >= FrrVersion{9, 1};
}

/// bgpd compares administrative distances before anything else: a redistributed route of distance 5 would beat every
/// claim of another site (draft-chen-bgp-redist).
[[nodiscard]] constexpr bool bgpd_compares_distances(FrrVersion version) {
  return version >= FrrVersion{10, 6};
}

/// What FRR calls our routes behind `redistribute` for a family of the protocol, e.g. "table 201".
[[nodiscard]] FrrConfigResult redistribution_source(const FrrConfigRequest& request, bool ipv6);

/// What a terminal in configuration mode takes, policies first: bgpd applies a route-map that appears after its use
/// seconds later, and isisd of FRR 10 never. Feeding it twice changes nothing. Pure.
[[nodiscard]] FrrConfigResult render_frr_config(const FrrConfigRequest& request);

}  // namespace untrombone::bgp
