#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A ToR switch in a whole kernel: one VLAN-aware bridge, two VLANs, their SVIs in two VRFs, the same addresses in both.

    vlan_test.py UNTROMBONE

runs in the machine of tests/vm/run. The switch, with zebra and the agent, is the namespace "edge"; guests are this
program, at the far ends of the bridge's ports:

    port     VLAN 10    VLAN 20     far end
    acc1     untagged   -           guest1
    acc2     -          untagged    guest2
    trunk0   tagged     tagged      server0
    dci0     tagged     tagged      far0
"""

import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

PATIENCE = 60.0  # QEMU without KVM is slow
WORK = Path("/run/untrombone-vm")
SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING, TP_STATUS_VLAN_VALID = 263, 8, 4, 0x10
ARP, RARP, Q, AD = 0x0806, 0x8035, 0x8100, 0x88A8
BROADCAST = b"\xff" * 6
GATEWAY, GATEWAY_MAC = "10.1.0.1", "00:00:5e:00:53:fe"

SWITCH = f"""
link add name red type vrf table 1010
link add name blue type vrf table 1020
link set red up
link set blue up
link add name br0 address {GATEWAY_MAC} type bridge vlan_filtering 1 vlan_default_pvid 0 mcast_snooping 0
link set br0 up
link add link br0 name br0.10 type vlan id 10
link add link br0 name br0.20 type vlan id 20
link set br0.10 master red
link set br0.20 master blue
link set br0.10 up
link set br0.20 up
address add {GATEWAY}/24 dev br0.10
address add {GATEWAY}/24 dev br0.20
"""
PORTS = {"acc1": "guest1", "acc2": "guest2", "trunk0": "server0", "dci0": "far0"}
VLANS = """
vlan add vid 10 dev br0 self
vlan add vid 20 dev br0 self
vlan add vid 10 dev acc1 pvid untagged
vlan add vid 20 dev acc2 pvid untagged
vlan add vid 10 dev trunk0
vlan add vid 20 dev trunk0
vlan add vid 10 dev dci0
vlan add vid 20 dev dci0
"""
CONFIG = """
[site]
name = "dc-a"
[routes]
settle = "2s"
[[segment]]
name = "v10"
bridge = "br0"
vlan = 10
interface = "br0.10"
vrf = "red"
dci-ports = ["dci*"]
subnets = ["10.1.0.0/24"]
gateways = ["10.1.0.1"]
[segment.detect]
probe-address = "10.1.0.2"
[segment.summarize]
linger = "500ms"
[segment.guard]
enabled = false
[[segment]]
name = "v20"
bridge = "br0"
vlan = 20
interface = "br0.20"
vrf = "blue"
dci-ports = ["dci*"]
subnets = ["10.1.0.0/24"]
gateways = ["10.1.0.1"]
[segment.summarize]
linger = "500ms"
[segment.guard]
enabled = false
"""


def run(*command: str, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}{done.stdout}")
    return done.stdout


def edge(*command: str, text: str | None = None) -> str:
    return run("ip", "netns", "exec", "edge", *command, text=text)


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


class Frame:
    """An ARP or RARP frame, and how it was tagged on the wire."""

    def __init__(self, octets: bytes, vlan: int | None, protocol: int) -> None:
        self.octets, self.vlan, self.protocol = octets, vlan, protocol
        self.operation = struct.unpack_from("!H", octets, 20)[0]
        self.source, self.destination = octets[6:12], octets[:6]
        self.sender, self.target = (socket.inet_ntoa(octets[at : at + 4]) for at in (28, 38))


class Wire:
    """The far end of a port: sends frames, keeps the ARP frames that come, and answers in the name of guests."""

    def __init__(self, interface: str) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.bind((interface, 3))
        self.frames: list[Frame] = []
        self.guests: dict[tuple[str, int | None], str] = {}
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        while True:
            octets, control, _, address = self.socket.recvmsg(2048, 256)
            if address[2] == PACKET_OUTGOING or len(octets) < 42 or octets[12:14] != struct.pack("!H", ARP):
                continue
            vlan, protocol = None, 0
            for level, kind, value in control:
                if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                    status, _, _, _, _, tci, protocol = struct.unpack_from("=IIIHHHH", value)
                    vlan = tci & 0xFFF if status & TP_STATUS_VLAN_VALID else None
            frame = Frame(octets, vlan, protocol)
            self.frames.append(frame)
            mac = self.guests.get((frame.target, vlan))
            if mac is not None and frame.operation == 1:
                self.arp(2, mac, frame.target, frame.sender, vlan, destination=frame.source)

    def send(self, octets: bytes, vlan: int | None, protocol: int = Q) -> None:
        tag = b"" if vlan is None else struct.pack("!HH", protocol, vlan)
        self.socket.send(octets[:12] + tag + octets[12:])

    def arp(self, operation: int, mac: str, sender: str, target: str, vlan: int | None, destination: bytes = BROADCAST,
            ethertype: int = ARP, protocol: int = Q) -> None:
        body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac_bytes(mac) + socket.inet_aton(sender)
        body += bytes(6) + socket.inet_aton(target) + bytes(18)
        self.send(destination + mac_bytes(mac) + struct.pack("!H", ethertype) + body, vlan, protocol)

    def announce(self, mac: str, address: str, vlan: int | None = None, protocol: int = Q) -> None:
        """A gratuitous ARP of a guest that is here from now on."""
        self.guests[address, vlan] = mac
        self.arp(1, mac, address, address, vlan, protocol=protocol)

    def rarp(self, mac: str, vlan: int | None) -> None:
        self.arp(3, mac, "0.0.0.0", "0.0.0.0", vlan, ethertype=RARP)

    def greeted(self, mac: str, vlan: int | None) -> bool:
        return any(frame.destination == mac_bytes(mac) and frame.sender == GATEWAY and frame.vlan == vlan
                   for frame in list(self.frames))


class Agent:
    def __init__(self, binary: str, config: str = CONFIG) -> None:
        self.binary = binary
        self.config = WORK / "agent.toml"
        self.config.write_text(f'{config}[control]\nsocket = "{WORK}/control.sock"\n[log]\nlevel = "debug"\n')
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        with open(WORK / "agent.log", "ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", "edge", self.binary, "agent", "--config", str(self.config)],
                stdout=log, stderr=log)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ask(self, *command: str) -> dict:
        done = subprocess.run([self.binary, *command, "--json", "--socket", f"{WORK}/control.sock"],
                              text=True, capture_output=True, check=False)
        return json.loads(done.stdout) if done.stdout else {}

    def audit(self) -> dict:
        """The audit looks at the namespace that it runs in."""
        return json.loads(edge(self.binary, "audit", "--config", str(self.config), "--json",
                               "--socket", f"{WORK}/control.sock"))

    def segment(self, name: str) -> dict:
        return next((s for s in self.ask("status").get("segments", []) if s["name"] == name), {})

    def counter(self, name: str) -> int:
        return self.ask("status").get("counters", {}).get(name, -1)

    def host(self, segment: str, address: str) -> dict:
        hosts = self.ask("hosts", "--segment", segment).get("hosts", [])
        return next((h for h in hosts if h["ip"] == address), {})

    def state(self, segment: str, address: str) -> str:
        return self.host(segment, address).get("state", "absent")


def route(vrf: str, address: str) -> str:
    """The device of the host route that zebra has put into the table of the VRF."""
    found = json.loads(edge("ip", "-json", "route", "show", "vrf", vrf, "proto", "zebra") or "[]")
    return next((r["dev"] for r in found if r["dst"] == address), "")


def owns_probe_mac(vlan: int) -> bool:
    return any(entry["mac"].startswith("02:75:74") and entry.get("vlan") == vlan and entry["state"] == "permanent"
               for entry in json.loads(edge("bridge", "-json", "fdb", "show", "br", "br0")))


def expect(what: str, condition) -> None:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > PATIENCE:
            sys.exit(f"FAILED: {what}")
        time.sleep(0.01)
    print(f"ok {time.monotonic() - began:6.3f} s  {what}", flush=True)


def check(what: str, holds: bool) -> None:
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(f"ok           {what}", flush=True)


def build() -> dict[str, Wire]:
    run("ip", "netns", "add", "edge")
    edge("ip", "link", "set", "lo", "up")
    edge("ip", "-batch", "-", text=SWITCH)
    for number, (port, far) in enumerate(PORTS.items()):
        run("ip", "link", "add", far, "type", "veth", "peer", "name", port, "netns", "edge", "address",
            f"00:00:5e:00:53:a{number}")
        run("ip", "link", "set", far, "up")
        Path(f"/proc/sys/net/ipv6/conf/{far}/disable_ipv6").write_text("1")
        edge("ip", "-batch", "-", text=f"link set {port} master br0\nlink set {port} up\n")
    edge("bridge", "-batch", "-", text=VLANS)
    return {port: Wire(far) for port, far in PORTS.items()}


def start_zebra() -> None:
    for directory in ("/var/run/frr", "/var/log/frr", "/etc/frr"):
        os.makedirs(directory, exist_ok=True)
        run("chown", "frr:frr", directory)
    subprocess.Popen(["ip", "netns", "exec", "edge", "/usr/lib/frr/zebra", "-P", "0", "--log", "stdout"],
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    expect("zebra listens", lambda: os.path.exists("/var/run/frr/zserv.api"))


def test_arrivals(agent: Agent, wires: dict[str, Wire]) -> None:
    one, two, three = "00:00:5e:00:53:11", "00:00:5e:00:53:22", "00:00:5e:00:53:13"
    wires["acc1"].announce(one, "10.1.0.11")
    wires["acc2"].announce(two, "10.1.0.11")
    wires["trunk0"].announce(three, "10.1.0.13", 10)
    for segment, mac in (("v10", one), ("v20", two)):
        expect(f"the same address is a host of its own in {segment}",
               lambda segment=segment, mac=mac: agent.host(segment, "10.1.0.11").get("mac") == mac
               and agent.state(segment, "10.1.0.11") == "local")
    expect("a tagged frame makes a host of its VLAN", lambda: agent.state("v10", "10.1.0.13") == "local")
    check("and of no other one", agent.state("v20", "10.1.0.13") == "absent")
    expect("10.1.0.11 has its route in the VRF red", lambda: route("red", "10.1.0.11") == "br0.10")
    expect("10.1.0.11 has another one in the VRF blue", lambda: route("blue", "10.1.0.11") == "br0.20")
    expect("10.1.0.13 has its route in the VRF red", lambda: route("red", "10.1.0.13") == "br0.10")
    check("and none in the VRF blue", route("blue", "10.1.0.13") == "")
    check("and nothing is in the main table", edge("ip", "route", "show", "proto", "zebra") == "")
    expect("a guest on an untagged port is greeted without a tag", lambda: wires["acc1"].greeted(one, None))
    expect("one behind a trunk is greeted with its tag", lambda: wires["trunk0"].greeted(three, 10))
    check("and not without", not wires["trunk0"].greeted(three, None))
    audit = agent.audit()
    check("an audit sees the routes of the VRFs, in zebra and in the kernel, and nothing amiss",
          audit["findings"] == [] and (audit["sources"]["zebra_routes"], audit["sources"]["kernel_routes"]) == (3, 3))
    expect("the bridge owns the probe MAC of each VLAN, and floods no answers",
           lambda: all(owns_probe_mac(vlan) for vlan in (10, 20)))


def test_move(agent: Agent, wires: dict[str, Wire]) -> None:
    mac, address = "00:00:5e:00:53:14", "10.1.0.14"
    wires["dci0"].arp(1, mac, address, address, 10)
    expect("a host behind the DCI is remote in its VLAN", lambda: agent.state("v10", address) == "remote")
    check("and unknown in the other", agent.state("v20", address) == "absent")
    wires["trunk0"].guests[address, 10] = mac
    wires["trunk0"].rarp(mac, 20)
    wires["trunk0"].rarp(mac, 10)
    expect("it moves here by a RARP in its VLAN and answers a probe", lambda: agent.state("v10", address) == "local")
    check("the probe was tagged, from the probe address",
          any(frame.vlan == 10 and frame.target == address and frame.sender == "10.1.0.2"
              for frame in wires["trunk0"].frames))
    check("no probe went out of ports that are not in its VLAN, or to the DCI",
          not any(frame.target == address for port in ("acc2", "dci0") for frame in wires[port].frames
                  if frame.sender == "10.1.0.2"))
    expect("its route is in the VRF red", lambda: route("red", address) == "br0.10")
    check("and not in the other", agent.state("v20", address) == "absent" and route("blue", address) == "")


def test_foreign_tags(agent: Agent, wires: dict[str, Wire]) -> None:
    before = agent.counter("frames_of_other_vlans")
    wires["trunk0"].arp(1, "00:00:5e:00:53:15", "10.1.0.15", "10.1.0.15", 30)
    wires["trunk0"].arp(1, "00:00:5e:00:53:15", "10.1.0.15", "10.1.0.15", 10, protocol=AD)
    wires["trunk0"].arp(1, "00:00:5e:00:53:15", "10.1.0.15", "10.1.0.15", None)
    expect("frames of another VLAN, of 802.1ad, and without a PVID are counted as not ours",
           lambda: agent.counter("frames_of_other_vlans") >= before + 3)
    check("and make no host", {agent.state(s, "10.1.0.15") for s in ("v10", "v20")} == {"absent"})


def test_departure(agent: Agent, wires: dict[str, Wire]) -> None:
    del wires["acc1"].guests["10.1.0.11", None]
    wires["dci0"].arp(1, "00:00:5e:00:53:11", "10.1.0.11", "10.1.0.11", 10)
    expect("a host that leaves over the DCI is remote", lambda: agent.state("v10", "10.1.0.11") == "remote")
    expect("and its route is gone", lambda: route("red", "10.1.0.11") == "")
    check("its namesake in the other VRF stays",
          agent.state("v20", "10.1.0.11") == "local" and route("blue", "10.1.0.11") == "br0.20")


def test_restart(agent: Agent) -> None:
    agent.kill()
    check("the routes outlive the agent", route("blue", "10.1.0.11") == "br0.20")
    agent.start()
    expect("a new agent finds the hosts again, by the routes in the tables of the VRFs",
           lambda: agent.state("v20", "10.1.0.11") == "local" and agent.state("v10", "10.1.0.13") == "local")
    check("and the routes are still there", route("blue", "10.1.0.11") == "br0.20")
    expect("in the VRF red, too", lambda: route("red", "10.1.0.13") == "br0.10")


def test_changes(agent: Agent, wires: dict[str, Wire]) -> None:
    edge("bridge", "vlan", "del", "vid", "10", "dev", "trunk0")
    expect("a port that leaves the VLAN takes its hosts with it", lambda: route("red", "10.1.0.13") == "")
    check("and is none of the segment's", not any(p["name"] == "trunk0" for p in agent.segment("v10")["ports"]))
    check("but still one of the other's", any(p["name"] == "trunk0" for p in agent.segment("v20")["ports"]))
    edge("bridge", "vlan", "add", "vid", "10", "dev", "trunk0", "pvid", "untagged")
    wires["trunk0"].announce("00:00:5e:00:53:13", "10.1.0.13", None)
    expect("it comes back as an untagged one, and an untagged frame is of its PVID",
           lambda: agent.state("v10", "10.1.0.13") == "local")
    expect("and the greeting is untagged now", lambda: wires["trunk0"].greeted("00:00:5e:00:53:13", None))
    edge("bridge", "vlan", "del", "vid", "10", "dev", "br0", "self")
    expect("a bridge that does not take in the VLAN itself is said to lack it",
           lambda: agent.segment("v10").get("detail", "").startswith("bridge br0 itself is not in VLAN 10"))
    edge("bridge", "vlan", "add", "vid", "10", "dev", "br0", "self")
    expect("and ready when it does", lambda: agent.segment("v10").get("state") == "ready")


def test_contradictions(agent: Agent) -> None:
    edge("ip", "link", "set", "br0.10", "nomaster")
    expect("an interface in another VRF than configured is said to be",
           lambda: agent.segment("v10").get("detail") == "interface br0.10 is in no VRF; segment v10 has vrf red")
    expect("and its routes are withdrawn", lambda: route("red", "10.1.0.13") == "")
    check("not leaked into the main table", edge("ip", "route", "show", "proto", "zebra") == "")
    edge("ip", "link", "set", "br0.10", "master", "red")
    expect("back in its VRF it has them again", lambda: route("red", "10.1.0.13") == "br0.10")
    edge("ip", "link", "set", "br0", "type", "bridge", "vlan_filtering", "0")
    expect("a bridge that no longer filters VLANs is said not to",
           lambda: agent.segment("v20").get("detail")
           == "bridge br0 is not VLAN-aware: segment v20 must not have vlan")
    edge("ip", "link", "set", "br0", "type", "bridge", "vlan_filtering", "1")
    expect("and taken back", lambda: agent.segment("v20").get("state") == "ready")


def test_provider_tags(agent: Agent, wires: dict[str, Wire]) -> None:
    mac, address = "00:00:5e:00:53:16", "10.1.0.16"
    edge("ip", "link", "set", "br0", "type", "bridge", "vlan_protocol", "802.1ad")
    expect("a bridge with 802.1ad tags does not suit an 802.1Q interface",
           lambda: agent.segment("v20").get("detail") == "interface br0.20 takes 802.1Q tags, bridge br0 has 802.1ad ones")
    wires["trunk0"].announce(mac, address, 20, protocol=AD)
    expect("but its 802.1ad tags are understood", lambda: agent.state("v20", address) == "local")
    expect("and used for the greeting",
           lambda: any(frame.destination == mac_bytes(mac) and (frame.vlan, frame.protocol) == (20, AD)
                       for frame in list(wires["trunk0"].frames)))


def set_up(config: str = CONFIG) -> tuple[Agent, dict[str, Wire]]:
    """The switch with zebra and the agent, which has found its segments."""
    WORK.mkdir(parents=True, exist_ok=True)
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG
    wires = build()
    start_zebra()
    agent = Agent(sys.argv[1], config)
    agent.start()
    expect("both segments are ready", lambda: agent.segment("v10").get("state") == "ready"
           and agent.segment("v20").get("state") == "ready" and agent.ask("status")["healthy"])
    # Hosts that are here at the start are not greeted.
    expect("the start is over", lambda: "[start-complete]" in (WORK / "agent.log").read_text())
    return agent, wires


def main() -> None:
    agent, wires = set_up()
    try:
        test_arrivals(agent, wires)
        test_move(agent, wires)
        test_foreign_tags(agent, wires)
        test_departure(agent, wires)
        test_restart(agent)
        test_changes(agent, wires)
        test_contradictions(agent)
        test_provider_tags(agent, wires)
        check("nothing was malformed", agent.counter("kernel_malformed") == 0)
    except SystemExit:
        print((WORK / "agent.log").read_text()[-6000:])
        print(json.dumps(agent.ask("status"), indent=1)[:6000])
        raise


if __name__ == "__main__":
    main()
