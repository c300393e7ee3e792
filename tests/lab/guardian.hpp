// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/lab/system.hpp"

namespace untrombone::lab {

// Everything of a lab carries its id: namespaces "utl-<id>-<what>" and the run directory.
std::string netns_name(const std::string& lab_id, const std::string& what);
std::filesystem::path run_directory(const std::string& lab_id);

// Ids of the labs that have namespaces on this machine: running, kept or left behind.
std::vector<std::string> list_labs();

// Processes in the lab's namespaces now: FRR, the relay, agents, what a test has started there.
std::vector<pid_t> lab_processes(const std::string& lab_id);

// Kills every process in the lab's namespaces, deletes the namespaces and the run directory. Removing what is
// already gone does nothing. With UNTROMBONE_LAB_LOGS set, the run directory is copied to there first.
void remove_lab(const std::string& lab_id);

// A child process that removes the lab when its owner is gone, however it went: it waits for the end of a pipe
// whose other end only the owner holds.
class Guardian {
 public:
  explicit Guardian(const std::string& lab_id);
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;
  // Has the lab removed and waits until it is.
  ~Guardian();

  // Dismisses the guardian: the lab stays until remove_lab().
  void keep() noexcept;

 private:
  UniqueFd pipe_;
  pid_t pid_ = -1;
};

}  // namespace untrombone::lab
