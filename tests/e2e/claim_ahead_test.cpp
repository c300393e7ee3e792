// SPDX-License-Identifier: GPL-2.0-or-later
// `untrombone host claim`: a host is announced at its new site before it moves there.
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

/// A VM at A that both agents know, A as its own.
struct Claimable {
  World world{{.dci_delay = 5ms}};
  Vm& vm = world.lab().start_vm("vm1", Site::kA);

  explicit Claimable(const AgentOptions& options = {}) {
    world.start_agents(options);
    vm.send_garp();
    REQUIRE(world.becomes(Site::kA, vm, "local"));
    REQUIRE(world.becomes(Site::kB, vm, "remote"));
    REQUIRE(world.reaches(vm, Site::kA));
  }

  const Agent& at_b() { return world.lab().agent(Site::kB); }
  nlohmann::json explain_at_b() { return at_b().json({"explain", vm.address()}); }
};

/// zebra's routes of one protocol for the host.
nlohmann::json zebra_routes(const Frr& frr, const Vm& vm, const std::string& protocol) {
  const nlohmann::json table = nlohmann::json::parse(frr.vtysh({"show ip route " + vm.prefix() + " json"}));
  nlohmann::json found = nlohmann::json::array();
  for (const nlohmann::json& route : table.value(vm.prefix(), nlohmann::json::array()))
    if (route.value("protocol", "") == protocol) found.push_back(route);
  return found;
}

}  // namespace

TEST_CASE("a claimed host is ready at its new site, goes on at the old one, and is fresh when it arrives",
          "[e2e]") {
  Claimable scene;
  World& world = scene.world;
  Vm& vm = scene.vm;
  const CommandResult claimed = scene.at_b().cli({"host", "claim", vm.address(), "--for", "5m"});
  INFO(claimed.output);
  CHECK(claimed.status == 0);

  const Frr& frr = world.lab().frr(Site::kB);
  REQUIRE(wait_for([&] { return !zebra_routes(frr, vm, "table").empty(); }, kPatience));
  const nlohmann::json ahead = zebra_routes(frr, vm, "table").front();
  CHECK(ahead["distance"] == 250);
  CHECK(ahead["tag"] == 4212);
  CHECK_FALSE(ahead.value("selected", false));
  CHECK(world.reaches(vm, Site::kA));
  const nlohmann::json explained = scene.explain_at_b();
  CHECK(explained["verdict"] == "remote");
  CHECK(explained["route"]["class"] == "lingering");
  CHECK(explained["expected_seconds"] > 200);
  CHECK(scene.at_b().json({"routes"})["routes"][0]["expected_seconds"] > 200);
  CHECK(scene.at_b().json({"hosts", vm.address()})["hosts"][0]["expected_seconds"] > 200);

  world.lab().move(vm, Site::kB, Announcement::kRarpQemu);
  CHECK(world.reaches(vm, Site::kB));
  CHECK(world.becomes(Site::kB, vm, "local"));
  const nlohmann::json arrived = scene.explain_at_b();
  CHECK(arrived["route"]["class"] == "fresh");
  CHECK(arrived["expected_seconds"].is_null());
}

TEST_CASE("when the old site withdraws a claimed host, the world goes to the new one by the route in place",
          "[e2e]") {
  Claimable scene({.on_exit = "withdraw"});
  World& world = scene.world;
  Vm& vm = scene.vm;
  REQUIRE(scene.at_b().cli({"host", "claim", vm.address()}).status == 0);
  REQUIRE(wait_for([&] { return !zebra_routes(world.lab().frr(Site::kB), vm, "table").empty(); }, kPatience));
  world.lab().stop_agent(Site::kA);
  CHECK(world.reaches(vm, Site::kB));
  CHECK(world.verdict(Site::kB, vm) == "remote");
  // There is no host route but the claim's, and its release takes that.
  CHECK(scene.at_b().cli({"host", "release", vm.address()}).status == 0);
  CHECK(world.host_route_gone(vm.prefix()));
  CHECK(scene.at_b().cli({"host", "release", vm.address()}).status == 1);
}

TEST_CASE("a claim without an arrival expires, and what cannot be claimed is refused with the reason",
          "[e2e]") {
  Claimable scene;
  Vm& vm = scene.vm;
  REQUIRE(scene.at_b().cli({"host", "claim", vm.address(), "--for", "1s"}).status == 0);
  CHECK(wait_for([&] { return scene.at_b().json({"routes"})["routes"].empty(); }, kPatience));
  const nlohmann::json history = scene.explain_at_b()["history"];
  CHECK(history.back()["reason"] == "it was claimed for this site and did not come in time");

  const auto refusal = [&](Site site, const std::string& address) {
    const nlohmann::json answer = scene.world.lab().agent(site).json({"host", "claim", address});
    CHECK(answer["claimed"] == false);
    return answer["reason"].get<std::string>();
  };
  CHECK(refusal(Site::kB, "10.1.0.1").find("it is a gateway") == 0);
  CHECK(refusal(Site::kB, "192.0.2.1") == "it is in none of the configured subnets");
  CHECK(refusal(Site::kA, vm.address()).find("it is here already") == 0);
  CHECK(scene.at_b().cli({"host", "claim", vm.address(), "--for", "fortnight"}).status == 2);
}
