// SPDX-License-Identifier: GPL-2.0-or-later
// Many hosts at once on one port: nothing may be missing afterwards, whatever was lost on the way.
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/netlink.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/e2e/world.hpp"
#include "tests/lab/crowd.hpp"
#include "tests/lab/system.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

constexpr std::uint32_t kHosts = 50000;
constexpr std::uint32_t kFirstAddress = 0x0a010100;  // 10.1.1.0
constexpr auto kFloodPatience = 120s;

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

/// The MACs that the kernel's bridge has on the access port.
std::set<std::string> kernel_macs(const Netns& netns) {
  const CommandResult shown =
      run_command({.argv = {"bridge", "fdb", "show", "dev", kAccessPort}, .netns = &netns});
  std::set<std::string> macs;
  std::istringstream lines(shown.output);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("permanent") == std::string::npos) macs.insert(line.substr(0, line.find(' ')));
  }
  return macs;
}

std::set<std::string> macs_of(const Crowd& crowd) {
  std::set<std::string> macs;
  for (std::uint32_t guest = 0; guest < crowd.size(); ++guest) macs.insert(format_mac(Crowd::mac_of(guest)));
  return macs;
}

/// What the agent has of the crowd: bindings that are missing, and bindings that nobody said.
struct Difference {
  std::size_t missing = 0;
  std::size_t others = 0;
};
Difference compare(const Agent& agent, const Crowd& crowd) {
  std::set<std::string> missing;
  for (std::uint32_t guest = 0; guest < crowd.size(); ++guest)
    missing.insert(format_ipv4(crowd.address_of(guest)) + " " + format_mac(Crowd::mac_of(guest)));
  Difference difference;
  const nlohmann::json table = agent.json({"hosts", "--verdict", "local"});
  for (const nlohmann::json& host : table["hosts"])
    difference.others += 1 - missing.erase(host.value("ip", "") + " " + host.value("mac", ""));
  difference.missing = missing.size();
  return difference;
}

/// net.core.rmem_default, in bytes.
int default_buffer() {
  std::ifstream file("/proc/sys/net/core/rmem_default");
  int bytes = 0;
  REQUIRE(file >> bytes);
  return bytes;
}

int option_of(int socket, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/// The receive buffers of a process's packet and rtnetlink sockets, in bytes, as the kernel has them.
std::set<int> receive_buffers(pid_t pid) {
  const UniqueFd process(check(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)), "pidfd_open"));
  std::set<int> buffers;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid))) {
    const int number = std::stoi(entry.path().filename());
    const int copy = static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0));
    if (copy < 0) continue;  // closed meanwhile
    const UniqueFd socket(copy);
    const int domain = option_of(copy, SO_DOMAIN);
    const bool rtnetlink = domain == AF_NETLINK && option_of(copy, SO_PROTOCOL) == NETLINK_ROUTE;
    if (domain == AF_PACKET || rtnetlink) buffers.insert(option_of(copy, SO_RCVBUF));
  }
  return buffers;
}

void flood(AgentOptions options, const std::function<void(const std::set<int>&)>& check_buffers) {
  World world;
  options.log_level = "warning";
  options.greet = false;
  options.guard = false;
  options.extra_toml = {{"segment.detect",
                         "max-hosts = 60000\nnew-host-rate = 0\nprobe-rate = 100000\nrefresh = \"10m\"\n"
                         "silent-after = \"30m\""},
                        {"segment.summarize", "mode = \"off\""}};
  world.start_agent(Site::kA, options);
  Agent& agent = world.lab().agent(Site::kA);
  check_buffers(receive_buffers(agent.process().pid()));
  Crowd crowd(world.lab().netns(Node::kFabric), access_cable(Site::kA), kFirstAddress, kHosts);
  crowd.answer();
  const double cpu_before = cpu_seconds(agent.process().pid());

  const Timestamp start = now();
  const std::chrono::duration<double> sending = crowd.introduce();
  CHECK_NOFAIL(sending < 2s);  // the machine's business: told, but no reason to fail
  CHECK(comes_true([&] { return local_hosts(agent) >= static_cast<int>(kHosts); }));
  const Timestamp known = now();

  REQUIRE(kernel_macs(world.lab().netns(Site::kA)) == macs_of(crowd));
  // arp_accept is 0: none of this came from, or went into, the kernel's neighbour table and its limits.
  const CommandResult neighbours = run_command(
      {.argv = {"ip", "-4", "neigh", "show", "dev", kBridge}, .netns = &world.lab().netns(Site::kA)});
  CHECK(std::count(neighbours.output.begin(), neighbours.output.end(), '\n') < 10);
  const Difference difference = compare(agent, crowd);
  CHECK(difference.missing == 0);
  CHECK(difference.others == 0);

  const auto installed = [&] { return agent.json({"status"})["sink"]["routes"].value("installed", 0); };
  CHECK(comes_true([&] { return installed() == static_cast<int>(kHosts); }));
  const nlohmann::json counters = agent.json({"status"})["counters"];
  WARN("sent in " << sending.count() << " s, all known after "
                  << std::chrono::duration<double>(known - start).count()
                  << " s, all installed in zebra after "
                  << std::chrono::duration<double>(now() - start).count() << " s; agent CPU "
                  << cpu_seconds(agent.process().pid()) - cpu_before << " s; answered " << crowd.answered()
                  << "; " << counters.dump());
}

}  // namespace

TEST_CASE("a flood of 50,000 hosts on one port is in the table to the last", "[e2e]") {
  flood({}, [](const std::set<int>& buffers) {
    REQUIRE_FALSE(buffers.empty());
    CHECK(*buffers.rbegin() > default_buffer());
  });
}

TEST_CASE("a flood with the kernel's default socket buffers loses frames, and nothing of the table",
          "[e2e]") {
  AgentOptions options;
  options.wrapper = {DEFAULT_BUFFERS};
  flood(options, [](const std::set<int>& buffers) { CHECK(buffers == std::set<int>{default_buffer()}); });
}
