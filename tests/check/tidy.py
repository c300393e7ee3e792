#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""clang-tidy 14 finds nothing: tidy.py ROOT --build BUILD [--changed] [--jobs N]

BUILD holds compile_commands.json. A file that passed is not looked at again, in any clone on this machine, until it, a
header of ours that it includes, its compile command or a .clang-tidy changes: what passed is noted in
$XDG_CACHE_HOME/untrombone/tidy (~/.cache by default). --changed leaves out what does not differ from the main
branch (or, on it, from the last commit).
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import project

TIDY = "clang-tidy-14"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
FINDING = re.compile(r"^(?=\S+:\d+:\d+: (?:error|warning): )", re.MULTILINE)


def with_headers(root: Path, source: str) -> list[str]:
    """The file and all headers of ours that it includes, however indirectly (paths start at the root)."""
    seen, todo = set(), [source]
    while todo:
        path = todo.pop()
        if path not in seen and (root / path).is_file():
            seen.add(path)
            todo += INCLUDE.findall(project.text(root, path))
    return sorted(seen)


def changed_files(root: Path) -> set[str]:
    def git(*arguments: str) -> list[str]:
        command = ["git", "-c", "safe.directory=*", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True).stdout.split()

    base = "HEAD"
    for branch in ("origin/main", "main"):
        fork = git("merge-base", branch, "HEAD")
        if fork and fork != git("rev-parse", "HEAD"):
            base = fork[0]
            break
    return set(git("diff", "--name-only", base)) | set(git("ls-files", "-o", "--exclude-standard"))


def key(root: Path, build: Path, command: dict, parts: list[str]) -> str:
    """Names everything that the verdict on one file depends on."""
    configs = [path for path in project.files(root) if path.endswith(".clang-tidy")]
    # Where the tree is and where it is built does not matter.
    text = json.dumps(command, sort_keys=True).replace(str(build), "").replace(str(root), "")
    digest = hashlib.sha256(text.encode())
    for path in parts + configs:
        digest.update(f"\0{path}\0{project.text(root, path)}".encode())
    return digest.hexdigest()


def tidy(root: Path, build: Path, source: str, passed: Path) -> str:
    """What clang-tidy objects to, or nothing."""
    if passed.exists():
        return ""
    done = subprocess.run([TIDY, "-p", str(build), "--quiet", source], cwd=root, capture_output=True, text=True)
    if done.returncode == 0 and not done.stdout.strip():
        passed.touch()
        return ""
    # Counts of suppressed warnings go to stderr; errors do too when the file cannot be read at all.
    return done.stdout.strip() or done.stderr.strip() or f"{source}: {TIDY} ended with {done.returncode}"


def cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "untrombone" / "tidy"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--changed", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()

    root, build = options.root.resolve(), options.build.resolve()
    cache = cache_folder()
    commands = {}
    for command in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        path = Path(command["file"])
        if path.is_relative_to(root) and not path.is_relative_to(build) and path.parent.name != "cmake":
            commands[path.relative_to(root).as_posix()] = command
    parts = {source: with_headers(root, source) for source in commands}
    sources = sorted(commands)
    if options.changed:
        changed = changed_files(root)
        sources = [source for source in sources if changed.intersection(parts[source])]

    def one(source: str) -> str:
        return tidy(root, build, source, cache / key(root, build, commands[source], parts[source]))

    # A finding in a header is reported once, not by every file that includes it.
    reported, bad = {""}, 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for said in pool.map(one, sources):
            bad += bool(said)
            for finding in map(str.strip, FINDING.split(said)):
                if finding not in reported:
                    print(finding.removeprefix(f"{root}/"), flush=True)
                    reported.add(finding)
    print(f"clang-tidy: {bad} of {len(sources)} files with findings", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
