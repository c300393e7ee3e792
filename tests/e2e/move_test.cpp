// SPDX-License-Identifier: GPL-2.0-or-later
// Hosts that come, move and go, seen from the remote client and the remote router.
#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

/// Two sites with agents and a VM at A that the remote router reaches there.
struct Moved {
  World world;
  Vm& vm;

  explicit Moved(const LabOptions& options = {.dci_delay = 5ms}, const AgentOptions& agents = {})
      : world(options), vm(start(world, agents)) {
    REQUIRE(world.reaches(vm, Site::kA));
  }
  static Vm& start(World& world, const AgentOptions& agents) {
    world.start_agents(agents);
    return world.lab().start_vm("vm1", Site::kA);
  }
};

/// A hundred pings a second from the client cross the DCI in neither direction.
void check_straight(World& world, const Vm& vm) {
  const std::uint64_t before = world.crossings(vm);
  Pinger client(world.lab().netns(Node::kClient), vm.address(), 10ms);
  REQUIRE(client.wait_answers(100, kPatience));
  client.stop();
  CHECK(client.summary().lost == 0);
  CHECK(world.crossings(vm) == before);
}

}  // namespace

TEST_CASE("a VM that announces itself by RARP is routed to its new site, both ways", "[e2e]") {
  const auto style = GENERATE(GatewayStyle::kPerSite, GatewayStyle::kAnycast);
  Moved moved({.gateway_style = style, .dci_delay = 25ms});
  World& world = moved.world;
  Vm& vm = moved.vm;
  check_straight(world, vm);

  Pinger client(world.lab().netns(Node::kClient), vm.address(), 10ms);
  REQUIRE(client.wait_answers(20, kPatience));
  const Timestamp start = world.lab().move(vm, Site::kB, Announcement::kRarpQemu);
  REQUIRE(world.reaches(vm, Site::kB));
  REQUIRE(client.wait_answers(100, kPatience, now()));
  client.stop();
  INFO("lost " << client.summary(start).lost << " of " << client.summary(start).sent);
  CHECK(client.summary(start).longest_gap < 500ms);

  CHECK(world.becomes(Site::kB, vm, "local"));
  CHECK(world.becomes(Site::kA, vm, "remote"));
  check_straight(world, vm);
  CHECK(traceroute(world.lab().netns(Node::kClient), vm.address()) ==
        std::vector<std::string>{"198.51.100.1", uplink_address(Site::kB), vm.address()});
}

TEST_CASE("a VM that announces itself by a gratuitous ARP is local at once", "[e2e]") {
  Moved moved;
  World& world = moved.world;
  Vm& vm = moved.vm;
  world.lab().move(vm, Site::kB, Announcement::kGarp);
  REQUIRE(world.reaches(vm, Site::kB));
  CHECK(world.verdict(Site::kB, vm) == "local");
  CHECK(world.becomes(Site::kA, vm, "remote"));
  check_straight(world, vm);
}

TEST_CASE("a VM that announces nothing is found by its traffic", "[e2e]") {
  Moved moved;
  World& world = moved.world;
  Vm& vm = moved.vm;
  Pinger guest = world.ping_from(vm);
  REQUIRE(guest.wait_answers(5, kPatience));
  world.lab().move(vm, Site::kB, Announcement::kNone);
  REQUIRE(world.reaches(vm, Site::kB));
  guest.stop();
  CHECK(world.becomes(Site::kB, vm, "local"));
  check_straight(world, vm);
}

TEST_CASE("a VM whose address its new site never heard is found by its packets", "[e2e]") {
  World world({.dci_delay = 5ms});
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  Pinger client(world.lab().netns(Node::kClient), vm.address(), 10ms);
  REQUIRE(client.wait_answers(5, kPatience));  // its ARP cache is warm: it has no reason to ask anybody
  world.start_agents();
  REQUIRE(world.reaches(vm, Site::kA));
  REQUIRE(world.verdict(Site::kB, vm).empty());
  world.lab().move(vm, Site::kB, Announcement::kRarpQemu);
  REQUIRE(world.reaches(vm, Site::kB));
  client.stop();
  CHECK(world.becomes(Site::kB, vm, "local"));
  check_straight(world, vm);
}

TEST_CASE("a VM that moves to B and back is routed to A again", "[e2e]") {
  Moved moved;
  World& world = moved.world;
  Vm& vm = moved.vm;
  world.lab().move(vm, Site::kB);
  REQUIRE(world.reaches(vm, Site::kB));
  world.lab().move(vm, Site::kA);
  REQUIRE(world.reaches(vm, Site::kA));
  CHECK(world.becomes(Site::kA, vm, "local"));
  CHECK(world.becomes(Site::kB, vm, "remote"));
  check_straight(world, vm);
  // What lingered at B is gone, and A's route stays the only one.
  CHECK(wait_for([&] { return world.lab().agent(Site::kB).json({"routes"})["routes"].empty(); }, kPatience));
  CHECK(world.reaches(vm, Site::kA));
}

TEST_CASE("a VM that is shut down is withdrawn after silent-after", "[e2e]") {
  AgentOptions agents;
  agents.extra_toml = {{"segment.detect", "refresh = \"1s\"\nsilent-after = \"2s\"\nconfirm = \"250ms\""},
                       {"segment.summarize", "linger = \"500ms\""}};
  Moved moved({.dci_delay = 5ms}, agents);
  World& world = moved.world;
  Vm& vm = moved.vm;
  const std::string address = vm.address();
  const std::string prefix = vm.prefix();
  world.lab().shutdown_vm(vm);
  CHECK(world.host_route_gone(prefix));
  CHECK(world.becomes(Site::kA, address, "unknown"));
}

TEST_CASE("through OSPF the move is as straight as through BGP", "[e2e]") {
  Moved moved({.protocol = Protocol::kOspf, .dci_delay = 25ms});
  World& world = moved.world;
  Vm& vm = moved.vm;
  world.lab().move(vm, Site::kB);
  REQUIRE(world.reaches(vm, Site::kB));
  CHECK(world.becomes(Site::kA, vm, "remote"));
  check_straight(world, vm);
}

TEST_CASE("the guard keeps the other site's gateway from answering", "[e2e]") {
  Moved moved;
  World& world = moved.world;
  Vm& vm = moved.vm;
  FrameCapture at_guest(vm.netns(), kGuestPort);
  const MacAddress remote_gateway = parse_mac(gateway_mac(Site::kB, GatewayStyle::kPerSite));
  constexpr MacAddress kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  vm.send(make_arp(kBroadcast, vm.mac(),
                   {.operation = kArpRequest,
                    .sender_mac = vm.mac(),
                    .sender_ip = parse_ipv4(vm.address()),
                    .target_mac = {},
                    .target_ip = parse_ipv4(kGateway)}));
  const auto local_gateway = from_mac(parse_mac(gateway_mac(Site::kA, GatewayStyle::kPerSite)));
  REQUIRE(at_guest.wait_first(kPatience, {}, local_gateway));
  // Anything the other gateway could say takes two DCI delays; other frames of its site do arrive.
  Vm& other = world.lab().start_vm("vm2", Site::kB);
  REQUIRE(at_guest.wait_first(kPatience, {}, from_mac(other.mac())));
  CHECK(at_guest.count(from_mac(remote_gateway)) == 0);
}
