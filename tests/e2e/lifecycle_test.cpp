// SPDX-License-Identifier: GPL-2.0-or-later
// Daemons and agents that die, hang and come back, seen from the remote client.
#include <signal.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/lab/process.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

constexpr auto kRouting = 60s;  // daemons that reconnect every 10 s, sessions that come up

/// Two sites with agents, a VM at A, and a client that pings it a hundred times a second.
struct Watched {
  World world;
  Vm& vm;
  Pinger client;
  Timestamp start;

  explicit Watched(const AgentOptions& options = {})
      : vm(begin(world, options)), client(world.lab().netns(Node::kClient), vm.address(), 10ms) {
    REQUIRE(client.wait_answers(20, kPatience));
    start = now();
  }
  static Vm& begin(World& world, const AgentOptions& options) {
    world.start_agents(options);
    Vm& vm = world.lab().start_vm("vm1", Site::kA);
    REQUIRE(world.reaches(vm, Site::kA));
    return vm;
  }
  Frr& frr() { return world.lab().frr(Site::kA); }
  Agent& agent() { return world.lab().agent(Site::kA); }
  Sink sink() { return frr().sink(); }
  void restart(const std::string& daemon) { restart(std::vector<std::string>{daemon}); }
  /// All die before the first of them comes back, in the order in which they are named.
  void restart(const std::vector<std::string>& daemons) {
    for (const std::string& daemon : daemons) frr().daemon(daemon).kill9();
    for (const std::string& daemon : daemons) frr().start_daemon(daemon);
  }
  /// The daemons that have to do with our routes, as watchfrr starts them.
  std::vector<std::string> all_daemons() {
    if (sink() != Sink::kVtysh) return {"zebra", frr().routing_daemon()};
    std::vector<std::string> daemons{"zebra", "staticd", frr().routing_daemon()};
    if (frr().runs("mgmtd")) daemons.insert(daemons.begin(), "mgmtd");
    return daemons;
  }
  /// What the routing daemon redistributes ends with its connection to zebra unless it has a number: with another
  /// zebra it then hears nothing.
  bool daemon_asks_again() { return frr().origin().find(' ') != std::string::npos; }
  /// Where the sink puts a route outlives zebra in the kernel's table and in staticd's configuration.
  bool sink_holds(const std::string& prefix) {
    if (sink() == Sink::kKernelTable) {
      const CommandResult table = run_command({.argv = {"ip", "route", "show", prefix, "table", "201"},
                                               .netns = &world.lab().netns(Node::kSiteA)});
      return table.output.find("proto 117") != std::string::npos;
    }
    return frr().vtysh({"show running-config"}).find("ip route " + prefix) != std::string::npos;
  }
  /// A zebra of 10.2 to 10.6 takes a static route that a killed one left in the kernel for one of distance 1, for good.
  bool is_beaten_by_leftovers() {
    return sink() == Sink::kVtysh && frr().version() >= 1002 && frr().version() < 1007;
  }
  /// So the agent says.
  void beaten() {
    REQUIRE(wait_for([&] { return state() == "lost"; }, kRouting));
    const nlohmann::json route = agent().json({"explain", vm.address()})["route"];
    CHECK(route.value("reason", "") == "zebra prefers static, distance 1");
  }
  /// Kills zebra, and waits until the agent tells the truth about it: a sink that writes to zebra, or asks it, waits
  /// for another one, and claims no route to be installed. The kernel's table does not need any.
  void lose_zebra() {
    frr().daemon("zebra").kill9();
    if (sink() != Sink::kZapi) CHECK(sink_holds(vm.prefix()));
    if (sink() == Sink::kKernelTable) {
      CHECK(sink_state() == "synced");
      CHECK(state() == "installed");
      return;
    }
    REQUIRE(wait_for([&] { return sink_state() == "waiting"; }, kRouting));
    CHECK(state() != "installed");
  }
  /// Some seconds after its start bgpd asks zebra for the routes of a route-map again. From then on it asks no more by
  /// itself.
  void await_quiet_bgpd() {
    if (frr().version() < 800) return;  // cannot say so
    const std::string timers = frr().version() >= 900 ? "show event timers" : "show thread timers";
    REQUIRE(wait_for(
        [&] {
          return world.lab().vtysh(Node::kSiteA, timers).find("bgp_route_map_update_timer") ==
                 std::string::npos;
        },
        kPatience));
  }
  /// The route is there, once, and what the agent says of it is true.
  void settled() {
    REQUIRE(world.reaches(vm, Site::kA, kRouting));
    REQUIRE(wait_for([&] { return state() == "installed"; }, kRouting));
    REQUIRE(wait_for([&] { return sink_state() == "synced"; }, kPatience));
    // What is redistributed from a kernel table directly is in no other table of zebra's.
    const bool direct = sink() == Sink::kKernelTable && frr().origin().starts_with("table-direct");
    const std::string question = direct ? "show ip route table 201" : "show ip route " + vm.prefix();
    const auto zebra_has_it = [&] {
      return world.lab().vtysh(Node::kSiteA, question).find(vm.address()) != std::string::npos;
    };
    // The kernel takes a route into its table whether or not zebra has read it yet.
    if (sink() == Sink::kKernelTable) REQUIRE(wait_for(zebra_has_it, kPatience));
    CHECK(zebra_has_it());
  }
  std::string sink_state() { return agent().json({"status"})["sink"].value("state", ""); }
  bool has_alarm(const std::string& kind) {
    const nlohmann::json alarms = agent().json({"status"})["alarms"];
    return std::any_of(alarms.begin(), alarms.end(),
                       [&](const nlohmann::json& alarm) { return alarm["kind"] == kind; });
  }
  std::string state() {
    const nlohmann::json route = agent().json({"explain", vm.address()})["route"];
    return route.is_object() ? route.value("state", "") : "";
  }
  /// What the client lost; printed.
  std::size_t lost(const char* scenario) {
    REQUIRE(client.wait_answers(100, kRouting, now()));
    client.stop();
    const PingSummary summary = client.summary(start);
    WARN("restart, " << name_of(sink()) << ": " << scenario << ": lost " << summary.lost << " of "
                     << summary.sent << ", longest gap "
                     << std::chrono::duration_cast<std::chrono::milliseconds>(summary.longest_gap).count()
                     << " ms");
    return summary.lost;
  }
};

}  // namespace

TEST_CASE("zebra restarted: the routes are back", "[e2e]") {
  Watched watched;
  watched.lose_zebra();
  watched.frr().start_daemon("zebra");
  if (watched.is_beaten_by_leftovers()) return watched.beaten();
  watched.settled();
  // bgpd neither hands its own routes, the site's way out among them, to a zebra that came back (FRR issue 22362), nor
  // asks it for `redistribute table` again: watchfrr restarts it, too.
  watched.restart(watched.frr().routing_daemon());
  watched.settled();
  (void)watched.lost("zebra killed and started, then bgpd");
}

TEST_CASE(
    "a host that leaves while zebra alone is down is a ghost in bgpd: cleared if it hears, else named until "
    "it restarts",
    "[e2e]") {
  AgentOptions options;
  options.extra_toml = {{"segment.summarize", "linger = \"0s\""}};
  Watched watched(options);
  if (watched.is_beaten_by_leftovers()) return;  // no route of ours is in use then: see above
  Vm& leaver = watched.world.lab().start_vm("leaver", Site::kA);
  REQUIRE(watched.world.reaches(leaver, Site::kA));
  // Is a path of A's own, which has no neighbour as its peer, in A's bgpd?
  const auto announced_by_a = [&] {
    const nlohmann::json entry =
        watched.world.lab().vtysh_json(Node::kSiteA, "show bgp ipv4 unicast " + leaver.prefix() + " json");
    const nlohmann::json paths = entry.value("paths", nlohmann::json::array());
    return std::any_of(paths.begin(), paths.end(),
                       [](const nlohmann::json& path) { return path.value("sourced", false); });
  };
  REQUIRE(announced_by_a());
  watched.await_quiet_bgpd();

  watched.lose_zebra();
  watched.world.lab().move(leaver, Site::kB);
  REQUIRE(watched.world.becomes(Site::kA, leaver, "remote"));
  watched.frr().start_daemon("zebra");
  const auto ghosts = [&] {
    std::set<std::string> subjects;
    const nlohmann::json report = watched.agent().json({"audit", "--config", watched.agent().config()});
    for (const nlohmann::json& finding : report["findings"]) {
      if (finding.value("id", "") == "ghost-route") subjects.insert(finding.value("subject", ""));
    }
    return subjects;
  };
  // What the killed zebra left of it would beat the other site's route here.
  const auto left_behind = [&] {
    const std::string route = watched.world.lab().vtysh(Node::kSiteA, "show ip route " + leaver.prefix());
    return route.find("Known via \"kernel\"") != std::string::npos;
  };
  // bgpd asks a new zebra for numbered tables again, and for the plain `redistribute table` of up to 10.4, or for
  // static routes, it does not.
  if (watched.daemon_asks_again()) {
    CHECK(wait_for([&] { return !announced_by_a(); }, kRouting));
    CHECK(wait_for([&] { return ghosts().empty(); }, kPatience));
    CHECK_FALSE(watched.has_alarm("frr-daemon-deaf"));
    CHECK_FALSE(left_behind());
    return;
  }
  CHECK(wait_for([&] { return watched.has_alarm("frr-daemon-deaf"); }, kRouting));
  CHECK_FALSE(left_behind());  // the alarm takes longer than the cure
  CHECK(wait_for([&] { return ghosts() == std::set<std::string>{leaver.prefix()}; }, kPatience));
  watched.restart(watched.frr().routing_daemon());
  CHECK(watched.world.reaches(leaver, Site::kB, kRouting));
  CHECK(wait_for([&] { return !announced_by_a(); }, kRouting));
  CHECK(wait_for([&] { return ghosts().empty(); }, kPatience));
  CHECK(wait_for([&] { return !watched.has_alarm("frr-daemon-deaf"); }, kRouting));
}

TEST_CASE("routes that are not redistributed any more raise an alarm with the line that mends it", "[e2e]") {
  Watched watched;
  const std::string origin = watched.frr().origin();
  const auto configure = [&](const std::string& line) {
    watched.frr().vtysh({"configure terminal", "router bgp 65001", "address-family ipv4 unicast", line});
  };
  REQUIRE_FALSE(watched.has_alarm("frr-not-redistributed"));
  configure("no redistribute " + origin);
  CHECK(wait_for([&] { return watched.has_alarm("frr-not-redistributed"); }, kRouting));
  // A kernel table's classes are not told apart by tags, and FRR's releases read it in different ways.
  const std::string cure = watched.sink() == Sink::kKernelTable
                               ? "see docs/frr.md, A kernel table"
                               : "-c 'redistribute " + origin + " route-map UNTROMBONE'";
  CHECK(watched.agent().cli({"doctor", "--config", watched.agent().config()}).output.find(cure) !=
        std::string::npos);
  configure("redistribute " + origin + " route-map UNTROMBONE");
  CHECK(wait_for([&] { return !watched.has_alarm("frr-not-redistributed"); }, kRouting));
  CHECK(watched.world.reaches(watched.vm, Site::kA, kRouting));
}

TEST_CASE("bgpd restarted: the agent has nothing to do", "[e2e]") {
  Watched watched;
  watched.restart(watched.frr().routing_daemon());
  watched.settled();
  (void)watched.lost("bgpd alone, killed and started");
}

TEST_CASE("zebra and bgpd killed together come back with everything", "[e2e]") {
  Watched watched;
  // With the vtysh sink staticd dies with them, and mgmtd, and nobody wrote their configuration to a file: the sink,
  // which reads it every 10 s, tells them again.
  watched.restart(watched.all_daemons());
  if (watched.sink() != Sink::kZapi)
    REQUIRE(wait_for([&] { return watched.sink_holds(watched.vm.prefix()); }, kRouting));
  if (watched.is_beaten_by_leftovers()) return watched.beaten();
  watched.settled();
  (void)watched.lost("zebra and bgpd, killed and started");
}

TEST_CASE("a zebra that hangs delays a host's arrival, and loses nothing of it", "[e2e]") {
  Watched watched;
  watched.frr().daemon("zebra").signal(SIGSTOP);
  Vm& late = watched.world.lab().start_vm("late", Site::kA);
  REQUIRE(watched.world.becomes(Site::kA, late, "local"));  // the agent is not held up
  if (watched.sink() == Sink::kKernelTable) {
    // The kernel has it, and keeps it for zebra.
    CHECK(wait_for([&] { return watched.sink_holds(late.prefix()); }, kPatience));
  } else {
    CHECK(watched.agent().json({"explain", late.address()})["route"].value("state", "") != "installed");
  }
  watched.frr().daemon("zebra").signal(SIGCONT);
  CHECK(watched.world.reaches(late, Site::kA, kRouting));
  watched.settled();
  CHECK(watched.lost("zebra stopped for a moment (SIGSTOP)") == 0);
}

TEST_CASE("an agent that is restarted in order leaves no trace in bgpd", "[e2e]") {
  Watched watched;
  const auto version = [&] {
    return watched.world.lab()
        .vtysh_json(Node::kSiteA, "show bgp ipv4 unicast json")
        .value("tableVersion", 0);
  };
  AgentOptions options;
  options.settle = "0s";
  watched.world.start_agent(Site::kA, options);  // so that the next one has nothing to settle
  watched.settled();
  const int before = version();
  CHECK(watched.world.lab().stop_agent(Site::kA) == 0);
  watched.world.start_agent(Site::kA, options);
  watched.settled();
  CHECK(version() == before);
  CHECK(watched.lost("agent stopped and started (retain)") == 0);
}
