// SPDX-License-Identifier: GPL-2.0-or-later
// IPv6 at parity: the moves, the greeting and the restarts of move_test.cpp and restart_test.cpp with a /128.
#include <cstdio>

#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

/// The remote router's kernel sends the /128 to this site. Its next hop is the edge's link-local address.
bool reaches6(World& world, const Vm& vm, Site site) {
  return world.remote().wait_present({.prefix = vm.prefix6(), .oif = wan_port(site)}, kPatience);
}

/// Two sites with IPv6 and agents, and a VM at A that the remote router reaches there.
struct Moved {
  World world;
  Vm& vm;

  explicit Moved(const LabOptions& options = {.dci_delay = 5ms, .ipv6 = true},
                 const AgentOptions& agents = {})
      : world(options), vm(start(world, agents)) {
    Pinger guest(vm.netns(), kClientAddress6, 20ms);  // it asks for its gateway, and is heard
    REQUIRE(guest.wait_answers(3, kPatience));
    guest.stop();
    REQUIRE(reaches6(world, vm, Site::kA));
  }
  static Vm& start(World& world, const AgentOptions& agents) {
    world.start_agents(agents);
    return world.lab().start_vm("vm1", Site::kA);
  }
};

/// A hundred pings a second from the client cross the DCI in neither direction.
void check_straight6(World& world, const Vm& vm) {
  FrameCapture dci(world.lab().netns(Site::kA), kDciPort, is_echo6_between(kClientAddress6, vm.address6()));
  Pinger client(world.lab().netns(Node::kClient), vm.address6(), 10ms);
  REQUIRE(client.wait_answers(100, kPatience));
  client.stop();
  CHECK(client.summary().lost == 0);
  CHECK(dci.frames().empty());
}

}  // namespace

TEST_CASE("an IPv6 host that announces itself by an advertisement is local at once, and straight", "[e2e]") {
  const auto style = GENERATE(GatewayStyle::kPerSite, GatewayStyle::kAnycast);
  Moved moved({.gateway_style = style, .dci_delay = 5ms, .ipv6 = true});
  World& world = moved.world;
  Vm& vm = moved.vm;
  check_straight6(world, vm);

  Pinger client(world.lab().netns(Node::kClient), vm.address6(), 10ms);
  REQUIRE(client.wait_answers(20, kPatience));
  const Timestamp start = world.lab().move(vm, Site::kB, Announcement::kNa);
  REQUIRE(reaches6(world, vm, Site::kB));
  CHECK(world.lab().agent(Site::kB).json({"explain", vm.address6()}).value("verdict", "") == "local");
  REQUIRE(client.wait_answers(100, kPatience, now()));
  client.stop();
  INFO("lost " << client.summary(start).lost << " of " << client.summary(start).sent);
  CHECK(client.summary(start).longest_gap < 500ms);
  CHECK(world.becomes(Site::kA, vm.address6(), "remote"));
  check_straight6(world, vm);
}

TEST_CASE("RARP brings the remembered IPv6 binding along, and the IPv4 one", "[e2e]") {
  Moved moved({.dci_delay = 25ms, .ipv6 = true});
  World& world = moved.world;
  Vm& vm = moved.vm;
  REQUIRE(world.becomes(Site::kB, vm.address6(), "remote"));
  FrameCapture access(world.lab().netns(Site::kB), kAccessPort);
  world.lab().move(vm, Site::kB, Announcement::kRarpQemu);
  REQUIRE(reaches6(world, vm, Site::kB));
  CHECK(world.reaches(vm, Site::kB));
  CHECK(world.becomes(Site::kB, vm.address6(), "local"));
  CHECK(world.becomes(Site::kB, vm, "local"));
  CHECK(world.becomes(Site::kA, vm.address6(), "remote"));
  CHECK(access.count(is_nd_greeting_to(vm.mac(), kGateway6)) >= 1);
  check_straight6(world, vm);
}

TEST_CASE("an IPv6 guest keeps its gateway local after a move", "[e2e]") {
  Moved moved;
  World& world = moved.world;
  Vm& vm = moved.vm;
  Pinger guest(vm.netns(), kClientAddress6, 20ms);  // its neighbour entry of the gateway is A's, and in use
  REQUIRE(guest.wait_answers(5, kPatience));
  world.lab().move(vm, Site::kB, Announcement::kNa);
  REQUIRE(reaches6(world, vm, Site::kB));
  CHECK(wait_for(
      [&] {
        const CommandResult neighbours =
            run_command({.argv = {"ip", "-6", "neigh", "show", kGateway6}, .netns = &vm.netns()});
        return neighbours.output.find(gateway_mac(Site::kB, GatewayStyle::kPerSite)) != std::string::npos;
      },
      kPatience));
  REQUIRE(guest.wait_answers(20, kPatience, now()));
  guest.stop();
  check_straight6(world, vm);
  const auto greeting = world.lab().agent(Site::kB).json({"explain", vm.address6()})["greeting"];
  CHECK(greeting.value("answered", false));
}

TEST_CASE("a guest whose IPv6 address the new site never heard of leaves there at once", "[e2e]") {
  World world({.dci_delay = 5ms, .ipv6 = true});
  world.start_agents();
  Vm& vm = world.lab().start_vm("vm1", Site::kA, {.silent = true});
  vm.send_garp();
  Pinger guest(vm.netns(), kClientAddress6, 20ms);
  REQUIRE(guest.wait_answers(5, kPatience));
  REQUIRE(reaches6(world, vm, Site::kA));
  REQUIRE(world.becomes(Site::kB, vm, "remote"));
  REQUIRE_FALSE(world.lab().agent(Site::kB).json({"explain", vm.address6()}).value("found", true));

  FrameCapture uplink(world.lab().netns(Site::kB), kUplink, is_echo6_between(kClientAddress6, vm.address6()));
  const Timestamp moved = world.lab().move(vm, Site::kB, Announcement::kRarpQemu);
  const auto leaves = uplink.wait_first(kPatience, moved);
  REQUIRE(leaves);
  CHECK(leaves->at - moved < 500ms);
  // By itself that takes until the old site's edge asks again: 38 s in one run.
  vm.send(make_solicitation(vm.mac(), parse_ipv6(vm.address6()), parse_ipv6("2001:db8:1::77")));
  REQUIRE(reaches6(world, vm, Site::kB));
  guest.stop();
  check_straight6(world, vm);
}

TEST_CASE("an IPv6 host that announces nothing is found by its traffic", "[e2e]") {
  Moved moved;
  World& world = moved.world;
  Vm& vm = moved.vm;
  Pinger guest(vm.netns(), kClientAddress6, 20ms);
  REQUIRE(guest.wait_answers(5, kPatience));
  world.lab().move(vm, Site::kB, Announcement::kNone);
  REQUIRE(reaches6(world, vm, Site::kB));
  guest.stop();
  CHECK(world.becomes(Site::kB, vm.address6(), "local"));
  check_straight6(world, vm);
}

TEST_CASE("a /128 survives the agent without a flap, and is swept when its host left meanwhile", "[e2e]") {
  AgentOptions options;
  options.extra_toml = {{"segment.detect", "confirm = \"500ms\""}};
  Moved moved({.dci_delay = 5ms, .ipv6 = true}, options);
  World& world = moved.world;
  Vm& vm = moved.vm;
  Vm& leaver = world.lab().start_vm("vm2", Site::kA);
  REQUIRE(reaches6(world, leaver, Site::kA));
  REQUIRE(world.reaches(leaver, Site::kA));

  const Timestamp killed = now();
  world.lab().agent(Site::kA).process().kill9();
  const std::string gone4 = leaver.prefix();
  const std::string gone6 = leaver.prefix6();
  world.lab().shutdown_vm(leaver);
  world.start_agent(Site::kA, options);
  CHECK(world.host_route_gone(gone6));
  CHECK(world.host_route_gone(gone4));
  CHECK(world.becomes(Site::kA, vm.address6(), "local"));
  // zebra of 7.5 has no --v6-rr-semantics: it changes an IPv6 route by removing it first (docs/frr.md).
  const bool replaces = world.lab().frr(Site::kA).version() >= 800;
  for (const RouteEvent& event : world.remote().events(killed)) {
    if (replaces) CHECK_FALSE((event.prefix == vm.prefix6() && event.kind == RouteEvent::Kind::kDelete));
  }
  CHECK(reaches6(world, vm, Site::kA));
}

TEST_CASE("zebra's own sweep takes a /128 that the new run does not announce", "[e2e]") {
  AgentOptions options;
  options.extra_toml = {{"segment.detect", "confirm = \"500ms\""}};
  Moved moved({.dci_delay = 5ms, .ipv6 = true}, options);
  World& world = moved.world;
  Vm& vm = moved.vm;
  const std::string prefix6 = vm.prefix6();
  const std::string prefix = vm.prefix();
  // zebra compares ages in whole seconds: what was added in the second of the disconnection is not swept.
  Pinger client(world.lab().netns(Node::kClient), vm.address6(), 10ms);
  REQUIRE(client.wait_answers(200, kPatience));
  client.stop();
  world.lab().agent(Site::kA).process().kill9();
  // No host for the new run, which therefore neither announces it nor withdraws it by name.
  options.extra_toml.emplace("segment", "exclude = [\"" + vm.prefix() + "\", \"" + vm.prefix6() + "\"]");
  world.start_agent(Site::kA, options);
  CHECK(world.host_route_gone(prefix6));
  CHECK(world.host_route_gone(prefix));
}

TEST_CASE("an agent told to withdraw leaves no /128", "[e2e]") {
  AgentOptions options;
  options.on_exit = "withdraw";
  Moved moved({.dci_delay = 5ms, .ipv6 = true}, options);
  World& world = moved.world;
  Vm& vm = moved.vm;
  CHECK(world.lab().stop_agent(Site::kA) == 0);
  CHECK(world.host_route_gone(vm.prefix6()));
}

namespace {

/// Two sites with agents that found a guest with both families at A when they started: its routes are settled.
struct Settled {
  World world{{.dci_delay = 5ms, .ipv6 = true}};
  Vm& vm = world.lab().start_vm("vm1", Site::kA);

  Settled() {
    for (const char* client : {kClientAddress, kClientAddress6}) {
      Pinger guest(vm.netns(), client, 20ms);  // the kernel's neighbour table knows it then
      REQUIRE(guest.wait_answers(3, kPatience));
      guest.stop();
    }
    world.start_agents({.settle = "9s"});
    REQUIRE(world.reaches(vm, Site::kA));
    REQUIRE(reaches6(world, vm, Site::kA));
    REQUIRE(world.becomes(Site::kA, vm.address6(), "local"));
    REQUIRE(explain()["route"].value("class", "") == "settled");
  }
  nlohmann::json explain() { return world.lab().agent(Site::kA).json({"explain", vm.address6()}); }
  bool has_reason(const std::string& reason) {
    const nlohmann::json explanation = explain();
    for (const nlohmann::json& step : explanation["history"])
      if (step["reason"] == reason) return true;
    return false;
  }
};

}  // namespace

TEST_CASE("a site that no frame told learns from the claim of the /128, asks, and withdraws", "[e2e]") {
  Settled settled;
  World& world = settled.world;
  Vm& vm = settled.vm;
  world.lab().dci().cut();
  world.lab().move(vm, Site::kB, Announcement::kNa);
  REQUIRE(reaches6(world, vm, Site::kB));  // the claim is out
  const Timestamp claimed = now();
  REQUIRE(wait_for([&] { return !settled.explain()["claims"].empty(); }, kPatience));
  const auto noticed = std::chrono::duration_cast<std::chrono::milliseconds>(now() - claimed);
  std::printf("an IPv6 claim was noticed after %lld ms\n", static_cast<long long>(noticed.count()));
  CHECK(noticed < 3s);  // a third of `settle`
  const nlohmann::json claim = settled.explain()["claims"].front();
  CHECK(claim["prefix"] == vm.prefix6());
  CHECK(claim["class"] == "fresh");
  CHECK(world.becomes(Site::kA, vm.address6(), "unknown"));
  CHECK(settled.has_reason("another site claims it, and it did not answer a probe on a local port"));
  // Site B knew the IPv4 address of the MAC, and announces it, too.
  CHECK(world.becomes(Site::kA, vm, "unknown"));
  CHECK(wait_for([&] { return world.lab().agent(Site::kA).json({"routes"})["routes"].empty(); }, kPatience));
  CHECK(reaches6(world, vm, Site::kB));
}

TEST_CASE(
    "a /128 goes from a site that no frame told when only the guest's IPv4 address was said at the other one",
    "[e2e]") {
  Settled settled;
  World& world = settled.world;
  Vm& vm = settled.vm;
  world.lab().dci().cut();
  world.lab().move(vm, Site::kB, Announcement::kGarp);
  REQUIRE(world.reaches(vm, Site::kB));
  CHECK(world.becomes(Site::kA, vm, "unknown"));
  CHECK(world.becomes(Site::kA, vm.address6(), "unknown"));
  CHECK(wait_for([&] { return world.lab().agent(Site::kA).json({"routes"})["routes"].empty(); }, kPatience));
}
