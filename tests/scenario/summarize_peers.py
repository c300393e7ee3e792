#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`untrombone summarize` against Python's ipaddress.collapse_addresses, and what it refuses:
summarize_peers.py PROGRAM"""

import ipaddress
import random
import subprocess
import sys
import tempfile

PROGRAM = sys.argv[1]


def summarize(lines: list[str], *options: str, status: int = 0) -> list[str]:
    done = subprocess.run([PROGRAM, "summarize", *options], input="\n".join(lines), capture_output=True, text=True)
    if done.returncode != status:
        sys.exit(f"{options}: exit status {done.returncode}: {done.stderr}")
    return (done.stderr if status else done.stdout).splitlines()


def collapse(lines: list[str]) -> list[str]:
    networks = []
    for line in lines:
        if "-" in line:
            first, last = (ipaddress.ip_address(part) for part in line.split("-"))
            networks += ipaddress.summarize_address_range(first, last)
        else:
            networks.append(ipaddress.ip_network(line))
    found = []
    for version in (4, 6):
        found += ipaddress.collapse_addresses(each for each in networks if each.version == version)
    return [str(each) for each in found]


def random_lines(rng: random.Random, count: int) -> list[str]:
    base4 = int(ipaddress.ip_address("10.1.0.0"))
    base6 = int(ipaddress.ip_address("2001:db8::"))
    spread = rng.choice((300, 5000, 1 << 20))
    lines = []
    for _ in range(count):
        version6 = rng.random() < 0.3
        make = ipaddress.IPv6Address if version6 else ipaddress.IPv4Address
        width = 128 if version6 else 32
        at = (base6 if version6 else base4) + rng.randrange(spread)
        dice = rng.random()
        if dice < 0.8:
            lines.append(str(make(at)))
        elif dice < 0.9:
            length = width - rng.randrange(9)
            lines.append(str(ipaddress.ip_network((at, length), strict=False)))
        else:
            lines.append(f"{make(at)}-{make(at + rng.randrange(70))}")
    return lines


def check_exact() -> None:
    rng = random.Random(7814)
    for run in range(30):
        lines = random_lines(rng, rng.choice((1, 20, 400, 4000)))
        if summarize(lines) != collapse(lines):
            sys.exit(f"run {run}: not what collapse_addresses says")
    for lines in (["0.0.0.0/0"], ["::/0"], ["0.0.0.0/1", "128.0.0.0/1"], ["255.255.255.255", "::", "0.0.0.0"], []):
        if summarize(lines) != collapse(lines):
            sys.exit(f"{lines}: {summarize(lines)}")


def check_cover() -> None:
    """Nothing forbidden is covered, all that is local is, and no two prefixes could be one."""
    rng = random.Random(5737)
    within = ipaddress.ip_network("10.1.0.0/16")
    for run in range(20):
        hosts = rng.sample(range(1 << rng.choice((8, 12, 16))), 200)
        local = [str(within[host]) for host in hosts[:120]]
        remote = [str(within[host]) for host in hosts[120:]]
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("\n".join(["# elsewhere", *remote]))
            file.flush()
            found = [ipaddress.ip_network(each) for each in summarize(local, "--mode", "cover", "--within", str(within),
                                                                      "--remote", file.name)]
        forbidden = [ipaddress.ip_address(each) for each in remote]
        for each in found:
            if any(address in each for address in forbidden) or not each.subnet_of(within):
                sys.exit(f"run {run}: {each} covers what it may not")
            wider = each.supernet() if each.prefixlen > within.prefixlen else None
            if wider is not None and not any(address in wider for address in forbidden):
                sys.exit(f"run {run}: {each} could be {wider}")
        if not all(sum(ipaddress.ip_address(each) in prefix for prefix in found) == 1 for each in local):
            sys.exit(f"run {run}: an address is covered not once")


def check_rest() -> None:
    tests = [
        (["10.1.0.1", "10.1.0.1", "10.1.0.0"], ["--mode", "off"], ["10.1.0.0/32", "10.1.0.1/32"]),
        ([" 10.1.0.1\r", "# nothing", "10.1.0.2 - 10.1.0.3 # two"], ["--free", "10.1.0.0"], ["10.1.0.0/30"]),
        (["10.1.0.0/24"], ["--shortest", "26"], [f"10.1.0.{each}/26" for each in (0, 64, 128, 192)]),
        (["10.0.0.0/8"], ["--within", "10.1.0.0/25", "--within", "10.1.0.128/25"], ["10.1.0.0/25", "10.1.0.128/25"]),
        (["10.1.0.9", "10.1.7.8", "10.1.7.9"], ["--mode", "home", "--home", "10.1.0.0/24"],
         ["10.1.0.0/24", "10.1.7.8/31"]),
    ]
    for lines, options, expected in tests:
        if summarize(lines, *options) != expected:
            sys.exit(f"{lines} {options}: {summarize(lines, *options)}")
    refused = [
        (["10.1.0.1", "10.1.0.300"], [], 2, 'standard input, line 2: "10.1.0.300" is not'),
        (["10.1.0.1/24"], [], 2, "host bits must be zero"),
        (["10.1.0.9-10.1.0.1"], [], 2, "line 1"),
        (["10.1.0.9-::1"], [], 2, "line 1"),
        (["10.1.0.0/24"], ["--mode", "off"], 2, "addresses only"),
        (["10.1.0.1"], ["--mode", "cover"], 64, "--within"),
        (["10.1.0.1"], ["--home", "10.0.0.0/8"], 64, "--mode home"),
        (["10.1.0.1"], ["--remote", "/no/such/file"], 2, "/no/such/file"),
        (["10.1.0.1"], ["--within", "10.1.0.1/8"], 64, "host bits"),
    ]
    for lines, options, status, message in refused:
        said = "\n".join(summarize(lines, *options, status=status))
        if message not in said:
            sys.exit(f"{lines} {options}: {said}")


check_exact()
check_cover()
check_rest()
