// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "tests/lab/frames.hpp"
#include "tests/lab/netns.hpp"

namespace untrombone::lab {

// Many guests behind one cable: consecutive addresses, a MAC each. They have no namespaces; this object speaks for all
// of them.
class Crowd {
 public:
  // `ifname` is the cable's end that the guests are at.
  Crowd(const Netns& netns, const std::string& ifname, std::uint32_t first_address, std::uint32_t size);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd();

  std::uint32_t size() const { return size_; }
  std::uint32_t address_of(std::uint32_t guest) const { return first_ + guest; }
  static MacAddress mac_of(std::uint32_t guest);

  // Everybody's gratuitous ARP, as fast as sendmmsg(2) takes them; returns how long that took.
  std::chrono::duration<double> introduce();
  // From now on ARP requests for their addresses are answered.
  void answer();
  std::uint64_t answered() const { return answered_; }

 private:
  void answer_until_stopped();

  std::uint32_t first_;
  std::uint32_t size_;
  UniqueFd sender_;
  UniqueFd receiver_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> answered_{0};
  std::thread answerer_;
};

}  // namespace untrombone::lab
