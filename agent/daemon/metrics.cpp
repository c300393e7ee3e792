// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "agent/daemon/agent.hpp"
#include "agent/daemon/clock.hpp"
#include "agent/daemon/views.hpp"

namespace untrombone::daemon {
namespace {

using core::HostState;
using core::Verdict;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using Labels = std::vector<std::pair<const char*, std::string>>;

/// Collects families of metrics. Counters and gauges are told apart when a family is begun.
class Exposition {
 public:
  void begin(const char* name, const char* help, MetricType type) {
    MetricFamily family;
    family.name = name;
    family.help = help;
    family.type = type;
    families_.push_back(std::move(family));
  }

  void add(const Labels& labels, double value) {
    ClientMetric metric = labelled(labels);
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    families_.back().metric.push_back(std::move(metric));
  }

  void add(const Labels& labels, const LatencyHistogram& histogram) {
    ClientMetric metric = labelled(labels);
    metric.histogram.sample_count = histogram.count();
    metric.histogram.sample_sum = to_seconds(histogram.sum());
    std::uint64_t cumulated = 0;
    for (std::size_t i = 0; i < histogram.buckets().size(); ++i) {
      cumulated += histogram.buckets()[i];
      const bool last = i == LatencyHistogram::kBounds.size();
      const double bound =
          last ? std::numeric_limits<double>::infinity() : to_seconds(LatencyHistogram::kBounds[i]);
      metric.histogram.bucket.push_back({cumulated, bound});
    }
    families_.back().metric.push_back(std::move(metric));
  }

  /// A family of one counter or gauge.
  void single(const char* name, const char* help, MetricType type, double value) {
    begin(name, help, type);
    add(Labels{}, value);
  }

  [[nodiscard]] std::string render() const {
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, families_);
    return text.str();
  }

 private:
  static ClientMetric labelled(const Labels& labels) {
    ClientMetric metric;
    for (const auto& [name, value] : labels) metric.label.push_back({name, value});
    return metric;
  }

  std::vector<MetricFamily> families_;
};

constexpr std::array kHostStates{HostState::kLocal, HostState::kProvisional, HostState::kDeparting,
                                 HostState::kRemote, HostState::kUnknown};
constexpr std::array kVerdicts{Verdict::kLocal, Verdict::kRemote, Verdict::kUnknown};

struct HostCounts {
  std::map<HostState, double> states;
  std::map<Verdict, double> verdicts;
  double frozen = 0;
};

void add_hosts(const Agent& agent, Exposition& out) {
  std::vector<HostCounts> counts(agent.config().segments.size());
  agent.site().hosts().for_each([&](core::HostIndex index) {
    const core::Host& host = agent.site().hosts()[index];
    HostCounts& segment = counts[host.segment.value];
    ++segment.states[host.state];
    ++segment.verdicts[agent.site().verdict(host)];
    if (host.is_frozen()) ++segment.frozen;
  });
  const auto name = [&](std::size_t i) { return agent.config().segments[i].name; };
  out.begin("untrombone_hosts", "Hosts by verdict", MetricType::Gauge);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (const Verdict verdict : kVerdicts) {
      out.add({{"segment", name(i)}, {"verdict", std::string(to_string(verdict))}},
              counts[i].verdicts[verdict]);
    }
  }
  out.begin("untrombone_host_states", "Hosts by state", MetricType::Gauge);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (const HostState state : kHostStates) {
      out.add({{"segment", name(i)}, {"state", std::string(to_string(state))}}, counts[i].states[state]);
    }
  }
  out.begin("untrombone_hosts_frozen", "Hosts frozen for a conflict", MetricType::Gauge);
  for (std::size_t i = 0; i < counts.size(); ++i) out.add({{"segment", name(i)}}, counts[i].frozen);
  out.begin("untrombone_segment_ready", "1: bridge and interface exist and are up", MetricType::Gauge);
  for (std::uint16_t i = 0; i < counts.size(); ++i) {
    out.add({{"segment", name(i)}}, agent.topology().segment({i}).missing.empty() ? 1 : 0);
  }
}

void add_routes(const Agent& agent, Exposition& out) {
  std::map<bgp::RouteState, double> states;
  double desired = 0;
  for (const auto& [key, route] : agent.sink().routes()) {
    ++states[route.state];
    if (route.wanted) ++desired;
  }
  out.begin("untrombone_routes", "Routes at the sink by state", MetricType::Gauge);
  for (const auto state : {bgp::RouteState::kQueued, bgp::RouteState::kSent, bgp::RouteState::kInstalled,
                           bgp::RouteState::kRejected, bgp::RouteState::kLost, bgp::RouteState::kRemoving}) {
    out.add({{"state", std::string(to_string(state))}}, states[state]);
  }
  out.single("untrombone_routes_desired", "Routes that should be announced", MetricType::Gauge, desired);
  out.single("untrombone_routes_limit", "routes.max-routes", MetricType::Gauge,
             static_cast<double>(agent.config().core.routes.max_routes));
  out.single("untrombone_zebra_leftovers_total",
             "Routes that a killed zebra had left in its successor's table, in the way of ours",
             MetricType::Counter, static_cast<double>(agent.zebra_leftovers()));
}

/// One sample per possible state, 1 for the one it is in: what alert rules compare most easily.
template <typename State, std::size_t kSize>
void add_state(Exposition& out, const std::array<State, kSize>& states, State current) {
  for (const State state : states) {
    out.add({{"state", std::string(to_string(state))}}, state == current ? 1 : 0);
  }
}

void add_outputs(const Agent& agent, Exposition& out) {
  out.begin("untrombone_sink_state", "1 for the state of the connection to the routing daemon",
            MetricType::Gauge);
  add_state(out, std::array{bgp::SinkState::kWaiting, bgp::SinkState::kSyncing, bgp::SinkState::kSynced},
            agent.sink().status().state);
  out.begin("untrombone_guard_state", "1 for the state of the guard", MetricType::Gauge);
  add_state(out,
            std::array{GuardState::kOff, GuardState::kWaiting, GuardState::kActive, GuardState::kOpen,
                       GuardState::kFailed},
            agent.guard().state());
}

void add_guard(Agent& agent, Exposition& out) {
  out.begin("untrombone_guard_frames_total", "Frames that a rule of the guard stopped, or readdressed",
            MetricType::Counter);
  const arp::GuardCounts counts = agent.guard().rule_counters();
  for (const auto& [rule, count] : counts) out.add({{"rule", rule}}, static_cast<double>(count.packets));
  out.single("untrombone_guard_drifts_total",
             "Times that somebody else changed the guard, and it was put back", MetricType::Counter,
             static_cast<double>(agent.guard().counters().drifts));
  out.single("untrombone_guard_elements", "Elements of the guard's sets", MetricType::Gauge,
             static_cast<double>(agent.guard().last_outcome().elements));
}

void add_moves(const Agent& agent, Exposition& out) {
  const MoveLog& moves = agent.moves();
  out.begin("untrombone_moves_total", "Hosts that came or went", MetricType::Counter);
  out.add({{"kind", std::string(to_string(MoveKind::kArrival))}}, static_cast<double>(moves.arrivals()));
  out.add({{"kind", std::string(to_string(MoveKind::kDeparture))}}, static_cast<double>(moves.departures()));
  out.begin("untrombone_latency_seconds", "From an arriving host's first frame to each stage",
            MetricType::Histogram);
  out.add({{"stage", "verdict"}}, moves.verdict());
  out.add({{"stage", "greeting"}}, agent.greeting_latency());
  out.add({{"stage", "sent"}}, moves.sent());
  out.add({{"stage", "installed"}}, moves.installed());
  out.add({{"stage", "bgpd"}}, moves.bgpd());
}

constexpr std::array kAlarms{core::AlarmKind::kGatewayClaimed,  core::AlarmKind::kOwnAddressClaimed,
                             core::AlarmKind::kTooManyHosts,    core::AlarmKind::kTooManyIpsOnMac,
                             core::AlarmKind::kTooManyNewHosts, core::AlarmKind::kTooManyRoutes,
                             core::AlarmKind::kHostFrozen,      core::AlarmKind::kClaimedTwice};

void add_alarms(const Agent& agent, Exposition& out) {
  std::map<core::AlarmKind, double> counts;
  for (const auto& [key, entry] : agent.alarms().entries())
    counts[key.kind] += static_cast<double>(entry.count);
  out.begin("untrombone_alarms_total", "Conflicts and crossed bounds", MetricType::Counter);
  for (const core::AlarmKind kind : kAlarms) out.add({{"kind", std::string(to_string(kind))}}, counts[kind]);
}

void add_input(Agent& agent, Exposition& out) {
  const auto& kernel = agent.kernel_counters();
  const auto& tap = agent.tap_counters();
  const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
  out.single("untrombone_kernel_messages_total", "Netlink messages read", MetricType::Counter,
             number(kernel.messages));
  out.single("untrombone_kernel_overruns_total",
             "Times the kernel lost netlink events; each is repaired by a dump", MetricType::Counter,
             number(kernel.overruns));
  out.single("untrombone_kernel_dumps_total", "Dumps of the kernel's tables", MetricType::Counter,
             number(kernel.dumps));
  out.begin("untrombone_frames_total", "ARP, RARP and ND frames", MetricType::Counter);
  out.add({{"direction", "heard"}}, number(tap.frames));
  out.add({{"direction", "sent"}}, number(tap.sent));
  out.begin("untrombone_drops_total", "What was lost or left out, by reason", MetricType::Counter);
  out.add({{"reason", "frame-malformed"}}, number(tap.malformed));
  out.add({{"reason", "frame-not-read-in-time"}}, number(tap.dropped));
  out.add({{"reason", "frame-not-sent"}}, number(tap.send_errors));
  out.add({{"reason", "kernel-message-malformed"}}, number(kernel.malformed));
  out.add({{"reason", "kernel-request-failed"}}, number(kernel.request_errors));
  out.add({{"reason", "stranger-turned-away"}}, number(agent.site().strangers_turned_away()));
  out.add({{"reason", "watcher-too-slow"}}, number(agent.events().dropped()));
}

std::string describe_ill(const Agent& agent) {
  std::string text;
  for (std::uint16_t i = 0; i < agent.config().segments.size(); ++i) {
    const std::string& missing = agent.topology().segment({i}).missing;
    if (!missing.empty()) text += "segment " + agent.config().segments[i].name + ": " + missing + "\n";
  }
  const bgp::SinkStatus sink = agent.sink().status();
  if (sink.state != bgp::SinkState::kSynced) {
    text += "sink " + std::string(to_string(sink.state)) + ": " + sink.detail + "\n";
  }
  if (agent.guard().state() == GuardState::kFailed) text += "guard failed: " + agent.guard().detail() + "\n";
  return text;
}

}  // namespace

std::string render_metrics(Agent& agent) {
  Exposition out;
  out.begin("untrombone_info", "What runs", MetricType::Gauge);
  out.add({{"site", agent.config().site}, {"version", UNTROMBONE_VERSION}}, 1);
  out.single("untrombone_healthy", "1: every segment is ready, the sink synced, the guard has not failed",
             MetricType::Gauge, is_healthy(agent) ? 1 : 0);
  out.single("untrombone_uptime_seconds", "Since the agent started", MetricType::Gauge,
             to_seconds(monotonic_now() - agent.started_at()));
  add_hosts(agent, out);
  add_routes(agent, out);
  add_outputs(agent, out);
  add_guard(agent, out);
  add_moves(agent, out);
  add_alarms(agent, out);
  add_input(agent, out);
  out.single("untrombone_watchers", "Who watches the events now", MetricType::Gauge,
             static_cast<double>(agent.events().watchers()));
  return out.render();
}

HttpAnswer serve_metrics(Agent& agent, const std::string& path) {
  if (path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", render_metrics(agent)};
  if (path != "/healthz") return {404, "text/plain; charset=utf-8", "/metrics or /healthz\n"};
  if (is_healthy(agent)) return {200, "text/plain; charset=utf-8", "ok\n"};
  return {503, "text/plain; charset=utf-8", describe_ill(agent)};
}

}  // namespace untrombone::daemon
