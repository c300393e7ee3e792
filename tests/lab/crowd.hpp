// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/lab/frames.hpp"
#include "tests/lab/netns.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

// Many guests behind one cable, a MAC each. They have no namespaces; this object speaks for all of them. Two crowds of
// the same addresses at two cables are guests that move: each is present at one of them.
class Crowd {
 public:
  // `ifname` is the cable's end that the guests are at. Everybody is present.
  Crowd(const Netns& netns, const std::string& ifname, std::vector<std::uint32_t> addresses);
  // Consecutive addresses.
  Crowd(const Netns& netns, const std::string& ifname, std::uint32_t first_address, std::uint32_t size);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd();

  std::uint32_t size() const { return static_cast<std::uint32_t>(addresses_.size()); }
  std::uint32_t address_of(std::uint32_t guest) const { return addresses_[guest]; }
  static MacAddress mac_of(std::uint32_t guest);

  // Everybody's gratuitous ARP, as fast as sendmmsg(2) takes them; returns how long that took.
  std::chrono::duration<double> introduce();
  // From now on ARP requests and pings for those who are present are answered.
  void answer();
  std::uint64_t answered() const { return answered_; }

  // When this returns the guest has said its last word here.
  void leave(std::uint32_t guest);
  // The guest is here, and says so by a gratuitous ARP; returns the time just before.
  Timestamp arrive(std::uint32_t guest);

 private:
  void answer_until_stopped();
  std::optional<Frame> answer_to(FrameView frame) const;
  std::optional<std::uint32_t> present_guest(std::uint32_t address) const;

  std::vector<std::uint32_t> addresses_;  // ascending
  std::vector<std::atomic<bool>> present_;
  std::mutex answering_;
  UniqueFd sender_;
  UniqueFd receiver_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> answered_{0};
  std::thread answerer_;
};

}  // namespace untrombone::lab
