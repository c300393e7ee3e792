// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "tests/lab/netns.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

// Pings many IPv4 hosts from one socket, each of them once in an interval, spread over it. Thread-safe.
class FanPinger {
 public:
  struct Probe {
    Timestamp sent;
    bool answered = false;
  };

  FanPinger(const Netns& netns, std::vector<std::uint32_t> destinations, std::chrono::milliseconds interval);

  // Stops sending, then waits for answers under way until `patience` has passed without one.
  void stop(std::chrono::milliseconds patience = std::chrono::seconds(1));

  const std::vector<std::uint32_t>& destinations() const { return destinations_; }
  // By destination, in the order of sending.
  std::vector<std::vector<Probe>> probes();
  // Waits until everybody has answered a probe sent at or after `since`.
  bool wait_everybody(std::chrono::milliseconds timeout, Timestamp since);

 private:
  void run(int stop_fd);
  void send_next();
  void receive_all();

  std::vector<std::uint32_t> destinations_;  // ascending
  std::chrono::nanoseconds step_;
  std::uint16_t id_;
  UniqueFd socket_;
  std::size_t next_ = 0;
  std::mutex mutex_;
  std::vector<std::vector<Probe>> probes_;
  Worker worker_;  // last: stops before the rest goes
};

}  // namespace untrombone::lab
