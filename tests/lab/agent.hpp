// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/lab/frr.hpp"
#include "tests/lab/netns.hpp"
#include "tests/lab/process.hpp"

namespace untrombone::lab {

struct AgentOptions {
  // Empty: $UNTROMBONE_BIN, else "untrombone" in PATH.
  std::string binary = {};
  std::string settle = "30s";
  std::string retain_time = "120s";
  std::string on_exit = "retain";
  std::string probe_address = {};  // empty: none
  std::string track = "[]";        // uplink tracking, as TOML
  bool guard = true;
  bool greet = true;
  std::string log_level = "debug";
  // More lines for a section, by its name: {"routes", "table = 7"}, {"segment.detect", "confirm = \"2s\""}. A
  // section that is not one of ours is added.
  std::multimap<std::string, std::string> extra_toml = {};
  std::vector<std::string> arguments = {};  // more of them for `untrombone agent`
  std::vector<std::string> wrapper = {};    // a command that runs the agent, e.g. {"setpriv", ...}
};

// The agent of one site: its configuration, its process, and the CLI that talks to it. The destructor kills it.
class Agent {
 public:
  // Writes agent.toml into `directory` and starts `untrombone agent` in the site's namespace, which must outlive
  // this. Its log is agent.log, appended over restarts.
  Agent(std::string site_name, const Netns& netns, const Frr& frr, const std::filesystem::path& directory,
        bool ipv6, AgentOptions options);

  Process& process() { return process_; }
  const std::filesystem::path& config() const { return config_; }
  const std::filesystem::path& socket() const { return socket_; }
  const std::filesystem::path& log() const { return log_; }

  // Waits until `untrombone status` succeeds.
  bool wait_ready(std::chrono::milliseconds timeout) const;

  // untrombone --socket SOCKET ARGUMENTS..., in the site's namespace.
  CommandResult cli(const std::vector<std::string>& arguments) const;
  // The same with --json; throws when what it prints is not JSON. The exit code is not looked at.
  nlohmann::json json(std::vector<std::string> arguments) const;

 private:
  const Netns& netns_;
  std::string binary_;
  std::filesystem::path config_;
  std::filesystem::path socket_;
  std::filesystem::path log_;
  Process process_;
};

}  // namespace untrombone::lab
