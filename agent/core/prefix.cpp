// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <charconv>

#include "agent/core/types.hpp"

namespace untrombone::core {
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

bool IpPrefix::is_reserved(const IpAddress& address) const {
  if (length_ + 2U > address_.bits()) return false;
  return address == address_ || (address_.is_v4() && address == last());
}

std::string IpPrefix::to_string() const { return address_.to_string() + "/" + std::to_string(length_); }

}  // namespace untrombone::core
