// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/metrics.hpp"

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "agent/daemon/agent.hpp"
#include "agent/daemon/http_request.hpp"

namespace untrombone::daemon {
namespace {

std::string read_file(const std::string& path) {
  const std::ifstream file(std::string(UNTROMBONE_SOURCE_DIR "/") + path);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// An agent that was never started: it knows its configuration and nothing else.
struct Fixture {
  Fixture()
      : config(*parse_config(R"([site]
name = "dc-a"
[[segment]]
name = "vlan10"
bridge = "untrombone-none"
subnets = ["192.0.2.0/24"]
gateways = ["192.0.2.1"]
)",
                             "test")),
        log("error", LogFormat::kText),
        agent(io, config, log, true) {}

  Config config;
  Log log;
  boost::asio::io_context io{1};
  Agent agent;
};

/// Names of metrics, and the label names of each. A histogram counts under its own name.
using Metrics = std::map<std::string, std::set<std::string>>;

std::set<std::string> label_names(const std::string& matchers) {
  static const std::regex kName(R"(([a-z_]+)\s*(?:=~|!~|!=|=)\s*")");
  std::set<std::string> names;
  for (std::sregex_iterator at(matchers.begin(), matchers.end(), kName), end; at != end; ++at) {
    names.insert((*at)[1]);
  }
  return names;
}

std::string without_suffix(const std::string& name) {
  static const std::regex kSuffix("_(bucket|sum|count)$");
  return std::regex_replace(name, kSuffix, "");
}

Metrics metrics_in(const std::string& text) {
  static const std::regex kMetric(R"re((untrombone_[a-z_]+)(\{[^}]*\})?)re");
  Metrics found;
  for (std::sregex_iterator at(text.begin(), text.end(), kMetric), end; at != end; ++at) {
    std::set<std::string> labels = label_names((*at)[2]);
    labels.erase("le");
    labels.erase("instance");  // Prometheus adds it
    found[without_suffix((*at)[1])].merge(labels);
  }
  return found;
}

/// Whatever is in `used` is in `exported`, with its labels.
void check_exported(const Metrics& used, const Metrics& exported) {
  REQUIRE_FALSE(used.empty());
  for (const auto& [name, labels] : used) {
    CAPTURE(name);
    const auto found = exported.find(name);
    REQUIRE(found != exported.end());
    for (const std::string& label : labels) {
      CAPTURE(label);
      CHECK(found->second.count(label) == 1);
    }
  }
}

/// Without the comments, which name metrics, too.
Metrics exported_by(Agent& agent) {
  std::istringstream lines(render_metrics(agent));
  std::string samples;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) samples += line + "\n";
  }
  return metrics_in(samples);
}

}  // namespace

TEST_CASE("docs/metrics.md names every metric with its labels, and no other") {
  Fixture fixture;
  Metrics documented;
  std::istringstream lines(read_file("docs/metrics.md"));
  static const std::regex kRow(R"(\| `(untrombone_[a-z_]+)` \| [a-z]+ \| ([^|]*)\|)");
  static const std::regex kLabel("`([a-z]+)`");
  for (std::string line; std::getline(lines, line);) {
    std::smatch row;
    if (!std::regex_search(line, row, kRow)) continue;
    const std::string labels = row[2];
    std::set<std::string>& names = documented[row[1]];
    for (std::sregex_iterator at(labels.begin(), labels.end(), kLabel), end; at != end; ++at) {
      names.insert((*at)[1]);
    }
  }
  CHECK(documented == exported_by(fixture.agent));
}

TEST_CASE("the alert rules use only metrics and labels that the agent exports") {
  Fixture fixture;
  std::istringstream lines(read_file("packaging/prometheus-alerts.yml"));
  std::string expressions;
  std::size_t alerts = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" alert: ") != std::string::npos) ++alerts;
    if (line.find(" expr: ") != std::string::npos) expressions += line + "\n";
  }
  CHECK(alerts >= 10);
  check_exported(metrics_in(expressions), exported_by(fixture.agent));
}

TEST_CASE("the dashboard uses only metrics and labels that the agent exports") {
  Fixture fixture;
  const auto dashboard = nlohmann::json::parse(read_file("packaging/grafana-dashboard.json"));
  std::string expressions;
  for (const auto& panel : dashboard.at("panels")) {
    for (const auto& target : panel.at("targets")) {
      expressions += target.at("expr").get<std::string>() + "\n";
    }
  }
  check_exported(metrics_in(expressions), exported_by(fixture.agent));
}

TEST_CASE("a counter ends in _total and has help; a histogram is cumulative") {
  Fixture fixture;
  const std::string text = render_metrics(fixture.agent);
  static const std::regex kType("# TYPE ([a-z_]+) ([a-z]+)");
  for (std::sregex_iterator at(text.begin(), text.end(), kType), end; at != end; ++at) {
    const std::string name = (*at)[1];
    CAPTURE(name);
    CHECK(((*at)[2] == "counter") == name.ends_with("_total"));
    CHECK(text.find("# HELP " + name + " ") != std::string::npos);
  }
  CHECK(text.find(R"(untrombone_latency_seconds_bucket{stage="sent",le="+Inf"} 0)") != std::string::npos);
  CHECK(text.find(R"(untrombone_hosts{segment="vlan10",verdict="local"} 0)") != std::string::npos);
}

TEST_CASE("healthz says what is wrong, and other paths are nowhere") {
  Fixture fixture;
  const HttpAnswer ill = serve_metrics(fixture.agent, "/healthz");
  CHECK(ill.status == 503);
  CHECK(ill.body.find("segment vlan10: bridge untrombone-none does not exist\n") != std::string::npos);
  CHECK(serve_metrics(fixture.agent, "/metrics").status == 200);
  CHECK(serve_metrics(fixture.agent, "/").status == 404);
}

TEST_CASE("a request line is read, and anything else refused") {
  const auto request = parse_http_request("GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(request);
  CHECK(request->method == "GET");
  CHECK(request->path == "/metrics");
  for (const char* const wrong :
       {"", "\r\n", "GET", "GET /", "GET  HTTP/1.1\r\n", " / HTTP/1.1", "GET metrics HTTP/1.1",
        "GET / x HTTP/1.1", "GET / HTTP/2", "GET / http/1.1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_http_request(wrong));
  }
}

TEST_CASE("an answer says how long it is, and HEAD gets no body") {
  const HttpAnswer answer{503, "text/plain", "ill\n"};
  CHECK(render_http(answer) ==
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
        "Connection: close\r\n\r\nill\n");
  CHECK(render_http(answer, false).ends_with("\r\n\r\n"));
}

}  // namespace untrombone::daemon
