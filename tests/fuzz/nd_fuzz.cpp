// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "arp/frames.hpp"
#include "arp/nd_frames.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace untrombone::fuzz {
namespace {

constexpr std::size_t kAddressesAt = 22;
constexpr std::size_t kMessageAt = 54;
constexpr std::size_t kChecksumAt = 56;
constexpr std::size_t kShortest = 78;

/// The input as the only message of its frame, with the checksum that it should have: else no mutation gets far.
std::vector<std::byte> completed(std::span<const std::byte> input) {
  std::vector<std::byte> frame = copy_of(input);
  if (frame.size() < kShortest || frame.size() > 1514) return frame;
  const std::size_t size = frame.size() - kMessageAt;
  frame[18] = static_cast<std::byte>(size >> 8U);
  frame[19] = static_cast<std::byte>(size & 0xffU);
  frame[kChecksumAt] = frame[kChecksumAt + 1] = std::byte{};
  std::uint32_t sum = static_cast<std::uint32_t>(size) + 58;
  for (std::size_t at = kAddressesAt; at < frame.size(); ++at) {
    sum += std::to_integer<std::uint32_t>(frame[at]) << (at % 2 == 0 ? 8U : 0U);
  }
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  frame[kChecksumAt] = static_cast<std::byte>(~sum >> 8U & 0xffU);
  frame[kChecksumAt + 1] = static_cast<std::byte>(~sum & 0xffU);
  return frame;
}

void check(const std::vector<std::byte>& bytes) {
  const auto frame = arp::decode_nd(bytes);
  if (!frame) return;
  require(bytes.size() >= kShortest, "a frame that is too short is refused");
  require(bytes[21] == std::byte{255}, "what crossed a router is refused");
  require(!frame->target.is_multicast() && !frame->source_ip.is_v4(), "addresses are unicast and of IPv6");
  require(!arp::decode(bytes) && !arp::decode_packet_source(bytes), "a frame has one decoder");
  const auto binding = arp::binding_of(*frame);
  require(!binding || binding->mac == frame->source, "only who speaks is bound");
  require(!binding || !binding->ip.is_unspecified() || frame->target.is_unspecified(),
          "duplicate address detection binds nothing");
  std::vector<std::byte> padded = bytes;
  padded.push_back(std::byte{0x5a});
  require(arp::decode_nd(padded) == frame, "padding does not matter");

  // Ours always have the option, which duplicate address detection must not have.
  if (frame->link_address) {
    require(arp::decode_nd(arp::encode_nd(*frame)) == frame,
            "decoding what was encoded gives the same frame");
  }
}

}  // namespace

void run(std::span<const std::byte> input) {
  check(copy_of(input));
  check(completed(input));
}

}  // namespace untrombone::fuzz
