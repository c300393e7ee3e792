// SPDX-License-Identifier: GPL-2.0-or-later
// Egress stays local: seen from the guests, from the uplinks and from the DCI.
#include <algorithm>
#include <csignal>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/e2e/world.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

/// Agents that know the gateway MACs of both sites.
AgentOptions with_macs(GatewayStyle style, const std::string& guard = "") {
  AgentOptions options;
  std::string macs = fmt::format("\"{}\"", gateway_mac(Site::kA, style));
  if (style == GatewayStyle::kPerSite) macs += fmt::format(", \"{}\"", gateway_mac(Site::kB, style));
  options.extra_toml = {{"segment", fmt::format("gateway-macs = [{}]", macs)}};
  if (!guard.empty()) options.extra_toml.emplace("segment.guard", guard);
  return options;
}

bool is_gateway_answer(FrameView frame) {
  const auto arp = arp_body_of(frame);
  if (arp) return arp->operation == kArpReply && arp->sender_ip == parse_ipv4(kGateway);
  const auto nd = nd_body_of(frame);
  return nd && nd->type == kNeighborAdvertisement && nd->target == parse_ipv6(kGateway6);
}

/// Asks for the gateway in both families; which MACs answer? `elsewhere` is a guest at the other site.
std::vector<std::string> who_is_gateway(Vm& vm, Vm& elsewhere) {
  FrameCapture here(vm.netns(), kGuestPort);
  FrameCapture there(elsewhere.netns(), kGuestPort);
  vm.send(make_arp(kBroadcastMac, vm.mac(),
                   {.operation = kArpRequest,
                    .sender_mac = vm.mac(),
                    .sender_ip = parse_ipv4(vm.address()),
                    .target_mac = {},
                    .target_ip = parse_ipv4(kGateway)}));
  vm.send(make_solicitation(vm.mac(), parse_ipv6(vm.address6()), parse_ipv6(kGateway6)));
  // Frames do not overtake each other on the DCI: when this has gone there and something has come back after it, all
  // that the other gateway could say has come, too.
  const auto is_marker_of = [](const Vm& guest) {
    return [mac = guest.mac(), ip = parse_ipv4(guest.address())](FrameView frame) {
      const auto body = arp_body_of(frame);
      return body && source_of(frame) == mac && body->sender_ip == ip && body->target_ip == ip;
    };
  };
  vm.send_garp();
  REQUIRE(there.wait_first(kPatience, {}, is_marker_of(vm)));
  elsewhere.send_garp();
  REQUIRE(here.wait_first(kPatience, {}, is_marker_of(elsewhere)));
  std::vector<std::string> macs;
  for (const CapturedFrame& captured : here.frames()) {
    if (!captured.outgoing && is_gateway_answer(captured.frame))
      macs.push_back(format_mac(*source_of(captured.frame)));
  }
  return macs;
}

/// Echo requests that a guest sends to the client, by sequence number.
std::set<int> requests_in(FrameCapture& capture, const Vm& vm, Timestamp since) {
  constexpr std::size_t kSequenceAt = 14 + 20 + 6;
  std::set<int> found;
  for (const CapturedFrame& captured : capture.frames(since)) {
    const auto pair = icmp_pair_of(captured.frame);
    if (!captured.outgoing && pair && pair->source == parse_ipv4(vm.address()))
      found.insert(captured.frame[kSequenceAt] << 8 | captured.frame[kSequenceAt + 1]);
  }
  return found;
}

double milliseconds_of(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

/// A guest that talks to the client through a gateway whose MAC is another one after each move.
class Mover {
 public:
  explicit Mover(const AgentOptions& agents) : world_({.dci_delay = 5ms}) {
    world_.start_agents(agents);
    vm_ = &world_.lab().start_vm("vm1", Site::kA);
    REQUIRE(world_.reaches(*vm_, Site::kA));
  }

  /// From the first frame at the new site to the first packet that leaves by its edge. Checks that none is lost.
  double move_to(Site site) {
    Lab& lab = world_.lab();
    FrameCapture access(lab.netns(site), kAccessPort, from_mac(vm_->mac()));
    FrameCapture straight(lab.netns(Node::kWan), wan_port(site));
    FrameCapture around(lab.netns(Node::kWan), wan_port(other(site)));
    Pinger guest(vm_->netns(), kClientAddress, 1ms);
    REQUIRE(guest.wait_answers(20, kPatience));
    const Timestamp start = lab.move(*vm_, site, Announcement::kRarpQemu);
    const auto first = access.wait_first(kPatience, start);
    REQUIRE(first);
    const auto left =
        straight.wait_first(kPatience, first->at, is_icmp_between(vm_->address(), kClientAddress));
    REQUIRE(left);
    REQUIRE(world_.reaches(*vm_, site));
    REQUIRE(guest.wait_answers(20, kPatience, now()));
    guest.stop();
    CHECK(wait_for(
        [&] {
          const std::set<int> sent = requests_in(access, *vm_, first->at);
          std::set<int> arrived = requests_in(straight, *vm_, start);
          arrived.merge(requests_in(around, *vm_, start));
          return std::includes(arrived.begin(), arrived.end(), sent.begin(), sent.end());
        },
        kPatience));
    return milliseconds_of(left->at - first->at);
  }

 private:
  World world_;
  Vm* vm_ = nullptr;
};

double median_move(const AgentOptions& agents) {
  Mover mover(agents);
  std::vector<double> times;
  for (const Site site : {Site::kB, Site::kA, Site::kB, Site::kA, Site::kB})
    times.push_back(mover.move_to(site));
  std::sort(times.begin(), times.end());
  WARN("first frame to first packet by the local edge, ms: " << fmt::format("{:.2f}", fmt::join(times, " ")));
  return times[times.size() / 2];
}

std::string guard_state(World& world, Site site) {
  return world.lab().agent(site).json({"guard", "show"}).value("state", "");
}

bool guard_becomes(World& world, Site site, const std::string& state) {
  return wait_for([&] { return guard_state(world, site) == state; }, kPatience);
}

std::string table_at(World& world, Site site) {
  return run_command(
             {.argv = {"nft", "list", "table", "bridge", "untrombone"}, .netns = &world.lab().netns(site)})
      .output;
}

}  // namespace

TEST_CASE("a guest resolves its gateway to its own edge only, before and after a move", "[e2e]") {
  const auto style = GENERATE(GatewayStyle::kPerSite, GatewayStyle::kAnycast);
  World world({.gateway_style = style, .dci_delay = 5ms, .ipv6 = true});
  world.start_agents(with_macs(style));
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  Vm& at_a = world.lab().start_vm("vm2", Site::kA);
  Vm& at_b = world.lab().start_vm("vm3", Site::kB);
  const std::string a = gateway_mac(Site::kA, style);
  const std::string b = gateway_mac(Site::kB, style);
  CHECK(who_is_gateway(vm, at_b) == std::vector{a, a});
  CHECK(who_is_gateway(at_b, vm) == std::vector{b, b});
  REQUIRE(world.reaches(vm, Site::kA));
  world.lab().move(vm, Site::kB);
  REQUIRE(world.reaches(vm, Site::kB));
  CHECK(who_is_gateway(vm, at_a) == std::vector{b, b});
  CHECK(who_is_gateway(at_a, vm) == std::vector{a, a});
}

TEST_CASE("with adopted MACs a moved guest's packets leave by the new edge from the first on", "[e2e]") {
  CHECK(median_move(with_macs(GatewayStyle::kPerSite, "adopt-macs = true")) < 5);
}

TEST_CASE("the greeting alone brings a moved guest's packets to the new edge", "[e2e]") {
  CHECK(median_move({}) < 20);
}

/// A guest at B whose edge stops being its gateway, by `death`, until `life`.
void lose_gateway(GatewayStyle style, const std::string& death, const std::string& life) {
  World world({.gateway_style = style, .dci_delay = 5ms});
  AgentOptions agents = with_macs(style);
  agents.track = "[\"0.0.0.0/0\"]";
  agents.extra_toml.emplace("routes", "track-hold = \"1s\"");
  world.start_agents(agents);
  Lab& lab = world.lab();
  Vm& vm = lab.start_vm("vm1", Site::kB);
  REQUIRE(world.reaches(vm, Site::kB));
  FrameCapture by_a(lab.netns(Node::kWan), wan_port(Site::kA));
  FrameCapture by_b(lab.netns(Node::kWan), wan_port(Site::kB));
  const auto of_guest = is_icmp_between(vm.address(), kClientAddress);
  Pinger guest(vm.netns(), kClientAddress, 10ms);
  REQUIRE(guest.wait_answers(20, kPatience));
  CHECK(by_a.count(of_guest) == 0);

  const Timestamp died = now();
  lab.netns(Site::kB).ip(death);
  REQUIRE(by_a.wait_first(kPatience, died, of_guest));
  REQUIRE(guest.wait_answers(50, kPatience, now()));
  CHECK(guard_state(world, Site::kB) == "open");
  const Timestamp lived = now();
  lab.netns(Site::kB).ip(life);
  REQUIRE(guard_becomes(world, Site::kB, "active"));
  REQUIRE(by_b.wait_first(kPatience, now(), of_guest));
  REQUIRE(world.reaches(vm, Site::kB));
  REQUIRE(guest.wait_answers(50, kPatience, now()));
  guest.stop();
  const auto gap = guest.summary(died - 100ms, lived).longest_gap;
  WARN("outage until the other site takes over, ms: " << milliseconds_of(gap));
  CHECK(gap < 2s);  // the hold of the tracking, and one second
}

TEST_CASE("while an edge has lost its uplink its guests leave by the other site, and return", "[e2e]") {
  lose_gateway(GENERATE(GatewayStyle::kPerSite, GatewayStyle::kAnycast),
               fmt::format("link set {} down\n", kUplink), fmt::format("link set {} up\n", kUplink));
}

TEST_CASE("while an edge has lost the gateway's address its guests leave by the other site, and return",
          "[e2e]") {
  lose_gateway(GENERATE(GatewayStyle::kPerSite, GatewayStyle::kAnycast),
               fmt::format("address del {}/16 dev {}\nlink set {} down\n", kGateway, kBridge, kUplink),
               fmt::format("link set {} up\naddress add {}/16 dev {}\n", kUplink, kGateway, kBridge));
}

TEST_CASE("a guard that somebody flushed is back at once, and says so", "[e2e]") {
  World world({.dci_delay = 5ms});
  world.start_agents();
  run_command({.argv = {"nft", "flush", "ruleset"}, .netns = &world.lab().netns(Site::kB)});
  CHECK(wait_for([&] { return !table_at(world, Site::kB).empty(); }, kPatience));
  const Agent& agent = world.lab().agent(Site::kB);
  CHECK(wait_for([&] { return agent.json({"guard", "show"})["table"].value("drifts", 0) == 1; }, kPatience));
  CHECK(read_file(agent.log()).find("guard-drift") != std::string::npos);
}

TEST_CASE("with the agent dead the guard stays as it was", "[e2e]") {
  World world({.dci_delay = 5ms, .ipv6 = true});
  world.start_agents();
  Vm& vm = world.lab().start_vm("vm1", Site::kB);
  Vm& at_a = world.lab().start_vm("vm2", Site::kA);
  const std::string before = table_at(world, Site::kB);
  for (const Site site : {Site::kA, Site::kB}) world.lab().agent(site).process().kill9();
  const std::string own = gateway_mac(Site::kB, GatewayStyle::kPerSite);
  CHECK(who_is_gateway(vm, at_a) == std::vector{own, own});
  CHECK(table_at(world, Site::kB).size() >= before.size() - 64);  // counters move, nothing else
}

TEST_CASE("an operator tests, opens and closes the guard", "[e2e]") {
  World world({.dci_delay = 5ms, .ipv6 = true});
  world.start_agents();
  const Agent& agent = world.lab().agent(Site::kB);
  FrameCapture dci(world.lab().netns(Site::kB), kDciPort, [](FrameView frame) {
    const auto destination = destination_of(frame);
    return destination && format_mac(*destination) == "02:75:74:ff:ff:fe";
  });
  const nlohmann::json test = agent.json({"guard", "test"});
  INFO(test.dump(2));
  CHECK(test.value("passed", false));
  CHECK(test["tests"].size() == 6);
  CHECK(dci.frames().empty());

  REQUIRE(agent.cli({"guard", "open"}).status == 0);
  CHECK(guard_becomes(world, Site::kB, "open"));
  CHECK(agent.cli({"guard", "show"}).status == 1);
  CHECK(agent.json({"guard", "test"})["tests"].size() == 1);  // hellos stay where they are
  REQUIRE(agent.cli({"guard", "close", "--segment", "lab"}).status == 0);
  CHECK(guard_becomes(world, Site::kB, "active"));
  CHECK(agent.cli({"guard", "show"}).status == 0);
  CHECK(agent.cli({"guard", "show", "--segment", "nowhere"}).status == 2);
  CHECK(agent.json({"guard", "test"}).value("passed", false));
}
