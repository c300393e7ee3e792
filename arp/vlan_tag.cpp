// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/vlan_tag.hpp"

#include <array>

namespace untrombone::arp {
namespace {

constexpr std::size_t kAddresses = 12;  ///< octets of the destination and the source
constexpr std::uint16_t kVlanMask = 0x0fff;

constexpr std::byte high(std::uint16_t value) { return static_cast<std::byte>(value >> 8U); }
constexpr std::byte low(std::uint16_t value) { return static_cast<std::byte>(value & 0xffU); }

}  // namespace

std::vector<std::byte> with_tag(std::span<const std::byte> frame, const VlanTag& tag) {
  std::vector<std::byte> tagged(frame.begin(), frame.end());
  if (frame.size() < kAddresses) return tagged;
  const auto vlan = static_cast<std::uint16_t>(tag.vlan.value & kVlanMask);
  const std::array octets{high(tag.protocol), low(tag.protocol), high(vlan), low(vlan)};
  tagged.insert(tagged.begin() + kAddresses, octets.begin(), octets.end());
  return tagged;
}

}  // namespace untrombone::arp
