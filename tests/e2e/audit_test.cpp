// SPDX-License-Identifier: GPL-2.0-or-later
// The audit on real tables: silent where nothing is wrong, and every planted fault named with its subject and alone.
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "arp/guard_rules.hpp"
#include "bench/bare_client.hpp"
#include "tests/e2e/world.hpp"
#include "tests/lab/frames.hpp"
#include "tests/lab/process.hpp"
#include "tests/lab/rtnetlink.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone;
using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

using Findings = std::set<std::string>;  // "id subject"

constexpr std::uint32_t kFresh = 4211;
constexpr std::uint32_t kSettled = 4210;

/// Two sites whose routes and guard are made by hand, so that they can be wrong.
class HandMade {
 public:
  HandMade()
      : one_(lab_.start_vm("one", Site::kA)),
        two_(lab_.start_vm("two", Site::kB)),
        three_(lab_.start_vm("three", Site::kA, {.address = "10.1.1.1"})),
        a_(zebra_client(Site::kA)),
        b_(zebra_client(Site::kB)) {
    std::ofstream(config()) << fmt::format(R"([site]
name = "dc-a"
[routes]
zapi-socket = "{}"
vty-dir = "{}"
[[segment]]
name = "lab"
bridge = "br0"
dci-ports = ["dci0"]
subnets = ["10.1.0.0/16"]
gateways = ["10.1.0.1"]
)",
                                           lab_.frr(Site::kA).zserv().string(),
                                           lab_.frr(Site::kA).vty_dir().string());
    for (const Vm* vm : {&one_, &two_, &three_}) remember(*vm);
    a_.add("10.1.0.11/32", kSettled);
    a_.add("10.1.1.0/30", kSettled);
    b_.add("10.1.0.12/32", kSettled);
    load_guard();
  }

  Lab& lab() { return lab_; }
  Vm& two() { return two_; }
  bench::BareClient& a() { return a_; }
  bench::BareClient& b() { return b_; }

  /// The kernel of A knows where to find the guest; its announcement has told the bridge.
  void remember(const Vm& vm) { remember(vm.address(), vm); }
  void remember(const std::string& address, const Vm& vm) {
    lab_.netns(Site::kA).ip(
        fmt::format("neigh replace {} lladdr {} dev br0 nud stale\n", address, format_mac(vm.mac())));
  }
  void forget(const std::string& address) { lab_.netns(Site::kA).ip("neigh del " + address + " dev br0\n"); }

  void load_guard() {
    nft(arp::render_guard(
        arp::guard_sets({{.dci_ports = {{"dci0"}}, .gateways = {*core::IpAddress::parse("10.1.0.1")}}})));
  }
  void nft(const std::string& script) {
    const CommandResult result =
        run_command({.argv = {"nft", "-f", "-"}, .netns = &lab_.netns(Site::kA), .input = script});
    INFO(result.error);
    REQUIRE(result.status == 0);
  }
  /// Lines of configuration for bgpd at A.
  void configure(std::vector<std::string> lines) {
    lines.insert(lines.begin(), "configure terminal");
    (void)lab_.frr(Site::kA).vtysh(lines);
  }

  CommandResult audit(const std::vector<std::string>& options = {}) {
    std::vector<std::string> argv = {UNTROMBONE_BIN, "--socket", "/nonexistent", "audit",
                                     "--json",       "--config", config()};
    argv.insert(argv.end(), options.begin(), options.end());
    return run_command({.argv = argv, .netns = &lab_.netns(Site::kA)});
  }

  std::string config() const { return (lab_.directory(Node::kSiteA) / "audit.toml").string(); }

 private:
  bench::BareClient zebra_client(Site site) {
    const auto* const release = bgp::zapi::find_release("8.4");
    return {lab_.frr(site).zserv().string(), *release, lab_.link(node_of(site), "br0").ifindex};
  }

  Lab lab_;
  Vm& one_;
  Vm& two_;
  Vm& three_;
  bench::BareClient a_;
  bench::BareClient b_;
};

Findings findings_in(const CommandResult& result) {
  Findings found;
  const auto report = nlohmann::json::parse(result.output, nullptr, false);
  if (!report.is_object()) return {"no report: " + result.error};
  for (const auto& finding : report.at("findings")) {
    found.insert(finding.at("id").get<std::string>() + " " + finding.at("subject").get<std::string>());
  }
  return found;
}

/// Routing takes its time; then it is this and nothing else.
void expect(HandMade& world, const Findings& wanted, const std::vector<std::string>& options = {}) {
  CommandResult last;
  const bool seen = wait_for(
      [&] {
        last = world.audit(options);
        return findings_in(last) == wanted;
      },
      kPatience);
  INFO(last.output);
  CHECK(seen);
  CHECK(findings_in(last) == wanted);
  CHECK(last.status == (wanted.empty() ? 0 : 1));
}

struct Fault {
  Findings findings;
  std::function<void(HandMade&)> plant;
  std::function<void(HandMade&)> undo;
};

const std::vector<std::string> kBgpAt = {"router bgp 65001", "address-family ipv4 unicast"};

std::vector<std::string> with(std::vector<std::string> lines, const std::string& last) {
  lines.push_back(last);
  return lines;
}

std::vector<Fault> route_faults() {
  return {
      {{"missing-route 10.1.0.11"},
       [](HandMade& w) { w.a().remove("10.1.0.11/32"); },
       [](HandMade& w) { w.a().add("10.1.0.11/32", kSettled); }},
      {{"stale-route 10.1.0.99/32"},
       [](HandMade& w) { w.a().add("10.1.0.99/32", kSettled); },
       [](HandMade& w) { w.a().remove("10.1.0.99/32"); }},
      {{"remote-announced 10.1.0.12/32"},
       [](HandMade& w) { w.a().add("10.1.0.12/32", kSettled); },
       [](HandMade& w) { w.a().remove("10.1.0.12/32"); }},
      {{"trombone 10.1.0.11"},
       [](HandMade& w) { w.b().add("10.1.0.11/32", kFresh); },
       [](HandMade& w) { w.b().remove("10.1.0.11/32"); }},
      {{"unclaimed 10.1.0.12"},
       [](HandMade& w) { w.b().remove("10.1.0.12/32"); },
       [](HandMade& w) { w.b().add("10.1.0.12/32", kSettled); }},
      {{"orphan-summary 10.1.1.0/30"},
       [](HandMade& w) { w.forget("10.1.1.1"); },
       [](HandMade& w) { w.remember(w.lab().vm("three")); }},
      {{"summary-covers-remote 10.1.1.0/30"},
       [](HandMade& w) { w.remember("10.1.1.2", w.two()); },
       [](HandMade& w) { w.forget("10.1.1.2"); }},
      {{"gateway-announced 10.1.0.1/32"},
       [](HandMade& w) { w.a().add("10.1.0.1/32", kSettled); },
       [](HandMade& w) { w.a().remove("10.1.0.1/32"); }},
      {{"outside-subnets 203.0.113.7/32"},
       [](HandMade& w) { w.a().add("203.0.113.7/32", kSettled); },
       [](HandMade& w) { w.a().remove("203.0.113.7/32"); }},
      {{"route-shadowed 10.1.0.11"},
       [](HandMade& w) { w.lab().netns(Site::kA).ip("route add 10.1.0.11/32 dev br0 metric 0\n"); },
       [](HandMade& w) { w.lab().netns(Site::kA).ip("route del 10.1.0.11/32 dev br0 metric 0\n"); }},
  };
}

std::vector<Fault> frr_faults() {
  return {
      // zebra takes no notice of a route that looks like one of its own. One that is taken from it, it puts back.
      {{"kernel-disagrees 10.1.0.77/32"},
       [](HandMade& w) {
         w.lab().netns(Site::kA).ip("route add 10.1.0.77/32 dev br0 proto zebra metric 20\n");
       },
       [](HandMade& w) {
         w.lab().netns(Site::kA).ip("route del 10.1.0.77/32 dev br0 proto zebra metric 20\n");
       }},
      // The other site's claim is heard only where the WAN router prefers it.
      {{"double-claim 10.1.0.11"},
       [](HandMade& w) {
         w.configure({"route-map UNTROMBONE permit 20", "set as-path prepend 65001"});
         w.b().add("10.1.0.11/32", kSettled);
       },
       [](HandMade& w) {
         w.b().remove("10.1.0.11/32");
         w.configure({"route-map UNTROMBONE permit 20", "no set as-path prepend"});
       }},
      {{"unmarked-route 10.1.0.11/32", "unmarked-route 10.1.1.0/30"},
       [](HandMade& w) {
         w.configure({"route-map UNTROMBONE permit 20", "no set community"});
       },
       [](HandMade& w) {
         w.configure({"route-map UNTROMBONE permit 20", "set community 65000:4210 additive"});
       }},
      {{"not-redistributed bgpd"},
       [](HandMade& w) { w.configure(with(kBgpAt, "no redistribute table")); },
       [](HandMade& w) { w.configure(with(kBgpAt, "redistribute table route-map UNTROMBONE")); }},
      {{"ghost-route 10.1.0.99/32"},
       [](HandMade& w) {
         w.configure({"router bgp 65001", "no bgp network import-check"});
         w.configure(with(kBgpAt, "network 10.1.0.99/32"));
       },
       [](HandMade& w) { w.configure(with(kBgpAt, "no network 10.1.0.99/32")); }},
      {{"source-missing bgpd"},
       [](HandMade& w) { w.lab().frr(Site::kA).daemon("bgpd").kill9(); },
       [](HandMade& w) { w.lab().frr(Site::kA).start_daemon("bgpd"); }},
  };
}

std::vector<Fault> guard_faults() {
  return {
      {{"guard-missing table bridge untrombone"},
       [](HandMade& w) { w.nft("delete table bridge untrombone\n"); },
       [](HandMade& w) { w.load_guard(); }},
      {{"guard-drifted 10.1.0.1 at dci0"},
       [](HandMade& w) { w.nft("delete element bridge untrombone gateways { \"dci0\" . 10.1.0.1 }\n"); },
       [](HandMade& w) { w.load_guard(); }},
      {{"guard-dormant table bridge untrombone"},
       [](HandMade& w) { w.nft("add table bridge untrombone { flags dormant; }\n"); },
       [](HandMade& w) {
         w.nft("delete table bridge untrombone\n");
         w.load_guard();
       }},
  };
}

}  // namespace

TEST_CASE("the audit names every planted fault, with its subject, and nothing else", "[e2e]") {
  HandMade world;
  expect(world, {});
  for (const auto& faults : {route_faults(), guard_faults(), frr_faults()}) {
    for (const Fault& fault : faults) {
      CAPTURE(*fault.findings.begin());
      fault.plant(world);
      expect(world, fault.findings);
      fault.undo(world);
      expect(world, {});
    }
  }
  const auto groups = world.lab().directory(Node::kSiteA) / "groups.json";
  std::ofstream(groups) << R"({"shop": ["10.1.0.11", "10.1.0.12"], "whole": ["10.1.0.11", "10.1.1.1"]})";
  expect(world, {"group-split shop"}, {"--groups", groups.string()});
}

/// scripts/audit-picture takes its page from here.
TEST_CASE("the page of a report has every finding in it, and asks for nothing from elsewhere", "[e2e]") {
  HandMade world;
  for (int i = 1; i < 63; ++i) {
    world.remember(fmt::format("10.1.2.{}", i), world.lab().vm("one"));
    if (i < 42) world.remember(fmt::format("10.1.3.{}", i), world.two());
  }
  world.remember("10.1.4.1", world.lab().vm("one"));
  world.remember("10.1.4.2", world.two());
  world.a().add("10.1.2.0/26", kSettled);
  world.b().add("10.1.3.0/26", kSettled);
  world.a().add("10.1.0.99/32", kSettled);
  world.a().add("10.1.3.7/32", kSettled);
  world.a().add("203.0.113.7/32", kSettled);
  world.b().add("10.1.2.9/32", kFresh);
  world.nft("delete element bridge untrombone gateways { \"dci0\" . 10.1.0.1 }\n");
  const std::string page = (world.lab().directory(Node::kSiteA) / "audit.html").string();
  expect(world,
         {"missing-route 10.1.4.1", "unclaimed 10.1.4.2", "stale-route 10.1.0.99/32",
          "remote-announced 10.1.3.7/32", "outside-subnets 203.0.113.7/32", "trombone 10.1.2.9",
          "guard-drifted 10.1.0.1 at dci0"},
         {"--html", page});
  std::ifstream file(page);
  const std::string html{std::istreambuf_iterator<char>(file), {}};
  for (const char* const shown :
       {"missing-route", "unclaimed", "stale-route", "remote-announced", "outside-subnets", "trombone",
        "guard-drifted", "10.1.4.1", "guard not closed", "site dc-a"}) {
    INFO(shown);
    CHECK(html.find(shown) != std::string::npos);
  }
  for (const char* const foreign :
       {"http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link"}) {
    INFO(foreign);
    CHECK(html.find(foreign) == std::string::npos);
  }
  if (const char* const copy = std::getenv("UNTROMBONE_AUDIT_PAGE")) std::ofstream(copy) << html;
}

namespace {

CommandResult audit_of(World& world, Site site) {
  return world.lab().agent_cli(site,
                               {"audit", "--json", "--config", world.lab().agent(site).config().string()});
}

/// Waits until the audit of the site says exactly this.
CommandResult expect_at(World& world, Site site, const Findings& wanted) {
  CommandResult last;
  const bool seen = wait_for(
      [&] {
        last = audit_of(world, site);
        return findings_in(last) == wanted;
      },
      kPatience);
  INFO(last.output);
  CHECK(seen);
  return last;
}

}  // namespace

TEST_CASE("beside healthy agents the audit is silent and knows their verdicts, whichever sink they have",
          "[e2e]") {
  const Sink sink = GENERATE(Sink::kZapi, Sink::kKernelTable, Sink::kVtysh);
  CAPTURE(name_of(sink));
  World world({.dci_delay = 5ms, .sink = sink});
  Vm& one = world.lab().start_vm("one", Site::kA);
  Vm& two = world.lab().start_vm("two", Site::kB);
  world.start_agents();
  const auto first = world.ping_from(one);
  const auto second = world.ping_from(two);
  REQUIRE(world.reaches(one, Site::kA));
  REQUIRE(world.reaches(two, Site::kB));
  for (const Site site : {Site::kA, Site::kB}) {
    const auto report = nlohmann::json::parse(expect_at(world, site, {}).output);
    CHECK(report.at("sources").at("agent") == true);
    CHECK(report.at("sources").at("hosts") >= 1);
    CHECK(report.at("sources").at("kernel_routes") >= 1);
  }
}

TEST_CASE("a static route in the kernel that zebra does not know is named, and an operator's is left alone",
          "[e2e]") {
  World world({.dci_delay = 5ms, .sink = Sink::kVtysh});
  Vm& one = world.lab().start_vm("one", Site::kA);
  world.start_agent(Site::kA);
  const auto ping = world.ping_from(one);
  REQUIRE(world.reaches(one, Site::kA));
  (void)world.lab().frr(Site::kA).vtysh({"configure terminal", "ip route 10.1.0.88/32 br0"});
  const Netns& site = world.lab().netns(Site::kA);
  REQUIRE(wait_for(
      [&] {
        return !run_command({.argv = {"ip", "route", "show", "10.1.0.88/32", "proto", "196"}, .netns = &site})
                    .output.empty();
      },
      kPatience));
  expect_at(world, Site::kA, {});
  site.ip("route add 10.1.0.77/32 dev br0 proto 196 metric 20\n");
  expect_at(world, Site::kA, {"kernel-disagrees 10.1.0.77/32"});
  site.ip("route del 10.1.0.77/32 dev br0 proto 196 metric 20\n");
  expect_at(world, Site::kA, {});
}
