#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The libvirt hook, run as libvirt runs it, beside a program that notes how it is called: libvirt_hook_test.py ROOT"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(sys.argv[1])
HOOK = ROOT / "packaging/libvirt/qemu-untrombone"
DOMAIN = (ROOT / "tests/packaging/domain.xml").read_text()

RECORDER = """#!/usr/bin/env python3
import json, os, sys
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + chr(10))
if sys.argv[1:] == ["--json", "hosts"]:
    print(open(os.environ["HOSTS"]).read())
sys.exit(int(os.environ["STATUS"]))
"""


def host(ip: str, mac: str | None, verdict: str = "remote", expected: float | None = None) -> dict:
    return {"segment": "vlan10", "ip": ip, "mac": mac, "verdict": verdict, "expected_seconds": expected}


class HookTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        program = self.folder / "untrombone"
        program.write_text(RECORDER)
        program.chmod(0o755)

    def run_hook(self, operation: str, phase: str, hosts: list[dict], domain: str = DOMAIN, status: int = 0) -> None:
        (self.folder / "hosts").write_text(json.dumps({"hosts": hosts}))
        (self.folder / "calls").write_text("")
        environment = {k: v for k, v in os.environ.items() if k != "UNTROMBONE"} | {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "CALLS": str(self.folder / "calls"),
            "HOSTS": str(self.folder / "hosts"),
            "STATUS": str(status),
        }
        done = subprocess.run(
            [HOOK, "web1", operation, phase, "-"], input=domain, env=environment, capture_output=True, text=True
        )
        self.said = done.stderr
        self.assertEqual(done.returncode, 0, "libvirt would refuse the migration")
        self.assertEqual(done.stdout, "", "libvirt would take it for the domain's XML")

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    def test_an_incoming_guest_is_claimed_with_each_address_of_each_of_its_macs(self) -> None:
        hosts = [
            host("10.1.0.11", "52:54:00:00:53:01"),
            host("2001:db8:1::11", "52:54:00:00:53:01"),
            host("10.1.0.12", "52:54:00:00:53:0a"),
            host("10.1.0.13", "52:54:00:00:53:02"),
            host("10.1.0.14", None),
        ]
        self.run_hook("migrate", "begin", hosts)
        claim = ["host", "claim"]
        self.assertEqual(
            self.calls(),
            [
                ["--json", "hosts"],
                [*claim, "10.1.0.11", "--mac", "52:54:00:00:53:01", "--segment", "vlan10"],
                [*claim, "2001:db8:1::11", "--mac", "52:54:00:00:53:01", "--segment", "vlan10"],
                [*claim, "10.1.0.12", "--mac", "52:54:00:00:53:0a", "--segment", "vlan10"],
            ],
        )
        self.assertEqual(self.said, "")

    def test_a_guest_that_is_at_this_site_already_is_not_claimed(self) -> None:
        self.run_hook("migrate", "begin", [host("10.1.0.11", "52:54:00:00:53:01", "local")])
        self.assertEqual(self.calls(), [["--json", "hosts"]])

    def test_a_guest_that_never_came_is_released_and_one_that_came_is_not(self) -> None:
        hosts = [
            host("10.1.0.11", "52:54:00:00:53:01", expected=300.5),
            host("10.1.0.12", "52:54:00:00:53:0a", "local"),
        ]
        for operation in ("stopped", "release"):
            self.run_hook(operation, "end", hosts)
            self.assertEqual(
                self.calls(), [["--json", "hosts"], ["host", "release", "10.1.0.11", "--segment", "vlan10"]]
            )

    def test_other_operations_are_none_of_its_business(self) -> None:
        for operation, phase in [("prepare", "begin"), ("started", "begin"), ("release", "begin")]:
            self.run_hook(operation, phase, [host("10.1.0.11", "52:54:00:00:53:01")])
            self.assertEqual(self.calls(), [])

    def test_no_agent_and_no_xml_are_told_and_stop_no_migration(self) -> None:
        self.run_hook("migrate", "begin", [], status=2)
        self.assertIn("untrombone: web1: migrate begin: ", self.said)
        self.run_hook("migrate", "begin", [], domain="")
        self.assertIn("untrombone: web1: migrate begin: ", self.said)
        self.assertEqual(self.calls(), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
