#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard on a DCI port that two VLANs share: what is a gateway in one of them may be a guest in the other.

    guard_vlan_test.py UNTROMBONE

runs in the machine of tests/vm/run with a kernel that has nftables' bridge family (user-mode Linux has not), on the
switch of vlan_test.py. 10.1.0.1 is the gateway of VLAN 10, and a guest of VLAN 20, whose gateway is 10.1.0.254.
"""

import sys

from vlan_test import CONFIG, GATEWAY, Wire, check, edge, expect, set_up

OTHER_GATEWAY = "10.1.0.254"


def guarded_config() -> str:
    first, second = CONFIG.replace("[segment.guard]\nenabled = false\n", "").rsplit("[[segment]]", 1)
    return f"{first}[[segment]]{second}".replace(
        f'gateways = ["{GATEWAY}"]\n[segment.summarize]', f'gateways = ["{OTHER_GATEWAY}"]\n[segment.summarize]')


class Question:
    """An ARP request of a guest into one port, looked for at the far end of another one."""

    number = 100

    def __init__(self, source: Wire, vlan_in: int | None, target: str) -> None:
        Question.number += 1
        self.sender = f"10.1.0.{Question.number}"
        source.arp(1, f"00:00:5e:00:53:{Question.number:02x}", self.sender, target, vlan_in)

    def reached(self, wire: Wire, vlan: int | None) -> bool:
        return any(frame.sender == self.sender and frame.vlan == vlan for frame in list(wire.frames))


def crosses(what: str, source: Wire, vlan_in: int | None, target: str, out: Wire, vlan_out: int | None) -> None:
    asked = Question(source, vlan_in, target)
    expect(what, lambda: asked.reached(out, vlan_out))


def is_dropped(what: str, source: Wire, vlan_in: int | None, target: str, out: Wire, vlan_out: int | None) -> None:
    asked = Question(source, vlan_in, target)
    after = Question(source, vlan_in, "10.1.0.77")  # frames keep their order
    expect(f"a later question passes: {what}", lambda: after.reached(out, vlan_out))
    check(what, not asked.reached(out, vlan_out))


def main() -> None:
    agent, wires = set_up(guarded_config())
    access, other, trunk, dci = (wires[port] for port in ("acc1", "acc2", "trunk0", "dci0"))
    try:
        edge("ip", "address", "del", f"{GATEWAY}/24", "dev", "br0.20")
        edge("ip", "address", "add", f"{OTHER_GATEWAY}/24", "dev", "br0.20")
        expect("the guard is active", lambda: agent.ask("status")["guard"]["state"] == "active")
        is_dropped("a question for the gateway does not leave by the DCI", access, None, GATEWAY, dci, 10)
        is_dropped("nor one from a trunk", trunk, 10, GATEWAY, dci, 10)
        is_dropped("nor does one come in to an untagged port", dci, 10, GATEWAY, access, None)
        is_dropped("or to a tagged one", dci, 10, GATEWAY, trunk, 10)
        crosses("in the other VLAN it is a guest's, and leaves", other, None, GATEWAY, dci, 20)
        crosses("also from a trunk", trunk, 20, GATEWAY, dci, 20)
        crosses("and comes in to an untagged port", dci, 20, GATEWAY, other, None)
        crosses("and to a tagged one", dci, 20, GATEWAY, trunk, 20)
        is_dropped("the other VLAN's own gateway is kept off the DCI", other, None, OTHER_GATEWAY, dci, 20)
        crosses("and is a guest's in the first", access, None, OTHER_GATEWAY, dci, 10)
    except SystemExit:
        print(edge("nft", "list", "ruleset"))
        raise


if __name__ == "__main__":
    main()
