// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>

#include <boost/unordered/unordered_flat_map.hpp>

#include "agent/core/types.hpp"

namespace untrombone::audit {

/// Values by prefix, with the longest match: a table, and the lengths that occur.
template <typename Value>
class PrefixIndex {
 public:
  void add(const core::IpPrefix& prefix, const Value* value) {
    values_[prefix] = value;
    lengths(prefix.address()).set(prefix.length());
  }

  [[nodiscard]] const Value* find(const core::IpPrefix& prefix) const {
    const auto found = values_.find(prefix);
    return found == values_.end() ? nullptr : found->second;
  }

  /// The longest one that contains `ip` and that `accept` takes; nullptr if none.
  template <typename Accept>
  [[nodiscard]] const Value* longest(const core::IpAddress& ip, Accept accept) const {
    const auto& present = ip.is_v4() ? lengths_[0] : lengths_[1];
    for (unsigned length = ip.bits() + 1; length-- > 0;) {
      if (!present.test(length)) continue;
      const Value* const found = find(core::IpPrefix(ip, length));
      if (found != nullptr && accept(*found)) return found;
    }
    return nullptr;
  }

 private:
  static constexpr std::size_t kLengths = 129;
  std::bitset<kLengths>& lengths(const core::IpAddress& ip) { return ip.is_v4() ? lengths_[0] : lengths_[1]; }

  boost::unordered_flat_map<core::IpPrefix, const Value*> values_;
  std::array<std::bitset<kLengths>, 2> lengths_;
};

}  // namespace untrombone::audit
