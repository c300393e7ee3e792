// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses as integers, for the summaries: 32 bits for IPv4, 128 for IPv6, the first octet highest.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "agent/core/types.hpp"

namespace untrombone::core::summary {

// NOLINTNEXTLINE(modernize-use-using): __extension__ is for the typedef; ISO C++ has no such type.
__extension__ typedef unsigned __int128 Uint128;

template <typename Bits>
inline constexpr unsigned kWidth = sizeof(Bits) * 8;

/// The first `length` bits set.
template <typename Bits>
[[nodiscard]] constexpr Bits mask_of(unsigned length) {
  return length == 0 ? Bits{0} : static_cast<Bits>(~Bits{0} << (kWidth<Bits> - length));
}

/// Bit `index`, counted from the left; below kWidth.
template <typename Bits>
[[nodiscard]] constexpr unsigned bit_at(Bits bits, unsigned index) {
  return static_cast<unsigned>((bits >> (kWidth<Bits> - 1 - index)) & 1U);
}

/// How many leading bits are the same; kWidth when all are.
[[nodiscard]] constexpr unsigned common_length(std::uint32_t a, std::uint32_t b) {
  return static_cast<unsigned>(std::countl_zero(a ^ b));
}
[[nodiscard]] constexpr unsigned common_length(Uint128 a, Uint128 b) {
  const Uint128 differ = a ^ b;
  const auto high = static_cast<std::uint64_t>(differ >> 64U);
  if (high != 0) return static_cast<unsigned>(std::countl_zero(high));
  return 64 + static_cast<unsigned>(std::countl_zero(static_cast<std::uint64_t>(differ)));
}

/// `address` must be of the family of Bits.
template <typename Bits>
[[nodiscard]] inline Bits to_bits(const IpAddress& address) {
  Bits bits{0};
  const auto octets = address.octets();
  for (std::size_t i = 0; i < sizeof(Bits); ++i) bits = static_cast<Bits>((bits << 8U) | octets[i]);
  return bits;
}

[[nodiscard]] IpAddress to_address(std::uint32_t bits);
[[nodiscard]] IpAddress to_address(Uint128 bits);

/// A prefix as a number; its host bits are clear.
template <typename Bits>
struct BitPrefix {
  Bits key{0};
  unsigned length = 0;

  bool operator==(const BitPrefix&) const = default;
  [[nodiscard]] static constexpr BitPrefix of(Bits address, unsigned length) {
    return {static_cast<Bits>(address & mask_of<Bits>(length)), length};
  }
  [[nodiscard]] static BitPrefix of(const IpPrefix& prefix) {
    return {to_bits<Bits>(prefix.address()), prefix.length()};
  }
  [[nodiscard]] constexpr Bits last() const { return static_cast<Bits>(key | ~mask_of<Bits>(length)); }
  [[nodiscard]] constexpr bool contains(Bits address) const {
    return (address & mask_of<Bits>(length)) == key;
  }
  [[nodiscard]] constexpr bool contains(const BitPrefix& other) const {
    return other.length >= length && contains(other.key);
  }
  [[nodiscard]] IpPrefix to_prefix() const { return {to_address(key), length}; }
};

}  // namespace untrombone::core::summary
