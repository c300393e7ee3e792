// SPDX-License-Identifier: GPL-2.0-or-later
// The inside of the DCI: what the relay's process runs and the memory it shares with its owner.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace untrombone::lab {

// ICMP frames of one unordered pair of IPv4 addresses. The lower address is in the high half of the key; a key
// of 0 is a free slot. Only the relay writes.
struct IcmpSlot {
  std::atomic<std::uint64_t> key;
  std::atomic<std::uint64_t> frames;
};

constexpr std::uint64_t icmp_key(std::uint32_t one, std::uint32_t other) {
  const std::uint32_t low = one < other ? one : other;
  const std::uint32_t high = one < other ? other : one;
  return std::uint64_t{low} << 32 | high;
}

// Counters of one direction; frames that came out at the far end, unless said otherwise.
struct RelayDirection {
  std::atomic<std::uint64_t> frames;
  std::atomic<std::uint64_t> bytes;
  std::atomic<std::uint64_t> arp;
  std::atomic<std::uint64_t> rarp;
  std::atomic<std::uint64_t> dropped;  // cut, queue full, or refused by the far TAP
  std::array<IcmpSlot, 256> icmp;      // pairs beyond its size are not counted
};

struct RelayShared {
  std::atomic<std::int64_t> delay_us;  // one way
  std::atomic<bool> cut;
  std::array<RelayDirection, 2> directions;  // [0]: A to B
};

// Forwards frames between the TAPs for ever. Never returns before a TAP fails for good.
void run_relay(int tap_a, int tap_b, RelayShared& shared);

}  // namespace untrombone::lab
