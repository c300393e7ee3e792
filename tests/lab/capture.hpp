// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/lab/frames.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

struct CapturedFrame {
  Timestamp at;  // the kernel's
  bool outgoing = false;
  Frame frame;
};

// Records the frames that an interface receives and sends, with the kernel's timestamps, on a thread of its own.
// Works on bridge ports. It has begun when the constructor returns. Thread-safe.
class FrameCapture {
 public:
  // Keeps frames for which `wanted` holds; it is called on the capture's thread. Default: all.
  FrameCapture(const Netns& netns, const std::string& ifname, FramePredicate wanted = {});

  // Waits for the first frame not before `since` for which `predicate` (default: any) holds.
  std::optional<CapturedFrame> wait_first(std::chrono::milliseconds timeout, Timestamp since = {},
                                          const FramePredicate& predicate = {});
  std::vector<CapturedFrame> frames(Timestamp since = {});
  std::size_t count(const FramePredicate& predicate, Timestamp since = {});
  void clear();

  // Frames the kernel dropped because we read too slowly.
  std::uint64_t dropped();

 private:
  void run(int stop_fd);
  void receive();

  UniqueFd socket_;
  FramePredicate wanted_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<CapturedFrame> frames_;
  std::uint64_t dropped_ = 0;
  Worker worker_;  // last: stops before the rest goes
};

// The SO_TIMESTAMPNS timestamp among a message's control data; now() when it has none.
Timestamp kernel_timestamp(msghdr& message);

}  // namespace untrombone::lab
