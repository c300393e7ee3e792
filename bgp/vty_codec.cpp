// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/vty_codec.hpp"

#include <algorithm>

namespace untrombone::bgp {
namespace {

constexpr std::uint8_t kZerosBeforeStatus = 3;

}  // namespace

bool encode_vty_command(std::vector<std::byte>& out, std::string_view command) {
  if (command.empty() || command.find_first_of(std::string_view("\0\n\r", 3)) != std::string_view::npos)
    return false;
  const auto octets = std::as_bytes(std::span(command));
  out.insert(out.end(), octets.begin(), octets.end());
  out.push_back(std::byte{0});
  return true;
}

std::string_view VtyAnswerReader::take(std::span<const std::byte>& stream) {
  std::string_view text;
  if (zeros_ == 0) {
    const auto zero = std::find(stream.begin(), stream.end(), std::byte{0});
    const auto size = static_cast<std::size_t>(zero - stream.begin());
    text = {reinterpret_cast<const char*>(stream.data()), size};
    stream = stream.subspan(size);
    begun_ = begun_ || !text.empty();
  }
  while (!stream.empty() && state_ == State::kReading) {
    const std::byte octet = stream.front();
    begun_ = true;
    if (zeros_ == kZerosBeforeStatus) {
      status_ = std::to_integer<VtyStatus>(octet);
      state_ = State::kComplete;
    } else if (octet == std::byte{0}) {
      ++zeros_;
    } else {
      state_ = State::kBroken;
      break;
    }
    stream = stream.subspan(1);
  }
  return text;
}

}  // namespace untrombone::bgp
