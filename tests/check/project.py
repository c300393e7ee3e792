# SPDX-License-Identifier: GPL-2.0-or-later
"""What the checks share. A check is a function from the project's root to a list of findings, one line each."""

import re
import subprocess
import sys
from pathlib import Path

MISSING_TOOL = 77  # ctest reports it as skipped


def files(root: Path) -> list[str]:
    """Paths of the project's files, relative to the root: tracked and new ones, never ignored or built ones."""
    git = ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard"]
    if (root / ".git").exists():
        listed = subprocess.run(git, capture_output=True, text=True, check=True).stdout.split("\0")
    else:  # a release archive
        listed = [path.relative_to(root).as_posix() for path in root.rglob("*")]
        listed = [path for path in listed if not path.startswith((".git/", "build/"))]
    return sorted(path for path in set(listed) if path and (root / path).is_file())


def cpp_files(root: Path) -> list[str]:
    return [path for path in files(root) if path.endswith((".cpp", ".hpp"))]


def shell_scripts(root: Path) -> list[str]:
    def is_shell(path: str) -> bool:
        with open(root / path, "rb") as file:
            first = file.readline(80)
        return path.endswith(".sh") or re.match(rb"#!.*\b(ba|da)?sh\b", first) is not None

    return [path for path in files(root) if is_shell(path)]


def text(root: Path, path: str) -> str:
    return (root / path).read_text(encoding="utf-8")


def without_comments(source: str) -> str:
    """C++ with comments blanked and line numbers kept; string literals stay."""
    pattern = r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/'

    def blank(match: re.Match) -> str:
        found = match.group()
        return found if found.startswith('"') else "\n" * found.count("\n")

    return re.sub(pattern, blank, source, flags=re.DOTALL)


def tool(command: list[str], cwd: Path) -> tuple[int, list[str]]:
    """Exit status and output lines of a tool of scripts/bootstrap."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        print(f"skipped: {command[0]} is not installed (scripts/bootstrap)", file=sys.stderr)
        sys.exit(MISSING_TOOL)
    return done.returncode, [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]


def tool_findings(command: list[str], cwd: Path) -> list[str]:
    """Whatever a tool that should be silent says; a tool that fails silently is a finding too."""
    status, said = tool(command, cwd)
    if status != 0 and not said:
        said = [f"{command[0]}: exit status {status}"]
    return said


def run(check) -> None:
    """Entry point of a check: the root is the first argument, by default the tree this file is in."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    findings = check(root)
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
