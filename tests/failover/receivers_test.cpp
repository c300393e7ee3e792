// SPDX-License-Identifier: GPL-2.0-or-later
// A summary comes and goes, seen by the routing daemons that people have at the other end: at no instant may one of
// them lack a route to a host.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/failover/remote_table.hpp"
#include "tests/lab/lab.hpp"

using namespace untrombone::failover;
using namespace untrombone::lab;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kFirst = 0x0a010800;      // 10.1.8.0
constexpr std::uint32_t kLabSubnet = 0x0a010000;  // 10.1.0.0/16
constexpr std::uint32_t kHosts = 64;
constexpr std::uint32_t kMover = 7;
constexpr auto kPatience = 60s;
constexpr const char* kWan = "198.51.100.1";
constexpr const char* kBird = kClientAddress;
constexpr const char* kGobgp = "198.51.100.11";

MacAddress mac_of(std::uint32_t host) {
  return {0x02, 0x00, 0x5e, 0x00, 0x08, static_cast<std::uint8_t>(host)};
}

std::string bird_config() {
  return "router id 198.51.100.10;\n"
         "protocol device {}\n"
         "protocol kernel { ipv4 { export all; }; }\n"
         "protocol bgp wan {\n"
         "  local 198.51.100.10 as 65100;\n"
         "  neighbor 198.51.100.1 as 65000;\n"
         "  connect delay time 1;\n"
         "  connect retry time 1;\n"
         "  ipv4 { import all; export none; };\n"
         "}\n";
}

std::string gobgp_config() {
  return "[global.config]\n"
         "as = 65200\n"
         "router-id = \"198.51.100.11\"\n"
         "port = -1\n"
         "[[neighbors]]\n"
         "[neighbors.config]\n"
         "neighbor-address = \"198.51.100.1\"\n"
         "peer-as = 65000\n"
         "[neighbors.transport.config]\n"
         "local-address = \"198.51.100.11\"\n";
}

/// GoBGP keeps no kernel table: what it tells a follower of its best paths, as events.
std::vector<RouteEvent> gobgp_events(const std::filesystem::path& followed) {
  std::vector<RouteEvent> events;
  std::ifstream file(followed);
  for (std::string line; std::getline(file, line);) {
    const auto paths = nlohmann::json::parse(line, nullptr, false);
    if (!paths.is_array()) continue;  // the last line, still being written
    for (const auto& path : paths) {
      RouteEvent event;
      event.prefix = path["nlri"].value("prefix", "");
      event.gateway = kWan;
      event.kind = path.value("withdrawal", false) ? RouteEvent::Kind::kDelete : RouteEvent::Kind::kNew;
      events.push_back(event);
    }
  }
  return events;
}

RemoteTable empty_table() {
  std::vector<std::uint32_t> hosts(kHosts);
  for (std::uint32_t host = 0; host < kHosts; ++host) hosts[host] = kFirst + host;
  return {hosts, kLabSubnet, 16};
}

RemoteTable replay(const std::vector<RouteEvent>& events) {
  RemoteTable table = empty_table();
  for (const RouteEvent& event : events) table.apply(event);
  return table;
}

/// Hosts, but for the mover, that had a route and at an instant had none.
std::set<std::size_t> dark_hosts(const std::vector<RouteEvent>& events) {
  RemoteTable table = empty_table();
  std::set<std::size_t> dark;
  for (const RouteEvent& event : events) {
    table.apply(event, [&](std::size_t host, const std::string& gateway) {
      if (gateway.empty() && host != kMover) dark.insert(host);
    });
  }
  return dark;
}

bool has_merged(const RemoteTable& table) { return table.has(kFirst, 26) && !table.has(kFirst + kMover, 32); }
bool has_split(const RemoteTable& table) {
  return !table.has(kFirst, 26) && table.has(kFirst + 32, 27) && table.has(kFirst + 6, 32);
}

template <class Condition>
bool comes_true(Condition condition) {
  return wait_until(condition, std::chrono::steady_clock::now() + kPatience, 100ms);
}

}  // namespace

TEST_CASE("a summary comes and goes, and neither FRR nor BIRD nor GoBGP lacks a route for an instant",
          "[e2e]") {
  Lab lab;
  const Netns& client = lab.netns(Node::kClient);
  client.ip(std::string("address add ") + kGobgp + "/24 dev eth0\n");
  std::vector<std::string> commands{"configure terminal", "router bgp 65000"};
  for (const auto& [address, as] : {std::pair{kBird, "65100"}, std::pair{kGobgp, "65200"}}) {
    const std::string neighbor = std::string("neighbor ") + address;
    commands.insert(commands.end(), {neighbor + " remote-as " + as, neighbor + " passive",
                                     neighbor + " advertisement-interval 0"});
  }
  lab.frr(Node::kWan).vtysh(commands);

  const std::filesystem::path directory = lab.directory(Node::kClient);
  std::filesystem::create_directories(directory);
  write_file(directory / "bird.conf", bird_config());
  write_file(directory / "gobgp.toml", gobgp_config());
  RouteWatcher frr(lab.netns(Node::kWan));
  RouteWatcher bird(client);
  const auto start = [&](std::vector<std::string> argv, const char* output) {
    return Process({.argv = std::move(argv), .netns = &client, .output = directory / output});
  };
  Process bird_daemon =
      start({"bird", "-f", "-c", directory / "bird.conf", "-s", directory / "bird.ctl"}, "bird.log");
  Process gobgp_daemon = start({"gobgpd", "-t", "toml", "-f", directory / "gobgp.toml"}, "gobgpd.log");
  REQUIRE(comes_true([&] {
    return run_command({.argv = {"gobgp", "neighbor"}, .netns = &client}).output.find("Establ") !=
           std::string::npos;
  }));
  Process follower = start({"gobgp", "monitor", "global", "rib", "-j"}, "gobgp.json");
  REQUIRE(bird.wait_present({.prefix = kSubnet, .gateway = kWan}, kPatience));

  Agent& agent = lab.start_agent(
      Site::kA,
      {.binary = UNTROMBONE_BIN,
       .settle = "1s",
       .greet = false,
       .log_level = "warning",
       .extra_toml = {{"segment.summarize", "hold = \"1s\"\nbreak-delay = \"1s\"\nlinger = \"1s\"\n"},
                      {"segment.detect", "refresh = \"10m\"\nsilent-after = \"30m\""}}});
  REQUIRE(agent.wait_ready(kPatience));
  const auto all_of_them = [&](bool (*holds)(const RemoteTable&)) {
    return holds(replay(frr.events())) && holds(replay(bird.events())) &&
           holds(replay(gobgp_events(directory / "gobgp.json")));
  };
  Vm& vm = lab.start_vm("vm1", Site::kA);
  for (std::uint32_t host = 0; host < kHosts; ++host) vm.send(make_garp(mac_of(host), kFirst + host));
  REQUIRE(comes_true([&] { return all_of_them(has_merged); }));
  // One of them has moved: the block may not stay whole.
  lab.start_vm("vm2", Site::kB).send(make_garp(mac_of(kMover), kFirst + kMover));
  REQUIRE(comes_true([&] { return all_of_them(has_split); }));

  CHECK(dark_hosts(frr.events()).empty());
  CHECK(dark_hosts(bird.events()).empty());
  CHECK(dark_hosts(gobgp_events(directory / "gobgp.json")).empty());
  CHECK(frr.overruns() + bird.overruns() == 0);
}
