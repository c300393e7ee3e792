// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/lab/netns.hpp"
#include "tests/lab/process.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

// The FRR of one router: zebra and one routing daemon, in a run directory of its own. The destructor kills them.
class Frr {
 public:
  // Starts both daemons; returns when zebra takes clients, not when sessions are up. `netns` must outlive this.
  Frr(Node router, const Netns& netns, Protocol protocol, std::filesystem::path directory, bool ipv6 = false);

  const std::filesystem::path& vty_dir() const { return directory_; }
  std::filesystem::path zserv() const { return directory_ / "zserv.api"; }
  const std::string& routing_daemon() const { return routing_daemon_; }  // "bgpd" or "ospfd"

  // "zebra" or the routing daemon; throws std::out_of_range for others.
  Process& daemon(const std::string& name) { return daemons_.at(name); }
  // Starts a daemon again after it has ended.
  void start_daemon(const std::string& name);

  // What vtysh prints for the commands; throws when vtysh fails.
  std::string vtysh(const std::vector<std::string>& commands) const;

  void release() noexcept;

 private:
  const Netns& netns_;
  std::filesystem::path directory_;
  std::string routing_daemon_;
  std::map<std::string, Process> daemons_;
};

}  // namespace untrombone::lab
