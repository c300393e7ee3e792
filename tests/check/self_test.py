#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every check finds the violation that is planted for it, and accepts the same tree without it."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

import commands
import docs
import format as format_check
import layering
import log_events
import manual
import project
import schema
import shell
import spdx
import tidy
import unit_file

HERE = Path(__file__).resolve()
SPDX = "// SPDX-License-Identifier: GPL-2.0-or-later\n"


class Checks(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def finds(self, check, *expected: str) -> None:
        """The check has exactly one finding per expected text, in this order."""
        found = check(self.root)
        self.assertEqual(len(found), len(expected), found)
        for finding, text in zip(found, expected):
            self.assertIn(text, finding)

    # ---- layering

    def includes(self, path: str, *lines: str) -> list[str]:
        return layering.check_file(path, project.without_comments("\n".join(lines)))

    def test_the_core_is_pure_and_includes_only_itself(self) -> None:
        for header in ("<boost/asio.hpp>", "<spdlog/spdlog.h>", "<netlink/netlink.h>", "<nftables/libnftables.h>",
                       "<fstream>", "<iostream>", "<thread>", "<unistd.h>", "<sys/socket.h>",
                       '"netlink/messages.hpp"', '"agent/daemon/config.hpp"', '"types.hpp"'):
            self.assertTrue(self.includes("agent/core/x.cpp", f"#include {header}"), header)
        for header in ("<boost/system/result.hpp>", "<chrono>", '"agent/core/types.hpp"'):
            self.assertFalse(self.includes("agent/core/x.cpp", f"#include {header}"), header)

    def test_the_core_and_codecs_have_no_clock(self) -> None:
        self.assertTrue(self.includes("agent/core/x.cpp", "auto t = std::chrono::steady_clock::now();"))
        self.assertTrue(self.includes("netlink/messages.cpp", "auto t = Clock::now();"))
        self.assertFalse(self.includes("agent/core/x.cpp", "// never Clock::now()", "/* ::now() */ int known();"))
        self.assertFalse(self.includes("netlink/socket.cpp", "auto t = Clock::now();"))

    def test_codecs_are_pure(self) -> None:
        self.assertTrue(self.includes("netlink/messages.hpp", "#include <boost/asio/buffer.hpp>"))
        self.assertFalse(self.includes("netlink/messages.hpp", "#include <linux/rtnetlink.h>"))
        self.assertFalse(self.includes("netlink/socket.hpp", "#include <boost/asio/buffer.hpp>"))

    def test_adapters_do_not_know_each_other(self) -> None:
        for path, header in (("netlink/a.cpp", "arp/b.hpp"), ("arp/a.cpp", "bgp/b.hpp"), ("bgp/a.hpp", "netlink/b.hpp"),
                             ("bgp/a.cpp", "agent/daemon/b.hpp"), ("arp/a.cpp", "agent/cli/b.hpp"),
                             ("agent/daemon/a.cpp", "tests/lab/b.hpp")):
            self.assertTrue(self.includes(path, f'#include "{header}"'), f"{path} {header}")
        for path, header in (("netlink/a.cpp", "agent/core/b.hpp"), ("arp/a.cpp", "arp/b.hpp"),
                             ("agent/daemon/a.cpp", "bgp/b.hpp"), ("tests/lab/a.cpp", "bgp/b.hpp")):
            self.assertFalse(self.includes(path, f'#include "{header}"'), f"{path} {header}")

    def test_libraries_stay_in_their_folder(self) -> None:
        self.assertTrue(self.includes("agent/daemon/a.cpp", "#include <netlink/socket.h>"))
        self.assertTrue(self.includes("bgp/a.cpp", "#include <spdlog/spdlog.h>"))
        self.assertFalse(self.includes("netlink/a.cpp", "#include <netlink/socket.h>"))

    def test_layering_reads_the_tree_and_counts_lines(self) -> None:
        self.write("agent/core/x.cpp", "/* a\n   comment */\n#include <thread>\n")
        self.finds(layering.check, "agent/core/x.cpp:3: is pure and may not include <thread>")

    def test_a_pattern_without_files_is_found(self) -> None:
        self.write("netlink/messages.cpp", "")
        self.finds(layering.check, "PURE names netlink/attributes.?pp", "PURE names netlink/link_details.?pp",
                   "PURE names netlink/route_message.?pp")

    # ---- SPDX

    def test_a_source_or_script_without_licence_is_found(self) -> None:
        self.write("a.cpp", SPDX)
        self.write("tests/golden/data.toml", "")
        self.finds(spdx.check)
        self.write("b.hpp", "#pragma once\n")
        self.write("scripts/run", "#!/bin/sh\n")
        self.finds(spdx.check, "b.hpp:1", "scripts/run:1")

    # ---- the manual and the schemas

    def test_the_manual_is_well_formed_mdoc(self) -> None:
        page = (HERE.parents[2] / manual.MANUAL).read_text(encoding="utf-8")
        self.write(manual.MANUAL, page)
        self.finds(manual.check)
        self.write(manual.MANUAL, page.replace(".Sh DESCRIPTION", ".Sh DESCRIPTION\n.Xx"))
        self.finds(manual.check, "skipping unknown macro")

    def test_the_manual_names_commands_and_options_as_they_are(self) -> None:
        wanted = {"host": set(), "host clear": set(), "agent": {"--observe"}}
        entries = manual.manual_entries(".It Ic host Ic clear Ar address\n.It Ic agent Op Fl -observe\n")
        self.assertEqual(manual.compare("m", wanted, entries), [])
        self.assertEqual(manual.compare("m", wanted, {"agent": set(), "gone": set()}),
                         ["m: lacks the command host clear", "m: there is no command gone", "m: agent lacks --observe"])
        self.assertEqual(manual.check_words("c", "host agent --observe", wanted), ["c: does not know clear"])

    def test_a_command_without_a_golden_document_its_text_or_its_schema_is_found(self) -> None:
        known = {"agent": {"--config"}, "host": set(), "host clear": set(), "explain": {"--path"}}
        self.assertEqual(commands.kinds(known), ["explain", "host-clear", "path"])
        self.finds(lambda root: commands.check_kind(root, "path"), "lacks path.json", "lacks a document of path")
        self.write("docs/schema/path.json", "{}")
        self.write("tests/golden/cli/path-outside.json", "{}")
        self.finds(lambda root: commands.check_kind(root, "path"), "path-outside.json: there is no text beside it")
        self.write("tests/golden/cli/path-outside.txt", "")
        self.finds(lambda root: commands.check_kind(root, "path"))

    def test_a_document_that_does_not_fit_its_schema_is_found(self) -> None:
        self.write("docs/schema/hosts.json", '{"type": "object", "required": ["hosts"]}')
        self.write("tests/golden/cli/hosts-good.json", '{"hosts": []}')
        self.write("tests/golden/cli/hosts-bare.json", "{}")
        self.finds(schema.check)
        self.write("tests/golden/cli/hosts-bad.json", "{}")
        self.write("tests/golden/cli/routes-all.json", "{}")
        self.finds(schema.check, "hosts-bad.json: $: 'hosts' is a required", "routes-all.json: there is no schema")

    # ---- log events

    def log_events(self, code: str, rows: str, use: str = "log_events::kUp, log_events::kDown") -> None:
        self.write(log_events.CODE, code)
        self.write(log_events.DOC, "| id | meaning |\n|---|---|\n" + rows)
        self.write("agent/daemon/agent.cpp", use)

    UP = 'inline constexpr std::string_view kUp = "zebra-up";\n'
    DOWN = 'inline constexpr std::string_view kDown = "zebra-down";\n'

    def test_log_ids_and_their_list_agree(self) -> None:
        self.finds(log_events.check)
        self.log_events(self.UP + self.DOWN, "| `zebra-up` | a |\n| `zebra-down` | b |\n")
        self.finds(log_events.check)
        self.log_events(self.UP + self.DOWN, "| `zebra-up` | a |\n| `zebra-gone` | b |\n")
        self.finds(log_events.check, "lacks `zebra-down`", "lists `zebra-gone`")

    def test_log_ids_are_kebab_case_unique_and_used(self) -> None:
        self.log_events(self.UP + self.UP.replace("kUp", "kDown"), "| `zebra-up` | a |\n")
        self.finds(log_events.check, '"zebra-up" is declared twice')
        self.log_events(self.UP.replace("zebra-up", "Zebra_Up"), "| `Zebra_Up` | a |\n")
        self.finds(log_events.check, "is not kebab-case")
        self.log_events(self.UP + self.DOWN, "| `zebra-up` | a |\n| `zebra-down` | b |\n", "log_events::kUp")
        self.finds(log_events.check, "kDown is used nowhere")
        self.log_events(self.UP, "| `zebra-up` | a |\n", 'log_events::kUp; log_.event(LogLevel::kInfo, "zebra-up", 1);')
        self.finds(log_events.check, "logs with a literal id")

    def test_log_list_and_code_come_together(self) -> None:
        self.write(log_events.CODE, "")
        self.finds(log_events.check, "docs/log-events.md: missing")

    # ---- docs

    def test_docs_name_only_what_exists(self) -> None:
        program = self.root / "untrombone"
        answer = "#!/bin/sh\ncase $1 in --help) printf 'Subcommands:\\n  status   say\\n' ;;\n"
        answer += "*) printf '[site]\\nname = 1\\n[[segment]]\\n# interface = 2\\n[segment.detect]\\nconfirm=3\\n' ;;\n"
        answer += "esac\n"
        self.write("untrombone", answer)
        program.chmod(0o755)

        def check(root: Path) -> list[str]:
            return docs.check(root, str(program))

        good = "[site]\nname = 'a'\n[[segment]]\ninterface = 'b'\n[segment.detect]\nconfirm = '1s'\n"
        self.write("LICENSE", "")
        self.write("README.md", f"`untrombone status`, [licence](LICENSE)\n```toml\n{good}```\n")
        self.finds(check)
        self.write("README.md", f"```sh\nsudo untrombone statsu\n```\n```toml\n{good}name = 1\n```\n[x](docs/a.md)\n")
        self.finds(check, "no command `untrombone statsu`", "key `segment.detect.name`", "links to docs/a.md")
        self.write("untrombone", "#!/bin/sh\nexit 1\n")
        self.finds(check, "--help names no commands")

    # ---- tools

    def test_shellcheck_and_strict_mode(self) -> None:
        self.write("scripts/good", "#!/usr/bin/env bash\nset -euo pipefail\necho\n")
        self.finds(shell.check)
        self.write("scripts/bad", "#!/usr/bin/env bash\nset -euo pipefail\nrm $1\n")
        self.write("scripts/lax", "#!/usr/bin/env bash\necho\n")
        self.finds(shell.check, 'scripts/lax: lacks "set -euo pipefail"', "SC2086")

    def test_format(self) -> None:
        self.write(".clang-format", (HERE.parents[2] / ".clang-format").read_text())
        self.write("a.cpp", "int* a = nullptr;\n")
        self.finds(format_check.check)
        self.write("a.cpp", "int *a = nullptr;\n")
        self.finds(format_check.check, "a.cpp:1")
        self.write("a.cpp", "// " + "x" * 120 + "\n")
        self.finds(format_check.check, "a.cpp:1: wider than 120")

    def test_the_unit_is_valid_and_tight(self) -> None:
        unit = (HERE.parents[2] / unit_file.UNIT).read_text(encoding="utf-8")
        self.write(unit_file.UNIT, unit)
        self.finds(unit_file.check)
        self.write(unit_file.UNIT, unit.replace("WatchdogSec=", "WatchdogSeconds="))
        self.finds(unit_file.check, "WatchdogSeconds")
        self.write(unit_file.UNIT, unit.replace("ProtectHome=yes\n", ""))
        self.finds(unit_file.check, "sandbox looser than 2.0")

    def test_tidy_finds_remembers_and_forgets(self) -> None:
        self.write(".clang-tidy", (HERE.parents[2] / ".clang-tidy").read_text())
        self.write("agent/a.hpp", "int good_name();\n")
        self.write("agent/a.cpp", '#include "agent/a.hpp"\nint good_name() { return 1; }\n')
        command = {"directory": str(self.root), "command": "c++ -I. -c agent/a.cpp", "file": f"{self.root}/agent/a.cpp"}
        self.write("build/compile_commands.json", json.dumps([command]))

        def run_tidy() -> subprocess.CompletedProcess:
            program = ["python3", "-B", tidy.__file__, str(self.root), "--build", str(self.root / "build")]
            return subprocess.run(program, capture_output=True, text=True)

        for _ in range(2):
            self.assertEqual(run_tidy().returncode, 0)
        self.write("agent/a.hpp", "int good_name();\nint BadName();\n")
        bad = run_tidy()
        self.assertEqual(bad.returncode, 1)
        self.assertIn("invalid case style for function 'BadName'", bad.stdout)

    def test_a_header_counts_as_part_of_whoever_includes_it(self) -> None:
        self.write("a.cpp", '#include "b.hpp"\n')
        self.write("b.hpp", '#include "c.hpp"\n#include <vector>\n')
        self.write("c.hpp", '#include "b.hpp"\n')
        self.assertEqual(tidy.with_headers(self.root, "a.cpp"), ["a.cpp", "b.hpp", "c.hpp"])


if __name__ == "__main__":
    unittest.main()
