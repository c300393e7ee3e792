// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <charconv>

#include "agent/core/types.hpp"

namespace untrombone::core {
namespace {

/// The octet of a netmask of `length` bits at `index`.
std::uint8_t mask_octet(unsigned length, std::size_t index) {
  const auto first_bit = static_cast<unsigned>(index) * 8;
  if (length >= first_bit + 8) return 0xff;
  if (length <= first_bit) return 0;
  return static_cast<std::uint8_t>(0xff00U >> (length - first_bit));
}

/// `address` with every octet passed through `change(octet, mask)`.
template <typename Change>
IpAddress with_mask(const IpAddress& address, unsigned length, Change change) {
  std::array<std::byte, 16> octets{};
  const auto source = address.octets();
  for (std::size_t i = 0; i < source.size(); ++i) {
    octets[i] = static_cast<std::byte>(change(source[i], mask_octet(length, i)));
  }
  return IpAddress::from_bytes(std::span(octets).first(source.size())).value_or(IpAddress{});
}

}  // namespace

IpPrefix::IpPrefix(const IpAddress& address, unsigned length)
    : address_(
          with_mask(address, length, [](std::uint8_t octet, std::uint8_t mask) { return octet & mask; })),
      length_(static_cast<std::uint8_t>(std::min(length, address.bits()))) {}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  const auto digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (!address || error != std::errc{} || end != digits.data() + digits.size() || length > address->bits()) {
    return std::nullopt;
  }
  const IpPrefix prefix(*address, length);
  if (prefix.address() != *address) return std::nullopt;
  return prefix;
}

bool IpPrefix::contains(const IpAddress& address) const {
  return address.family() == address_.family() && IpPrefix(address, length_).address_ == address_;
}

bool IpPrefix::contains(const IpPrefix& other) const {
  return other.length_ >= length_ && contains(other.address_);
}

IpAddress IpPrefix::last() const {
  return with_mask(address_, length_, [](std::uint8_t octet, std::uint8_t mask) {
    return octet | static_cast<std::uint8_t>(~mask);
  });
}

bool IpPrefix::is_reserved(const IpAddress& address) const {
  if (length_ + 2U > address_.bits()) return false;
  return address == address_ || (address_.is_v4() && address == last());
}

std::string IpPrefix::to_string() const { return address_.to_string() + "/" + std::to_string(length_); }

}  // namespace untrombone::core
