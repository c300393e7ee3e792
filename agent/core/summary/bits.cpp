// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/summary/bits.hpp"

namespace untrombone::core::summary {
namespace {

template <typename Bits>
std::array<std::uint8_t, sizeof(Bits)> octets_of(Bits bits) {
  std::array<std::uint8_t, sizeof(Bits)> octets{};
  for (std::size_t i = sizeof(Bits); i-- > 0; bits = static_cast<Bits>(bits >> 8U))
    octets[i] = static_cast<std::uint8_t>(bits & 0xffU);
  return octets;
}

}  // namespace

IpAddress to_address(std::uint32_t bits) { return IpAddress::v4(octets_of(bits)); }
IpAddress to_address(Uint128 bits) { return IpAddress::v6(octets_of(bits)); }

}  // namespace untrombone::core::summary
