#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may include whom (docs/architecture.md): the core and the codecs are pure, the adapters know the core
and nothing of each other, and only agent/daemon puts them together."""

import re
from fnmatch import fnmatch
from pathlib import Path

import project

# Code without system calls, clock, thread, logger or file. `*` matches across folders.
PURE = [
    "agent/core/*",
    "agent/audit/compare.?pp",
    "agent/audit/compare_guard.?pp",
    "agent/audit/finding.?pp",
    "agent/audit/frr_tables.?pp",
    "agent/audit/html.?pp",
    "agent/audit/path.?pp",
    "agent/audit/record_reader.?pp",
    "agent/audit/report.?pp",
    "agent/cli/doctor_checks.?pp",
    "agent/cli/doctor_segments.?pp",
    "agent/cli/doctor_sysctls.?pp",
    "netlink/attributes.?pp",
    "netlink/link_details.?pp",
    "netlink/messages.?pp",
    "netlink/route_message.?pp",
    "arp/frames.?pp",
    "arp/nd_frames.?pp",
    "arp/vlan_tag.?pp",
    "arp/guard_rules.?pp",
    "arp/guard_listing.?pp",
    "arp/self_test.?pp",
    "bgp/zapi/*",
    "bgp/kernel/route_codec.?pp",
    "bgp/kernel/listeners.?pp",
    "bgp/static_routes.?pp",
    "bgp/static_batch.?pp",
    "bgp/frr_config.?pp",
    "bgp/frr_lint.?pp",
    "bgp/frr_policy.?pp",
    "bgp/frr_running.?pp",
    "bgp/frr_version.?pp",
    "bgp/vty_codec.?pp",
    "bgp/json_members.?pp",
    "bgp/claim_tables.?pp",
    "bgp/bmp_codec.?pp",
]
IMPURE_HEADERS = re.compile(
    r"""boost/asio | spdlog/ | netlink/ | nftables/ | systemd/ | CLI/ | catch2/
      | sys/ | unistd\.h$ | fcntl\.h$ | poll\.h$ | signal\.h$ | pthread\.h$
      | (fstream|iostream|thread|mutex|condition_variable|future|filesystem|csignal)$""",
    re.VERBOSE,
)
IMPURE_CALLS = re.compile(
    r"::now\s*\(|\b(getenv|if_nametoindex|if_indextoname|clock_gettime|gettimeofday|random_device|f?printf)\s*[({]"
)

# (the files, their own headers they may include): the first row that matches decides.
OWN_HEADERS = [
    ("agent/core/*", ["agent/core/"]),
    ("netlink/*", ["netlink/", "agent/core/"]),
    ("arp/*", ["arp/", "agent/core/"]),
    ("bgp/*", ["bgp/", "agent/core/"]),
    ("agent/*", ["agent/", "netlink/", "arp/", "bgp/"]),
]
# (a library, the only files outside the tests that may include it)
LIBRARY_HOMES = [
    ("netlink/", "netlink/*"),
    ("nftables/", "arp/*"),
    ("systemd/", "agent/*"),
    ("spdlog/", "agent/*"),
    ("CLI/", "agent/*"),
    ("catch2/", "tests/*"),
]
UNBOUND = ("tests/", "bench/")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def check_file(path: str, source: str) -> list[str]:
    found = []
    pure = any(fnmatch(path, pattern) for pattern in PURE)
    own = next((allowed for pattern, allowed in OWN_HEADERS if fnmatch(path, pattern)), None)

    def add(position: int, message: str) -> None:
        found.append(f"{path}:{source.count(chr(10), 0, position) + 1}: {message}")

    for include in INCLUDE.finditer(source):
        quoted, header = include.group(1) == '"', include.group(2)
        if quoted and own is not None and not header.startswith(tuple(own)):
            add(include.start(), f'may not include "{header}"; allowed: {", ".join(own)}')
        if not quoted and pure and IMPURE_HEADERS.match(header):
            add(include.start(), f"is pure and may not include <{header}>")
        for library, home in LIBRARY_HOMES:
            if not quoted and header.startswith(library) and not path.startswith(UNBOUND) and not fnmatch(path, home):
                add(include.start(), f"<{library}...> stays in {home}")
    if pure:
        for call in IMPURE_CALLS.finditer(source):
            add(call.start(), f"is pure and may not use {call.group().strip(' ({')}")
    return found


def check(root: Path) -> list[str]:
    sources = project.cpp_files(root)
    found = []
    for pattern in PURE:
        folder = pattern.rsplit("/", 1)[0] + "/"
        if any(path.startswith(folder) for path in sources) and not any(fnmatch(path, pattern) for path in sources):
            found.append(f"tests/check/layering.py: PURE names {pattern}, which is no file any more")
    for path in sources:
        found += check_file(path, project.without_comments(project.text(root, path)))
    return found


if __name__ == "__main__":
    project.run(check)
