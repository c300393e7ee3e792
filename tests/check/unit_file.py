#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd has no complaint about the unit, and its sandbox stays as tight as it is."""

import re
import tempfile
from pathlib import Path

import project

UNIT = "systemd/untrombone.service"
# In tenths. systemd 252 says 2.0; what is left is the network access that is the agent's job (see the unit).
MAX_EXPOSURE = 20


def check(root: Path) -> list[str]:
    if not (root / UNIT).is_file():
        return []
    # `verify` insists that the program is there, and it is not installed where this runs.
    unit = re.sub(r"^(ExecStart=)\S+", r"\1/bin/true", project.text(root, UNIT), flags=re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / Path(UNIT).name
        copy.write_text(unit, encoding="utf-8")
        found = project.tool_findings(["systemd-analyze", "verify", "--man=no", str(copy)], root)
        security = ["systemd-analyze", "security", "--offline=true", f"--threshold={MAX_EXPOSURE}", "--no-pager"]
        status, said = project.tool([*security, str(copy)], root)
    if status != 0:
        found.append(f"sandbox looser than {MAX_EXPOSURE / 10}: {said[-1] if said else 'no verdict'}")
    return [f"{UNIT}: {line}" for line in found]


if __name__ == "__main__":
    project.run(check)
