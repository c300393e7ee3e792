// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <ostream>
#include <string>

namespace untrombone::cli {

/// Exit codes of every command (design 9).
constexpr int kExitOk = 0;
constexpr int kExitFindings = 1;  ///< findings, or a negative answer
constexpr int kExitFailed = 2;    ///< could not do it
constexpr int kExitUsage = 64;

struct ConfigVerdict {
  std::string error;  ///< empty: the file is fine
  bool unreadable = false;
};

/// What the commands need of the rest of the program; main() wires it.
struct Hooks {
  std::function<int(const std::string& config_path, bool observe)> run_agent;
  std::function<ConfigVerdict(const std::string& path)> check_config;
  std::function<std::string()> render_defaults;
};

struct Terminal {
  std::ostream& out;
  std::ostream& err;
  bool colour = false;  ///< `out` is a terminal that wants colours
};

/// Parses the command line, does what it says, and returns the exit code.
[[nodiscard]] int run(int argc, const char* const* argv, const Hooks& hooks, const Terminal& terminal);

}  // namespace untrombone::cli
