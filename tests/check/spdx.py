#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every source file and script names its licence in its first five lines."""

import re
from fnmatch import fnmatch
from pathlib import Path

import project

LICENCE = "SPDX-License-Identifier: GPL-2.0-or-later"
SOURCES = ["*.cpp", "*.hpp", "*.py", "*.sh", "*.cmake", "*CMakeLists.txt", "*.service", "*.toml"]
# Input for tests, which may have to be exactly as it is.
DATA = re.compile(r"(^|/)(golden|corpus|data)/")


def check(root: Path) -> list[str]:
    found = []
    for path in project.files(root):
        if DATA.search(path):
            continue
        with open(root / path, "rb") as file:
            head = [file.readline(200) for _ in range(5)]
        is_source = any(fnmatch(path, pattern) for pattern in SOURCES)
        if (is_source or head[0].startswith(b"#!")) and LICENCE.encode() not in b"".join(head):
            found.append(f'{path}:1: lacks "{LICENCE}"')
    return found


if __name__ == "__main__":
    project.run(check)
