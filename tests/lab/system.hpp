// SPDX-License-Identifier: GPL-2.0-or-later
// Small owners and helpers over system calls. Errors are thrown as std::system_error: the lab is test
// equipment, and a lab that cannot be built is a failed test.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace untrombone::lab {

// Owns one file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& from) noexcept : fd_(std::exchange(from.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& from) noexcept {
    std::swap(fd_, from.fd_);
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

// Returns `result`, or throws std::system_error made of errno and `what` when it is negative.
int check(int result, std::string_view what);
long check(long result, std::string_view what);

void write_file(const std::filesystem::path& path, std::string_view text);
// Empty when the file cannot be opened.
std::string read_file(const std::filesystem::path& path);
// The whole content of a file by descriptor, from its beginning.
std::string read_all(int fd);
// An anonymous file in memory, positioned at its beginning.
UniqueFd memory_file(std::string_view content);

// Best effort: lets the calling thread run before ordinary ones, for wires and clocks that must not jitter.
void prefer_calling_thread() noexcept;

// A thread that is told to stop through a descriptor it can poll. The destructor stops and joins it.
class Worker {
 public:
  Worker() = default;
  // `body` receives a descriptor that becomes readable when it has to return.
  explicit Worker(std::function<void(int stop_fd)> body);
  Worker(Worker&&) noexcept = default;
  Worker& operator=(Worker&& from) noexcept {
    stop();
    stop_ = std::move(from.stop_);
    thread_ = std::move(from.thread_);
    return *this;
  }
  ~Worker() { stop(); }

  void stop() noexcept;

 private:
  UniqueFd stop_;
  std::thread thread_;
};

}  // namespace untrombone::lab
