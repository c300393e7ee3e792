// SPDX-License-Identifier: GPL-2.0-or-later
// What a site learns from the other's claims when no frame tells it, and what it does without its uplink.
#include <algorithm>
#include <cstdio>

#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

constexpr auto kSettle = 9s;

/// Two sites with agents that found a VM at A when they started: its route is settled.
struct Settled {
  World world;
  Vm& vm;

  Settled(const LabOptions& options, const AgentOptions& agents)
      : world(options), vm(world.lab().start_vm("vm1", Site::kA)) {
    Pinger guest = world.ping_from(vm);  // the kernel's neighbour table knows it then
    REQUIRE(guest.wait_answers(3, kPatience));
    guest.stop();
    world.start_agents(agents);
    REQUIRE(world.reaches(vm, Site::kA));
    REQUIRE(world.becomes(Site::kA, vm, "local"));
    REQUIRE(world.lab().agent(Site::kA).json({"explain", vm.address()})["route"].value("class", "") ==
            "settled");
  }
};

/// The first claim on the host that the site's agent knows of; null when it knows none.
nlohmann::json claim_at(World& world, Site site, const Vm& vm) {
  const nlohmann::json claims =
      world.lab().agent(site).json({"explain", vm.address()}).value("claims", nlohmann::json());
  return claims.is_array() && !claims.empty() ? claims.front() : nlohmann::json();
}

bool is_isolated(const Agent& agent) {
  return agent.json({"status"})["uplink"].value("state", "") == "isolated";
}

std::string guard_state(const Agent& agent) { return agent.json({"status"})["guard"].value("state", ""); }

}  // namespace

TEST_CASE("a site that no frame told learns from the claim that its host has moved, and withdraws", "[e2e]") {
  const auto protocol = GENERATE(Protocol::kBgp, Protocol::kOspf);
  Settled settled({.protocol = protocol, .dci_delay = 5ms}, {.settle = "9s"});
  World& world = settled.world;
  Vm& vm = settled.vm;
  world.lab().dci().cut();
  world.lab().move(vm, Site::kB, Announcement::kGarp);
  REQUIRE(world.reaches(vm, Site::kB));  // the claim is out
  const Timestamp claimed = now();
  REQUIRE(wait_for([&] { return !claim_at(world, Site::kA, vm).is_null(); }, kPatience));
  const auto noticed = std::chrono::duration_cast<std::chrono::milliseconds>(now() - claimed);
  std::printf("a claim was noticed after %lld ms\n", static_cast<long long>(noticed.count()));
  CHECK(noticed < kSettle / 3);
  const nlohmann::json claim = claim_at(world, Site::kA, vm);
  CHECK(claim["prefix"] == vm.prefix());
  // A kernel table's routes have no tags, and an IGP tells the class by nothing else (docs/frr.md).
  const bool untold = protocol == Protocol::kOspf && world.lab().options().sink == Sink::kKernelTable;
  CHECK(claim["class"] == (untold ? "settled" : "fresh"));
  CHECK(claim["next_hop"] == wan_address(Site::kA));

  CHECK(world.becomes(Site::kA, vm, "unknown"));
  CHECK(wait_for([&] { return world.lab().agent(Site::kA).json({"routes"})["routes"].empty(); }, kPatience));
  CHECK(world.lab().agent(Site::kA).json({"status"})["claims"]["conflicts"] == 0);
  CHECK(world.becomes(Site::kB, vm, "local"));
  CHECK(world.reaches(vm, Site::kB));
}

TEST_CASE("with BMP a claim is told, not asked for", "[e2e]") {
  Settled settled({.dci_delay = 5ms},
                  {.settle = "60s", .extra_toml = {{"routes", "bmp-listen = \"127.0.0.1:5000\""}}});
  World& world = settled.world;
  Vm& vm = settled.vm;
  world.lab().frr(Site::kA).vtysh({"configure terminal", "router bgp 65001", "bmp targets UNTROMBONE",
                                   "bmp connect 127.0.0.1 port 5000 min-retry 100 max-retry 1000",
                                   "bmp monitor ipv4 unicast post-policy"});
  const auto bmp_works = [&] {
    const nlohmann::json status = world.lab().agent(Site::kA).json({"status"});
    for (const nlohmann::json& list : status["claims"]["lists"])
      if (list["name"] == "bmp") return list["state"] == "working";
    return false;
  };
  REQUIRE(wait_for(bmp_works, kPatience));
  world.lab().dci().cut();
  world.lab().move(vm, Site::kB, Announcement::kGarp);
  REQUIRE(world.reaches(vm, Site::kB));
  const Timestamp claimed = now();
  const auto told = [&] {
    const auto claims =
        world.lab().agent(Site::kA).json({"explain", vm.address()}).value("claims", nlohmann::json());
    return std::any_of(claims.begin(), claims.end(), [](const auto& claim) {
      return claim["seen_in"] == "bmp" && claim["class"] == "fresh";
    });
  };
  REQUIRE(wait_for(told, kPatience));
  const auto noticed = std::chrono::duration_cast<std::chrono::milliseconds>(now() - claimed);
  std::printf("a claim was told after %lld ms\n", static_cast<long long>(noticed.count()));
  CHECK(world.becomes(Site::kA, vm, "unknown"));
}

TEST_CASE("a host that answers although another site claims it stays, and the conflict is counted", "[e2e]") {
  Settled settled({.dci_delay = 5ms}, {.settle = "9s"});
  World& world = settled.world;
  Vm& vm = settled.vm;
  world.lab().dci().cut();
  // The same address, at the other site.
  Vm& twin = world.lab().start_vm("vm2", Site::kB, {.address = vm.address()});
  REQUIRE(world.reaches(twin, Site::kB));
  const Agent& agent = world.lab().agent(Site::kA);
  CHECK(wait_for([&] { return agent.json({"status"})["claims"]["conflicts"] >= 1; }, kPatience));
  CHECK(world.verdict(Site::kA, vm) == "local");
  const nlohmann::json alarms = agent.json({"status"})["alarms"];
  REQUIRE_FALSE(alarms.empty());
  CHECK(alarms.front()["kind"] == "claimed-twice");
  CHECK(alarms.front()["subject"] == vm.address());
}

TEST_CASE("a site that loses its uplink withdraws everything and opens its guard, until it is back",
          "[e2e]") {
  World world({.dci_delay = 5ms});
  world.start_agents({.track = "[\"0.0.0.0/0\"]", .extra_toml = {{"routes", "track-hold = \"1s\""}}});
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  REQUIRE(world.reaches(vm, Site::kA));
  const Agent& agent = world.lab().agent(Site::kA);
  CHECK_FALSE(is_isolated(agent));

  const std::string neighbor = "neighbor " + wan_address(Site::kA) + " shutdown";
  world.lab().frr(Site::kA).vtysh({"configure terminal", "router bgp 65001", neighbor});
  CHECK(wait_for([&] { return is_isolated(agent); }, kPatience));
  CHECK(wait_for([&] { return agent.json({"routes"})["routes"].empty(); }, kPatience));
  CHECK(wait_for([&] { return guard_state(agent) == "open"; }, kPatience));
  CHECK_FALSE(agent.json({"status"}).value("healthy", true));
  CHECK(agent.cli({"status"}).status == 1);
  CHECK(world.verdict(Site::kA, vm) == "local");
  CHECK(world.host_route_gone(vm.prefix()));
  // The world now enters by the other site, and crosses the DCI to the guest.
  CHECK(world.remote().wait_present({.prefix = kSubnet, .gateway = uplink_address(Site::kB)}, kPatience));

  world.lab().frr(Site::kA).vtysh({"configure terminal", "router bgp 65001", "no " + neighbor});
  CHECK(wait_for([&] { return !is_isolated(agent); }, 30s));
  CHECK(world.reaches(vm, Site::kA, 30s));
  CHECK(wait_for([&] { return guard_state(agent) == "active"; }, kPatience));
}
