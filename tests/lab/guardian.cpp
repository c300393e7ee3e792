// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/guardian.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "tests/lab/netns.hpp"
#include "tests/lab/process.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "utl-";
constexpr char kKeep = 'k';

std::vector<std::string> netns_names(std::string_view prefix) {
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/run/netns", error)) {
    std::string name = entry.path().filename();
    if (name.starts_with(prefix)) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

std::set<ino_t> inodes_of(const std::vector<std::string>& names) {
  std::set<ino_t> inodes;
  for (const std::string& name : names) {
    struct stat status {};
    if (::stat(("/run/netns/" + name).c_str(), &status) == 0) {
      inodes.insert(status.st_ino);
    }
  }
  return inodes;
}

std::vector<pid_t> processes_in(const std::set<ino_t>& inodes) {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), pid);
    struct stat status {};
    if (failure == std::errc() && ::stat(fmt::format("/proc/{}/ns/net", pid).c_str(), &status) == 0 &&
        inodes.contains(status.st_ino) && pid != ::getpid()) {
      pids.push_back(pid);
    }
  }
  return pids;
}

void kill_processes_in(const std::set<ino_t>& inodes) {
  wait_for(
      [&] {
        const std::vector<pid_t> pids = processes_in(inodes);
        for (const pid_t pid : pids) {
          ::kill(pid, SIGKILL);
        }
        return pids.empty();
      },
      std::chrono::seconds(10));
}

void save_logs(const std::string& lab_id) {
  if (const char* target = std::getenv("UNTROMBONE_LAB_LOGS"); target != nullptr) {
    std::error_code error;
    fs::create_directories(target, error);
    for (const fs::directory_entry& node : fs::directory_iterator(run_directory(lab_id), error)) {
      const fs::path directory = fs::path(target) / lab_id / node.path().filename();
      fs::create_directories(directory, error);
      for (const fs::directory_entry& file : fs::directory_iterator(node, error)) {
        if (file.is_regular_file(error)) {
          fs::copy(file, directory, fs::copy_options::overwrite_existing, error);
        }
      }
    }
  }
}

void guard(const std::string& lab_id, int pipe) {
  char order = 0;
  const ssize_t size = ::read(pipe, &order, 1);
  if (size != 1 || order != kKeep) {
    remove_lab(lab_id);
  }
}

}  // namespace

std::string netns_name(const std::string& lab_id, const std::string& what) {
  return fmt::format("{}{}-{}", kPrefix, lab_id, what);
}

fs::path run_directory(const std::string& lab_id) { return fs::path("/run/untrombone-lab") / lab_id; }

std::vector<std::string> list_labs() {
  std::set<std::string> ids;
  for (const std::string& name : netns_names(kPrefix)) {
    ids.insert(name.substr(kPrefix.size(), name.find('-', kPrefix.size()) - kPrefix.size()));
  }
  return {ids.begin(), ids.end()};
}

std::vector<pid_t> lab_processes(const std::string& lab_id) {
  return processes_in(inodes_of(netns_names(netns_name(lab_id, ""))));
}

void remove_lab(const std::string& lab_id) {
  const std::vector<std::string> names = netns_names(netns_name(lab_id, ""));
  kill_processes_in(inodes_of(names));
  std::for_each(names.begin(), names.end(), delete_netns);
  save_logs(lab_id);
  std::error_code error;
  fs::remove_all(run_directory(lab_id), error);
}

Guardian::Guardian(const std::string& lab_id) {
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), "pipe");
  const UniqueFd reader(ends[0]);
  pipe_ = UniqueFd(ends[1]);
  pid_ = fork_child("utl-guardian", {reader.get()}, [&] { guard(lab_id, reader.get()); });
}

Guardian::~Guardian() {
  pipe_.reset();
  ::waitpid(pid_, nullptr, 0);
}

void Guardian::keep() noexcept { [[maybe_unused]] const ssize_t size = ::write(pipe_.get(), &kKeep, 1); }

}  // namespace untrombone::lab
