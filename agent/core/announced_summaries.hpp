// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <variant>

#include "agent/core/summary/bits.hpp"
#include "agent/core/summary/block_map.hpp"

namespace untrombone::core {

/// What has to be known of every announced summary, for as long as it is: an octet.
struct SummaryFlags {
  bool leaving : 1 = false;
  bool solid : 1 = false;   ///< acknowledged `break-delay` ago
  bool relied : 1 = false;  ///< somebody has no other route
  bool fixed : 1 = false;   ///< a home block
  bool adopted : 1 = false;
};

/// The announced summaries of one family: prefixes shorter than a host, in order. About six octets each for IPv4,
/// twenty for IPv6.
///
/// A prefix is kept as one number: its address, and one bit behind it, where the host part begins. So it is greater
/// than every prefix in its lower half and smaller than those in its upper one, and all that is inside it is one range.
class AnnouncedSummaries {
 public:
  explicit AnnouncedSummaries(Family family) : family_(family) {
    if (family == Family::kIpv6) map_.emplace<Map<summary::Uint128>>();
  }

  [[nodiscard]] std::size_t size() const {
    return std::visit([](const auto& map) { return map.size(); }, map_);
  }
  /// nullptr when it is not announced. Void after every add() and remove().
  [[nodiscard]] SummaryFlags* find(const IpPrefix& prefix) {
    if (!may_contain(prefix)) return nullptr;
    return std::visit([&](auto& map) { return map.find(key_for(map, prefix)); }, map_);
  }
  [[nodiscard]] const SummaryFlags* find(const IpPrefix& prefix) const {
    if (!may_contain(prefix)) return nullptr;
    return std::visit([&](const auto& map) { return map.find(key_for(map, prefix)); }, map_);
  }
  /// One that is announced.
  [[nodiscard]] SummaryFlags& at(const IpPrefix& prefix) {
    if (SummaryFlags* const found = find(prefix)) return *found;
    throw std::out_of_range("this summary is not announced");
  }
  [[nodiscard]] bool contains(const IpPrefix& prefix) const { return find(prefix) != nullptr; }
  SummaryFlags& add(const IpPrefix& prefix) {
    if (SummaryFlags* const found = find(prefix)) return *found;
    ++lengths_[prefix.length()];
    return std::visit([&](auto& map) -> SummaryFlags& { return map.insert(key_for(map, prefix)); }, map_);
  }
  /// One that is announced.
  void remove(const IpPrefix& prefix) {
    --lengths_[prefix.length()];
    std::visit([&](auto& map) { map.erase(key_for(map, prefix)); }, map_);
  }

  /// Calls `visit(prefix, flags)` for each that is inside `within` or equal to it, by address. It may change the flags,
  /// and nothing else.
  template <typename Visit>
  void for_each(const IpPrefix& within, Visit visit) {
    std::visit([&](auto& map) { walk(map, within, visit); }, map_);
  }
  template <typename Visit>
  void for_each(const IpPrefix& within, Visit visit) const {
    std::visit([&](const auto& map) { walk(map, within, visit); }, map_);
  }
  /// All of them.
  template <typename Visit>
  void for_each(Visit visit) {
    for_each(everything(), visit);
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for_each(everything(), visit);
  }

  /// The longest one around `ip` that `accept(prefix, flags)` takes.
  template <typename Accept>
  [[nodiscard]] std::optional<IpPrefix> find_cover(const IpAddress& ip, Accept accept) const {
    return std::visit(
        [&](const auto& map) -> std::optional<IpPrefix> {
          using Bits = BitsOf<decltype(map)>;
          const Bits bits = summary::to_bits<Bits>(ip);
          for (unsigned length = summary::kWidth<Bits>; length-- > 0;) {
            if (lengths_[length] == 0) continue;
            const auto* const flags = map.find(key_of(summary::BitPrefix<Bits>::of(bits, length)));
            if (flags == nullptr) continue;
            const IpPrefix prefix(ip, length);
            if (accept(prefix, *flags)) return prefix;
          }
          return std::nullopt;
        },
        map_);
  }

 private:
  template <typename Bits>
  using Map = summary::BlockMap<Bits, SummaryFlags>;
  template <typename MapReference>
  using BitsOf = std::conditional_t<std::is_same_v<std::remove_cvref_t<MapReference>, Map<std::uint32_t>>,
                                    std::uint32_t, summary::Uint128>;

  template <typename Bits>
  static Bits key_of(const summary::BitPrefix<Bits>& prefix) {
    return prefix.key | static_cast<Bits>(Bits{1} << (summary::kWidth<Bits> - 1 - prefix.length));
  }
  template <typename Bits>
  static Bits key_for(const Map<Bits>& /*of its family*/, const IpPrefix& prefix) {
    return key_of(summary::BitPrefix<Bits>::of(prefix));
  }
  template <typename Bits>
  static IpPrefix prefix_of(Bits key) {
    const Bits without = key & static_cast<Bits>(key - 1);
    const Bits marker = key ^ without;
    return {summary::to_address(without), summary::common_length(marker, Bits{0})};
  }
  template <typename MapReference, typename Visit>
  static void walk(MapReference& map, const IpPrefix& within, Visit visit) {
    using Bits = BitsOf<MapReference>;
    const auto range = summary::BitPrefix<Bits>::of(within);
    if (range.length == summary::kWidth<Bits>) return;
    map.for_each(static_cast<Bits>(range.key + 1), range.last(),
                 [&](Bits key, auto& flags) { visit(prefix_of(key), flags); });
  }
  [[nodiscard]] bool may_contain(const IpPrefix& prefix) const {
    return prefix.address().family() == family_ && lengths_[prefix.length()] != 0;
  }
  [[nodiscard]] IpPrefix everything() const {
    return {family_ == Family::kIpv4 ? IpAddress::v4({}) : IpAddress::v6({}), 0};
  }

  Family family_;
  std::variant<Map<std::uint32_t>, Map<summary::Uint128>> map_;
  std::array<std::uint32_t, 129> lengths_{};
};

}  // namespace untrombone::core
