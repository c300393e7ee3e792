// SPDX-License-Identifier: GPL-2.0-or-later
// What our routes look like in the routing protocols: the one place that names tags, communities and route-maps for
// the renderer of FRR's configuration, its lint, and whoever looks for other sites' claims.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace untrombone::bgp {

enum class RoutingProtocol : std::uint8_t { kBgp, kOspf, kOspf6, kIsis };

[[nodiscard]] std::string_view to_string(RoutingProtocol protocol);
/// nullopt for what is none of them.
[[nodiscard]] std::optional<RoutingProtocol> parse_protocol(std::string_view text);
inline constexpr std::array<std::string_view, 4> kRoutingProtocols = {"bgp", "ospf", "ospf6", "isis"};

/// How a host route is kept inside the domain (docs/decisions, "Leaks").
enum class LeakGuard : std::uint8_t {
  kMarker,   ///< a community that the domain's border routers filter
  kNoExport  ///< no-export as well: right only where the whole domain is one AS
};

/// Whose routes FRR redistributes: the sink decides.
enum class RouteOrigin : std::uint8_t {
  kZapi,         ///< type TABLE on zebra's own socket
  kKernelTable,  ///< a kernel table that zebra imports
  kStatic        ///< staticd's, written through vtysh
};

constexpr std::string_view kHostsList = "UNTROMBONE-HOSTS";
constexpr std::string_view kFreshList = "UNTROMBONE-FRESH";
constexpr std::string_view kLingeringList = "UNTROMBONE-LINGERING";
constexpr std::string_view kBgpMap = "UNTROMBONE";
constexpr std::string_view kOspfMap = "UNTROMBONE-OSPF";
constexpr std::string_view kIsisMap = "UNTROMBONE-ISIS";
constexpr std::string_view kBorderMap = "UNTROMBONE-BORDER";
constexpr std::string_view kReceiverMap = "FROM-SITES";

/// Zebra's tags, and the standard communities (RFC 1997) that say the same in BGP. `tag` + 9 has to fit 16 bits.
struct RouteMarks {
  std::uint32_t tag = 4210;
  std::uint16_t community_as = 65000;

  [[nodiscard]] std::uint32_t settled_tag() const { return tag; }
  [[nodiscard]] std::uint32_t fresh_tag() const { return tag + 1; }
  [[nodiscard]] std::uint32_t lingering_tag() const { return tag + 2; }
  /// Blocks for the outside: ranked as settled and as lingering, with their communities, and without the marker.
  [[nodiscard]] std::uint32_t external_tag() const { return tag + 3; }
  [[nodiscard]] std::uint32_t reserve_tag() const { return tag + 4; }
  /// What a route of that tag ranks as: a block for the outside as a route of the inside, any other as itself.
  [[nodiscard]] std::uint32_t rank_tag(std::uint32_t of) const {
    if (of == external_tag()) return settled_tag();
    return of == reserve_tag() ? lingering_tag() : of;
  }
  [[nodiscard]] std::string community(std::uint32_t value) const;
  [[nodiscard]] std::string settled() const { return community(settled_tag()); }
  [[nodiscard]] std::string fresh() const { return community(fresh_tag()); }
  [[nodiscard]] std::string lingering() const { return community(lingering_tag()); }
  /// On every route of ours that is not for the outside: what borders filter.
  [[nodiscard]] std::string marker() const { return community(tag + kMarkerOffset); }

  static constexpr std::uint32_t kMarkerOffset = 9;
  static constexpr std::uint32_t kTags = 5;  ///< from `tag` on
  static constexpr std::uint32_t kLargestTag = 0xffff - kMarkerOffset;
};

}  // namespace untrombone::bgp
