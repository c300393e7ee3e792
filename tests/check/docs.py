#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""README.md and docs/ name only commands and configuration keys that exist, and link to files that exist:
docs.py ROOT [PROGRAM]

What exists is what PROGRAM, the untrombone just built, says about itself; without it only links are checked.
Looked at are `untrombone COMMAND` in code spans and code blocks, the keys of ```toml blocks, and relative links.
What is planned has to be told in prose.
"""

import re
import sys
import tomllib
from pathlib import Path

import project

SUBCOMMAND = re.compile(r"^  ([a-z][a-z-]*)\b", re.MULTILINE)
KEY_LINE = re.compile(r"^\[+(?P<table>[a-z.-]+)\]+|^#? ?(?P<key>[a-z][a-z0-9-]*) *=", re.MULTILINE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(?:^|[\s`(])(?:\S*/)?untrombone ([a-z][a-z-]*)\b(?!\s*[=.:])")
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")
SHELL = ("", "sh", "bash", "console", "text")


def documents(root: Path) -> list[str]:
    return [path for path in project.files(root) if re.fullmatch(r"[A-Z]+\.md|docs/.*\.md", path)]


def keys_of(table: dict, prefix: str = "") -> set[str]:
    """Dotted names of all keys with a value, whether their tables are in arrays or not."""
    found = set()
    for key, value in table.items():
        name = f"{prefix}{key}"
        tables = [inner for inner in (value if isinstance(value, list) else [value]) if isinstance(inner, dict)]
        for inner in tables:
            found |= keys_of(inner, name + ".")
        if not tables:
            found.add(name)
    return found


def known_commands(program: str) -> set[str]:
    status, said = project.tool([program, "--help"], Path.cwd())
    help_text = "\n".join(said)
    return set(SUBCOMMAND.findall(help_text.partition("Subcommands:")[2])) if status == 0 else set()


def known_keys(program: str) -> set[str]:
    """Read line by line: keys without a default are shown commented out."""
    status, said = project.tool([program, "config", "show", "--defaults"], Path.cwd())
    table, found = "", set()
    for match in KEY_LINE.finditer("\n".join(said) if status == 0 else ""):
        if match["table"]:
            table = match["table"]
        else:
            found.add(f"{table}.{match['key']}")
    return found


def check_commands(path: str, text: str, known: set[str]) -> list[str]:
    code = [body for language, body in BLOCK.findall(text) if language in SHELL]
    code += SPAN.findall(BLOCK.sub("", text))
    named = {command for body in code for command in COMMAND.findall(body)}
    return [f"{path}: there is no command `untrombone {each}`" for each in sorted(named - known)]


def check_keys(path: str, text: str, known: set[str]) -> list[str]:
    found = []
    for language, body in BLOCK.findall(text):
        if language != "toml":
            continue
        try:
            used = keys_of(tomllib.loads(body))
        except tomllib.TOMLDecodeError as error:
            found.append(f"{path}: a toml block does not parse: {error}")
            continue
        found += [f"{path}: there is no configuration key `{key}`" for key in sorted(used - known)]
    return found


def check_links(root: Path, path: str, text: str) -> list[str]:
    links = LINK.findall(SPAN.sub("", BLOCK.sub("", text)))
    broken = [link for link in links if not (root / path).parent.joinpath(link).exists()]
    return [f"{path}: links to {link}, which does not exist" for link in broken]


def check(root: Path, program: str | None = None) -> list[str]:
    commands = known_commands(program) if program else set()
    keys = known_keys(program) if program else set()
    if program and not (commands and keys):
        return [f"{program}: --help names no commands, or `config show --defaults` no keys"]
    found = []
    for path in documents(root):
        text = project.text(root, path)
        if program:
            found += check_commands(path, text, commands)
            found += check_keys(path, text, keys)
        found += check_links(root, path, text)
    return found


if __name__ == "__main__":
    project.run(lambda root: check(root, sys.argv[2] if len(sys.argv) > 2 else None))
