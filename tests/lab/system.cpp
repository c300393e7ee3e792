// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/system.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <system_error>

namespace untrombone::lab {

void UniqueFd::reset() noexcept {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

int check(int result, std::string_view what) {
  if (result < 0) {
    throw std::system_error(errno, std::generic_category(), std::string(what));
  }
  return result;
}

long check(long result, std::string_view what) {
  if (result < 0) {
    throw std::system_error(errno, std::generic_category(), std::string(what));
  }
  return result;
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  const UniqueFd file(
      check(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), path.native()));
  const long written = check(::write(file.get(), text.data(), text.size()), path.native());
  if (static_cast<std::size_t>(written) != text.size()) {
    throw std::runtime_error("short write to " + path.native());
  }
}

std::string read_file(const std::filesystem::path& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file ? read_all(file.get()) : std::string();
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> block;
  off_t offset = 0;
  while (true) {
    const ssize_t size = check(::pread(fd, block.data(), block.size(), offset), "read");
    if (size == 0) {
      return text;
    }
    text.append(block.data(), static_cast<std::size_t>(size));
    offset += size;
  }
}

UniqueFd memory_file(std::string_view content) {
  UniqueFd file(check(::memfd_create("lab", MFD_CLOEXEC), "memfd_create"));
  check(::pwrite(file.get(), content.data(), content.size(), 0), "write to memory file");
  return file;
}

void prefer_calling_thread() noexcept {
  const sched_param priority{.sched_priority = 1};
  ::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority);
  ::prctl(PR_SET_TIMERSLACK, 1UL);
}

Worker::Worker(std::function<void(int)> body) : stop_(check(::eventfd(0, EFD_CLOEXEC), "eventfd")) {
  thread_ = std::thread(std::move(body), stop_.get());
}

void Worker::stop() noexcept {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t size = ::write(stop_.get(), &one, sizeof one);
    thread_.join();
  }
}

}  // namespace untrombone::lab
