// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "arp/frames.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace untrombone::fuzz {
namespace {

/// Ethernet header and packet; what follows is padding.
constexpr std::size_t kPacketEnd = 42;

}  // namespace

void run(std::span<const std::byte> input) {
  const auto frame = arp::decode(copy_of(input));
  if (!frame) return;
  require(input.size() >= kPacketEnd, "a frame that is too short is refused");
  require(frame->sender_ip.is_v4() && frame->target_ip.is_v4(), "addresses are of IPv4");

  const auto packet = input.first(kPacketEnd);
  require(arp::decode(copy_of(packet)) == frame, "padding does not matter");
  require(!arp::decode(copy_of(packet.first(kPacketEnd - 1))), "an octet less is too short");

  const arp::FrameBytes encoded = arp::encode(*frame);
  require(std::equal(packet.begin(), packet.end(), encoded.begin()),
          "encoding gives the octets that were decoded");
  require(std::all_of(encoded.begin() + kPacketEnd, encoded.end(),
                      [](std::byte octet) { return octet == std::byte{}; }),
          "our padding is zero");
  require(arp::decode(encoded) == frame, "decoding what was encoded gives the same frame");
}

}  // namespace untrombone::fuzz
