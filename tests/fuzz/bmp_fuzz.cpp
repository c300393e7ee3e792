// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/bmp_codec.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace untrombone::fuzz {
namespace {

void check_update(std::span<const std::byte> bytes) {
  const auto update = bgp::bmp::decode_update(copy_of(bytes));
  if (!update) return;
  for (const auto* list : {&update->announced, &update->withdrawn}) {
    require(list->size() <= bytes.size(), "a prefix takes at least an octet");
    for (const core::IpPrefix& prefix : *list)
      require(prefix.length() <= prefix.address().bits(), "a prefix is as long as its family allows");
  }
}

}  // namespace

/// The input is what comes from bgpd's BMP module, and the body of a route monitoring message.
void run(std::span<const std::byte> input) {
  const std::vector<std::byte> exact = copy_of(input);
  std::span<const std::byte> stream(exact);
  bgp::bmp::Message message;
  while (true) {
    const std::size_t before = stream.size();
    const auto framing = bgp::bmp::take_message(stream, message);
    if (framing != bgp::bmp::Framing::kComplete) {
      require(stream.size() == before, "what is not complete stays");
      break;
    }
    require(before - stream.size() == bgp::bmp::kHeaderSize + message.body.size(),
            "a message is taken whole");
    std::span<const std::byte> body = message.body;
    if (bgp::bmp::take_peer(body)) check_update(body);
  }
  check_update(input);
}

}  // namespace untrombone::fuzz
