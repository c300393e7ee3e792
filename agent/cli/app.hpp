// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

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

/// What `frr-config` was asked for, as it was written; empty: not given.
struct FrrConfigQuestion {
  std::string config_path;
  std::string protocol = {};
  std::string role = "edge";
  std::string frr_version = {};
  std::optional<std::uint32_t> asn = {};
  bool ibgp = false;
  std::string isis_area = {};
  std::vector<std::string> neighbors = {};
};

struct FrrConfigAnswer {
  std::string text = {};
  std::string protocol = {};
  std::string frr_version = {};
  std::string error = {};  ///< empty: `text` is the configuration
};

/// What the commands need of the rest of the program; main() wires it.
struct Hooks {
  std::function<int(const std::string& config_path, bool observe)> run_agent;
  std::function<ConfigVerdict(const std::string& path)> check_config;
  std::function<std::string()> render_defaults;
  std::function<FrrConfigAnswer(const FrrConfigQuestion&)> frr_config;
};

struct Terminal {
  std::ostream& out;
  std::ostream& err;
  bool colour = false;         ///< `out` is a terminal that wants colours
  std::istream* in = nullptr;  ///< standard input, for the commands that read it
};

/// Parses the command line, does what it says, and returns the exit code.
[[nodiscard]] int run(int argc, const char* const* argv, const Hooks& hooks, const Terminal& terminal);

}  // namespace untrombone::cli
