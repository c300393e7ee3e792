// SPDX-License-Identifier: GPL-2.0-or-later
// Agents that start late, die and come back.
#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

TEST_CASE("an agent that starts after the hosts finds them and announces them settled", "[e2e]") {
  World world;
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  Pinger guest = world.ping_from(vm);  // the kernel's neighbour table knows it then
  REQUIRE(guest.wait_answers(3, kPatience));
  guest.stop();
  world.start_agents();
  REQUIRE(world.reaches(vm, Site::kA));
  CHECK(world.becomes(Site::kA, vm, "local"));
  CHECK(world.lab().agent(Site::kA).json({"explain", vm.address()})["route"].value("class", "") == "settled");
}

TEST_CASE("an agent that is killed and restarted makes no route flap", "[e2e]") {
  World world;
  world.start_agents();
  Vm& vm = world.lab().start_vm("vm1", Site::kA);  // known by its gratuitous ARP only
  REQUIRE(world.reaches(vm, Site::kA));
  Pinger client(world.lab().netns(Node::kClient), vm.address(), 10ms);
  REQUIRE(client.wait_answers(20, kPatience));

  const Timestamp killed = now();
  world.lab().agent(Site::kA).process().kill9();
  REQUIRE(client.wait_answers(50, kPatience, killed));  // nobody home, and nothing is lost
  world.start_agent(Site::kA);  // returns when the guard is up: the sweep is behind us
  REQUIRE(world.becomes(Site::kA, vm, "local"));
  REQUIRE(client.wait_answers(100, kPatience, now()));
  client.stop();

  CHECK(client.summary().lost == 0);
  for (const RouteEvent& event : world.remote().events(killed)) {
    CHECK_FALSE((event.prefix == vm.prefix() && event.kind == RouteEvent::Kind::kDelete));
  }
  CHECK(world.reaches(vm, Site::kA));
}

TEST_CASE("a host that left while the agent was down is swept", "[e2e]") {
  World world;
  AgentOptions options;
  options.extra_toml = {{"segment.detect", "confirm = \"500ms\""}};
  world.start_agents(options);
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  REQUIRE(world.reaches(vm, Site::kA));
  world.lab().agent(Site::kA).process().kill9();
  const std::string prefix = vm.prefix();
  world.lab().shutdown_vm(vm);
  world.start_agent(Site::kA, options);
  CHECK(world.host_route_gone(prefix));
}

TEST_CASE("an agent told to withdraw leaves nothing in zebra and no guard", "[e2e]") {
  World world;
  AgentOptions options;
  options.on_exit = "withdraw";
  world.start_agents(options);
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  REQUIRE(world.reaches(vm, Site::kA));
  CHECK(world.lab().stop_agent(Site::kA) == 0);
  CHECK(world.host_route_gone(vm.prefix()));
  const CommandResult tables =
      run_command({.argv = {"nft", "list", "tables"}, .netns = &world.lab().netns(Site::kA)});
  CHECK(tables.output.find("untrombone") == std::string::npos);
}
