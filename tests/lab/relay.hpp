// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/lab/netns.hpp"
#include "tests/lab/relay_loop.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

// Frames that crossed the DCI in one direction.
struct DciCounters {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t arp = 0;
  std::uint64_t rarp = 0;
  std::uint64_t dropped = 0;  // did not come out: cut, queue full, or the far port was down
};

// The DCI: a TAP in each site's namespace and a process that carries frames between them, with an adjustable
// delay. It lives in the namespace `home`, so that the guardian finds it, and survives its owner when the lab is
// kept. The TAPs exist as long as the process does.
class Relay {
 public:
  Relay(const Netns& site_a, const Netns& site_b, const Netns& home, const std::string& ifname,
        std::chrono::microseconds delay);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  // One way; holds for frames that enter from now on. Frames are never early, and never overtake each other.
  void set_delay(std::chrono::microseconds delay) noexcept { shared_->delay_us = delay.count(); }
  std::chrono::microseconds delay() const noexcept { return std::chrono::microseconds(shared_->delay_us); }

  // While cut, everything is lost, in flight or entering; the ports keep their carrier.
  void cut() noexcept { shared_->cut = true; }
  void restore() noexcept { shared_->cut = false; }

  DciCounters counters(Site from) const;
  // ICMP frames between two IPv4 addresses, whichever is the sender, that crossed from `from` to the other site.
  std::uint64_t icmp_frames(Site from, std::string_view one, std::string_view other) const;

  // Lets the process live on after this object.
  void release() noexcept { pid_ = -1; }

 private:
  RelayDirection& direction(Site from) const { return shared_->directions[from == Site::kA ? 0 : 1]; }

  RelayShared* shared_;
  pid_t pid_ = -1;
};

}  // namespace untrombone::lab
