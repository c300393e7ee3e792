// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/guard_views.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "agent/daemon/agent.hpp"

namespace untrombone::daemon {
namespace {

using core::SegmentId;
using Json = nlohmann::ordered_json;

/// The segments that a request is about; nullopt: it names one that is not there.
std::optional<std::vector<SegmentId>> segments_of(const Agent& agent, const nlohmann::json& request) {
  const auto named = request.find("segment");
  const bool all = named == request.end() || !named->is_string();
  std::vector<SegmentId> found;
  for (std::uint16_t i = 0; i < agent.config().segments.size(); ++i) {
    if (all || agent.config().segments[i].name == named->get<std::string>()) found.push_back({i});
  }
  if (found.empty()) return std::nullopt;
  return found;
}

Json no_such_segment(const nlohmann::json& request) {
  return {{"error", "there is no segment \"" + request.at("segment").get<std::string>() + "\""}};
}

Json view_options(const GuardConfig& config) {
  return {{"ra", config.ra},
          {"fhrp", config.fhrp},
          {"dhcp", config.dhcp == GuardDhcp::kLocal ? "local" : "pass"},
          {"fail", config.fail == GuardFail::kOpen ? "open" : "closed"},
          {"adopt_macs", config.adopt_macs},
          {"strict_mac", config.strict_mac}};
}

Json view_segment(const Agent& agent, SegmentId id) {
  const SegmentConfig& config = agent.config().segments[id.value];
  const core::SegmentSettings& settings = agent.config().core.segments[id.value];
  const GuardKeeper::Segment& guard = agent.guard().segment(id);
  Json ports = Json::array();
  for (const auto& [port, state] : agent.topology().segment(id).ports) {
    if (state.port_class == core::PortClass::kDci) ports.push_back(agent.topology().name_of(port));
  }
  Json gateways = Json::array();
  for (const core::IpAddress& gateway : settings.gateways) gateways.push_back(gateway.to_string());
  const core::MacAddress mac = agent.guard().gateway_mac(id);
  return {{"name", config.name},
          {"stance", config.guard.enabled ? to_string(guard.stance) : "off"},
          {"reason", guard.reason},
          {"dci_ports", ports},
          {"gateways", gateways},
          {"gateway_mac", mac.is_zero() ? Json(nullptr) : Json(mac.to_string())},
          {"options", view_options(config.guard)}};
}

Json view_table(const GuardKeeper& guard) {
  const GuardKeeper::Counters& counters = guard.counters();
  const arp::GuardOutcome& last = guard.last_outcome();
  return {{"rules", last.rules},
          {"elements", last.elements},
          {"last_change_us", std::chrono::duration_cast<std::chrono::microseconds>(last.took).count()},
          {"replaced", counters.replaced},
          {"changed", counters.changed},
          {"failed", counters.failed},
          {"drifts", counters.drifts},
          {"last_drift", guard.last_drift()}};
}

Json view_guard(Agent& agent, const std::vector<SegmentId>& ids) {
  Json segments = Json::array();
  for (const SegmentId id : ids) segments.push_back(view_segment(agent, id));
  Json stopped = Json::object();
  const arp::GuardCounts counts = agent.guard().rule_counters();
  for (const std::string& name : arp::guard_counters()) {
    const auto found = counts.find(name);
    stopped[name] = found == counts.end() ? 0 : found->second.packets;
  }
  return {{"site", agent.config().site},
          {"state", to_string(agent.guard().state())},
          {"detail", agent.guard().detail()},
          {"segments", segments},
          {"frames", stopped},
          {"table", view_table(agent.guard())}};
}

Json set_opened(Agent& agent, const nlohmann::json& request, bool opened) {
  const auto ids = segments_of(agent, request);
  if (!ids) return no_such_segment(request);
  for (const SegmentId id : *ids) agent.guard().set_opened(id, opened);
  return view_guard(agent, *ids);
}

}  // namespace

Json answer_guard_show(Agent& agent, const nlohmann::json& request) {
  const auto ids = segments_of(agent, request);
  return ids ? view_guard(agent, *ids) : no_such_segment(request);
}

Json answer_guard_open(Agent& agent, const nlohmann::json& request) {
  return set_opened(agent, request, true);
}

Json answer_guard_close(Agent& agent, const nlohmann::json& request) {
  return set_opened(agent, request, false);
}

Json answer_guard_test(Agent& agent, const nlohmann::json& request) {
  const auto ids = segments_of(agent, request);
  if (!ids) return no_such_segment(request);
  Json tests = Json::array();
  bool passed = true;
  for (const SegmentId id : *ids) {
    for (const GuardTest& test : agent.guard().test(id, agent.probe_mac(id))) {
      passed = passed && test.passed();
      tests.push_back({{"segment", agent.config().segments[id.value].name},
                       {"rule", test.rule},
                       {"ports", test.ports},
                       {"stopped", test.stopped},
                       {"passed", test.passed()}});
    }
  }
  return {{"site", agent.config().site},
          {"state", to_string(agent.guard().state())},
          {"detail", agent.guard().detail()},
          {"passed", passed && !tests.empty()},
          {"tests", tests}};
}

}  // namespace untrombone::daemon
