// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/types.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace untrombone::core {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::optional<std::uint8_t> hex_octet(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  if (text.size() != 2) return std::nullopt;
  const int high = digit(text[0]);
  const int low = digit(text[1]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<std::uint8_t>(high * 16 + low);
}

std::uint64_t load64(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

std::string MacAddress::to_string() const {
  std::string text;
  text.reserve(17);
  for (const std::uint8_t octet : octets) {
    if (!text.empty()) text += ':';
    text += kHexDigits[octet >> 4U];
    text += kHexDigits[octet & 15U];
  }
  return text;
}

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  MacAddress mac;
  for (std::size_t i = 0; i < mac.octets.size(); ++i) {
    if (i != 0 && text[i * 3 - 1] != ':') return std::nullopt;
    const auto octet = hex_octet(text.substr(i * 3, 2));
    if (!octet) return std::nullopt;
    mac.octets[i] = *octet;
  }
  return mac;
}

MacAddress MacAddress::from_bytes(std::span<const std::byte> bytes) {
  MacAddress mac;
  std::memcpy(mac.octets.data(), bytes.data(), mac.octets.size());
  return mac;
}

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> octets) {
  IpAddress address;
  std::copy(octets.begin(), octets.end(), address.octets_.begin());
  return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& octets) {
  IpAddress address;
  address.family_ = Family::kIpv6;
  address.octets_ = octets;
  return address;
}

std::optional<IpAddress> IpAddress::from_bytes(std::span<const std::byte> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress address;
  address.family_ = bytes.size() == 4 ? Family::kIpv4 : Family::kIpv6;
  std::memcpy(address.octets_.data(), bytes.data(), bytes.size());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string copy(text);  // inet_pton wants a terminator
  IpAddress address;
  if (inet_pton(AF_INET, copy.c_str(), address.octets_.data()) == 1) return address;
  if (inet_pton(AF_INET6, copy.c_str(), address.octets_.data()) == 1) {
    address.family_ = Family::kIpv6;
    return address;
  }
  return std::nullopt;
}

bool IpAddress::is_unspecified() const {
  return std::all_of(octets_.begin(), octets_.end(), [](std::uint8_t octet) { return octet == 0; });
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, octets_.data(), text.data(), text.size());
  return text.data();
}

std::string_view to_string(PortClass port_class) {
  switch (port_class) {
    case PortClass::kLocal: return "local";
    case PortClass::kPeer: return "peer";
    case PortClass::kDci: return "dci";
  }
  return "?";
}

std::size_t hash_value(const MacAddress& mac) {
  std::uint64_t value = 0;
  std::memcpy(&value, mac.octets.data(), mac.octets.size());
  return hash_mix(0, value);
}

std::size_t hash_value(const IpAddress& address) {
  const std::uint8_t* octets = address.octets().data();
  if (address.is_v4()) {
    std::uint32_t value = 0;
    std::memcpy(&value, octets, sizeof value);
    return hash_mix(4, value);
  }
  return hash_mix(hash_mix(6, load64(octets)), load64(octets + 8));
}

std::size_t hash_value(const IpPrefix& prefix) {
  return hash_mix(hash_value(prefix.address()), prefix.length());
}

std::size_t hash_value(const RouteKey& key) { return hash_mix(hash_value(key.prefix), key.vrf.value); }

}  // namespace untrombone::core
