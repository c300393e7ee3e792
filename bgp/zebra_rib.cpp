// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/zebra_rib.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace untrombone::bgp {
namespace {

using Json = nlohmann::json;

bool flag(const Json& route, const char* name) {
  const auto found = route.find(name);
  return found != route.end() && found->is_boolean() && found->get<bool>();
}

std::uint64_t number(const Json& route, const char* name) {
  const auto found = route.find(name);
  return found != route.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text(const Json& route, const char* name) {
  const auto found = route.find(name);
  return found != route.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string question(bool v4, std::string_view vrf_name, std::string_view what) {
  return fmt::format("show {} route {}{} json", v4 ? "ip" : "ipv6",
                     vrf_name.empty() ? std::string() : fmt::format("vrf {} ", vrf_name), what);
}

/// The routes of exactly `prefix`, a list; null: there is none. A question about a host shows a wider route if need be.
Json routes_of(const Json& document, const core::IpPrefix& prefix) {
  const auto found = document.find(prefix.to_string());
  return found != document.end() && found->is_array() ? *found : Json();
}

bool leaves_by(const Json& route, core::Ifindex interface) {
  const auto hops = route.find("nexthops");
  if (hops == route.end() || !hops->is_array() || hops->size() != 1 || !hops->front().is_object())
    return false;
  const Json& hop = hops->front();
  return flag(hop, "directlyConnected") && !hop.contains("ip") &&
         number(hop, "interfaceIndex") == static_cast<std::uint64_t>(interface.value);
}

/// ZEBRA_FLAG_SELFROUTE, the same in all releases.
constexpr std::uint64_t kSelfRoute = 2;

bool is_ours(const Json& route, const RibOwner& owner) {
  return text(route, "protocol") == owner.protocol && number(route, "instance") == owner.instance &&
         (!owner.tag || number(route, "tag") == *owner.tag);
}

RibView read_routes(const Json& routes, const RibOwner& owner) {
  RibView view{RibView::State::kAbsent, {}};
  for (const Json& route : routes) {
    if (!route.is_object()) return {};
    const bool ours = is_ours(route, owner);
    if (!ours && flag(route, "selected")) {
      view.winner = fmt::format("{}, distance {}", text(route, "protocol"), number(route, "distance"));
    }
    if (!ours) continue;
    view.state = RibView::State::kUnselected;
    if (flag(route, "selected")) view.state = RibView::State::kSelected;
    if (flag(route, "selected") && flag(route, "installed")) view.state = RibView::State::kInstalled;
  }
  if (view.state != RibView::State::kUnselected) view.winner.clear();
  return view;
}

}  // namespace

std::string rib_question(const core::IpPrefix& prefix, std::string_view vrf_name) {
  return question(prefix.address().is_v4(), vrf_name, prefix.to_string());
}

std::string rib_table_question(bool v4, std::string_view vrf_name, std::string_view protocol) {
  return question(v4, vrf_name, protocol);
}

std::string RibView::reason() const {
  switch (state) {
    case State::kUnselected: return winner.empty() ? "zebra does not select it" : "zebra prefers " + winner;
    case State::kSelected: return "zebra selected it, but it is not in the kernel";
    default: return {};
  }
}

RibView read_rib(std::string_view answer, const core::IpPrefix& prefix, const RibOwner& owner) {
  const Json document = Json::parse(answer, nullptr, false);
  if (!document.is_object()) return {};
  return read_routes(routes_of(document, prefix), owner);
}

RibView read_rib_list(std::string_view list, const RibOwner& owner) {
  const Json routes = Json::parse(list, nullptr, false);
  return routes.is_array() ? read_routes(routes, owner) : RibView{};
}

std::optional<std::uint32_t> read_leftover(std::string_view answer, const core::IpPrefix& prefix,
                                           core::Ifindex interface) {
  const Json document = Json::parse(answer, nullptr, false);
  if (!document.is_object()) return std::nullopt;
  std::optional<std::uint32_t> table;
  std::size_t of_kernel = 0;
  for (const Json& route : routes_of(document, prefix)) {
    if (!route.is_object()) return std::nullopt;
    if (text(route, "protocol") != "kernel") continue;
    ++of_kernel;
    const bool own = (number(route, "internalFlags") & kSelfRoute) != 0;
    const bool as_zebra_leaves_it = number(route, "distance") == 0 && number(route, "metric") == 0;
    if (own && as_zebra_leaves_it && flag(route, "selected") && leaves_by(route, interface))
      table = static_cast<std::uint32_t>(number(route, "table"));
  }
  // Somebody else has a kernel route to the prefix, too: that one may be meant to win.
  return of_kernel == 1 && table != 0U ? table : std::nullopt;
}

}  // namespace untrombone::bgp
