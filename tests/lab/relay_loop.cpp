// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/relay_loop.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>
#include <optional>

#include "tests/lab/frames.hpp"

namespace untrombone::lab {
namespace {

using WireClock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

constexpr std::size_t kMaxFrame = 65536;
constexpr std::size_t kMaxQueued = 200'000;
constexpr int kBatch = 64;  // frames per direction and wake-up

void add(std::atomic<std::uint64_t>& counter, std::uint64_t value = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

void count_icmp(RelayDirection& counters, const IpPair& pair) {
  const std::uint64_t key = icmp_key(pair.source, pair.destination);
  for (IcmpSlot& slot : counters.icmp) {
    const std::uint64_t found = slot.key.load(std::memory_order_relaxed);
    if (found == 0) {
      slot.key.store(key, std::memory_order_relaxed);
    }
    if (found == 0 || found == key) {
      add(slot.frames);
      return;
    }
  }
}

void count(RelayDirection& counters, FrameView frame) {
  add(counters.frames);
  add(counters.bytes, frame.size());
  const auto ethertype = ethertype_of(frame);
  if (ethertype == kEthertypeArp) {
    add(counters.arp);
  } else if (ethertype == kEthertypeRarp) {
    add(counters.rarp);
  } else if (const auto pair = icmp_pair_of(frame)) {
    count_icmp(counters, *pair);
  }
}

// One direction: a wire with a length. Frames never overtake each other.
class Wire {
 public:
  Wire(int from, int to, const RelayShared& shared, RelayDirection& counters)
      : from_(from), to_(to), shared_(shared), counters_(counters) {}

  // Takes in what has arrived; false when the TAP is gone.
  bool take_in() {
    for (int i = 0; i < kBatch; ++i) {
      const ssize_t size = ::read(from_, buffer_.data(), buffer_.size());
      if (size < 0) {
        return errno == EAGAIN || errno == EINTR || errno == EIO;
      }
      accept(FrameView(buffer_).first(static_cast<std::size_t>(size)));
    }
    return true;
  }

  void deliver_due(WireClock::time_point time) {
    while (!queue_.empty() && queue_.front().due <= time) {
      deliver(queue_.front().frame);
      queue_.pop_front();
    }
  }

  std::optional<WireClock::time_point> next_due() const {
    return queue_.empty() ? std::nullopt : std::optional(queue_.front().due);
  }

 private:
  struct InFlight {
    WireClock::time_point due;
    Frame frame;
  };

  void accept(FrameView frame) {
    const std::chrono::microseconds delay(shared_.delay_us.load(std::memory_order_relaxed));
    if (delay.count() == 0 && queue_.empty()) {
      deliver(frame);
    } else if (queue_.size() >= kMaxQueued) {
      add(counters_.dropped);
    } else {
      queue_.push_back({.due = WireClock::now() + delay, .frame = Frame(frame.begin(), frame.end())});
    }
  }

  void deliver(FrameView frame) {
    if (shared_.cut.load(std::memory_order_relaxed)) {
      add(counters_.dropped);
      return;
    }
    count(counters_, frame);  // first, so that whoever sees the frame sees it counted
    if (::write(to_, frame.data(), frame.size()) < 0) {
      add(counters_.dropped);
    }
  }

  int from_;
  int to_;
  const RelayShared& shared_;
  RelayDirection& counters_;
  std::deque<InFlight> queue_;
  std::array<std::uint8_t, kMaxFrame> buffer_;
};

// How long to sleep: until the earlier of the two; nothing means for ever.
std::optional<timespec> time_to_sleep(const Wire& one, const Wire& two) {
  std::optional<WireClock::time_point> due = one.next_due();
  if (const auto second = two.next_due(); second && (!due || *second < *due)) {
    due = second;
  }
  if (!due) {
    return std::nullopt;
  }
  const auto left = std::max(Nanoseconds(*due - WireClock::now()), Nanoseconds(0)).count();
  constexpr std::int64_t kSecond = 1'000'000'000;
  return timespec{.tv_sec = left / kSecond, .tv_nsec = left % kSecond};
}

}  // namespace

void run_relay(int tap_a, int tap_b, RelayShared& shared) {
  static Wire a_to_b(tap_a, tap_b, shared, shared.directions[0]);
  static Wire b_to_a(tap_b, tap_a, shared, shared.directions[1]);
  std::array<pollfd, 2> events{
      {{.fd = tap_a, .events = POLLIN, .revents = 0}, {.fd = tap_b, .events = POLLIN, .revents = 0}}};
  while (true) {
    const auto sleep = time_to_sleep(a_to_b, b_to_a);
    if (::ppoll(events.data(), events.size(), sleep ? &*sleep : nullptr, nullptr) < 0 && errno != EINTR) {
      return;
    }
    if ((events[0].revents != 0 && !a_to_b.take_in()) || (events[1].revents != 0 && !b_to_a.take_in())) {
      return;
    }
    const auto time = WireClock::now();
    a_to_b.deliver_due(time);
    b_to_a.deliver_due(time);
  }
}

}  // namespace untrombone::lab
