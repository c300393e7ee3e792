#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The ToR switch of vlan_test.py with bgpd: each VRF has a session of its own with a router beyond, "core".

    vrf_bgp_test.py UNTROMBONE

runs in the machine of tests/vm/run. bgpd's configuration is what `untrombone frr-config` prints, and the sessions. The
core has the VRFs, too, and a zebra and a bgpd of its own; what it announces with the community of a fresh claim is the
other site's.
"""

import json
import os
import subprocess
import sys

import vlan_test as vm

ASN = 65001
LINKS = {"red": "192.0.2.0", "blue": "192.0.2.2"}  # a /31 each; the core has the upper address
HOST = "10.1.0.11"
PROTOCOLS = '[routes]\nsettle = "2s"\nprotocols = ["bgp"]\n'
CLAIM = """
route-map CLAIM permit 10
 set community 65000:4211 65000:4219
 set local-preference 200
exit
"""


def core(*command: str, text: str | None = None) -> str:
    return vm.run("ip", "netns", "exec", "core", *command, text=text)


def upper(address: str) -> str:
    return f"{address[:-1]}{int(address[-1]) + 1}"


def build_core() -> None:
    vm.run("ip", "netns", "add", "core")
    core("ip", "link", "set", "lo", "up")
    for number, (vrf, lower) in enumerate(LINKS.items()):
        core("ip", "link", "add", vrf, "type", "vrf", "table", str(2000 + number))
        core("ip", "link", "set", vrf, "up")
        vm.run("ip", "link", "add", f"up-{vrf}", "netns", "edge", "type", "veth", "peer", "name", f"to-{vrf}", "netns",
               "core")
        for run, link, address in ((vm.edge, f"up-{vrf}", lower), (core, f"to-{vrf}", upper(lower))):
            run("ip", "link", "set", link, "master", vrf)
            run("ip", "link", "set", link, "up")
            run("ip", "address", "add", f"{address}/31", "dev", link)


def start(netns: str, daemon: str, *arguments: str) -> None:
    log = open(vm.WORK / f"{netns}-{daemon}.log", "wb")
    subprocess.Popen(["ip", "netns", "exec", netns, f"/usr/lib/frr/{daemon}", "--log", "stdout", *arguments],
                     stdout=log, stderr=log)


def start_daemons() -> None:
    for directory in ("/var/run/frr/core", "/etc/frr/core"):
        os.makedirs(directory, exist_ok=True)
        vm.run("chown", "frr:frr", directory)
    start("core", "zebra", "-N", "core", "-P", "0")
    vm.expect("the core's zebra listens", lambda: os.path.exists("/var/run/frr/core/zserv.api"))
    start("core", "bgpd", "-N", "core", "-P", "0")
    start("edge", "bgpd", "-P", "0")
    vm.expect("both bgpd listen", lambda: all(os.path.exists(f"/var/run/frr/{name}bgpd.vty") for name in ("", "core/")))


def vtysh(command: str, *options: str) -> str:
    return vm.run("vtysh", *options, "-d", "bgpd", "-c", command)


def configure(text: str, *options: str) -> None:
    path = vm.WORK / "bgpd.conf"
    path.write_text(text)
    vm.run("vtysh", *options, "-d", "bgpd", "-f", str(path))


def sessions(of) -> str:
    return "".join(f"""
router bgp {ASN} vrf {vrf}
 no bgp ebgp-requires-policy
 bgp router-id {of(lower)[0]}
 neighbor {of(lower)[1]} remote-as {ASN}
 neighbor {of(lower)[1]} timers connect 1
 address-family ipv4 unicast
  neighbor {of(lower)[1]} next-hop-self
 exit-address-family
exit
""" for vrf, lower in LINKS.items())


def configure_daemons(agent: vm.Agent) -> None:
    printed = vm.edge(agent.binary, "frr-config", "--config", str(agent.config), "--protocol", "bgp", "--asn", str(ASN),
                      "--ibgp")
    configure(printed + sessions(lambda lower: (lower, upper(lower))))
    configure(CLAIM + sessions(lambda lower: (upper(lower), lower)), "-N", "core")


def remote_route(vrf: str, address: str) -> bool:
    """The core's kernel sends it to the edge, in this VRF."""
    routes = json.loads(core("ip", "-json", "route", "show", "vrf", vrf, "proto", "bgp") or "[]")
    return any(route["dst"] == address and route.get("gateway") == LINKS[vrf] for route in routes)


def claim(vrf: str, address: str, there: bool) -> None:
    """The other site of this VRF has, or no longer has, the host."""
    configure(f"router bgp {ASN} vrf {vrf}\n no bgp network import-check\n address-family ipv4 unicast\n"
              f"  {'' if there else 'no '}network {address}/32 route-map CLAIM\n exit-address-family\nexit\n", "-N", "core")


def test_routes(agent: vm.Agent, wires: dict[str, vm.Wire]) -> None:
    wires["acc1"].announce("00:00:5e:00:53:11", HOST)
    wires["trunk0"].announce("00:00:5e:00:53:13", "10.1.0.13", 10)
    vm.expect("a host of the VRF red is a route of the core's VRF red", lambda: remote_route("red", HOST))
    vm.expect("and so is another", lambda: remote_route("red", "10.1.0.13"))
    vm.check("neither is one in blue", not remote_route("blue", HOST) and not remote_route("blue", "10.1.0.13"))
    wires["acc2"].announce("00:00:5e:00:53:22", HOST)
    vm.expect("its namesake in blue is a route there", lambda: remote_route("blue", HOST))
    vm.expect("they settle", lambda: agent.host("v10", HOST).get("route_class") == "settled"
              and agent.host("v20", HOST).get("route_class") == "settled")
    vm.expect("and are the core's still", lambda: remote_route("red", HOST) and remote_route("blue", HOST))
    vm.expect("an audit finds nothing amiss", lambda: agent.audit()["findings"] == [])


def test_claims(agent: vm.Agent, wires: dict[str, vm.Wire]) -> None:
    claim("red", HOST, True)
    vm.expect("a host that still answers keeps its route, and the conflict is said",
              lambda: agent.ask("status")["claims"]["conflicts"] >= 1)
    claim("red", HOST, False)
    vm.expect("its route is the core's again", lambda: remote_route("red", HOST))
    del wires["acc1"].guests[HOST, None]
    claim("red", HOST, True)
    vm.expect("one that does not answer a claim of its VRF has left", lambda: agent.state("v10", HOST) == "unknown")
    vm.expect("its route is gone", lambda: vm.route("red", HOST) == "")
    vm.check("its namesake in blue does not mind", agent.state("v20", HOST) == "local" and remote_route("blue", HOST))


def test_restart(agent: vm.Agent) -> None:
    agent.process.terminate()
    agent.process.wait()
    vm.check("the routes outlive the agent", remote_route("blue", HOST) and remote_route("red", "10.1.0.13"))
    agent.start()
    vm.expect("a new agent finds its hosts", lambda: agent.state("v20", HOST) == "local")
    vm.check("and their routes are still there", remote_route("blue", HOST) and remote_route("red", "10.1.0.13"))


def main() -> None:
    build_only = vm.build
    vm.build = lambda: (build_only(), build_core())[0]
    agent, wires = vm.set_up(vm.CONFIG.replace('[routes]\nsettle = "2s"\n', PROTOCOLS))
    try:
        start_daemons()
        configure_daemons(agent)
        test_routes(agent, wires)
        test_claims(agent, wires)
        test_restart(agent)
    except (SystemExit, RuntimeError):
        print((vm.WORK / "agent.log").read_text()[-6000:])
        print(vtysh("show bgp vrf all"))
        print(vtysh("show bgp vrf all", "-N", "core"))
        print(vtysh("show running-config"))
        raise


if __name__ == "__main__":
    main()
