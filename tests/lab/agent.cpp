// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/agent.hpp"

#include <cstdlib>
#include <set>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::lab {
namespace {

namespace fs = std::filesystem;

std::string binary_of(const AgentOptions& options) {
  if (!options.binary.empty()) {
    return options.binary;
  }
  const char* path = std::getenv("UNTROMBONE_BIN");
  return path != nullptr ? path : "untrombone";
}

// One TOML section with our lines and the extra ones.
std::string section(const std::string& name, const std::string& lines, const AgentOptions& options) {
  std::string text = fmt::format("{}\n{}", name == "segment" ? "[[segment]]" : "[" + name + "]", lines);
  const auto [first, last] = options.extra_toml.equal_range(name);
  for (auto line = first; line != last; ++line) {
    text += line->second + "\n";
  }
  return text + "\n";
}

// What a TOML list holds.
std::string items(const char* ipv4, const char* ipv6, bool both) {
  return both ? fmt::format("\"{}\", \"{}\"", ipv4, ipv6) : fmt::format("\"{}\"", ipv4);
}

std::string render_config(const std::string& site_name, const Frr& frr, const fs::path& socket, bool ipv6,
                          const AgentOptions& options) {
  const std::string probe =
      options.probe_address.empty() ? "" : fmt::format("probe-address = \"{}\"\n", options.probe_address);
  const std::vector<std::pair<std::string, std::string>> sections{
      {"site", fmt::format("name = \"{}\"\n", site_name)},
      {"routes", fmt::format("sink = \"{}\"\nzapi-socket = \"{}\"\nvty-dir = \"{}\"\nsettle = \"{}\"\n"
                             "retain-time = \"{}\"\non-exit = \"{}\"\ntrack = {}\n",
                             name_of(frr.sink()), frr.zserv().string(), frr.vty_dir().string(),
                             options.settle, options.retain_time, options.on_exit, options.track)},
      {"segment",
       fmt::format("name = \"lab\"\nbridge = \"{}\"\ndci-ports = [\"{}\"]\nsubnets = [{}]\n"
                   "gateways = [{}]\n",
                   kBridge, kDciPort, items(kSubnet, kSubnet6, ipv6), items(kGateway, kGateway6, ipv6))},
      {"segment.detect", probe},
      {"segment.guard", fmt::format("enabled = {}\ngreet = {}\n", options.guard, options.greet)},
      {"control", fmt::format("socket = \"{}\"\n", socket.string())},
      {"log", fmt::format("level = \"{}\"\n", options.log_level)}};
  std::string text;
  std::set<std::string> others;
  for (const auto& [name, line] : options.extra_toml) {
    others.insert(name);
  }
  // Sections of a segment have to follow it; the others may come in any order.
  for (const auto& [name, lines] : sections) {
    text += section(name, lines, options);
    others.erase(name);
    if (name == "segment.guard") {
      for (auto other = others.begin(); other != others.end();) {
        const bool of_segment = other->starts_with("segment.");
        text += of_segment ? section(*other, "", options) : "";
        other = of_segment ? others.erase(other) : std::next(other);
      }
    }
  }
  for (const std::string& name : others) {
    text += section(name, "", options);
  }
  return text;
}

std::vector<std::string> agent_command(const std::string& binary, const fs::path& config,
                                       const AgentOptions& options) {
  std::vector<std::string> argv = options.wrapper;
  argv.insert(argv.end(), {binary, "agent", "--config", config.string()});
  argv.insert(argv.end(), options.arguments.begin(), options.arguments.end());
  return argv;
}

}  // namespace

Agent::Agent(std::string site_name, const Netns& netns, const Frr& frr, const fs::path& directory, bool ipv6,
             AgentOptions options)
    : netns_(netns),
      binary_(binary_of(options)),
      config_(directory / "agent.toml"),
      socket_(directory / "agent.sock"),
      log_(directory / "agent.log"),
      process_([&] {
        write_file(config_, render_config(site_name, frr, socket_, ipv6, options));
        return ProcessOptions{
            .argv = agent_command(binary_, config_, options), .netns = &netns, .output = log_};
      }()) {}

bool Agent::wait_ready(std::chrono::milliseconds timeout) const {
  return wait_for([this] { return cli({"status"}).status == 0; }, timeout);
}

CommandResult Agent::cli(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv{binary_, "--socket", socket_.string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_command({.argv = std::move(argv), .netns = &netns_});
}

nlohmann::json Agent::json(std::vector<std::string> arguments) const {
  arguments.push_back("--json");
  const CommandResult result = cli(arguments);
  nlohmann::json value = nlohmann::json::parse(result.output, nullptr, false);
  if (value.is_discarded()) {
    throw std::runtime_error(fmt::format("untrombone {} printed no JSON: {}{}", fmt::join(arguments, " "),
                                         result.output, result.error));
  }
  return value;
}

}  // namespace untrombone::lab
