// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/doctor.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>

#include "tests/unit/golden.hpp"

namespace untrombone::cli {
namespace {

constexpr std::string_view kConfig = R"(
[site]
name = "dc-a"
[[segment]]
name = "vlan10"
bridge = "br0"
dci-ports = ["dci*"]
peer-ports = ["peer0"]
subnets = ["192.0.2.0/24", "2001:db8:1::/64"]
gateways = ["192.0.2.1", "2001:db8:1::1"]
)";

netlink::LinkDetails link(int index, std::string name, int master, std::string kind = "veth") {
  netlink::LinkDetails details;
  details.index = {index};
  details.name = std::move(name);
  details.master = {master};
  details.mtu = 1500;
  details.kind = std::move(kind);
  details.up = true;
  if (master != 0) details.neigh_suppress = false;
  return details;
}

/// A machine that nothing is wrong with.
DoctorFacts healthy() {
  DoctorFacts facts;
  auto config = daemon::parse_config(kConfig, "test.toml");
  REQUIRE(config.has_value());
  facts.config = *config;
  facts.config_path = "test.toml";
  facts.kernel = "6.1.0-18-amd64";
  facts.capabilities = ~std::uint64_t{0};
  facts.clock_synchronised = true;
  facts.sysctls = {
      {"net/ipv4/ip_forward", "1"},
      {"net/ipv6/conf/all/forwarding", "1"},
      {"net/ipv4/conf/all/send_redirects", "0"},
      {"net/ipv4/conf/br0/send_redirects", "0"},
      {"net/ipv4/conf/all/rp_filter", "0"},
      {"net/ipv4/conf/br0/rp_filter", "2"},
      {"net/ipv4/conf/br0/arp_accept", "2"},
      {"net/ipv6/conf/br0/accept_untracked_na", "2"},
      {"net/ipv4/neigh/default/gc_thresh3", "8192"},
      {"net/ipv6/neigh/default/gc_thresh3", "8192"},
      {"net/bridge/bridge-nf-call-arptables", "0"},
      {"net/bridge/bridge-nf-call-ip6tables", "0"},
      {"net/bridge/bridge-nf-call-iptables", "0"},
  };
  facts.links = {link(2, "br0", 0, "bridge"), link(3, "acc0", 2), link(4, "dci0", 2), link(5, "peer0", 2),
                 link(6, "eth0", 0, "")};
  facts.daemons = {{"zebra", "8.4.4"}, {"bgpd", "8.4.4"}};
  facts.frr_running = testing::golden_text("frr/running-8.4.conf");
  facts.hosts = 100;
  return facts;
}

std::vector<Check> problems(const DoctorFacts& facts) {
  std::vector<Check> checks = evaluate(facts);
  std::erase_if(checks, [](const Check& check) { return check.severity == Severity::kOk; });
  return checks;
}

/// The one problem of the facts.
Check problem(const DoctorFacts& facts) {
  const std::vector<Check> found = problems(facts);
  REQUIRE(found.size() == 1);
  return found.front();
}

}  // namespace

TEST_CASE("a fit machine has no problem, and every check had its say") {
  const std::vector<Check> checks = evaluate(healthy());
  std::set<std::string> said;
  for (const Check& check : checks) {
    CAPTURE(check.id, check.seen);
    CHECK(check.severity == Severity::kOk);
    CHECK_FALSE(check.fix);
    said.insert(check.id);
  }
  for (const std::string_view id : check_ids()) CHECK(said.count(std::string(id)) == 1);
  CHECK(said.size() == check_ids().size());
}

TEST_CASE("what FRR's configuration lacks is an error with the line that mends it") {
  DoctorFacts facts = healthy();
  const std::string line = "  redistribute table route-map UNTROMBONE\n";
  const std::size_t at = facts.frr_running.find(line);
  REQUIRE(at != std::string::npos);
  facts.frr_running.erase(at, line.size());
  const Check check = problem(facts);
  CHECK(check.id == "frr-config");
  CHECK(check.severity == Severity::kError);
  CHECK(check.subject == "router bgp 65001, ipv4");
  CHECK(check.seen == "frr-not-redistributed: has no `redistribute table`");
  CHECK(check.command.find("-c 'redistribute table route-map UNTROMBONE'") != std::string::npos);
}

TEST_CASE("every planted fault is the one problem, with its id, subject and severity") {
  struct Planted {
    const char* id;
    const char* subject;
    Severity severity;
    void (*plant)(DoctorFacts&);
  };
  const std::vector<Planted> faults = {
      {"kernel", "kernel", Severity::kWarning, [](DoctorFacts& f) { f.kernel = "4.19.0"; }},
      {"kernel", "kernel", Severity::kWarning, [](DoctorFacts& f) { f.kernel = ""; }},
      {"capabilities", "this process", Severity::kError,
       [](DoctorFacts& f) { f.capabilities = std::uint64_t{1} << 12U; }},
      {"nft", "nftables", Severity::kError, [](DoctorFacts& f) { f.nft_error = "Operation not supported"; }},
      {"clock", "system clock", Severity::kNote, [](DoctorFacts& f) { f.clock_synchronised = false; }},
      {"sysctl-bridge-nf", "net/bridge/bridge-nf-call-iptables", Severity::kWarning,
       [](DoctorFacts& f) { f.sysctls["net/bridge/bridge-nf-call-iptables"] = "1"; }},
      {"sysctl-forwarding", "net/ipv6/conf/all/forwarding", Severity::kError,
       [](DoctorFacts& f) { f.sysctls["net/ipv6/conf/all/forwarding"] = "0"; }},
      {"sysctl-redirects", "net/ipv4/conf/all/send_redirects", Severity::kWarning,
       [](DoctorFacts& f) { f.sysctls["net/ipv4/conf/all/send_redirects"] = "1"; }},
      {"sysctl-rp-filter", "net/ipv4/conf/br0/rp_filter", Severity::kError,
       [](DoctorFacts& f) { f.sysctls["net/ipv4/conf/br0/rp_filter"] = "1"; }},
      {"sysctl-arp-accept", "net/ipv4/conf/br0/arp_accept", Severity::kNote,
       [](DoctorFacts& f) { f.sysctls["net/ipv4/conf/br0/arp_accept"] = "0"; }},
      {"sysctl-na-accept", "net/ipv6/conf/br0/accept_untracked_na", Severity::kNote,
       [](DoctorFacts& f) { f.sysctls["net/ipv6/conf/br0/accept_untracked_na"] = "0"; }},
      {"sysctl-gc-thresh", "net/ipv6/neigh/default/gc_thresh3", Severity::kWarning,
       [](DoctorFacts& f) { f.sysctls["net/ipv6/neigh/default/gc_thresh3"] = "1023"; }},
      {"sysctl-gc-thresh", "net/ipv4/neigh/default/gc_thresh3", Severity::kNote,
       [](DoctorFacts& f) { f.sysctls.erase("net/ipv4/neigh/default/gc_thresh3"); }},
      {"segment-interface", "vlan10: br0", Severity::kError, [](DoctorFacts& f) { f.links[0].up = false; }},
      {"segment-bridge", "vlan10: br0", Severity::kError, [](DoctorFacts& f) { f.links[0].kind = "veth"; }},
      {"port-class", "vlan10: peer-ports peer0", Severity::kWarning,
       [](DoctorFacts& f) { f.links[3].master = {}; }},
      {"port-class", "vlan10: dci-ports dci*", Severity::kError,
       [](DoctorFacts& f) { f.links[2].name = "dark0"; }},
      {"port-class", "vlan10: dci-ports", Severity::kWarning,
       [](DoctorFacts& f) { f.config->segments[0].dci_ports.clear(); }},
      {"port-suppress", "vlan10: dci0", Severity::kError,
       [](DoctorFacts& f) { f.links[2].neigh_suppress = true; }},
      {"dci-mtu", "vlan10: dci0", Severity::kWarning, [](DoctorFacts& f) { f.links[2].mtu = 1450; }},
      {"frr-zebra", "/var/run/frr", Severity::kError,
       [](DoctorFacts& f) { f.daemons.erase(f.daemons.begin()); }},
      {"frr-release", "zebra", Severity::kError, [](DoctorFacts& f) { f.daemons[0].version = "11.0"; }},
      {"frr-daemons", "/var/run/frr", Severity::kError, [](DoctorFacts& f) { f.daemons.pop_back(); }},
  };
  for (const Planted& planted : faults) {
    DoctorFacts facts = healthy();
    planted.plant(facts);
    CAPTURE(planted.id, planted.subject);
    const Check found = problem(facts);
    CHECK(found.id == planted.id);
    CHECK(found.subject == planted.subject);
    CHECK(found.severity == planted.severity);
    CHECK_FALSE(found.seen.empty());
    CHECK_FALSE(found.wanted.empty());
    CHECK_FALSE(found.why.empty());
    CHECK_FALSE(found.command.empty());
  }
}

TEST_CASE("a strict all makes the interface strict, and the fix is on the interface") {
  DoctorFacts facts = healthy();
  facts.sysctls["net/ipv4/conf/all/rp_filter"] = "1";
  facts.sysctls["net/ipv4/conf/br0/rp_filter"] = "0";
  const Check found = problem(facts);
  CHECK(found.seen == "1 (from all)");
  CHECK(found.fix == Check::Fix{"net/ipv4/conf/br0/rp_filter", "2"});
  facts.sysctls["net/ipv4/conf/br0/rp_filter"] = "2";
  CHECK(problems(facts).empty());
}

TEST_CASE("the neighbour table has room for four entries for each host") {
  DoctorFacts facts = healthy();
  facts.hosts = 10000;
  const std::vector<Check> found = problems(facts);
  REQUIRE(found.size() == 2);
  CHECK(found[0].fix == Check::Fix{"net/ipv4/neigh/default/gc_thresh3", "40000"});
  CHECK(found[0].command == "sysctl -w net/ipv4/neigh/default/gc_thresh3=40000");
}

TEST_CASE("what concerns other interfaces, too, is never fixed") {
  DoctorFacts facts = healthy();
  facts.sysctls["net/ipv4/ip_forward"] = "0";
  facts.sysctls["net/bridge/bridge-nf-call-arptables"] = "1";
  for (const Check& check : problems(facts)) CHECK_FALSE(check.fix);
}

TEST_CASE("without a configuration the machine is judged all the same") {
  DoctorFacts facts = healthy();
  facts.config.reset();
  facts.config_error = "test.toml: cannot read it: No such file or directory";
  facts.sysctls["net/bridge/bridge-nf-call-iptables"] = "1";
  const std::vector<Check> found = problems(facts);
  REQUIRE(found.size() == 2);
  CHECK(found[0].id == "config");
  CHECK(found[0].seen == facts.config_error);
  CHECK(found[1].id == "sysctl-bridge-nf");
}

TEST_CASE("docs/doctor.md names every check and no other") {
  std::ifstream file(UNTROMBONE_SOURCE_DIR "/docs/doctor.md");
  REQUIRE(file);
  std::set<std::string> documented;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `") || line.starts_with("| `--")) continue;
    documented.insert(line.substr(3, line.find('`', 3) - 3));
  }
  const auto ids = check_ids();
  CHECK(documented == std::set<std::string>(ids.begin(), ids.end()));
}

}  // namespace untrombone::cli
