// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/claim_tables.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bgp/frr_policy.hpp"
#include "bgp/json_members.hpp"

namespace untrombone::bgp {
namespace {

using core::IpAddress;
using core::RouteClass;
using nlohmann::json;

std::optional<std::uint32_t> number_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto value = found->get<std::uint64_t>();
  if (value > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

std::string_view text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || !found->is_string()
             ? std::string_view()
             : std::string_view(found->get_ref<const std::string&>());
}

/// The first next hop that has an address; unspecified when none has.
IpAddress next_hop_of(const json& route) {
  const auto hops = route.find("nexthops");
  if (hops == route.end() || !hops->is_array()) return {};
  for (const json& hop : *hops) {
    if (!hop.is_object()) continue;
    const auto address = IpAddress::parse(text_of(hop, "ip"));
    if (address) return *address;
  }
  return {};
}

bool is_better(const std::optional<ClaimedRoute>& best, const ClaimedRoute& other) {
  return !best || (other.metric && best->metric && *other.metric < *best->metric);
}

/// Calls `visit(route)` for each object of the member's list; false when it is no such list.
template <typename Visit>
bool for_each_route(std::string_view value, Visit visit) {
  const json routes = json::parse(value, nullptr, false);
  if (!routes.is_array()) return false;
  for (const json& route : routes) {
    if (!route.is_object()) return false;
    visit(route);
  }
  return true;
}

std::optional<RouteClass> class_of(const std::optional<std::uint32_t>& route_tag, std::uint32_t tag) {
  const RouteMarks marks{.tag = tag};
  if (!route_tag || *route_tag == 0) return RouteClass::kSettled;
  const std::uint32_t rank = marks.rank_tag(*route_tag);
  if (rank == marks.settled_tag()) return RouteClass::kSettled;
  if (rank == marks.fresh_tag()) return RouteClass::kFresh;
  return rank == marks.lingering_tag() ? std::optional(RouteClass::kLingering) : std::nullopt;
}

}  // namespace

std::string show_bgp(std::string_view vrf, bool v4, std::string_view what) {
  return fmt::format("show bgp{}{} {} unicast{}{} json", vrf.empty() ? "" : " vrf ", vrf,
                     v4 ? "ipv4" : "ipv6", what.empty() ? "" : " ", what);
}

TableMember decode_bgp_member(std::string_view name, std::string_view value, RouteClass asked_for) {
  const auto prefix = parse_prefix_name(name);
  if (!prefix) return {};
  TableMember member;
  member.understood = for_each_route(value, [&](const json& path) {
    const IpAddress from = next_hop_of(path);
    const bool own = text_of(path, "peerId") == "(unspec)" || from.is_unspecified();
    if (own || !path.value("valid", json(false)).is_boolean() ||
        !path.value("valid", json(false)).get<bool>())
      return;
    const ClaimedRoute claim{*prefix, asked_for, number_of(path, "metric"), from};
    if (is_better(member.claim, claim)) member.claim = claim;
  });
  return member;
}

TableMember decode_zebra_member(std::string_view name, std::string_view value, std::uint32_t tag) {
  const auto prefix = parse_prefix_name(name);
  if (!prefix) return {};
  TableMember member;
  member.understood = for_each_route(value, [&](const json& route) {
    const auto route_class = class_of(number_of(route, "tag"), tag);
    if (route_class && !member.claim)
      member.claim = ClaimedRoute{*prefix, *route_class, std::nullopt, next_hop_of(route)};
  });
  return member;
}

}  // namespace untrombone::bgp
