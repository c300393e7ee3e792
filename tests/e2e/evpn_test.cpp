// SPDX-License-Identifier: GPL-2.0-or-later
// Side by side with FRR's own EVPN on the same VXLAN, as docs/evpn.md has it.
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/e2e/world.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

/// The lab's autonomous systems.
int as_of(Site site) { return site == Site::kA ? 65001 : 65002; }

/// EVPN between the two edges, for the VNI of the lab's VXLAN.
void speak_evpn(Lab& lab) {
  for (const Site site : {Site::kA, Site::kB}) {
    lab.netns(site).ip("link set dci0 type bridge_slave learning off neigh_suppress off\n");
    const std::string peer = uplink_address(other(site));
    std::vector<std::string> lines = {
        "configure terminal",
        "ip nht resolve-via-default",  // the edges know each other by their default routes alone
        fmt::format("router bgp {}", as_of(site)),
        fmt::format("neighbor {} remote-as {}", peer, as_of(other(site))),
        fmt::format("neighbor {} ebgp-multihop 4", peer),
        fmt::format("neighbor {} timers connect 1", peer),
    };
    if (site == Site::kA) lines.push_back(fmt::format("neighbor {} passive", peer));
    for (const char* const line :
         {"address-family ipv4 unicast", "no neighbor {} activate", "exit-address-family",
          "address-family l2vpn evpn", "neighbor {} activate", "advertise-all-vni", "vni 10",
          "route-target import 65000:10", "route-target export 65000:10", "exit-vni"}) {
      lines.push_back(fmt::format(fmt::runtime(line), peer));
    }
    (void)lab.frr(site).vtysh(lines);
  }
}

/// "local" or "remote", as EVPN has the guest's MAC at this site; "" when it does not.
std::string evpn_place(Lab& lab, Site site, const Vm& vm) {
  const auto table = nlohmann::json::parse(
      lab.vtysh(node_of(site), "show evpn mac vni 10 mac " + format_mac(vm.mac()) + " json"), nullptr, false);
  const auto entry = table.is_object() ? table.find(format_mac(vm.mac())) : table.end();
  return entry == table.end() || !entry->is_object() ? "" : entry->value("type", "");
}

}  // namespace

TEST_CASE("beside FRR's EVPN a guest is where EVPN has it, before and after a move", "[e2e]") {
  World world({.dci_kind = DciKind::kVxlan});
  speak_evpn(world.lab());
  world.start_agents();
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  vm.send_garp();
  const auto agree = [&](Site here) {
    return wait_for(
        [&] {
          return evpn_place(world.lab(), here, vm) == "local" &&
                 evpn_place(world.lab(), other(here), vm) == "remote";
        },
        30s);
  };
  CHECK(agree(Site::kA));
  CHECK(world.becomes(Site::kA, vm, "local"));
  CHECK(world.becomes(Site::kB, vm, "remote"));
  CHECK(world.reaches(vm, Site::kA));

  world.lab().move(vm, Site::kB, Announcement::kRarpQemu);
  CHECK(world.reaches(vm, Site::kB));
  CHECK(world.becomes(Site::kB, vm, "local"));
  CHECK(world.becomes(Site::kA, vm, "remote"));
  CHECK(agree(Site::kB));
  const nlohmann::json location = world.lab().agent(Site::kA).json({"explain", vm.address()})["location"];
  CHECK(location["port"] == "dci0");
  CHECK(location["class"] == "dci");
  CHECK(world.lab().agent(Site::kA).cli({"guard", "test"}).status == 0);
}
