// SPDX-License-Identifier: GPL-2.0-or-later
// Many hosts at once on one port: nothing may be missing afterwards, whatever was lost on the way.
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

constexpr std::uint32_t kHosts = 50000;
constexpr std::uint32_t kFirstAddress = 0x0a010100;  // 10.1.1.0
constexpr auto kFloodPatience = 60s;

MacAddress mac_of(std::uint32_t host) {
  return {0x02,
          0x00,
          0x5e,
          static_cast<std::uint8_t>(host >> 16U),
          static_cast<std::uint8_t>(host >> 8U),
          static_cast<std::uint8_t>(host)};
}

/// User and system time of a process, in seconds (proc(5)).
double cpu_seconds(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Polls gently: each question makes the agent count its hosts.
template <class Condition>
bool comes_true(Condition condition) {
  return wait_until(condition, std::chrono::steady_clock::now() + kFloodPatience, 200ms);
}

int local_hosts(const Agent& agent) {
  return agent.json({"status"})["segments"][0]["hosts"].value("local", 0);
}

}  // namespace

TEST_CASE("a flood of 50,000 hosts on one port is in the table to the last", "[e2e]") {
  World world;
  AgentOptions options;
  options.log_level = "warning";
  options.greet = false;
  options.extra_toml = {{"segment.detect", "max-hosts = 60000\nrefresh = \"10m\"\nsilent-after = \"30m\""}};
  world.start_agent(Site::kA, options);
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  REQUIRE(world.becomes(Site::kA, vm, "local"));
  Agent& agent = world.lab().agent(Site::kA);
  const double cpu_before = cpu_seconds(agent.process().pid());

  const Timestamp start = now();
  for (std::uint32_t host = 0; host < kHosts; ++host) vm.send(make_garp(mac_of(host), kFirstAddress + host));
  const Timestamp sent = now();
  CHECK(comes_true([&] { return local_hosts(agent) >= static_cast<int>(kHosts) + 1; }));
  const Timestamp known = now();

  // Every address that was sent, bound to the MAC that sent it, and nothing else.
  std::set<std::string> missing;
  for (std::uint32_t host = 0; host < kHosts; ++host) {
    missing.insert(format_ipv4(kFirstAddress + host) + " " + format_mac(mac_of(host)));
  }
  std::size_t others = 0;
  const nlohmann::json table = agent.json({"hosts", "--verdict", "local"});
  for (const nlohmann::json& host : table["hosts"]) {
    others += 1 - missing.erase(host.value("ip", "") + " " + host.value("mac", ""));
  }
  CHECK(missing.empty());
  CHECK(others == 1);  // vm1

  const auto installed = [&] { return agent.json({"status"})["sink"]["routes"].value("installed", 0); };
  CHECK(comes_true([&] { return installed() == static_cast<int>(kHosts) + 1; }));
  const nlohmann::json counters = agent.json({"status"})["counters"];
  WARN("sent in " << std::chrono::duration<double>(sent - start).count() << " s, all known after "
                  << std::chrono::duration<double>(known - start).count()
                  << " s, all installed in zebra after "
                  << std::chrono::duration<double>(now() - start).count() << " s; agent CPU "
                  << cpu_seconds(agent.process().pid()) - cpu_before << " s; " << counters.dump());
}
