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

}  // namespace

std::string rib_question(const core::IpPrefix& prefix, std::string_view vrf_name) {
  return fmt::format("show {} route {}{} json", prefix.address().is_v4() ? "ip" : "ipv6",
                     vrf_name.empty() ? std::string() : fmt::format("vrf {} ", vrf_name), prefix.to_string());
}

std::string RibView::reason() const {
  switch (state) {
    case State::kUnselected: return winner.empty() ? "zebra does not select it" : "zebra prefers " + winner;
    case State::kSelected: return "zebra selected it, but it is not in the kernel";
    default: return {};
  }
}

RibView read_rib(std::string_view answer, const core::IpPrefix& prefix, std::string_view protocol,
                 std::uint16_t instance) {
  const Json document = Json::parse(answer, nullptr, false);
  if (!document.is_object()) return {};
  RibView view{RibView::State::kAbsent, {}};
  const auto routes =
      document.find(prefix.to_string());  // a question about a host shows a wider route if need be
  if (routes == document.end() || !routes->is_array()) return view;
  for (const Json& route : *routes) {
    if (!route.is_object()) return {};
    const bool ours = text(route, "protocol") == protocol && number(route, "instance") == instance;
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

}  // namespace untrombone::bgp
