// SPDX-License-Identifier: GPL-2.0-or-later
// The trap that made FRR take back its probing of moved hosts: a probe that is answered from across the fabric makes
// the kernel's neighbour REACHABLE at the site that the host has left, and looks like a sign of life there.
#include <string>

#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

/// The state of a neighbour of the site's kernel: "REACHABLE", or "".
std::string neighbour_state(const Netns& netns, const std::string& address) {
  std::string shown =
      run_command({.argv = {"ip", "neigh", "show", address, "dev", kBridge}, .netns = &netns}).output;
  while (!shown.empty() && (shown.back() == '\n' || shown.back() == ' ')) shown.pop_back();
  const auto space = shown.rfind(' ');
  return space == std::string::npos ? "" : shown.substr(space + 1);
}

}  // namespace

TEST_CASE("a probe that is answered from across the DCI leaves the verdict remote", "[e2e]") {
  World world({.gateway_style = GatewayStyle::kPerSite, .dci_delay = 5ms});
  AgentOptions options;
  options.guard = false;  // the guard would keep the kernel's question, in the gateway's name, off the DCI
  world.start_agents(options);
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  vm.announce(Announcement::kGarp);  // nothing else here makes the guest speak, should its first word be lost
  REQUIRE(world.becomes(Site::kA, vm, "local"));
  world.lab().move(vm, Site::kB, Announcement::kRarpQemu);
  REQUIRE(world.reaches(vm, Site::kB));
  REQUIRE(world.becomes(Site::kB, vm, "local"));
  REQUIRE(world.becomes(Site::kA, vm, "remote"));
  const std::size_t told = world.lab().agent(Site::kA).json({"explain", vm.address()})["history"].size();

  const Netns& left = world.lab().netns(Site::kA);
  for (int round = 0; round < 20; ++round) {
    left.ip("neigh replace " + vm.address() + " lladdr " + format_mac(vm.mac()) + " dev " + kBridge +
            " nud probe\n");
    // The stimulus is real: the answer came over the DCI and the kernel believes in it.
    REQUIRE(wait_for([&] { return neighbour_state(left, vm.address()) == "REACHABLE"; }, kPatience));
    REQUIRE(world.verdict(Site::kA, vm) == "remote");
  }
  const nlohmann::json explained = world.lab().agent(Site::kA).json({"explain", vm.address()});
  CHECK(explained["history"].size() == told);  // not for an instant
  CHECK(explained["location"]["port"] == kDciPort);
  CHECK(explained["location"]["class"] == "dci");
  // zebra says when it is gone.
  CHECK(wait_for(
      [&] {
        return world.lab().agent(Site::kA).json({"explain", vm.address()})["route"].is_null();
      },
      kPatience));
  CHECK(world.reaches(vm, Site::kB));
  CHECK(world.verdict(Site::kB, vm) == "local");
}
