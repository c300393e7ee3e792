// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/endian/conversion.hpp>

namespace untrombone::core {

/// Monotonic time as the core sees it. It has no now(): the shell (or a test) says what time it is.
struct CoreClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<CoreClock>;
  static constexpr bool is_steady = true;
};
using TimePoint = CoreClock::time_point;
using Duration = CoreClock::duration;

/// "Never" for a deadline.
inline constexpr TimePoint kNever = TimePoint::max();

/// A Linux interface index; 0 means "none".
struct Ifindex {
  int value = 0;
  auto operator<=>(const Ifindex&) const = default;
  explicit operator bool() const { return value != 0; }
};

/// A VLAN (IEEE 802.1Q), 1..4094; 0 is "none": the one L2 domain of a bridge that does not filter VLANs.
struct VlanId {
  std::uint16_t value = 0;
  auto operator<=>(const VlanId&) const = default;
  explicit operator bool() const { return value != 0; }
};

/// A VRF as zebra numbers it over the kernel's VRFs: the ifindex of its VRF device; 0 is the default one.
struct VrfId {
  std::uint32_t value = 0;
  auto operator<=>(const VrfId&) const = default;
};

/// Position of a segment in the configuration.
struct SegmentId {
  std::uint16_t value = 0;
  auto operator<=>(const SegmentId&) const = default;
};

/// IEEE 802 address in transmission order.
struct MacAddress {
  std::array<std::uint8_t, 6> octets{};

  auto operator<=>(const MacAddress&) const = default;
  [[nodiscard]] bool is_group() const { return (octets[0] & 1U) != 0; }
  [[nodiscard]] bool is_zero() const { return *this == MacAddress{}; }
  /// Lower-case, colon-separated: "02:00:5e:00:53:01".
  [[nodiscard]] std::string to_string() const;
  /// Accepts six colon-separated hexadecimal octets; anything else is nullopt.
  static std::optional<MacAddress> parse(std::string_view text);
  /// `bytes` must hold at least six.
  static MacAddress from_bytes(std::span<const std::byte> bytes);
};

enum class Family : std::uint8_t { kIpv4 = 4, kIpv6 = 6 };

/// An IPv4 or IPv6 address in network order; IPv4 uses the first four octets, the rest are zero.
class IpAddress {
 public:
  IpAddress() = default;
  static IpAddress v4(std::array<std::uint8_t, 4> octets);
  static IpAddress v6(const std::array<std::uint8_t, 16>& octets);
  /// `bytes` must hold 4 or 16, else nullopt.
  static std::optional<IpAddress> from_bytes(std::span<const std::byte> bytes);
  static std::optional<IpAddress> parse(std::string_view text);

  bool operator==(const IpAddress& other) const {
    return family_ == other.family_ && half(0) == other.half(0) && half(1) == other.half(1);
  }
  /// IPv4 first, then by number.
  std::strong_ordering operator<=>(const IpAddress& other) const {
    if (family_ != other.family_) return family_ <=> other.family_;
    if (half(0) != other.half(0)) return half(0) <=> other.half(0);
    return half(1) <=> other.half(1);
  }
  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] bool is_v4() const { return family_ == Family::kIpv4; }
  /// 4 or 16 octets in network order; valid as long as the address is.
  [[nodiscard]] std::span<const std::uint8_t> octets() const {
    return std::span(octets_).first(is_v4() ? 4 : 16);
  }
  [[nodiscard]] unsigned bits() const { return is_v4() ? 32 : 128; }
  /// 0.0.0.0 or ::.
  [[nodiscard]] bool is_unspecified() const;
  /// fe80::/10 (RFC 4291 2.5.6); false for IPv4.
  [[nodiscard]] bool is_link_local() const {
    return !is_v4() && octets_[0] == 0xfe && (octets_[1] & 0xc0U) == 0x80;
  }
  /// 224.0.0.0/4 or ff00::/8.
  [[nodiscard]] bool is_multicast() const {
    return is_v4() ? (octets_[0] & 0xf0U) == 0xe0 : octets_[0] == 0xff;
  }
  /// The first and the last address with the same first `length` bits; over the family's bits: itself.
  [[nodiscard]] IpAddress first_of(unsigned length) const {
    IpAddress first = *this;
    for (const std::size_t index : {0U, 1U}) first.set_half(index, half(index) & mask(length, index));
    return first;
  }
  [[nodiscard]] IpAddress last_of(unsigned length) const {
    IpAddress last = *this;
    for (const std::size_t index : {0U, 1U})
      last.set_half(index, half(index) | (~mask(length, index) & mask(bits(), index)));
    return last;
  }
  [[nodiscard]] std::string to_string() const;

 private:
  /// The first or the last eight octets as a number.
  [[nodiscard]] std::uint64_t half(std::size_t index) const {
    return boost::endian::load_big_u64(octets_.data() + 8 * index);
  }
  void set_half(std::size_t index, std::uint64_t value) {
    boost::endian::store_big_u64(octets_.data() + 8 * index, value);
  }
  /// The netmask of `length` bits, one half of it.
  static constexpr std::uint64_t mask(unsigned length, std::size_t index) {
    const unsigned before = static_cast<unsigned>(index) * 64;
    if (length <= before) return 0;
    return length >= before + 64 ? ~std::uint64_t{0} : ~(~std::uint64_t{0} >> (length - before));
  }

  Family family_ = Family::kIpv4;
  std::array<std::uint8_t, 16> octets_{};
};

/// A prefix with its host bits cleared.
class IpPrefix {
 public:
  IpPrefix() = default;
  /// `length` over the family's bits is clamped to them; host bits are cleared.
  IpPrefix(const IpAddress& address, unsigned length)
      : address_(address.first_of(length)),
        length_(static_cast<std::uint8_t>(std::min(length, address.bits()))) {}
  static IpPrefix host(const IpAddress& address) { return {address, address.bits()}; }
  /// "10.1.0.0/16". A missing length, a length out of range or set host bits are nullopt.
  static std::optional<IpPrefix> parse(std::string_view text);

  auto operator<=>(const IpPrefix&) const = default;
  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] unsigned length() const { return length_; }
  [[nodiscard]] bool is_host() const { return length_ == address_.bits(); }
  [[nodiscard]] bool contains(const IpAddress& address) const {
    return address.family() == address_.family() && address.first_of(length_) == address_;
  }
  [[nodiscard]] bool contains(const IpPrefix& other) const {
    return other.length_ >= length_ && contains(other.address_);
  }
  /// The all-ones host part; IPv4 only has a broadcast address, see is_reserved().
  [[nodiscard]] IpAddress last() const { return address_.last_of(length_); }
  /// True for the network and broadcast address of an IPv4 subnet longer than a point-to-point link (RFC 3021),
  /// and for the subnet-router anycast address of an IPv6 one (RFC 4291 2.6.1).
  [[nodiscard]] bool is_reserved(const IpAddress& address) const;
  [[nodiscard]] std::string to_string() const;

 private:
  IpAddress address_;
  std::uint8_t length_ = 0;
};

/// What a route is known by, at the sinks and in zebra.
struct RouteKey {
  VrfId vrf;
  IpPrefix prefix;
  auto operator<=>(const RouteKey&) const = default;
};

/// What a bridge port leads to (design vocabulary). Peer ports count as local.
enum class PortClass : std::uint8_t { kLocal, kPeer, kDci };

[[nodiscard]] std::string_view to_string(PortClass port_class);

/// Mixes `value` into `seed`; good enough for the open-addressing tables of the core.
[[nodiscard]] constexpr std::size_t hash_mix(std::size_t seed, std::uint64_t value) {
  std::uint64_t x = seed ^ (value + 0x9e3779b97f4a7c15ULL + (static_cast<std::uint64_t>(seed) << 6U));
  x ^= x >> 32U;
  x *= 0xd6e8feb86659fd93ULL;
  x ^= x >> 32U;
  return static_cast<std::size_t>(x);
}

[[nodiscard]] std::size_t hash_value(const MacAddress& mac);
[[nodiscard]] std::size_t hash_value(const IpAddress& address);
[[nodiscard]] std::size_t hash_value(const IpPrefix& prefix);
[[nodiscard]] std::size_t hash_value(const RouteKey& key);

}  // namespace untrombone::core
