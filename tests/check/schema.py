#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every document that a command prints with --json fits its schema in docs/schema: schema.py ROOT [PROGRAM]

Looked at are the golden documents, and what PROGRAM says itself where it needs no agent. Every schema is used, and every
kind of golden document has one.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import project

CONFIG = """[site]
name = "dc-a"
[[segment]]
name = "none"
bridge = "untrombone-none"
dci-ports = ["dci0"]
subnets = ["192.0.2.0/24"]
gateways = ["192.0.2.1"]
"""


def schemas(root: Path) -> dict[str, dict]:
    found = {path.stem: json.loads(path.read_text()) for path in sorted((root / "docs/schema").glob("*.json"))}
    for schema in found.values():
        if "$ref" in schema:  # the same as another one
            schema.update(found[Path(schema.pop("$ref")).stem] | schema)
    return found


def documents(root: Path) -> list[tuple[str, str, object]]:
    """(kind, where it is from, document)"""
    found = []
    for path in sorted((root / "tests/golden/cli").glob("*.json")):
        if path.stem.endswith("-bare"):  # what the readers must bear, not what an agent says
            continue
        kind = next((k for k in sorted(schemas(root), key=len, reverse=True) if path.name.startswith(k + "-")), "")
        found.append((kind, path.name, json.loads(path.read_text())))
    for path in sorted((root / "tests/golden/commands").glob("*.json")):
        text = path.read_text()
        for document in text.splitlines() if path.stem == "watch" else [text]:
            found.append((path.stem, path.name, json.loads(document)))
    return found


def spoken(program: str) -> list[tuple[str, str, object]]:
    """What the commands that need no agent say on this machine, whatever that is."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "untrombone.toml"
        config.write_text(CONFIG)
        common = [program, "--json", "--socket", f"{folder}/none"]
        asked = {
            "config-check": [*common, "config", "check", str(config)],
            "doctor": [*common, "doctor", "--config", str(config)],
            "audit": [*common, "audit", "--config", str(config)],
        }
        found = []
        for kind, command in asked.items():
            done = subprocess.run(command, capture_output=True, text=True)
            found.append((kind, " ".join(command[1:]), json.loads(done.stdout or "null")))
        return found


def check(root: Path, program: str | None = None) -> list[str]:
    try:
        import jsonschema
    except ImportError:
        print("skipped: python3-jsonschema is not installed (scripts/bootstrap)", file=sys.stderr)
        sys.exit(project.MISSING_TOOL)
    known = schemas(root)
    found, used = [], set()
    for kind, source, document in documents(root) + (spoken(program) if program else []):
        if kind not in known:
            found.append(f"{source}: there is no schema for it in docs/schema")
            continue
        used.add(kind)
        validator = jsonschema.Draft202012Validator(known[kind])
        found += [f"{source}: {error.json_path}: {error.message}" for error in validator.iter_errors(document)]
    if program:
        found += [f"docs/schema/{kind}.json: no document was checked against it" for kind in sorted(set(known) - used)]
    return found


if __name__ == "__main__":
    project.run(lambda root: check(root, sys.argv[2] if len(sys.argv) > 2 else None))
