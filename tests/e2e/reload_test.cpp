// SPDX-License-Identifier: GPL-2.0-or-later
// A configuration that changes under a running agent.
#include <csignal>

#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

constexpr const char* kMore = R"(
[[segment]]
name = "more"
bridge = "br9"
subnets = ["10.9.0.0/24"]
gateways = ["10.9.0.1"]
)";
constexpr const char* kMoreHost = "10.9.0.5/32";

std::string with_line(std::string text, const std::string& after, const std::string& line) {
  const std::size_t at = text.find(after);
  REQUIRE(at != std::string::npos);
  return text.insert(text.find('\n', at) + 1, line + "\n");
}

/// A second bridge at A, with one port; its guest speaks.
void add_bridge(World& world) {
  const Netns& site = world.lab().netns(Site::kA);
  site.ip(
      "link add br9 type bridge mcast_snooping 0\nlink add p9 type veth peer name g9\nlink set p9 master "
      "br9\n"
      "link set br9 up\nlink set p9 up\nlink set g9 up\naddress add 10.9.0.1/24 dev br9\n");
}

void speak(World& world) {
  const MacAddress guest = parse_mac("52:54:00:00:09:05");
  FrameSender(world.lab().netns(Site::kA), "g9").send(make_garp(guest, parse_ipv4("10.9.0.5")));
}

}  // namespace

TEST_CASE("a reload applies what has changed, refuses what is wrong, and flaps nothing", "[e2e]") {
  World world;
  world.start_agent(Site::kA);
  Agent& agent = world.lab().agent(Site::kA);
  Vm& stays = world.lab().start_vm("vm1", Site::kA);
  Vm& leaves = world.lab().start_vm("vm2", Site::kA);
  REQUIRE(world.reaches(stays, Site::kA));
  REQUIRE(world.reaches(leaves, Site::kA));
  const std::string before = read_file(agent.config());
  const Timestamp start = now();

  CHECK(agent.cli({"reload"}).output == "nothing has changed\n");

  add_bridge(world);
  write_file(agent.config(), before + kMore);
  const CommandResult added = agent.cli({"reload"});
  CHECK(added.status == 0);
  CHECK(added.output == "changed        segment \"more\": added\n");
  CHECK(wait_for(
      [&] {
        speak(world);
        return world.remote().wait_present({.prefix = kMoreHost, .gateway = uplink_address(Site::kA)}, 100ms);
      },
      kPatience));

  const std::string excluding = with_line(before, "gateways = ", "exclude = [\"" + leaves.prefix() + "\"]");
  write_file(agent.config(), with_line(excluding, "[routes]", "table = 77") + kMore);
  const nlohmann::json changed = agent.json({"reload"});
  CHECK(changed["applied"] == true);
  CHECK(changed["changed"] == nlohmann::json::array({"segment \"lab\": exclude"}));
  CHECK(changed["needs_restart"] == nlohmann::json::array({"routes.table"}));
  CHECK(world.host_route_gone(leaves.prefix()));

  write_file(agent.config(), with_line(before, "[routes]", "nonsense = 1"));
  const CommandResult refused = agent.cli({"reload"});
  CHECK(refused.status == 1);
  CHECK(refused.output.find("agent.toml:") != std::string::npos);
  CHECK(refused.output.find("routes.nonsense: unknown key") != std::string::npos);
  CHECK(agent.cli({"status"}).status == 0);

  write_file(agent.config(), before);
  agent.process().signal(SIGHUP);
  CHECK(world.host_route_gone(kMoreHost));
  CHECK(wait_for([&] { return agent.json({"status"})["segments"].size() == 1; }, kPatience));
  CHECK(world.becomes(Site::kA, stays, "local"));
  CHECK(read_file(agent.log()).find("[reload-refused]") != std::string::npos);
  for (const RouteEvent& event : world.remote().events(start)) CHECK(event.prefix != stays.prefix());
}
