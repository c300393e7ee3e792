// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/lab/netns.hpp"
#include "tests/lab/process.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

// Who takes the routes of an agent; what the sites' FRR redistributes follows from it.
enum class Sink : std::uint8_t { kZapi, kKernelTable, kVtysh };

const char* name_of(Sink sink);

struct FrrSetup;  // what the configuration depends on

struct FrrOptions {
  Protocol protocol = Protocol::kBgp;
  bool ipv6 = false;
  // A Debian release whose FRR scripts/frr-release unpacks ("bullseye", "bookworm", "trixie", "sid"); empty: the
  // machine's own.
  std::string release = {};
  Sink sink = Sink::kZapi;
  std::vector<std::string> zebra_arguments = {};  // beside those that the lab needs
};

// What UNTROMBONE_LAB_FRR and UNTROMBONE_LAB_SINK choose for all labs of a test run.
std::string default_frr_release();
Sink default_sink();

// The FRR of one router: zebra and one routing daemon, in a run directory of its own. The destructor kills them.
class Frr {
 public:
  // Starts both daemons; returns when zebra takes clients, not when sessions are up. `netns` must outlive this.
  Frr(Node router, const Netns& netns, const FrrOptions& options, std::filesystem::path directory);

  const std::filesystem::path& vty_dir() const { return directory_; }
  std::filesystem::path zserv() const { return directory_ / "zserv.api"; }
  const std::string& routing_daemon() const { return routing_daemon_; }  // "bgpd" or "ospfd"
  int version() const { return version_; }                               // 8.4.4 is 804, 10.3 is 1003
  Sink sink() const { return options_.sink; }
  // What a site's bgpd redistributes of IPv4, by the release and the sink: "table", "table 201", "static".
  std::string origin() const;

  // "zebra", the routing daemon, or what the sink needs; throws std::out_of_range for others.
  Process& daemon(const std::string& name) { return daemons_.at(name); }
  bool runs(const std::string& name) const { return daemons_.contains(name); }
  // Starts a daemon again after it has ended; returns when it can be asked.
  void start_daemon(const std::string& name);

  // What vtysh prints for the commands; throws when vtysh fails.
  std::string vtysh(const std::vector<std::string>& commands) const;

  void release() noexcept;

 private:
  // Where the daemons see directory_.
  std::string inside() const { return root_ ? "/run/frr" : directory_.string(); }
  const Root* root() const { return root_ ? &*root_ : nullptr; }
  FrrSetup setup() const;
  void configure(Node router);
  void await_zebra() const;

  const Netns& netns_;
  FrrOptions options_;
  std::filesystem::path directory_;
  std::optional<Root> root_;
  int version_ = 0;
  std::string routing_daemon_;
  std::map<std::string, Process> daemons_;
};

}  // namespace untrombone::lab
