#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/log-events.md lists exactly the log event ids that the code declares, and each of them is used."""

import re
from pathlib import Path

import project

CODE = "agent/daemon/log_events.hpp"
DOC = "docs/log-events.md"
CONSTANT = re.compile(r'inline\s+constexpr\s+std::string_view\s+(k\w+)\s*=\s*"([^"]*)"\s*;')
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ROW = re.compile(r"^\|\s*`([^`]+)`\s*\|", re.MULTILINE)
LITERAL_ID = re.compile(r'\bevent\s*\(\s*LogLevel::\w+\s*,\s*"')


def twice(ids: list[str]) -> list[str]:
    return sorted({each for each in ids if ids.count(each) > 1})


def check(root: Path) -> list[str]:
    has_code, has_doc = (root / CODE).is_file(), (root / DOC).is_file()
    if has_code != has_doc:
        present, absent = (CODE, DOC) if has_code else (DOC, CODE)
        return [f"{absent}: missing, although there is {present}"]
    if not has_code:
        return []

    constants = CONSTANT.findall(project.without_comments(project.text(root, CODE)))
    declared = [event for _, event in constants]
    documented = ROW.findall(project.text(root, DOC))
    found = [f'{CODE}: "{event}" is not kebab-case' for event in declared if not ID.fullmatch(event)]
    found += [f'{CODE}: "{event}" is declared twice' for event in twice(declared)]
    found += [f"{DOC}: `{event}` is listed twice" for event in twice(documented)]
    found += [f"{DOC}: lacks `{event}`" for event in sorted(set(declared) - set(documented))]
    found += [f"{DOC}: lists `{event}`, which is not in {CODE}" for event in sorted(set(documented) - set(declared))]

    sources = {
        path: project.without_comments(project.text(root, path))
        for path in project.cpp_files(root)
        if path != CODE and not path.startswith(("tests/", "bench/"))
    }
    everything = "\n".join(sources.values())
    used = set(re.findall(r"\blog_events::(k\w+)", everything))
    found += [f"{CODE}: {name} is used nowhere" for name, _ in constants if name not in used]
    for path, source in sources.items():
        for call in LITERAL_ID.finditer(source):
            line = source.count("\n", 0, call.start()) + 1
            found.append(f"{path}:{line}: logs with a literal id; declare it in {CODE}")
    return found


if __name__ == "__main__":
    project.run(check)
