#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual page and the completions name every command and option, and nothing that is not there:
manual.py ROOT [PROGRAM]

What there is, PROGRAM says itself; without it only the manual's form is checked, by mandoc.
"""

import re
import sys
from pathlib import Path

import project

MANUAL = "packaging/man/untrombone.8"
COMPLETIONS = ["packaging/completion/untrombone.bash", "packaging/completion/_untrombone"]
COMMAND = re.compile(r"^  ([a-z][a-z-]*)\b", re.MULTILINE)
OPTION = re.compile(r"(--[a-z][a-z-]*)")
# The program's own, which every command has.
COMMON = {"--help", "--version", "--socket", "--json", "--no-color"}


def help_of(program: str, *words: str) -> str:
    status, said = project.tool([program, *words, "--help"], Path.cwd())
    return "\n".join(said) if status == 0 else ""


def commands_in(help_text: str) -> list[str]:
    return COMMAND.findall(help_text.partition("Subcommands:")[2])


def options_in(help_text: str) -> set[str]:
    return set(OPTION.findall(help_text)) - COMMON


def known(program: str) -> dict[str, set[str]]:
    """Commands ("host clear" is one word of "host") with their options."""
    found: dict[str, set[str]] = {}
    for command in commands_in(help_of(program)):
        text = help_of(program, command)
        found[command] = options_in(text)
        for inner in commands_in(text):
            found[f"{command} {inner}"] = options_in(help_of(program, command, inner))
    return found


def check_form(root: Path) -> list[str]:
    _, said = project.tool(["mandoc", "-T", "lint", "-W", "warning", MANUAL], root)
    return said


def manual_entries(text: str) -> dict[str, set[str]]:
    """".It Ic host Ic clear Ar address" as "host clear", with its options."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if not line.startswith(".It Ic "):
            continue
        command = " ".join(re.findall(r"\bIc ([a-z-]+)", line))
        found[command] = {f"-{option}" for option in re.findall(r"Fl (-[a-z-]+)", line)}
    return found


def compare(path: str, wanted: dict[str, set[str]], found: dict[str, set[str]]) -> list[str]:
    leaves = {name: options for name, options in wanted.items() if not any(w.startswith(name + " ") for w in wanted)}
    said = [f"{path}: lacks the command {name}" for name in sorted(leaves.keys() - found.keys())]
    said += [f"{path}: there is no command {name}" for name in sorted(found.keys() - leaves.keys())]
    for name in sorted(leaves.keys() & found.keys()):
        said += [f"{path}: {name} lacks {option}" for option in sorted(leaves[name] - found[name])]
        said += [f"{path}: {name} has no {option}" for option in sorted(found[name] - leaves[name])]
    return said


def check_words(path: str, text: str, wanted: dict[str, set[str]]) -> list[str]:
    words = set(re.findall(r"--[a-z][a-z-]*|[a-z][a-z-]*", text))
    named = {word for name in wanted for word in name.split()} | set().union(*wanted.values())
    return [f"{path}: does not know {word}" for word in sorted(named - words)]


def check(root: Path, program: str | None = None) -> list[str]:
    found = check_form(root)
    wanted = known(program) if program else {}
    if program and not wanted:
        return [f"{program}: --help names no commands"]
    if wanted:
        found += compare(MANUAL, wanted, manual_entries(project.text(root, MANUAL)))
        for path in COMPLETIONS:
            found += check_words(path, project.text(root, path), wanted)
    return found


if __name__ == "__main__":
    project.run(lambda root: check(root, sys.argv[2] if len(sys.argv) > 2 else None))
