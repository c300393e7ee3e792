// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bgp/frr_version.hpp"
#include "tests/lab/netns.hpp"
#include "tests/lab/process.hpp"

namespace untrombone::routing {

// A router of its own in a namespace: any of FRR's daemons, of this machine's FRR or, with UNTROMBONE_FRR_TREE, of the
// release unpacked in that directory. Configuration is fed to it while it runs, as an operator does.
class Router {
 public:
  // `netns` and `directory` are the lab's; zebra comes first by itself.
  Router(const lab::Netns& netns, std::filesystem::path directory, std::vector<std::string> daemons);

  // Returns when every daemon can be talked to.
  void start();
  // Reads a whole configuration as at a start; throws when FRR does not take it.
  void load(const std::string& configuration);
  // Feeds configuration line by line, as from a terminal; returns what FRR complains of, empty: it took everything.
  std::string feed(const std::string& configuration);
  std::string vtysh(const std::string& command);
  nlohmann::json json(const std::string& command);
  std::string running_config() { return vtysh("show running-config"); }
  bgp::FrrVersion version();

  const lab::Netns& netns() const { return netns_; }
  std::filesystem::path zserv() const { return run_directory() / "zserv.api"; }
  // The interface that the kernel sends to the prefix by: exactly one, or what it says instead ("-", "to-a to-b").
  std::string route_device(const std::string& prefix) const;

 private:
  std::filesystem::path run_directory() const { return directory_ / "run"; }
  // The command inside the tree of the release, if there is one.
  std::vector<std::string> inside(std::vector<std::string> argv) const;
  std::vector<std::string> daemon_command(const std::string& daemon) const;
  lab::CommandResult run_vtysh(const std::vector<std::string>& arguments, const std::string& input);

  const lab::Netns& netns_;
  std::filesystem::path directory_;
  std::filesystem::path tree_;  // empty: this machine's FRR
  std::vector<std::string> daemons_;
  std::vector<lab::Process> processes_;
};

}  // namespace untrombone::routing
