#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures golden bytes: netlink messages, ARP and ND frames from the running kernel, answers from the installed zebra.

    capture.py DIRECTORY [REQUESTS]

runs in a network namespace that it may fill and forget (scripts/capture-golden makes one). Interfaces have fixed
indexes and addresses: br0 10, its ports acc0 11 and dci0 14; guest0 and far0 are the other ends of the ports. Without
REQUESTS zebra is left out; where bridges cannot filter VLANs, what is about those.
"""

import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BR0, ACC0, DCI0 = 10, 11, 14
BR1, ACC1, DCI1, SVI, VRF = 30, 31, 34, 35, 36
BR0_MAC, GUEST_MAC = "00:00:5e:00:53:fe", "00:00:5e:00:53:11"
RTM = {16: "NEWLINK", 17: "DELLINK", 20: "NEWADDR", 21: "DELADDR", 24: "NEWROUTE", 25: "DELROUTE", 28: "NEWNEIGH",
       29: "DELNEIGH", 112: "NEWVLAN", 113: "DELVLAN"}
RTMGRP = 0x1 | 0x4 | 0x10 | 0x40 | 0x100 | 0x400  # LINK, NEIGH, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_BRVLAN = 270, 1, 33
RTM_GETVLAN = 114
AF_BRIDGE = 7
NUD_STALE, NUD_REACHABLE, NUD_FAILED, NUD_PERMANENT = 0x04, 0x02, 0x20, 0x80
NTF_SELF, NTF_EXT_LEARNED = 0x02, 0x10
PATIENCE = 10.0

TOPOLOGY = f"""
link set lo up
link add index {BR0} name br0 address {BR0_MAC} type bridge mcast_snooping 0
link add index {ACC0} name acc0 address 00:00:5e:00:53:a0 type veth peer index 21 name guest0 address {GUEST_MAC}
link add index {DCI0} name dci0 address 00:00:5e:00:53:d0 type veth peer index 24 name far0 address 00:00:5e:00:53:d1
link set acc0 master br0
link set dci0 master br0
link set br0 up
link set acc0 up
link set guest0 up
link set dci0 up
link set far0 up
address add 192.0.2.1/24 dev br0
address add 2001:db8::1/64 dev br0 nodad
"""


def run(*command: str, text: str | None = None) -> str:
    return subprocess.run(command, input=text, text=True, check=True, capture_output=True).stdout


def ip(*arguments: str) -> None:
    run("ip", *arguments)


class Records:
    """NAME: octets, sixteen a line, with what it is above."""

    def __init__(self, path: Path, head: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("w", encoding="ascii")
        self.file.write("".join(f"# {line}\n" for line in head.splitlines()))

    def add(self, name: str, what: str, octets: bytes) -> None:
        lines = (octets[i : i + 16].hex(" ") for i in range(0, len(octets), 16))
        self.file.write(f"\n# {what}\n{name}:\n" + "".join(line + "\n" for line in lines))


def until(deadline_for: str, attempt):
    """The first result of attempt() that is not None."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (found := attempt()) is not None:
            return found
    sys.exit(f"capture: {deadline_for} did not come")


# ---- netlink ---------------------------------------------------------------------------------------------------


class Events:
    """Multicast messages of the namespace's kernel, one at a time."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.socket.bind((0, RTMGRP))
        self.socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_BRVLAN)
        self.socket.settimeout(0.5)

    def wait(self, what: str, wanted) -> bytes:
        def attempt():
            try:
                message = self.socket.recv(65536)
            except TimeoutError:
                return None
            kind = RTM.get(struct.unpack_from("=IH", message)[1], "")
            return message if wanted(kind, message[16:]) else None

        return until(what, attempt)


def link(wanted_kind: str, family: int, index: int):
    return lambda kind, body: kind == wanted_kind and (body[0], struct.unpack_from("=i", body, 4)[0]) == (family, index)


def neigh(wanted_kind: str, family: int, index: int, state: int, flags: int = 0, holds: str = ""):
    def wanted(kind: str, body: bytes) -> bool:
        if kind != wanted_kind:
            return False
        found = struct.unpack_from("=BxxxiHB", body)
        return found == (family, index, state, flags) and bytes.fromhex(holds.replace(":", "")) in body

    return wanted


def frame(destination: str, source: str, ethertype: int, payload: bytes) -> bytes:
    return bytes.fromhex((destination + source).replace(":", "")) + struct.pack("!H", ethertype) + payload


def arp_payload(operation: int, sender_mac: str, sender_ip: str, target_ip: str) -> bytes:
    return (
        struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
        + bytes.fromhex(sender_mac.replace(":", ""))
        + socket.inet_aton(sender_ip)
        + bytes(6)
        + socket.inet_aton(target_ip)
    )


def inject(interface: str, octets: bytes) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((interface, 0))
        sender.send(octets)


BROADCAST = "ff:ff:ff:ff:ff:ff"


def capture_netlink(directory: Path) -> None:
    records = Records(
        directory / "netlink/messages.hex",
        f"Messages of the rtnetlink multicast groups, from Linux {os.uname().release} by scripts/capture-golden.\n"
        f"Interfaces: br0 {BR0} ({BR0_MAC}), its ports acc0 {ACC0} and dci0 {DCI0}.",
    )
    events = Events()

    def take(name: str, what: str, cause, wanted) -> None:
        cause()
        records.add(name, what, events.wait(name, wanted))

    def say(interface: str, mac: str) -> None:
        inject(interface, frame(BROADCAST, mac, 0x88B5, bytes(46)))

    take("link-port", "acc0 gets an alias: RTM_NEWLINK, AF_UNSPEC",
         lambda: ip("link", "set", "acc0", "alias", "x"), link("NEWLINK", socket.AF_UNSPEC, ACC0))
    take("link-bridge", "the same for br0",
         lambda: ip("link", "set", "br0", "alias", "x"), link("NEWLINK", socket.AF_UNSPEC, BR0))
    take("link-no-carrier", "guest0 goes down: acc0 loses its carrier",
         lambda: ip("link", "set", "guest0", "down"),
         lambda kind, body: link("NEWLINK", socket.AF_UNSPEC, ACC0)(kind, body)
         and not struct.unpack_from("=I", body, 8)[0] & 0x10000)
    take("link-of-the-bridge-family", "acc0 comes back: what the bridge says about its port, AF_BRIDGE",
         lambda: ip("link", "set", "guest0", "up"), link("NEWLINK", AF_BRIDGE, ACC0))
    until("forwarding", lambda: True if "state forwarding" in run("bridge", "link") else None)

    mac = "00:00:5e:00:53:21"
    take("fdb-learned", f"a frame of {mac} comes in on acc0",
         lambda: say("guest0", mac), neigh("NEWNEIGH", AF_BRIDGE, ACC0, NUD_REACHABLE, holds=mac))
    take("fdb-moved", "and then one on dci0",
         lambda: say("far0", mac), neigh("NEWNEIGH", AF_BRIDGE, DCI0, NUD_REACHABLE, holds=mac))
    take("fdb-aged", "nothing is heard of it for the ageing time",
         lambda: ip("link", "set", "br0", "type", "bridge", "ageing_time", "100"),
         neigh("DELNEIGH", AF_BRIDGE, DCI0, NUD_STALE, holds=mac))
    ip("link", "set", "br0", "type", "bridge", "ageing_time", "30000")
    say("guest0", mac)
    take("fdb-flushed", "guest0 goes down, acc0's entries are flushed",
         lambda: ip("link", "set", "guest0", "down"), neigh("DELNEIGH", AF_BRIDGE, ACC0, NUD_REACHABLE, holds=mac))
    ip("link", "set", "guest0", "up")
    take("fdb-external", "another program announces the MAC on dci0: NTF_EXT_LEARNED",
         lambda: run("bridge", "fdb", "replace", mac, "dev", "dci0", "master", "extern_learn"),
         neigh("NEWNEIGH", AF_BRIDGE, DCI0, NUD_REACHABLE, NTF_EXT_LEARNED, mac))
    take("fdb-own", "an address of the bridge's own: permanent",
         lambda: run("bridge", "fdb", "add", "00:00:5e:00:53:b0", "dev", "br0", "self", "local"),
         lambda kind, body: kind == "NEWNEIGH" and body[0] == AF_BRIDGE and bytes.fromhex("00005e0053b0") in body)
    ip("link", "add", "index", "15", "name", "vx0", "type", "vxlan", "id", "10", "local", "192.0.2.1", "dstport", "4789")
    ip("link", "set", "vx0", "master", "br0", "up")
    take("fdb-vxlan-self", "what the VXLAN device says about itself: NTF_SELF with a remote VTEP",
         lambda: run("bridge", "fdb", "replace", mac, "dev", "vx0", "dst", "198.51.100.9", "self", "dynamic"),
         neigh("NEWNEIGH", AF_BRIDGE, 15, NUD_REACHABLE, NTF_SELF, mac))
    ip("link", "delete", "vx0")

    ask = arp_payload(1, GUEST_MAC, "192.0.2.11", "192.0.2.1")
    until("forwarding", lambda: True if run("bridge", "link").count("state forwarding") == 2 else None)
    take("neighbour-stale", "192.0.2.11 asks for the gateway: the kernel learns it",
         lambda: inject("guest0", frame(BROADCAST, GUEST_MAC, 0x0806, ask)),
         neigh("NEWNEIGH", socket.AF_INET, BR0, NUD_STALE, holds=GUEST_MAC))
    take("neighbour-failed", "192.0.2.12 does not answer",
         lambda: ip("neigh", "replace", "192.0.2.12", "dev", "br0", "nud", "incomplete", "use"),
         neigh("NEWNEIGH", socket.AF_INET, BR0, NUD_FAILED))
    take("neighbour-removed", "192.0.2.11 is deleted",
         lambda: ip("neigh", "delete", "192.0.2.11", "dev", "br0"),
         lambda kind, body: kind == "DELNEIGH" and body[0] == socket.AF_INET)
    take("neighbour-v6", "2001:db8::11 is noted",
         lambda: ip("neigh", "replace", "2001:db8::11", "dev", "br0", "lladdr", GUEST_MAC, "nud", "reachable"),
         neigh("NEWNEIGH", socket.AF_INET6, BR0, NUD_REACHABLE, holds=GUEST_MAC))

    def address(wanted_kind: str, family: int):
        return lambda kind, body: kind == wanted_kind and (body[0], struct.unpack_from("=i", body, 4)[0]) == (family, BR0)

    take("address-added", "ip address add 192.0.2.7/24 dev br0",
         lambda: ip("address", "add", "192.0.2.7/24", "dev", "br0"), address("NEWADDR", socket.AF_INET))
    take("address-peer", "ip address add 192.0.2.8 peer 192.0.2.9 dev br0",
         lambda: ip("address", "add", "192.0.2.8", "peer", "192.0.2.9", "dev", "br0"),
         address("NEWADDR", socket.AF_INET))
    take("address-removed", "and the first one is deleted",
         lambda: ip("address", "delete", "192.0.2.7/24", "dev", "br0"), address("DELADDR", socket.AF_INET))
    take("address-v6", "ip address add 2001:db8::7/64 dev br0 nodad",
         lambda: ip("address", "add", "2001:db8::7/64", "dev", "br0", "nodad"), address("NEWADDR", socket.AF_INET6))

    def route(kind: str, body: bytes) -> bool:
        return kind == "NEWROUTE" and body[5] == 11  # rtm_protocol: zebra

    for name, destination, arguments in (
        ("route-host", "192.0.2.11/32", ["dev", "br0"]),
        ("route-v6", "2001:db8::11/128", ["dev", "br0"]),
        ("route-default", "0.0.0.0/0", ["dev", "br0"]),
        ("route-blackhole", "203.0.113.0/24", None),
    ):
        arguments = ["blackhole", destination] if arguments is None else [destination, *arguments]
        take(name, f"ip route add {' '.join(arguments)} proto zebra",
             lambda arguments=arguments: ip("route", "add", *arguments, "proto", "zebra"), route)
    take("route-two-hops", "a route with two next hops",
         lambda: ip("route", "add", "203.0.113.128/25", "proto", "zebra", "nexthop", "via", "192.0.2.11", "dev", "br0",
                    "nexthop", "via", "192.0.2.12", "dev", "br0"), route)
    for family in ("-4", "-6"):
        ip(family, "route", "flush", "proto", "zebra")  # a zebra would take them for its own
    ip("link", "add", "index", "16", "name", "gone0", "type", "bridge")
    take("link-removed", "an interface is deleted: RTM_DELLINK",
         lambda: ip("link", "delete", "gone0"), link("DELLINK", socket.AF_UNSPEC, 16))


# ---- VLANs and VRFs ---------------------------------------------------------------------------------------------

VLAN_TOPOLOGY = f"""
link add index {BR1} name br1 address 00:00:5e:00:53:e1 type bridge mcast_snooping 0
link add index {ACC1} name acc1 address 00:00:5e:00:53:a2 type veth peer index 41 name guest1 address 00:00:5e:00:53:a3
link add index {DCI1} name dci1 address 00:00:5e:00:53:d2 type veth peer index 44 name far1 address 00:00:5e:00:53:d3
link set acc1 master br1
link set dci1 master br1
link set br1 up
link set acc1 up
link set guest1 up
link set dci1 up
link set far1 up
"""


def of_vlan(wanted_kind: str, index: int):
    return lambda kind, body: kind == wanted_kind and struct.unpack_from("=BxxxI", body) == (AF_BRIDGE, index)


def vlan_dump(index: int) -> bytes:
    """What a dump says about one device."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as asker:
        asker.sendall(struct.pack("=IHHIIBxxxI", 24, RTM_GETVLAN, 0x301, 1, 0, AF_BRIDGE, index))
        octets = asker.recv(65536)
        return octets[: struct.unpack_from("=I", octets)[0]]


def can_filter_vlans() -> bool:
    """By the answer to a dump, which is an error otherwise."""
    return struct.unpack_from("=IH", vlan_dump(0))[1] != 2


def capture_vlan(directory: Path) -> None:
    run("ip", "-batch", "-", text=VLAN_TOPOLOGY)
    records = Records(
        directory / "netlink/vlan.hex",
        f"About VLANs and VRFs, from Linux {os.uname().release} by scripts/capture-golden.\n"
        f"Interfaces: br1 {BR1}, its ports acc1 {ACC1} and dci1 {DCI1}, br1.10 {SVI}, the VRF red {VRF}.",
    )
    events = Events()

    def take(name: str, what: str, cause, wanted) -> None:
        cause()
        records.add(name, what, events.wait(name, wanted))

    def bridge_vlan(*arguments: str) -> None:
        run("bridge", "vlan", *arguments)

    def link_with(index: int, holds: bytes):
        return lambda kind, body: link("NEWLINK", socket.AF_UNSPEC, index)(kind, body) and holds in body

    aware = struct.pack("=HHB", 5, 7, 1)  # IFLA_BR_VLAN_FILTERING
    take("link-vlan-aware", "br1 filters VLANs from now on",
         lambda: ip("link", "set", "br1", "type", "bridge", "vlan_filtering", "1"), link_with(BR1, aware))
    take("vlan-pvid", "acc1 gets VLAN 10, untagged and as PVID, instead of VLAN 1",
         lambda: bridge_vlan("add", "vid", "10", "dev", "acc1", "pvid", "untagged"), of_vlan("NEWVLAN", ACC1))
    take("vlan-removed", "and loses VLAN 1",
         lambda: bridge_vlan("del", "vid", "1", "dev", "acc1"), of_vlan("DELVLAN", ACC1))
    take("vlan-range", "dci1 gets VLANs 10 to 29, tagged",
         lambda: bridge_vlan("add", "vid", "10-29", "dev", "dci1"), of_vlan("NEWVLAN", DCI1))
    take("vlan-self", "br1 itself takes in VLAN 10",
         lambda: bridge_vlan("add", "vid", "10", "dev", "br1", "self"), of_vlan("NEWVLAN", BR1))
    records.add("vlan-dump", "what a dump says about dci1", vlan_dump(DCI1))

    mac = "00:00:5e:00:53:21"
    until("forwarding", lambda: True if run("bridge", "link").count("state forwarding") == 4 else None)
    take("fdb-tagged", f"a frame of {mac} comes in on dci1, tagged with VLAN 10",
         lambda: inject("far1", frame(BROADCAST, mac, 0x8100, b"\0\x0a\x88\xb5" + bytes(46))),
         neigh("NEWNEIGH", AF_BRIDGE, DCI1, NUD_REACHABLE, holds=mac))
    take("fdb-untagged", "and an untagged one on acc1, whose PVID is 10",
         lambda: inject("guest1", frame(BROADCAST, mac, 0x88B5, bytes(46))),
         neigh("NEWNEIGH", AF_BRIDGE, ACC1, NUD_REACHABLE, holds=mac))

    take("link-svi", "br1.10 is made",
         lambda: ip("link", "add", "link", "br1", "name", "br1.10", "index", f"{SVI}", "address", "00:00:5e:00:53:e1",
                    "type", "vlan", "id", "10"), link("NEWLINK", socket.AF_UNSPEC, SVI))
    take("link-vrf", "the VRF red is made, with table 1010",
         lambda: ip("link", "add", "index", f"{VRF}", "name", "red", "address", "00:00:5e:00:53:e2", "type", "vrf",
                    "table", "1010"), link("NEWLINK", socket.AF_UNSPEC, VRF))
    take("link-svi-in-vrf", "br1.10 joins it",
         lambda: ip("link", "set", "br1.10", "master", "red"), link_with(SVI, struct.pack("=HHI", 8, 10, VRF)))


# ---- ARP --------------------------------------------------------------------------------------------------------


class Wire:
    """Frames that an interface sends (PACKET_OUTGOING) or receives."""

    def __init__(self, interface: str) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((interface, 3))
        self.socket.settimeout(0.5)

    def wait(self, what: str, outgoing: bool, holds: bytes) -> bytes:
        def attempt():
            try:
                octets, address = self.socket.recvfrom(2048)
            except TimeoutError:
                return None
            return octets if (address[2] == 4) == outgoing and holds in octets[12:] else None

        return until(what, attempt)


def arp_head(operation: int) -> bytes:
    return struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, operation)


def capture_arp(directory: Path) -> None:
    records = Records(
        directory / "arp/frames.hex",
        f"Frames on the wire of a bridge port, from Linux {os.uname().release} and iputils' arping by\n"
        f"scripts/capture-golden. Gateway 192.0.2.1 at {BR0_MAC}, guest 192.0.2.11 at {GUEST_MAC}.",
    )
    wire = Wire("guest0")

    def take(name: str, what: str, cause, outgoing: bool, holds: bytes) -> None:
        cause()
        records.add(name, what, wire.wait(name, outgoing, holds))

    def arping(*arguments: str) -> None:
        subprocess.run(["arping", "-q", "-c", "1", "-w", "1", "-I", "guest0", *arguments], check=False)

    take("kernel-request", "the kernel asks for 192.0.2.11",
         lambda: ip("neigh", "replace", "192.0.2.11", "dev", "br0", "nud", "incomplete", "use"), False, arp_head(1))
    ask = arp_payload(1, GUEST_MAC, "192.0.2.11", "192.0.2.1")
    take("kernel-reply", "the kernel answers for the gateway",
         lambda: inject("guest0", frame(BROADCAST, GUEST_MAC, 0x0806, ask)), False, arp_head(2))
    take("arping-probe", "arping -D 192.0.2.11: the probe of RFC 5227", lambda: arping("-D", "192.0.2.11"), True, arp_head(1))
    ip("address", "add", "192.0.2.11/32", "dev", "guest0")
    take("arping-gratuitous-request", "arping -U 192.0.2.11", lambda: arping("-U", "192.0.2.11"), True, arp_head(1))
    take("arping-gratuitous-reply", "arping -A 192.0.2.11", lambda: arping("-A", "192.0.2.11"), True, arp_head(2))
    ip("address", "del", "192.0.2.11/32", "dev", "guest0")
    # No hypervisor here: octet by octet what announce_self_create() of QEMU's net/announce.c writes, 60 with padding.
    guest = bytes.fromhex(GUEST_MAC.replace(":", ""))
    rarp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 3) + guest + bytes(4) + guest + bytes(4) + bytes(18)
    records.add("qemu-rarp", "after net/announce.c of QEMU, written by hand", frame(BROADCAST, GUEST_MAC, 0x8035, rarp))


# ---- neighbour discovery ----------------------------------------------------------------------------------------


def capture_nd(directory: Path) -> None:
    records = Records(
        directory / "arp/nd_frames.hex",
        f"Frames on the wire of a bridge port, from Linux {os.uname().release} by scripts/capture-golden.\n"
        f"Gateway 2001:db8::1 at {BR0_MAC}, guest 2001:db8::11 at {GUEST_MAC}.",
    )
    wire = Wire("guest0")
    address = lambda text: socket.inet_pton(socket.AF_INET6, text)  # noqa: E731
    guest, gateway = "2001:db8::11", "2001:db8::1"

    def take(name: str, what: str, cause, outgoing: bool, kind: int, holds: bytes) -> None:
        cause()
        # Hop limit, then addresses, then the type with code 0: `holds` tells which addresses.
        def attempt():
            octets = wire.wait(name, outgoing, holds)
            return octets if octets[12:14] == b"\x86\xdd" and octets[54] == kind else None

        records.add(name, what, until(name, attempt))

    def sysctl(knob: str, value: int) -> None:
        for interface in ("all", "guest0"):
            Path(f"/proc/sys/net/ipv6/conf/{interface}/{knob}").write_text(f"{value}\n", encoding="ascii")

    ip("-6", "neigh", "flush", "dev", "br0")
    take("kernel-solicitation", "the kernel asks for 2001:db8::11",
         lambda: ip("neigh", "replace", guest, "dev", "br0", "nud", "incomplete", "use"), False, 135, address(guest))
    take("kernel-solicitation-unicast", "the kernel asks whether 2001:db8::11 is still there",
         lambda: ip("neigh", "replace", guest, "dev", "br0", "lladdr", GUEST_MAC, "nud", "probe"),
         False, 135, address(guest) + b"\x87")
    ip("neigh", "delete", guest, "dev", "br0")

    ask = nd_solicitation(GUEST_MAC, guest, gateway)
    take("kernel-advertisement", "the kernel answers for the gateway",
         lambda: inject("guest0", ask), False, 136, address(gateway) + address(guest))
    sysctl("accept_dad", 1)
    sysctl("ndisc_notify", 1)
    take("kernel-duplicate-detection", "a guest gets 2001:db8::11: duplicate address detection with a nonce (RFC 7527)",
         lambda: ip("address", "add", f"{guest}/128", "dev", "guest0"), True, 135, bytes(16) + address("ff02::1:ff00:11"))
    take("kernel-unsolicited", "and when nobody has it: an unsolicited advertisement (ndisc_notify)",
         lambda: None, True, 136, address(guest) + address("ff02::1"))
    ip("address", "del", f"{guest}/128", "dev", "guest0")
    sysctl("enhanced_dad", 0)
    take("kernel-plain-duplicate-detection", "the same without a nonce (RFC 4862)",
         lambda: ip("address", "add", f"{guest}/128", "dev", "guest0"), True, 135, bytes(16) + address("ff02::1:ff00:11"))
    ip("address", "del", f"{guest}/128", "dev", "guest0")


def nd_solicitation(source_mac: str, source: str, target: str) -> bytes:
    """For the target's solicited-node address, with the source's link-layer address."""
    octets = socket.inet_pton(socket.AF_INET6, target)
    group = socket.inet_pton(socket.AF_INET6, "ff02::1:ff00:0")[:13] + octets[13:]
    addresses = socket.inet_pton(socket.AF_INET6, source) + group
    mac = bytes.fromhex(source_mac.replace(":", ""))
    message = struct.pack("!BBHI", 135, 0, 0, 0) + octets + b"\x01\x01" + mac
    total = sum(struct.unpack(f"!{(32 + len(message)) // 2}H", addresses + message)) + len(message) + 58
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    message = message[:2] + struct.pack("!H", ~total & 0xFFFF) + message[4:]
    head = struct.pack("!IHBB", 6 << 28, len(message), 58, 255)
    return b"\x33\x33" + group[12:] + mac + b"\x86\xdd" + head + addresses + message


# ---- zebra ------------------------------------------------------------------------------------------------------


def read_records(path: str) -> dict[str, bytes]:
    records: dict[str, bytes] = {}
    name = ""
    for line in Path(path).read_text(encoding="ascii").splitlines():
        if line.endswith(":"):
            name = line[:-1]
            records[name] = b""
        elif line and not line.startswith("#"):
            records[name] += bytes.fromhex(line)
    return records


class Zebra:
    """The installed zebra in a directory of its own."""

    def __init__(self) -> None:
        self.directory = tempfile.mkdtemp(prefix="untrombone-golden-")
        shutil.chown(self.directory, "frr", "frr")
        self.path = f"{self.directory}/zserv.api"
        self.process = subprocess.Popen(
            ["/usr/lib/frr/zebra", "-u", "frr", "-g", "frr", "--vty_socket", self.directory, "-z", self.path,
             "-i", f"{self.directory}/zebra.pid", "-P", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def connect(self) -> socket.socket:
        def attempt():
            client = socket.socket(socket.AF_UNIX)
            try:
                client.connect(self.path)
            except OSError:
                client.close()
                return None
            client.settimeout(0.5)
            return client

        return until("zebra", attempt)

    def vtysh(self, *commands: str) -> str:
        return run("vtysh", "--vty_socket", self.directory, *(part for line in commands for part in ("-c", line)))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)
        shutil.rmtree(self.directory)


def capture_zapi(directory: Path, requests: dict[str, bytes]) -> None:
    zebra = Zebra()
    try:
        client = zebra.connect()
        release = zebra.vtysh("show version").split("\n", 1)[0]
        records = Records(
            directory / "zapi/answers.hex",
            f"Answers of {release} to requests.hex, by scripts/capture-golden.\n"
            "Notes and errors carry integers of the machine's own byte order.",
        )
        buffer = b""

        def take(name: str, what: str, command: int, holds: bytes = b"") -> None:
            nonlocal buffer

            def attempt():
                nonlocal buffer
                while len(buffer) >= 10 and len(buffer) >= struct.unpack_from("!H", buffer)[0]:
                    length = struct.unpack_from("!H", buffer)[0]
                    message, buffer = buffer[:length], buffer[length:]
                    if struct.unpack_from("!H", message, 8)[0] == command and holds in message[10:]:
                        return message
                try:
                    buffer += client.recv(65536)
                except TimeoutError:
                    pass
                return None

            records.add(name, what, until(name, attempt))

        owner_note, installed, lost, removed = 10, b"\2\0\0\0", b"\1\0\0\0", b"\3\0\0\0"
        client.sendall(struct.pack("!HBBIH", 10, 254, 6, 0, 65535))
        take("error", "ERROR: the answer to a command that zebra does not know", 118)
        client.sendall(requests["hello-8.4"])
        take("capabilities", "CAPABILITIES: the answer to HELLO", 19)
        client.sendall(requests["graceful-restart-8.4"] + requests["route-add-8.4"])
        take("note-installed", "ROUTE_NOTIFY_OWNER: 192.0.2.11/32 is installed", owner_note, installed)
        client.sendall(requests["route-add-v6-8.4"])
        take("note-installed-v6", "ROUTE_NOTIFY_OWNER: 2001:db8::11/128 is installed", owner_note, installed)
        rival = zebra.connect()
        # HELLO as OSPF, then the same route at distance 1.
        rival.sendall(bytes.fromhex("0013fe06 00000000 0012 06 0000 00000000 00 00".replace(" ", "")))
        better = bytearray(requests["route-add-8.4"])
        better[10] = 6  # route type OSPF
        better[-9] = 1  # distance
        rival.sendall(bytes(better))
        take("note-better-won", "ROUTE_NOTIFY_OWNER: an OSPF route of distance 1 won", owner_note, lost)
        rival.close()
        take("note-installed-again", "ROUTE_NOTIFY_OWNER: the OSPF client went away", owner_note, installed)
        client.sendall(requests["route-delete-8.4"])
        take("note-removed", "ROUTE_NOTIFY_OWNER: 192.0.2.11/32 is removed", owner_note, removed)
    finally:
        zebra.stop()


def capture_vty(directory: Path) -> None:
    zebra = Zebra()
    try:
        zebra.connect().close()  # it listens
        records = Records(
            directory / "vty/answers.hex",
            "Answers of zebra's vty socket, text and end, to the commands named, by scripts/capture-golden.",
        )
        client = socket.socket(socket.AF_UNIX)
        client.connect(f"{zebra.directory}/zebra.vty")
        client.settimeout(PATIENCE)
        for name, command in (
            ("enable", "enable"),
            ("configuration", "show running-config"),
            ("unknown", "show the impossible"),
            ("incomplete", "show"),
        ):
            client.sendall(command.encode() + b"\0")
            answer = b""
            while len(answer) < 4 or answer[-4:-1] != bytes(3):
                answer += client.recv(65536)
            records.add(name, command, answer)
    finally:
        zebra.stop()


def main() -> None:
    directory = Path(sys.argv[1])
    run("ip", "-batch", "-", text=TOPOLOGY)
    capture_netlink(directory)
    capture_arp(directory)
    capture_nd(directory)
    if len(sys.argv) > 2:
        capture_zapi(directory, read_records(sys.argv[2]))
        capture_vty(directory)
    if can_filter_vlans():
        capture_vlan(directory)


if __name__ == "__main__":
    main()
