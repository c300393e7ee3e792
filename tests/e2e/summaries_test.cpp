// SPDX-License-Identifier: GPL-2.0-or-later
// A summary at a remote router's kernel: nobody is without a route while it comes and goes.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/failover/remote_table.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;
using untrombone::failover::RemoteTable;

namespace {

constexpr std::uint32_t kFirst = 0x0a010800;  // 10.1.8.0
constexpr std::uint32_t kHosts = 64;
constexpr auto kSummaryPatience = 60s;

MacAddress mac_of(std::uint32_t host) {
  return {0x02, 0x00, 0x5e, 0x00, static_cast<std::uint8_t>(host >> 8U), static_cast<std::uint8_t>(host)};
}
std::uint32_t address_of(std::uint32_t host) { return kFirst + host; }

RemoteTable empty_table() {
  std::vector<std::uint32_t> hosts(kHosts);
  for (std::uint32_t host = 0; host < kHosts; ++host) hosts[host] = address_of(host);
  return {hosts, parse_ipv4("10.1.0.0"), 16};
}

RemoteTable table_of(RouteWatcher& watcher) {
  RemoteTable table = empty_table();
  for (const RouteEvent& event : watcher.events()) table.apply(event);
  return table;
}

/// Quick enough for a test; the order and the waits are those of the defaults.
AgentOptions options_with(const std::string& summarize) {
  AgentOptions options;
  options.log_level = "warning";
  options.settle = "1s";
  options.greet = false;
  options.extra_toml = {
      {"segment.summarize", "hold = \"1s\"\nbreak-delay = \"1s\"\nlinger = \"1s\"\n" + summarize},
      {"segment.detect", "refresh = \"10m\"\nsilent-after = \"30m\""}};
  return options;
}

bool has_alarm(World& world, const std::string& kind) {
  const auto alarms = world.lab().agent(Site::kA).json({"status"})["alarms"];
  return std::any_of(alarms.begin(), alarms.end(), [&](const auto& alarm) { return alarm["kind"] == kind; });
}

template <class Condition>
bool comes_true(Condition condition) {
  return wait_until(condition, std::chrono::steady_clock::now() + kSummaryPatience, 100ms);
}

}  // namespace

TEST_CASE("a summary comes and goes, and at no instant does the remote router lack a route to a host",
          "[e2e]") {
  World world;
  world.start_agent(Site::kA, options_with("mode = \"exact\"\n"));
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  for (std::uint32_t host = 0; host < kHosts; ++host) vm.send(make_garp(mac_of(host), address_of(host)));
  const auto all_by_one = [&] {
    const RemoteTable table = table_of(world.remote());
    return table.has(kFirst, 26) && !table.has(kFirst + 7, 32);
  };
  REQUIRE(comes_true(all_by_one));

  // One MAC of the block is seen over the DCI: it has moved, and the block may not stay whole.
  world.lab().start_vm("vm2", Site::kB).send(make_garp(mac_of(7), address_of(7)));
  REQUIRE(comes_true([&] {
    const RemoteTable table = table_of(world.remote());
    return !table.has(kFirst, 26) && table.has(kFirst + 32, 27) && table.has(kFirst + 6, 32);
  }));

  RemoteTable table = empty_table();
  std::map<std::uint32_t, bool> had_route;
  std::size_t lookups = 0;
  for (const RouteEvent& event : world.remote().events()) {
    table.apply(event);
    for (std::uint32_t host = 0; host < kHosts; ++host) {
      if (host == 7) continue;
      const bool has_route = table.gateway_of(host) == uplink_address(Site::kA);
      INFO(format_ipv4(address_of(host)) << " after " << event.prefix);
      if (had_route[host] && !has_route) FAIL("a lookup without a route");
      had_route[host] = had_route[host] || has_route;
      ++lookups;
    }
  }
  CHECK(std::count_if(had_route.begin(), had_route.end(), [](const auto& each) { return each.second; }) ==
        static_cast<std::ptrdiff_t>(kHosts) - 1);
  CHECK(lookups > 2000);

  // What the agent says about it.
  const auto explained = world.lab().agent(Site::kA).json({"explain", format_ipv4(address_of(40))});
  CHECK(explained["route"].is_null());
  CHECK(explained["summary"].value("prefix", "") == format_ipv4(kFirst + 32) + "/27");
  CHECK(explained["summary"].value("host_count", 0) == 32);
  CHECK(explained["summary"]["summary"].value("why", "").find("10.1.8.7") != std::string::npos);
  CHECK(world.remote().overruns() == 0);
}

TEST_CASE("a segment over its budget announces one prefix for all its hosts, and says so", "[e2e]") {
  World world;
  world.start_agent(Site::kA, options_with("mode = \"exact\"\nbudget = 2\n"));
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  for (const std::uint32_t host : {1U, 5U, 9U}) vm.send(make_garp(mac_of(host), address_of(host)));
  REQUIRE(comes_true([&] {
    const RemoteTable table = table_of(world.remote());
    return table.has(parse_ipv4("10.1.0.0"), 17) && !table.has(address_of(1), 32) &&
           !table.has(address_of(9), 32);
  }));
  CHECK(has_alarm(world, "over-budget"));
}

TEST_CASE("the announced subnet is there before any host, and a host's own route wins over it", "[e2e]") {
  World world;
  world.start_agents(options_with("mode = \"exact\"\nannounce-subnet = true\n"));
  const auto has_both_halves = [&] {
    const RemoteTable table = table_of(world.remote());
    return table.has(parse_ipv4("10.1.0.0"), 17) && table.has(parse_ipv4("10.1.128.0"), 17);
  };
  REQUIRE(comes_true(has_both_halves));
  Vm& vm = world.lab().start_vm("vm1", Site::kB);
  REQUIRE(world.reaches(vm, Site::kB));
  Pinger client(world.lab().netns(Node::kClient), vm.address(), 20ms);
  REQUIRE(client.wait_answers(5, kPatience));
  client.stop();
  CHECK(has_both_halves());
}

TEST_CASE("an agent that is killed and restarted keeps its summary in zebra, and nobody lacks a route",
          "[e2e]") {
  World world;
  const AgentOptions options = options_with("mode = \"exact\"\n");
  world.start_agent(Site::kA, options);
  Vm& even = world.lab().start_vm("vm1", Site::kA, {.address = "10.1.8.2"});
  Vm& odd = world.lab().start_vm("vm2", Site::kA, {.address = "10.1.8.3"});
  Pinger first = world.ping_from(even);  // the kernel's neighbour table knows them then
  Pinger second = world.ping_from(odd);
  const auto one_route = [&] {
    const RemoteTable table = table_of(world.remote());
    return table.has(address_of(2), 31) && !table.has(address_of(2), 32) && !table.has(address_of(3), 32);
  };
  REQUIRE(comes_true(one_route));

  const Timestamp killed = now();
  world.lab().agent(Site::kA).process().kill9();
  world.start_agent(Site::kA, options);
  REQUIRE(world.becomes(Site::kA, even, "local"));
  REQUIRE(world.becomes(Site::kA, odd, "local"));
  REQUIRE(comes_true([&] {
    const auto explained = world.lab().agent(Site::kA).json({"explain", even.address()});
    return explained["summary"].is_object() && explained["summary"].value("prefix", "") == "10.1.8.2/31" &&
           explained["route"].is_null();
  }));
  REQUIRE(comes_true(one_route));
  for (const RouteEvent& event : world.remote().events(killed)) {
    CHECK_FALSE((event.prefix == "10.1.8.2/31" && event.kind == RouteEvent::Kind::kDelete));
  }
}
