// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "tests/lab/system.hpp"

namespace untrombone::lab {

// A named network namespace (/run/netns/NAME), held open. Creating and deleting it is not tied to this object:
// the lab's guardian deletes namespaces, whatever becomes of the process that made them.
class Netns {
 public:
  // Makes the namespace. Throws when the name is taken.
  static Netns create(std::string name);
  // Opens an existing one.
  explicit Netns(std::string name);

  const std::string& name() const { return name_; }
  int fd() const { return fd_.get(); }

  // Moves the calling thread, and only it, into the namespace.
  void enter() const;

  // Runs lines of `ip -batch` in the namespace; throws with ip's message when one fails.
  void ip(std::string_view batch) const;

  // Sets e.g. "net/ipv4/ip_forward"; false when the kernel has no such knob.
  bool set_sysctl(std::string_view path, std::string_view value) const;

 private:
  std::string name_;
  UniqueFd fd_;
};

// Runs lines of `ip -batch` in the namespace of the caller.
void ip_batch(std::string_view batch);

// Unnames the namespace; the kernel frees it when its last process and descriptor are gone.
void delete_netns(const std::string& name) noexcept;

// Runs fn() on a thread of its own inside the namespace and returns or throws what it does. Descriptors opened
// there keep belonging to the namespace and may be used by any thread.
template <class Function>
auto run_in(const Netns& netns, Function&& fn) -> std::invoke_result_t<Function> {
  std::packaged_task<std::invoke_result_t<Function>()> task([&] {
    netns.enter();
    return fn();
  });
  auto result = task.get_future();
  std::thread(std::move(task)).join();
  return result.get();
}

}  // namespace untrombone::lab
