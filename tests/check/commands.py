#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every command has a golden text, a golden document and a schema: commands.py ROOT [PROGRAM]

Which commands there are, PROGRAM says itself. What an agent answers is in tests/golden/cli, and its texts are checked by
unit_cli. The commands that need no agent, and `watch`, are run here, and have to say what is in tests/golden/commands;
UNTROMBONE_UPDATE_GOLDEN=1 rewrites that: read the diff.
"""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import manual
import project

CONFIG = """[site]
name = "dc-a"
[[segment]]
name = "vlan10"
bridge = "br0"
dci-ports = ["dci0"]
subnets = ["192.0.2.0/24", "2001:db8:1::/64"]
gateways = ["192.0.2.1"]
"""

# The arguments, and what is on standard input.
RUNS = {
    "config-check": (["config", "check", "untrombone.toml"], ""),
    "config-show": (["config", "show", "--defaults"], ""),
    "frr-config": (
        ["frr-config", "--config", "untrombone.toml", "--frr-version", "8.4", "--asn", "65001", "--neighbor", "198.51.100.1"],
        "",
    ),
    "summarize": (["summarize"], "192.0.2.16-192.0.2.19\n192.0.2.40\n2001:db8:1::8/126\n"),
    "watch": (["watch", "--count", "9"], ""),
}

HOST = '"segment":"vlan10","ip":"192.0.2.11","mac":"00:00:5e:00:53:0b"'
EVENTS = [
    '{"event":"watching","protocol":1}',
    '{"event":"host","at":"2026-11-23T09:11:40.459Z",' + HOST + ',"from":"remote","to":"provisional",'
    '"reason":"a RARP frame of its MAC came in on a local port","port":"acc0"}',
    '{"event":"move","at":"2026-11-23T09:11:40.471Z","id":7,"kind":"arrival","moved_at":"2026-11-23T09:11:40.458Z",'
    + HOST + ',"from":"remote","to":"provisional","reason":"a RARP frame of its MAC came in on a local port",'
    '"port":"acc0","latency_us":{"verdict":61.2,"sent":260.1,"installed":10900.5,"bgpd":null}}',
    '{"event":"move","at":"2026-11-23T09:11:40.530Z","id":7,"kind":"arrival","moved_at":"2026-11-23T09:11:40.458Z",'
    + HOST + ',"from":"remote","to":"provisional","reason":"a RARP frame of its MAC came in on a local port",'
    '"port":"acc0","latency_us":{"verdict":61.2,"sent":260.1,"installed":10900.5,"bgpd":71000.5}}',
    '{"event":"route","at":"2026-11-23T09:11:40.472Z","prefix":"192.0.2.11/32","note":"installed"}',
    '{"event":"alarm","at":"2026-11-23T09:11:41.000Z","kind":"gateway-claimed","segment":"vlan10","subject":"acc1"}',
    '{"event":"segment","at":"2026-11-23T09:11:42.000Z","segment":"vlan10","state":"waiting","detail":"bridge br0"}',
    '{"event":"sink","at":"2026-11-23T09:11:43.000Z","state":"synced","detail":""}',
    '{"event":"guard","at":"2026-11-23T09:11:44.000Z","state":"active","detail":""}',
    '{"event":"dropped","at":"2026-11-23T09:11:45.000Z","count":12}',
]


class WatchedAgent:
    """Answers one watcher on a socket with EVENTS."""

    def __init__(self, path: str) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        try:
            connection, _ = self.listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall("".join(line + "\n" for line in EVENTS).encode())
        except OSError:  # nobody came
            pass

    def close(self) -> None:
        self.listener.close()


def run(program: str, arguments: list[str], given: str, json: bool) -> str:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "untrombone.toml").write_text(CONFIG)
        agent = WatchedAgent(f"{folder}/control.sock")
        command = [program, *(["--json"] if json else []), "--socket", f"{folder}/control.sock", *arguments]
        done = subprocess.run(command, cwd=folder, input=given, capture_output=True, text=True, timeout=60)
        agent.close()
        return done.stdout + done.stderr


def check_runs(root: Path, program: str) -> list[str]:
    found = []
    for kind, (arguments, given) in RUNS.items():
        for suffix in (".txt", ".json"):
            path = root / f"tests/golden/commands/{kind}{suffix}"
            said = run(program, arguments, given, suffix == ".json")
            if os.environ.get("UNTROMBONE_UPDATE_GOLDEN"):
                path.parent.mkdir(exist_ok=True)
                path.write_text(said)
            if not path.exists() or path.read_text() != said:
                found.append(f"{path.relative_to(root)}: untrombone {' '.join(arguments)} says something else")
    return found


def kinds(commands: dict[str, set[str]]) -> list[str]:
    """What the commands print, by its name in docs/schema. The agent itself prints nothing."""
    leaves = [name for name in commands if not any(other.startswith(name + " ") for other in commands)]
    found = [name.replace(" ", "-") for name in leaves if name != "agent"]
    return sorted(found + ["path" for options in commands.values() if "--path" in options])


def check_kind(root: Path, kind: str) -> list[str]:
    documents = list((root / "tests/golden/cli").glob(f"{kind}-*.json")) + list(
        (root / "tests/golden/commands").glob(f"{kind}.json")
    )
    found = [] if (root / f"docs/schema/{kind}.json").exists() else [f"docs/schema lacks {kind}.json"]
    if not documents:
        found.append(f"tests/golden lacks a document of {kind}")
    found += [f"{path.relative_to(root)}: there is no text beside it" for path in documents
              if not path.with_suffix(".txt").exists()]
    return found


def check(root: Path, program: str | None = None) -> list[str]:
    if not program:
        return []
    commands = manual.known(program)
    if not commands:
        return [f"{program}: --help names no commands"]
    return [line for kind in kinds(commands) for line in check_kind(root, kind)] + check_runs(root, program)


if __name__ == "__main__":
    project.run(lambda root: check(root, str(Path(sys.argv[2]).resolve()) if len(sys.argv) > 2 else None))
