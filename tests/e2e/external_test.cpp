// SPDX-License-Identifier: GPL-2.0-or-later
// What an ISP behind the domain's border knows of the hosts: the block of the site that has most of them.
#include <algorithm>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "agent/core/types.hpp"
#include "tests/e2e/world.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"
#include "tests/routing/router.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;
using untrombone::routing::Router;

namespace {

constexpr const char* kBlock = "10.1.0.0/24";
constexpr const char* kIsp = "203.0.113.2";

/// Feeds what `frr-config` prints, line by line.
void feed(const Frr& frr, const std::string& text) {
  std::vector<std::string> commands{"configure terminal"};
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && line.front() != '!') commands.push_back(line);
  frr.vtysh(commands);
}

/// AS 64496 behind the WAN router, which has the border filter on its session.
class Isp {
 public:
  explicit Isp(World& world)
      : netns_(make_netns(world.lab())),
        router_(netns_, run_directory(world.lab().id()) / "isp", {"bgpd"}),
        routes_(netns_) {
    router_.start();
    router_.load(
        "router bgp 64496\n no bgp ebgp-requires-policy\n neighbor 203.0.113.1 remote-as 65000\n"
        " neighbor 203.0.113.1 timers connect 1\nexit\n");
    const CommandResult border =
        world.lab().agent(Site::kA).cli({"frr-config", "--border", "--asn", "65000", "--neighbor", kIsp,
                                         "--config", world.lab().agent(Site::kA).config()});
    REQUIRE(border.status == 0);
    world.lab()
        .frr(Node::kWan)
        .vtysh({"configure terminal", "router bgp 65000", fmt::format("neighbor {} remote-as 64496", kIsp),
                fmt::format("neighbor {} passive", kIsp)});
    feed(world.lab().frr(Node::kWan), border.output);
    REQUIRE(routes_.wait_present({.prefix = kSubnet}, 30s));
  }

  const Netns& netns() const { return netns_; }
  RouteWatcher& routes() { return routes_; }
  /// What it has inside the subnet.
  std::vector<std::string> parts() {
    std::vector<std::string> found;
    for (const RouteEvent& route : routes_.table()) {
      const auto prefix = untrombone::core::IpPrefix::parse(route.prefix);
      const auto subnet = untrombone::core::IpPrefix::parse(kSubnet).value();
      if (prefix && subnet.contains(*prefix) && *prefix != subnet) found.push_back(route.prefix);
    }
    return found;
  }
  /// By the block's AS path.
  bool enters_at(Site site) {
    const std::string path = site == Site::kA ? "65000 65001" : "65000 65002";
    return router_.vtysh(fmt::format("show bgp ipv4 unicast {}", kBlock)).find(path) != std::string::npos;
  }

 private:
  static Netns make_netns(Lab& lab) {
    Netns netns = Netns::create(netns_name(lab.id(), "isp"));
    prepare_netns(netns, false);
    lab.netns(Node::kWan)
        .ip(fmt::format(
            "link add to-isp type veth peer name up0 netns {}\naddress add 203.0.113.1/30 dev to-isp\n"
            "link set to-isp up\n",
            netns.name()));
    netns.ip("link set lo up\naddress add 203.0.113.2/30 dev up0\nlink set up0 up\n");
    return netns;
  }

  Netns netns_;
  Router router_;
  RouteWatcher routes_;
};

/// How many sites announce the block to the WAN router.
std::size_t announcers_of_block(World& world) {
  const nlohmann::json table =
      world.lab().vtysh_json(Node::kWan, fmt::format("show bgp ipv4 unicast {} json", kBlock));
  return table.value("paths", nlohmann::json::array()).size();
}

std::string block_at(World& world, Site site, const std::string& key) {
  const auto external =
      world.lab().agent(site).json({"explain", "10.1.0.11"}).value("external", nlohmann::json());
  return external.is_object() ? external.value(key, "") : "";
}

void start_agents(World& world) {
  world.start_agents({.settle = "3s",
                      .extra_toml = {{"segment.summarize", "external-length = 24"},
                                     {"segment.summarize", "hold = \"1s\""},
                                     {"segment.summarize", "break-delay = \"1s\""}}});
  for (const Site site : {Site::kA, Site::kB}) {
    const Agent& agent = world.lab().agent(site);
    const CommandResult edge = agent.cli({"frr-config", "--config", agent.config()});
    REQUIRE(edge.status == 0);
    feed(world.lab().frr(site), edge.output);
    REQUIRE(agent.cli({"reload"}).status == 0);  // FRR's configuration is looked at again
  }
}

}  // namespace

TEST_CASE("an ISP has the block of the site with the majority, never none, and no host route", "[e2e]") {
  World world({.dci_delay = 5ms});
  start_agents(world);
  Isp isp(world);
  Vm& first = world.lab().start_vm("vm1", Site::kA);
  Vm& mover = world.lab().start_vm("vm2", Site::kA);
  Vm& other = world.lab().start_vm("vm3", Site::kB);
  REQUIRE(world.reaches(first, Site::kA));
  REQUIRE(world.reaches(other, Site::kB));
  REQUIRE(isp.routes().wait_present({.prefix = kBlock}, 30s));
  INFO(world.lab().agent(Site::kA).json({"routes"}).dump(1));
  INFO(world.lab().agent(Site::kB).json({"routes"}).dump(1));
  CHECK(wait_for([&] { return isp.enters_at(Site::kA) && announcers_of_block(world) == 1; }, kPatience));
  CHECK(isp.parts() == std::vector<std::string>{kBlock});
  CHECK(wait_for([&] { return block_at(world, Site::kA, "class") == "external"; }, kPatience));
  CHECK(wait_for([&] { return block_at(world, Site::kB, "class") == "reserve"; }, kPatience));
  // Nobody calls it a leak, or a route that is wrong.
  for (const Site site : {Site::kA, Site::kB}) {
    const Agent& agent = world.lab().agent(site);
    const nlohmann::json audit = agent.json({"audit", "--config", agent.config()});
    CHECK(audit["findings"] == nlohmann::json::array());
    CHECK(wait_for([&] { return agent.json({"status"})["alarms"].empty(); }, kPatience));
  }

  Pinger outside(isp.netns(), first.address(), 10ms);
  REQUIRE(outside.wait_answers(20, kPatience));
  isp.routes().clear_events();
  const Timestamp moved = world.lab().move(mover, Site::kB, Announcement::kGarp);
  REQUIRE(world.reaches(mover, Site::kB));
  CHECK(wait_for([&] { return isp.enters_at(Site::kB) && announcers_of_block(world) == 1; }, 30s));
  CHECK(block_at(world, Site::kB, "class") == "external");
  CHECK(block_at(world, Site::kA, "class") == "reserve");
  CHECK(isp.parts() == std::vector<std::string>{kBlock});
  outside.stop();
  const PingSummary pings = outside.summary(moved);
  INFO("lost " << pings.lost << " of " << pings.sent);
  CHECK(pings.lost == 0);
  for (const RouteEvent& event : isp.routes().events())
    CHECK_FALSE((event.prefix == kBlock && event.kind == RouteEvent::Kind::kDelete));

  // The site that has it is cut off: the other one has it in reserve.
  world.lab().frr(Site::kB).vtysh(
      {"configure terminal", "router bgp 65002", "neighbor " + wan_address(Site::kB) + " shutdown"});
  CHECK(wait_for([&] { return isp.enters_at(Site::kA); }, kPatience));
}
