// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/lab/netns.hpp"
#include "tests/lab/system.hpp"

namespace untrombone::lab {

// A tree of files that a process has for its root, with /run/frr in it being `run`. Only with a netns.
struct Root {
  std::filesystem::path tree;
  std::filesystem::path run;
};

struct ProcessOptions {
  std::vector<std::string> argv;      // argv[0] is searched in PATH
  const Netns* netns = nullptr;       // null: the caller's namespace
  std::filesystem::path output = {};  // receives stdout and stderr, appended; empty: nowhere
  bool die_with_caller = false;       // SIGKILL when the *thread* that started it ends
  const Root* root = nullptr;
};

// A child process in a session of its own, inside a network namespace with a matching /sys. The destructor kills
// it. Lab processes outlive a crash of the test without `die_with_caller`, and are the guardian's prey then.
class Process {
 public:
  explicit Process(const ProcessOptions& options);
  Process(Process&& from) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  bool running() { return !wait(std::chrono::milliseconds(0)); }
  void signal(int number) const noexcept;

  // The status when it has ended by itself or by us: the exit code, or 128 + the signal that killed it.
  std::optional<int> wait(std::chrono::milliseconds timeout);
  // SIGTERM, and SIGKILL when it is still there after `patience`.
  int terminate(std::chrono::milliseconds patience = std::chrono::seconds(5));
  int kill9();

  // Gives the process up: it lives on after this object.
  void release() noexcept { pid_ = -1; }

 private:
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::optional<int> status_;
};

struct Command {
  std::vector<std::string> argv;
  const Netns* netns = nullptr;
  std::string input = {};                                        // stdin
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  // then it is killed
  const Root* root = nullptr;
};

struct CommandResult {
  int status = 0;  // exit code; 128 + signal; 127 when it could not be run
  std::string output;
  std::string error;
};

// Forks without exec: runs body() in a child that keeps only the descriptors `kept`, has its stdio on /dev/null
// and a session of its own, and is deaf to a terminal's signals. The child never returns from here.
pid_t fork_child(const char* name, std::vector<int> kept, const std::function<void()>& body);

// Runs a command to its end.
CommandResult run_command(const Command& command);

}  // namespace untrombone::lab
