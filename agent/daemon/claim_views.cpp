// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/claim_views.hpp"

#include "agent/daemon/agent.hpp"
#include "agent/daemon/clock.hpp"

namespace untrombone::daemon {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

Json view_claim_lists(const Agent& agent) {
  Json lists = Json::array();
  for (const bgp::ClaimListStatus& list : agent.claim_sources().status()) {
    lists.push_back({{"name", bgp::name_of(list.list)},
                     {"state", list.working ? "working" : "waiting"},
                     {"detail", list.detail},
                     {"claims", agent.site().claims().size_of(list.list)},
                     {"readings", list.readings},
                     {"failures", list.failures},
                     {"reading_us", to_microseconds(list.latency)}});
  }
  return {{"prefixes", agent.site().claims().size()},
          {"turned_away", agent.site().claims().turned_away()},
          {"conflicts", agent.site().conflicts()},
          {"lists", lists}};
}

Json view_claims_of(const Agent& agent, core::SegmentId segment, const core::IpAddress& ip) {
  Json list = Json::array();
  const core::VrfId vrf = agent.topology().segment(segment).vrf;
  agent.site().claims().for_each_covering(
      vrf, ip, [&](const core::RouteKey& key, const core::Claims::Entry& entry) {
        list.push_back(
            {{"prefix", key.prefix.to_string()},
             {"class", to_string(entry.route_class)},
             {"metric", entry.metric ? Json(*entry.metric) : Json(nullptr)},
             {"next_hop", entry.from.is_unspecified() ? Json(nullptr) : Json(entry.from.to_string())},
             {"seen_in", bgp::name_of(entry.list)},
             {"age_seconds", to_seconds(monotonic_now() - entry.since)}});
      });
  return list;
}

Json view_uplink(const Agent& agent) {
  Json isolated = Json::array();
  for (std::uint16_t i = 0; i < agent.config().segments.size(); ++i) {
    for (const core::Family family : {core::Family::kIpv4, core::Family::kIpv6}) {
      if (!agent.uplink().is_isolated({i}, family)) continue;
      isolated.push_back({{"segment", agent.config().segments[i].name},
                          {"family", family == core::Family::kIpv4 ? "ipv4" : "ipv6"}});
    }
  }
  Json tracked = Json::array();
  for (const core::IpPrefix& prefix : agent.config().track) tracked.push_back(prefix.to_string());
  const char* state = isolated.empty() ? "connected" : "isolated";
  return {{"state", tracked.empty() ? "not tracked" : state},
          {"tracked", tracked},
          {"absent", agent.uplink().absent()},
          {"isolated", isolated}};
}

}  // namespace untrombone::daemon
