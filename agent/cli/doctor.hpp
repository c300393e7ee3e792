// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/cli/document.hpp"
#include "agent/daemon/config.hpp"
#include "netlink/link_details.hpp"

/// `untrombone doctor`: is this machine fit? A collector reads facts, pure checks judge them (docs/doctor.md).
///
/// To add a check: a field of DoctorFacts, its reading in doctor_collect.cpp, a function from the facts to Checks in
/// doctor_checks.cpp or a file beside it, its name in kChecks there, and its id in docs/doctor.md.
namespace untrombone::cli {

/// A note is worth knowing; a warning costs something some day; an error keeps untrombone from doing its job.
enum class Severity : std::uint8_t { kOk, kNote, kWarning, kError };
[[nodiscard]] std::string_view to_string(Severity severity);

/// One precondition, met or not.
struct Check {
  std::string id;  ///< stable, "sysctl-rp-filter"
  Severity severity = Severity::kOk;
  std::string subject;  ///< the interface, file or daemon it is about
  std::string seen;
  std::string wanted;
  std::string why;      ///< what goes wrong otherwise
  std::string command;  ///< mends it, or looks closer

  /// A sysctl that concerns our segments only, so that `--fix` may set it.
  struct Fix {
    std::string path;  ///< below /proc/sys, "net/ipv4/conf/br0/rp_filter"
    std::string value;
    bool operator==(const Fix&) const = default;
  };
  std::optional<Fix> fix;
};

struct FrrDaemon {
  std::string name;
  std::string version;  ///< "8.4.4"; empty: it answers but does not say
};

/// What the checks judge. Whatever could not be read is absent.
struct DoctorFacts {
  std::optional<daemon::Config> config;
  std::string config_path;
  std::string config_error;  ///< why there is no config

  std::string kernel;              ///< release, "6.1.0-18-amd64"
  std::uint64_t capabilities = 0;  ///< effective, bit by number
  std::string nft_error;           ///< what the kernel says to our rules; empty: fine
  bool clock_synchronised = false;
  std::map<std::string, std::string> sysctls;  ///< by path below /proc/sys
  std::vector<netlink::LinkDetails> links;
  std::vector<FrrDaemon> daemons;  ///< those that answer
  std::string frr_running;         ///< the running configurations of the routing daemons, one after the other
  std::optional<std::size_t> hosts;  ///< known to the agent, else neighbours of the kernel
};

/// The sysctls that the checks want to see, given a configuration.
[[nodiscard]] std::vector<std::string> wanted_sysctls(const std::optional<daemon::Config>& config);

/// Where FRR's daemons have their vty sockets.
[[nodiscard]] std::string vty_dir_of(const std::optional<daemon::Config>& config);

/// Judges everything, in the order of docs/doctor.md. Pure.
[[nodiscard]] std::vector<Check> evaluate(const DoctorFacts& facts);

/// The ids that evaluate() can report.
[[nodiscard]] std::vector<std::string_view> check_ids();

/// Reads the facts of this machine and network namespace. Blocks for some milliseconds, for seconds when a daemon
/// hangs.
[[nodiscard]] DoctorFacts collect_doctor_facts(const std::string& config_path,
                                               const std::string& control_socket);

/// Sets one sysctl of this network namespace; false when the kernel refuses.
[[nodiscard]] bool apply_fix(const Check::Fix& fix);

/// The whole command; `fix` sets what it may and looks again. `error`: a sysctl that could not be set.
struct DoctorAnswer {
  Json document;
  std::string error;
};
[[nodiscard]] DoctorAnswer run_doctor(const std::string& config_path, const std::string& control_socket,
                                      bool fix);

}  // namespace untrombone::cli
