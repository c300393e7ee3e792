// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/views.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/daemon/agent.hpp"
#include "agent/daemon/claim_views.hpp"
#include "agent/daemon/clock.hpp"
#include "agent/daemon/guard_views.hpp"
#include "agent/daemon/host_hints.hpp"
#include "agent/daemon/request.hpp"
#include "agent/daemon/sinks.hpp"
#include "agent/daemon/view_summaries.hpp"
#include "agent/daemon/views_moves.hpp"

namespace untrombone::daemon {
namespace {

using core::Host;
using core::HostIndex;
using core::HostState;
using core::SegmentId;
using Json = nlohmann::ordered_json;

/// All states, in the order that documents list them.
constexpr std::array kHostStates{HostState::kLocal, HostState::kProvisional, HostState::kDeparting,
                                 HostState::kRemote, HostState::kUnknown};

Json strings(const auto& values) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(value.to_string());
  return list;
}

double age_of(core::TimePoint when) { return to_seconds(monotonic_now() - when); }

Json port_name(const Agent& agent, core::Ifindex port) {
  const std::string name = agent.topology().name_of(port);
  return name.empty() ? Json(nullptr) : Json(name);
}

// ---- status ------------------------------------------------------------------------------------------------------

/// Hosts by state, for each segment, in one pass.
std::vector<std::map<HostState, std::size_t>> count_hosts(const Agent& agent) {
  std::vector<std::map<HostState, std::size_t>> counts(agent.config().segments.size());
  agent.site().hosts().for_each([&](HostIndex index) {
    const Host& host = agent.site().hosts()[index];
    ++counts[host.segment.value][host.state];
  });
  return counts;
}

Json view_counts(std::map<HostState, std::size_t>& counts) {
  Json view;
  for (const HostState state : kHostStates) view[std::string(to_string(state))] = counts[state];
  return view;
}

Json view_segment(const Agent& agent, SegmentId id, std::map<HostState, std::size_t>& counts) {
  const SegmentConfig& config = agent.config().segments[id.value];
  const core::SegmentSettings& settings = agent.config().core.segments[id.value];
  const SegmentView& view = agent.topology().segment(id);
  Json ports = Json::array();
  for (const auto& [port, state] : view.ports) {
    ports.push_back({{"name", agent.topology().name_of(port)},
                     {"class", to_string(state.port_class)},
                     {"up", state.up},
                     {"tagged", state.tagged}});
  }
  return {{"name", config.name},
          {"bridge", config.bridge},
          {"vlan", config.vlan ? Json(config.vlan.value) : Json(nullptr)},
          {"interface", config.interface},
          {"vrf", view.vrf_name.empty() ? Json(nullptr) : Json(view.vrf_name)},
          {"state", view.missing.empty() ? "ready" : "waiting"},
          {"detail", view.missing},
          {"subnets", strings(settings.subnets)},
          {"gateways", strings(settings.gateways)},
          {"gateway_mac", view.interface ? Json(view.interface_mac.to_string()) : Json(nullptr)},
          {"ports", ports},
          {"refresh_seconds", to_seconds(agent.site().refresh_of(id))},
          {"probes_waiting", agent.site().probes_waiting(id)},
          {"sweeping", agent.site().sweeps(id)},
          {"hosts", view_counts(counts)}};
}

Json view_sink(const Agent& agent) {
  const bgp::SinkStatus status = agent.sink().status();
  std::map<bgp::RouteState, int> states;
  int desired = 0;
  for (const auto& [prefix, route] : agent.sink().routes()) {
    ++states[route.state];
    if (route.wanted) ++desired;
  }
  Json routes{{"desired", desired}};
  for (const auto state : {bgp::RouteState::kQueued, bgp::RouteState::kSent, bgp::RouteState::kInstalled,
                           bgp::RouteState::kRejected, bgp::RouteState::kLost, bgp::RouteState::kRemoving}) {
    routes[std::string(to_string(state))] = states[state];
  }
  return {{"kind", status.kind},       {"state", to_string(status.state)},      {"detail", status.detail},
          {"release", status.release}, {"socket", sink_target(agent.config())}, {"routes", routes}};
}

Json view_counters(Agent& agent) {
  const auto& kernel = agent.kernel_counters();
  const auto& tap = agent.tap_counters();
  return {{"kernel_messages", kernel.messages},
          {"kernel_malformed", kernel.malformed},
          {"kernel_overruns", kernel.overruns},
          {"kernel_dumps", kernel.dumps},
          {"kernel_dumps_interrupted", kernel.interrupted},
          {"kernel_lookups", kernel.lookups},
          {"kernel_request_errors", kernel.request_errors},
          {"frames_heard", tap.frames},
          {"frames_malformed", tap.malformed},
          {"frames_dropped", tap.dropped},
          {"frames_of_other_vlans", agent.foreign_frames()},
          {"frames_sent", tap.sent},
          {"frames_not_sent", tap.send_errors},
          {"strangers", agent.site().strangers().size()},
          {"strangers_turned_away", agent.site().strangers_turned_away()},
          {"watchers", agent.events().watchers()},
          {"watcher_lines_dropped", agent.events().dropped()}};
}

Json view_alarms(const Agent& agent) {
  Json list = Json::array();
  for (const auto& [key, entry] : agent.alarms().entries()) {
    list.push_back({{"kind", to_string(key.kind)},
                    {"segment", agent.config().segments[key.segment.value].name},
                    {"subject", key.subject},
                    {"ip", entry.ip.to_string()},
                    {"mac", entry.mac.to_string()},
                    {"count", entry.count},
                    {"last_seconds", age_of(entry.last)}});
  }
  for (const FrrTrouble& trouble : agent.frr().troubles()) {
    list.push_back({{"kind", trouble.finding.id},
                    {"segment", ""},
                    {"subject", fmt::format("{}: {}", trouble.finding.subject, trouble.finding.problem)},
                    {"hint", trouble.finding.hint},
                    {"count", 1},
                    {"since_seconds", age_of(trouble.since)},
                    {"last_seconds", age_of(trouble.last)}});
  }
  return list;
}

Json view_status(Agent& agent) {
  Json segments = Json::array();
  auto counts = count_hosts(agent);
  for (std::uint16_t i = 0; i < counts.size(); ++i) {
    if (!agent.config().segments[i].removed) segments.push_back(view_segment(agent, {i}, counts[i]));
  }
  return {{"site", agent.config().site},
          {"version", UNTROMBONE_VERSION},
          {"pid", getpid()},
          {"uptime_seconds", age_of(agent.started_at())},
          {"observe", agent.observes()},
          {"healthy", is_healthy(agent)},
          {"segments", segments},
          {"sink", view_sink(agent)},
          {"guard", {{"state", to_string(agent.guard().state())}, {"detail", agent.guard().detail()}}},
          {"uplink", view_uplink(agent)},
          {"claims", view_claim_lists(agent)},
          {"moves", view_latencies(agent)},
          {"counters", view_counters(agent)},
          {"alarms", view_alarms(agent)}};
}

// ---- hosts -------------------------------------------------------------------------------------------------------

/// The hosts of a request's filters, by segment and address.
struct HostFilter {
  std::optional<std::string> segment;
  std::optional<std::string> verdict;
  std::optional<core::IpPrefix> prefix;
};

std::vector<HostIndex> select_hosts(const Agent& agent, const HostFilter& filter) {
  const core::HostTable& hosts = agent.site().hosts();
  std::vector<HostIndex> selected;
  hosts.for_each([&](HostIndex index) {
    const Host& host = hosts[index];
    if (filter.segment && agent.config().segments[host.segment.value].name != *filter.segment) return;
    if (filter.verdict && to_string(agent.site().verdict(host)) != *filter.verdict) return;
    if (filter.prefix && !filter.prefix->contains(host.ip)) return;
    selected.push_back(index);
  });
  std::sort(selected.begin(), selected.end(), [&](HostIndex a, HostIndex b) {
    return std::tie(hosts[a].segment, hosts[a].ip) < std::tie(hosts[b].segment, hosts[b].ip);
  });
  return selected;
}

/// How long an operator's claim of it for this site will last; null without one.
Json expected_seconds(const Host& host) {
  return host.is_expected() ? Json(-age_of(host.expected_until)) : Json(nullptr);
}

Json mac_of(const Host& host) { return host.has_mac() ? Json(host.mac.to_string()) : Json(nullptr); }

/// The part of a host that `hosts` and `explain` share.
void add_verdict(const Agent& agent, const Host& host, Json& out) {
  out["state"] = host.is_frozen() ? "frozen" : to_string(host.state);
  out["verdict"] = to_string(agent.site().verdict(host));
  out["reason"] = to_string(host.reason);
  out["since"] = to_iso8601(host.since);
  out["since_seconds"] = age_of(host.since);
  out["heard_seconds"] = age_of(host.heard);
  out["expected_seconds"] = expected_seconds(host);
}

/// What the place counts as: behind a remote VTEP it is the DCI, whatever the port is.
std::string_view class_of(const core::Station& station) {
  return to_string(station.is_remote() ? core::PortClass::kDci : station.port_class);
}

Json view_host(const Agent& agent, const Host& host) {
  const core::Station* const station = agent.site().hosts().find_station(host.segment, host.mac);
  const bool placed = station != nullptr && bool(station->port);
  Json view{{"segment", agent.config().segments[host.segment.value].name},
            {"ip", host.ip.to_string()},
            {"mac", mac_of(host)},
            {"port", placed ? port_name(agent, station->port) : Json(nullptr)},
            {"port_class", placed ? Json(class_of(*station)) : Json(nullptr)}};
  add_verdict(agent, host, view);
  view["route_class"] = to_string(host.route_class);
  return view;
}

Json view_hosts(const Agent& agent, const HostFilter& filter) {
  Json list = Json::array();
  for (const HostIndex index : select_hosts(agent, filter))
    list.push_back(view_host(agent, agent.site().hosts()[index]));
  return {{"hosts", list}};
}

// ---- routes ------------------------------------------------------------------------------------------------------

Json view_latency(const bgp::Arrival& arrival) {
  if (!arrival.sent) return nullptr;
  const auto since_cause = [&](const std::optional<core::TimePoint>& when) {
    return when ? Json(to_microseconds(*when - arrival.cause)) : Json(nullptr);
  };
  return {{"sent", since_cause(arrival.sent)}, {"installed", since_cause(arrival.installed)}};
}

/// The VRF device's name; null for the default VRF.
Json view_vrf(const Agent& agent, core::VrfId vrf) {
  if (vrf == core::VrfId{}) return nullptr;
  return port_name(agent, {static_cast<int>(vrf.value)});
}

Json view_route(const Agent& agent, const core::RouteKey& key, const bgp::SinkRoute& route) {
  Json view{{"prefix", key.prefix.to_string()}, {"vrf", view_vrf(agent, key.vrf)}};
  const auto segment = route.wanted ? agent.topology().segment_of_interface(route.wanted->interface)
                                    : std::optional<SegmentId>{};
  view["segment"] = segment ? Json(agent.config().segments[segment->value].name) : Json(nullptr);
  if (route.wanted) {
    view["interface"] = port_name(agent, route.wanted->interface);
    view["class"] = to_string(route.wanted->route_class);
    view["distance"] = route.wanted->distance;
    view["metric"] = route.wanted->metric;
    view["tag"] = route.wanted->tag;
  }
  view["state"] = to_string(route.state);
  const std::string reason = agent.sink().reason_of(key);
  view["reason"] = reason.empty() ? Json(nullptr) : Json(reason);
  view["age_seconds"] = age_of(route.changed);
  const HostIndex host = segment && key.prefix.is_host()
                             ? agent.site().hosts().find(*segment, key.prefix.address())
                             : core::kNoHost;
  view["expected_seconds"] =
      host == core::kNoHost ? Json(nullptr) : expected_seconds(agent.site().hosts()[host]);
  add_hosts_of(agent, segment, key.prefix, view);
  view["latency_us"] = view_latency(route.arrival);
  return view;
}

/// What the sink has for a prefix of a segment; null when it has nothing.
Json view_announced(const Agent& agent, SegmentId segment, const core::IpPrefix& prefix) {
  const core::RouteKey key{agent.topology().segment(segment).vrf, prefix};
  const auto route = agent.sink().routes().find(key);
  return route == agent.sink().routes().end() ? Json(nullptr) : view_route(agent, key, route->second);
}

Json view_routes(const Agent& agent) {
  std::vector<const bgp::SinkRoutes::value_type*> sorted;
  for (const auto& entry : agent.sink().routes()) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  Json list = Json::array();
  for (const auto* entry : sorted) list.push_back(view_route(agent, entry->first, entry->second));
  return {{"routes", list}};
}

// ---- explain -----------------------------------------------------------------------------------------------------

std::string why_not_found(const Agent& agent, const core::IpAddress& ip) {
  for (std::uint16_t i = 0; i < agent.config().segments.size(); ++i) {
    const core::SegmentSettings& segment = agent.config().core.segments[i];
    if (segment.subnet_of(ip) == nullptr) continue;
    if (const auto why = why_no_host(agent, {i}, ip)) return *why;
    return "nothing was ever heard of it in segment " + segment.name;
  }
  return "it is in none of the configured subnets";
}

Json view_location(const Agent& agent, const Host& host) {
  const core::Station* const station = agent.site().hosts().find_station(host.segment, host.mac);
  if (station == nullptr || !station->port) return nullptr;
  return {{"port", port_name(agent, station->port)},
          {"class", class_of(*station)},
          {"up", agent.topology().is_up(station->port)},
          {"evidence", to_string(station->evidence)},
          {"listed", station->listed},
          {"age_seconds", age_of(station->when)}};
}

Json view_greeting(const Agent& agent, const Host& host) {
  const GreetingRecord* const record = agent.greeting_of({host.segment, host.ip});
  if (record == nullptr) return nullptr;
  return {{"sent", record->sent},
          {"answered", host.greeting_answered},
          {"first_latency_us", to_microseconds(record->first_latency)}};
}

Json view_history(const Agent& agent, const Host& host) {
  Json list = Json::array();
  for (const core::Transition& transition : agent.site().history().of(host.segment, host.ip)) {
    list.push_back({{"at", to_iso8601(transition.when)},
                    {"ago_seconds", age_of(transition.when)},
                    {"from", to_string(transition.from)},
                    {"to", to_string(transition.to)},
                    {"reason", to_string(transition.reason)},
                    {"port", port_name(agent, transition.port)}});
  }
  return list;
}

Json view_explanation_of(const Agent& agent, const Host& host) {
  const SegmentConfig& config = agent.config().segments[host.segment.value];
  const core::SegmentSettings& settings = agent.config().core.segments[host.segment.value];
  Json view{{"site", agent.config().site},
            {"ip", host.ip.to_string()},
            {"found", true},
            {"detail", ""},
            {"segment", config.name},
            {"mac", mac_of(host)},
            {"location", view_location(agent, host)}};
  add_verdict(agent, host, view);
  view["route"] = view_announced(agent, host.segment, core::IpPrefix::host(host.ip));
  const auto summary = summary_of(agent, host);
  view["summary"] = summary ? view_announced(agent, host.segment, *summary) : Json(nullptr);
  view["external"] = view_external(agent, host.segment, host.ip);
  view["claims"] = view_claims_of(agent, host.segment, host.ip);
  view["greeting"] = view_greeting(agent, host);
  const core::IpPrefix* const subnet = settings.subnet_of(host.ip);
  const auto gateway =
      std::find_if(settings.gateways.begin(), settings.gateways.end(), [&](const core::IpAddress& ip) {
        return subnet->contains(ip) || (ip.is_link_local() && !host.ip.is_v4());
      });
  const SegmentView& kernel = agent.topology().segment(host.segment);
  view["guard"] = {
      {"state", config.guard.enabled ? to_string(agent.guard().state()) : "off"},
      {"gateway", gateway == settings.gateways.end() ? Json(nullptr) : Json(gateway->to_string())},
      {"gateway_mac", kernel.interface ? Json(kernel.interface_mac.to_string()) : Json(nullptr)}};
  view["history"] = view_history(agent, host);
  return view;
}

Json view_explanation(const Agent& agent, const core::IpAddress& ip) {
  for (std::uint16_t i = 0; i < agent.config().segments.size(); ++i) {
    const HostIndex index = agent.site().hosts().find({i}, ip);
    if (index != core::kNoHost) return view_explanation_of(agent, agent.site().hosts()[index]);
  }
  return {{"site", agent.config().site},
          {"ip", ip.to_string()},
          {"found", false},
          {"detail", why_not_found(agent, ip)}};
}

// ---- requests ----------------------------------------------------------------------------------------------------

Json answer_hosts(const Agent& agent, const nlohmann::json& request) {
  HostFilter filter{text_of(request, "segment"), text_of(request, "verdict"), std::nullopt};
  if (const auto prefix = text_of(request, "prefix")) {
    filter.prefix = core::IpPrefix::parse(*prefix);
    const auto address = core::IpAddress::parse(*prefix);
    if (address) filter.prefix = core::IpPrefix::host(*address);
    if (!filter.prefix)
      return error_document("\"" + *prefix + "\" is neither an address nor a prefix without host bits");
  }
  const auto& segments = agent.config().segments;
  const bool known =
      !filter.segment || std::any_of(segments.begin(), segments.end(), [&](const SegmentConfig& segment) {
        return segment.name == *filter.segment;
      });
  if (!known) return error_document("there is no segment \"" + *filter.segment + "\"");
  return view_hosts(agent, filter);
}

Json answer_explain(const Agent& agent, const nlohmann::json& request) {
  const auto ip = address_of(request);
  if (!ip) return error_document("explain needs an IP address");
  return view_explanation(agent, *ip);
}

Json answer_reload(Agent& agent) {
  const auto plan = agent.reload();
  if (plan.has_error()) {
    return {{"site", agent.config().site},
            {"applied", false},
            {"reason", plan.error().message},
            {"changed", Json::array()},
            {"needs_restart", Json::array()}};
  }
  return {{"site", agent.config().site},
          {"applied", true},
          {"reason", ""},
          {"changed", plan->changed},
          {"needs_restart", plan->needs_restart}};
}

Json answer(Agent& agent, const std::string& line) {
  const nlohmann::json request = nlohmann::json::parse(line, nullptr, false);
  if (!request.is_object()) return error_document("the request is not a JSON object");
  const std::string command = text_of(request, "command").value_or("");
  if (command == "status") return view_status(agent);
  if (command == "hosts") return answer_hosts(agent, request);
  if (command == "routes") return view_routes(agent);
  if (command == "moves") return view_moves(agent);
  if (command == "explain") return answer_explain(agent, request);
  if (command == "guard-show") return answer_guard_show(agent, request);
  if (command == "guard-open") return answer_guard_open(agent, request);
  if (command == "guard-close") return answer_guard_close(agent, request);
  if (command == "guard-test") return answer_guard_test(agent, request);
  if (command == "reload") return answer_reload(agent);
  if (command == "host-claim") return answer_host_claim(agent, request);
  if (command == "host-release") return answer_host_release(agent, request);
  if (command == "host-clear") return answer_host_clear(agent, request);
  return error_document("unknown command \"" + command + "\"");
}

}  // namespace

bool is_healthy(const Agent& agent) {
  for (std::uint16_t i = 0; i < agent.config().segments.size(); ++i) {
    if (!agent.topology().segment({i}).missing.empty()) return false;
  }
  return agent.sink().status().state == bgp::SinkState::kSynced && !agent.uplink().any_isolated() &&
         agent.guard().state() != GuardState::kFailed;
}

std::string answer_request(Agent& agent, const std::string& request) {
  // Interface names come from the kernel and may be any bytes.
  return answer(agent, request).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string status_line(const Agent& agent) {
  int waiting = 0;
  for (std::uint16_t i = 0; i < agent.config().segments.size(); ++i) {
    if (!agent.topology().segment({i}).missing.empty()) ++waiting;
  }
  const bgp::SinkStatus sink = agent.sink().status();
  return fmt::format("{}: {} of {} segments ready, {} routes, {} {}, guard {}", agent.config().site,
                     agent.config().segments.size() - static_cast<std::size_t>(waiting),
                     agent.config().segments.size(), agent.sink().routes().size(), sink.kind,
                     to_string(sink.state), to_string(agent.guard().state()));
}

}  // namespace untrombone::daemon
