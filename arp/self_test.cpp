// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/self_test.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "arp/frames.hpp"
#include "arp/nd_frames.hpp"

namespace untrombone::arp {
namespace {

using core::IpAddress;
using core::MacAddress;

/// Locally administered, and never given to anybody.
constexpr MacAddress kNobody{{0x02, 0x75, 0x74, 0xff, 0xff, 0xfe}};
constexpr std::size_t kEthernetSize = 14;

template <typename Bytes>
TestFrame frame_of(const char* counter, const Bytes& bytes) {
  return {counter, {bytes.begin(), bytes.end()}};
}

/// Ethernet from `sender` to nobody, and what follows.
TestFrame raw_frame(const char* counter, const MacAddress& sender, std::uint16_t ethertype,
                    std::span<const std::uint8_t> body) {
  TestFrame frame{counter, {}};
  frame.bytes.reserve(kFrameSize);
  const auto append = [&](std::uint8_t octet) { frame.bytes.push_back(std::byte{octet}); };
  std::for_each(kNobody.octets.begin(), kNobody.octets.end(), append);
  std::for_each(sender.octets.begin(), sender.octets.end(), append);
  append(static_cast<std::uint8_t>(ethertype >> 8U));
  append(static_cast<std::uint8_t>(ethertype & 0xffU));
  std::for_each(body.begin(), body.end(), append);
  frame.bytes.resize(std::max(frame.bytes.size(), kFrameSize));
  return frame;
}

/// A router solicitation (RFC 4861 4.1) from the unspecified address, which binds nothing.
TestFrame make_router_solicitation(const MacAddress& sender) {
  std::array<std::uint8_t, 48> body{0x60, 0, 0, 0, 0, 8, 58, 255};
  body[24] = 0xff;  // destination ff02::2
  body[25] = 0x02;
  body[39] = 0x02;
  body[40] = 133;
  body[42] = 0x7b;  // checksum, constant like the rest
  body[43] = 0xb8;
  return raw_frame("ra_to_dci", sender, 0x86dd, body);
}

/// An IPv4 header (RFC 791) of protocol 112 to 224.0.0.18 with nothing in it: no version of VRRP takes it.
TestFrame make_empty_hello(const MacAddress& sender) {
  constexpr std::array<std::uint8_t, 20> kBody{0x45, 0,    0, 20, 0, 0, 0,   0, 1, 112,
                                               0xd9, 0x68, 0, 0,  0, 0, 224, 0, 0, 18};
  return raw_frame("fhrp_to_dci", sender, 0x0800, kBody);
}

void add_gateway_frames(const MacAddress& sender, const IpAddress& gateway, std::vector<TestFrame>& frames) {
  if (gateway.is_v4()) {
    frames.push_back(frame_of("arp_target_to_dci", encode(make_probe(sender, {}, kNobody, gateway))));
    ArpFrame answer = make_greeting(sender, gateway, kNobody, {});
    answer.operation = kReply;
    frames.push_back(frame_of("arp_sender_to_dci", encode(answer)));
    return;
  }
  const IpAddress nobody = link_local_of(kNobody);
  frames.push_back(
      frame_of("nd_target_to_dci", encode_nd(make_nd_probe(sender, std::nullopt, kNobody, gateway))));
  frames.push_back(frame_of("nd_sender_to_dci", encode_nd(make_nd_probe(sender, gateway, kNobody, nobody))));
}

}  // namespace

std::vector<TestFrame> make_test_frames(const MacAddress& sender, const GuardedSegment& segment) {
  std::vector<TestFrame> frames;
  for (const bool v4 : {true, false}) {
    const auto gateway = std::find_if(segment.gateways.begin(), segment.gateways.end(),
                                      [&](const IpAddress& ip) { return ip.is_v4() == v4; });
    if (gateway != segment.gateways.end()) add_gateway_frames(sender, *gateway, frames);
  }
  if (segment.ra) frames.push_back(make_router_solicitation(sender));
  if (segment.fhrp) frames.push_back(make_empty_hello(sender));
  return frames;
}

}  // namespace untrombone::arp
