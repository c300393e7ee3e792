// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/netns.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <stdexcept>

#include <fmt/format.h>

#include "tests/lab/process.hpp"

namespace untrombone::lab {
namespace {

std::string path_of(const std::string& name) { return "/run/netns/" + name; }

void run_ip(std::vector<std::string> arguments, std::string_view batch) {
  const CommandResult result = run_command({.argv = std::move(arguments), .input = std::string(batch)});
  if (result.status != 0) {
    throw std::runtime_error(fmt::format("ip failed: {}\n{}", result.error, batch));
  }
}

}  // namespace

Netns Netns::create(std::string name) {
  ip_batch("netns add " + name + "\n");
  return Netns(std::move(name));
}

Netns::Netns(std::string name)
    : name_(std::move(name)),
      fd_(check(::open(path_of(name_).c_str(), O_RDONLY | O_CLOEXEC), "open " + name_)) {}

void Netns::enter() const { check(::setns(fd_.get(), CLONE_NEWNET), "enter " + name_); }

void Netns::ip(std::string_view batch) const { run_ip({"ip", "-n", name_, "-batch", "-"}, batch); }

bool Netns::set_sysctl(std::string_view path, std::string_view value) const {
  return run_in(*this, [&] {
    const std::string file = fmt::format("/proc/sys/{}", path);
    const UniqueFd knob(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    return knob && ::write(knob.get(), value.data(), value.size()) >= 0;
  });
}

void ip_batch(std::string_view batch) { run_ip({"ip", "-batch", "-"}, batch); }

void delete_netns(const std::string& name) noexcept {
  const std::string path = path_of(name);
  ::umount2(path.c_str(), MNT_DETACH);
  ::unlink(path.c_str());
}

}  // namespace untrombone::lab
