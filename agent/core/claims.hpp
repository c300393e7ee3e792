// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "agent/core/event.hpp"

namespace untrombone::core {

/// What other sites announce: (VRF, prefix) -> class, metric, where and since when it is seen. Filled by several lists
/// (bgpd's table, zebra's, BMP, ...), each of which may show the same claim; a list that was read anew forgets what it
/// does not show any more (mark and sweep). Holds the data, decides nothing.
class Claims {
 public:
  /// One list's view of a claim.
  struct Entry {
    ClaimList list;
    RouteClass route_class = RouteClass::kSettled;
    std::optional<std::uint32_t> metric;
    IpAddress from;
    TimePoint since;  ///< first seen, or first seen fresh
    std::uint32_t generation = 0;
  };
  static constexpr std::size_t kMost = 1'000'000;

  /// Notes what a list shows. True when it is news: a new claim, one that became fresh, or a fresh one that outbids.
  bool see(const ClaimSeen& seen, TimePoint now);
  void forget(const ClaimGone& gone);
  /// A list is read anew from here ...
  void begin(ClaimList list);
  /// ... to here: what it did not show is gone.
  void sweep(ClaimList list);

  /// Empty when nobody claims exactly this.
  [[nodiscard]] std::span<const Entry> of(const RouteKey& key) const;
  /// The best metric, comparable with ours, of the claims that cover `address` and are not lingering.
  [[nodiscard]] std::optional<std::uint32_t> best_metric(VrfId vrf, const IpAddress& address) const;
  /// Calls `visit(const RouteKey&, const Entry&)` for each claim that covers `address`, host routes first.
  template <typename Visit>
  void for_each_covering(VrfId vrf, const IpAddress& address, Visit visit) const {
    for (unsigned length = address.bits() + 1; length-- > 0;) {
      if (lengths_[family_index(address)][length] == 0) continue;
      const RouteKey key{vrf, IpPrefix(address, length)};
      for (const Entry& entry : of(key)) visit(key, entry);
    }
  }
  /// Calls `visit(const RouteKey&, const Entry&)` for each list's view of each claim, in no order.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [key, entries] : by_key_)
      for (const Entry& entry : entries) visit(key, entry);
  }

  /// Number of claimed prefixes.
  [[nodiscard]] std::size_t size() const { return by_key_.size(); }
  /// How many claims a list shows.
  [[nodiscard]] std::size_t size_of(ClaimList list) const { return lists_[list.value].size; }
  /// Changes whenever a prefix begins or ceases to be claimed.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// Claims that found no room.
  [[nodiscard]] std::uint64_t turned_away() const { return turned_away_; }

 private:
  struct List {
    std::uint32_t generation = 0;
    std::size_t size = 0;
    std::size_t shown = 0;  ///< of them, in this generation
  };
  static std::size_t family_index(const IpAddress& address) { return address.is_v4() ? 0 : 1; }
  void count(const RouteKey& key, int change);

  boost::unordered_flat_map<RouteKey, std::vector<Entry>> by_key_;
  std::array<std::array<std::uint32_t, 129>, 2> lengths_{};  ///< claimed prefixes by family and length
  std::array<List, 256> lists_{};
  std::uint64_t version_ = 0;
  std::uint64_t turned_away_ = 0;
};

}  // namespace untrombone::core
