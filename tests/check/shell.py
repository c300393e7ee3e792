#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""shellcheck has nothing to say about any shell script, and every bash script stops at its first error."""

from pathlib import Path

import project


def check(root: Path) -> list[str]:
    scripts = project.shell_scripts(root)
    found = [
        f'{path}: lacks "set -euo pipefail"'
        for path in scripts
        if project.text(root, path).startswith("#!/usr/bin/env bash")
        and "\nset -euo pipefail\n" not in project.text(root, path)
    ]
    if scripts:
        found += project.tool_findings(["shellcheck", "--format=gcc", "--", *scripts], root)
    return found


if __name__ == "__main__":
    project.run(check)
