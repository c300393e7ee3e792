#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every C++ file is as clang-format 14 would write it. With --fix after the root it is written that way.

clang-format leaves comments as they are wrapped, so their width is checked here.
"""

import sys
from pathlib import Path

import project

MAX_WIDTH = 120


def check(root: Path) -> list[str]:
    sources = project.cpp_files(root)
    if not sources:
        return []
    mode = ["-i"] if "--fix" in sys.argv else ["--dry-run", "-Werror", "--ferror-limit=1"]
    said = project.tool_findings(["clang-format-14", "--style=file", *mode, "--", *sources], root)
    found = [line + " (scripts/format repairs it)" for line in said if ": error:" in line] or said
    for path in sources:
        lines = project.text(root, path).splitlines()
        wide = [number for number, line in enumerate(lines, 1) if len(line) > MAX_WIDTH]
        found += [f"{path}:{number}: wider than {MAX_WIDTH} columns" for number in wide]
    return found


if __name__ == "__main__":
    project.run(check)
