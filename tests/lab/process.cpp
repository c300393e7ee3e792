// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

namespace untrombone::lab {
namespace {

constexpr int kCannotRun = 127;

struct SpawnOptions {
  const std::vector<std::string>& argv;
  const Netns* netns;
  int input;
  int output;
  int error;
  bool die_with_caller;
  const Root* root;
};

// Where a Root's mounts go, made before the fork: the child may only make system calls.
struct RootPaths {
  explicit RootPaths(const Root* root) {
    if (root != nullptr) {
      tree = root->tree.string();
      run = root->run.string();
      run_target = tree + "/run/frr";
      proc = tree + "/proc";
      sys = tree + "/sys";
    }
  }
  std::string tree;
  std::string run;
  std::string run_target;
  std::string proc;
  std::string sys;
};

// In the mount namespace that mount_own_sys() made.
bool enter(const RootPaths& paths) {
  return ::mount(paths.run.c_str(), paths.run_target.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
         ::mount("/proc", paths.proc.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
         ::mount("/sys", paths.sys.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
         ::chroot(paths.tree.c_str()) == 0 && ::chdir("/") == 0;
}

// /sys shows the namespace of whoever mounted it; this gives the child one of its own (as `ip netns exec` does).
void mount_own_sys() {
  if (::unshare(CLONE_NEWNS) == 0 && ::mount("", "/", "none", MS_SLAVE | MS_REC, nullptr) == 0) {
    ::umount2("/sys", MNT_DETACH);
    ::mount("lab", "/sys", "sysfs", 0, nullptr);
  }
}

// The child between fork and exec: system calls only.
[[noreturn]] void become(const SpawnOptions& options, const RootPaths& paths, char* const* argv) {
  if (options.die_with_caller) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  }
  ::setsid();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (options.netns != nullptr) {
    if (::setns(options.netns->fd(), CLONE_NEWNET) != 0) {
      ::_exit(kCannotRun);
    }
    mount_own_sys();
    if (options.root != nullptr && !enter(paths)) {
      ::_exit(kCannotRun);
    }
  }
  ::dup2(options.input, STDIN_FILENO);
  ::dup2(options.output, STDOUT_FILENO);
  ::dup2(options.error, STDERR_FILENO);
  ::execvp(argv[0], argv);
  ::_exit(kCannotRun);
}

pid_t spawn(const SpawnOptions& options) {
  std::vector<char*> argv;
  for (const std::string& argument : options.argv) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  const RootPaths paths(options.root);
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) {
    become(options, paths, argv.data());
  }
  return pid;
}

UniqueFd open_pidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(check(::syscall(SYS_pidfd_open, pid, 0), "pidfd_open")));
}

int status_of(const siginfo_t& info) {
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

void close_all_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned first = STDERR_FILENO + 1;
  for (const int fd : kept) {
    const auto next = static_cast<unsigned>(fd);
    if (next > first) {
      ::close_range(first, next - 1, 0);
    }
    first = next + 1;
  }
  ::close_range(first, ~0U, 0);
}

void isolate(const char* name) {
  ::prctl(PR_SET_NAME, name);
  ::setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT}) {
    ::signal(number, SIG_IGN);
  }
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(null, stream);
  }
}

}  // namespace

pid_t fork_child(const char* name, std::vector<int> kept, const std::function<void()>& body) {
  const pid_t pid = check(::fork(), "fork");
  if (pid != 0) {
    return pid;
  }
  try {
    isolate(name);
    close_all_but(std::move(kept));
    body();
  } catch (const std::exception&) {
    ::_exit(1);
  }
  ::_exit(0);
}

Process::Process(const ProcessOptions& options) {
  const std::string path = options.output.empty() ? "/dev/null" : options.output.string();
  const UniqueFd input(check(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null"));
  const UniqueFd output(check(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), path));
  pid_ = spawn({.argv = options.argv,
                .netns = options.netns,
                .input = input.get(),
                .output = output.get(),
                .error = output.get(),
                .die_with_caller = options.die_with_caller,
                .root = options.root});
  pidfd_ = open_pidfd(pid_);
}

Process::Process(Process&& from) noexcept
    : pid_(std::exchange(from.pid_, -1)), pidfd_(std::move(from.pidfd_)), status_(from.status_) {}

Process::~Process() {
  if (pid_ > 0 && !status_) {
    kill9();
  }
}

void Process::signal(int number) const noexcept {
  ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0);
}

std::optional<int> Process::wait(std::chrono::milliseconds timeout) {
  if (status_ || pid_ < 0) {
    return status_;
  }
  pollfd event{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&event, 1, static_cast<int>(timeout.count())) == 1) {
    siginfo_t info{};
    check(::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED), "waitid");
    status_ = status_of(info);
  }
  return status_;
}

int Process::terminate(std::chrono::milliseconds patience) {
  signal(SIGTERM);
  const std::optional<int> status = wait(patience);
  return status ? *status : kill9();
}

int Process::kill9() {
  signal(SIGKILL);
  return wait(std::chrono::seconds(10)).value_or(-1);
}

CommandResult run_command(const Command& command) {
  const UniqueFd input = memory_file(command.input);
  const UniqueFd output = memory_file("");
  const UniqueFd error = memory_file("");
  const pid_t pid = spawn({.argv = command.argv,
                           .netns = command.netns,
                           .input = input.get(),
                           .output = output.get(),
                           .error = error.get(),
                           .die_with_caller = true,
                           .root = command.root});
  const UniqueFd pidfd = open_pidfd(pid);
  pollfd event{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  if (::poll(&event, 1, static_cast<int>(command.timeout.count())) != 1) {
    ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  }
  siginfo_t info{};
  check(::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED), "waitid");
  return {.status = status_of(info), .output = read_all(output.get()), .error = read_all(error.get())};
}

}  // namespace untrombone::lab
