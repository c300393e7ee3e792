// SPDX-License-Identifier: GPL-2.0-or-later
// What an operator and his machines see of one move: the stream, the log of moves, the metrics.
#include <cstdio>
#include <fstream>
#include <set>

#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/lab/process.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

/// `untrombone watch --json` at a site, and what it has printed so far.
class Watch {
 public:
  Watch(World& world, Site site)
      : file_(world.lab().directory(node_of(site)) / "watch.log"),
        process_({.argv = {UNTROMBONE_BIN, "--json", "--socket", world.lab().agent(site).socket().string(),
                           "watch"},
                  .netns = &world.lab().netns(site),
                  .output = file_}) {}

  std::vector<nlohmann::json> events(const std::string& kind) const {
    std::vector<nlohmann::json> found;
    std::ifstream file(file_);
    for (std::string line; std::getline(file, line);) {
      auto event = nlohmann::json::parse(line, nullptr, false);
      if (event.is_object() && event.value("event", "") == kind) found.push_back(std::move(event));
    }
    return found;
  }

  bool running() { return process_.running(); }

 private:
  std::filesystem::path file_;
  Process process_;
};

/// One GET over bash's own sockets: the answer with its head.
std::string get(World& world, Site site, const std::string& path) {
  const std::string script =
      "exec 3<>/dev/tcp/127.0.0.1/9517; printf 'GET " + path + " HTTP/1.1\r\n\r\n' >&3; cat <&3";
  return run_command({.argv = {"bash", "-c", script}, .netns = &world.lab().netns(site)}).output;
}

bool has_line(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

/// Somebody watches the site's agent.
bool is_watched(World& world, Site site) {
  return wait_for([&] { return has_line(get(world, site, "/metrics"), "untrombone_watchers 1"); }, kPatience);
}

/// An arrival of the guest whose route was acknowledged.
bool is_complete_arrival(const nlohmann::json& move, const Vm& vm) {
  return move.value("kind", "") == "arrival" && move.value("ip", "") == vm.address() &&
         move["latency_us"]["installed"].is_number();
}

}  // namespace

TEST_CASE("a move is in the stream, in the log of moves and in the metrics", "[e2e]") {
  World world;
  Vm& vm = world.lab().start_vm("one", Site::kA);
  AgentOptions options;
  options.extra_toml = {{"metrics", "listen = \"127.0.0.1:9517\""}};
  world.start_agents(options);
  vm.send_garp();
  REQUIRE(world.becomes(Site::kA, vm, "local"));
  Watch watch(world, Site::kB);
  REQUIRE(is_watched(world, Site::kB));

  world.lab().move(vm, Site::kB);
  REQUIRE(world.reaches(vm, Site::kB));
  const auto complete = [&](const auto& moves) {
    return std::any_of(moves.begin(), moves.end(),
                       [&](const auto& move) { return is_complete_arrival(move, vm); });
  };
  CHECK(wait_for([&] { return complete(watch.events("move")); }, kPatience));
  CHECK_FALSE(watch.events("host").empty());
  CHECK_FALSE(watch.events("route").empty());

  const nlohmann::json moves = world.lab().agent(Site::kB).json({"moves"});
  CHECK(complete(moves.at("moves")));
  const auto& latency = moves.at("latency");
  CHECK(latency.at("sent").at("count") == 1);
  CHECK(latency.at("verdict").at("median_us") <= latency.at("installed").at("median_us"));
  const auto in_bgpd = [&] {
    const nlohmann::json latest =
        world.lab().agent(Site::kB).json({"moves"}).at("moves").back().at("latency_us");
    return latest.at("bgpd").is_number() && latest.at("bgpd") > latest.at("installed");
  };
  CHECK(wait_for(in_bgpd, kPatience));
  const nlohmann::json stages =
      world.lab().agent(Site::kB).json({"moves"}).at("moves").back().at("latency_us");
  std::printf("acknowledged by zebra after %.1f ms, in bgpd after %.1f ms\n",
              stages.value("installed", 0.0) / 1000, stages.value("bgpd", 0.0) / 1000);
  CHECK(wait_for([&] { return world.lab().agent(Site::kA).json({"moves"})["latency"]["departures"] == 1; },
                 kPatience));

  const std::string metrics = get(world, Site::kB, "/metrics");
  CHECK(metrics.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(has_line(metrics, R"(untrombone_moves_total{kind="arrival"} 1)"));
  CHECK(has_line(metrics, R"(untrombone_latency_seconds_count{stage="installed"} 1)"));
  CHECK(has_line(metrics, R"(untrombone_latency_seconds_count{stage="bgpd"} 1)"));
  CHECK(has_line(metrics, R"(untrombone_hosts{segment="lab",verdict="local"} 1)"));
  CHECK(has_line(metrics, R"(untrombone_guard_state{state="active"} 1)"));
  CHECK(get(world, Site::kB, "/healthz").ends_with("\r\n\r\nok\n"));
  CHECK(get(world, Site::kB, "/").starts_with("HTTP/1.1 404 "));
}

TEST_CASE("a watcher outlives the agent, and healthz tells that zebra is gone", "[e2e]") {
  World world;
  AgentOptions options;
  options.extra_toml = {{"metrics", "listen = \"127.0.0.1:9517\""}};
  world.start_agent(Site::kA, options);
  Watch watch(world, Site::kA);
  REQUIRE(is_watched(world, Site::kA));
  world.lab().stop_agent(Site::kA);
  world.start_agent(Site::kA, options);
  REQUIRE(is_watched(world, Site::kA));
  world.lab().start_vm("one", Site::kA);
  CHECK(wait_for([&] { return !watch.events("move").empty(); }, kPatience));
  CHECK(watch.running());

  world.lab().frr(Site::kA).daemon("zebra").kill9();
  CHECK(wait_for(
      [&] {
        const std::string answer = get(world, Site::kA, "/healthz");
        return answer.starts_with("HTTP/1.1 503 ") && answer.find("\nsink waiting: ") != std::string::npos;
      },
      kPatience));
  CHECK_FALSE(watch.events("sink").empty());
}

TEST_CASE("the doctor finds the lab fit but for what a namespace cannot show", "[e2e]") {
  World world;
  world.start_agent(Site::kA);
  world.lab().netns(Site::kA).set_sysctl("net/ipv4/conf/br0/rp_filter", "1");
  const auto& config = world.lab().agent(Site::kA).config().string();
  const auto problems = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"doctor", "--config", config});
    std::set<std::string> ids;
    const nlohmann::json report = world.lab().agent(Site::kA).json(arguments);
    for (const auto& check : report.at("checks")) {
      const bool bad = check.at("severity") == "error" || check.at("severity") == "warning";
      if (bad) ids.insert(check.at("id"));
    }
    return ids;
  };
  CHECK(problems({}).count("sysctl-rp-filter") == 1);
  CHECK(problems({"--fix"}).count("sysctl-rp-filter") == 0);
  const std::set<std::string> left = problems({});
  INFO(Catch::rangeToString(left));
  CHECK(left.count("frr-zebra") == 0);
  CHECK(left.count("frr-release") == 0);
  CHECK(left.count("port-class") == 0);
  CHECK(left.count("nft") == 0);
}
