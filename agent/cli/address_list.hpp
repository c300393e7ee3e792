// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/summary/batch.hpp"

namespace untrombone::cli {

/// Addresses as people write them, one entry a line: an address, a prefix without host bits, or a range FIRST-LAST of
/// one family. Blank lines and what follows a '#' are left out. Prefixes are kept as such, too.
struct AddressList {
  template <typename Bits>
  struct Of {
    std::vector<core::summary::Range<Bits>> ranges;  ///< addresses and ranges
    std::vector<core::summary::BitPrefix<Bits>> prefixes;
  };
  Of<std::uint32_t> v4;
  Of<core::summary::Uint128> v6;
  std::size_t entries = 0;

  /// Takes one entry; false when it is none.
  bool add(std::string_view entry);
  /// Takes all lines of `in`. What is wrong, with the line and its text, or nothing.
  [[nodiscard]] std::optional<std::string> read(std::istream& in, std::string_view name);

  template <typename Bits>
  [[nodiscard]] Of<Bits>& of() {
    if constexpr (sizeof(Bits) == 4) {
      return v4;
    } else {
      return v6;
    }
  }

 private:
  [[nodiscard]] std::optional<std::string> read_line(std::string_view line, std::size_t number,
                                                     std::string_view name);
};

/// Prefixes count as all their addresses.
template <typename Bits>
[[nodiscard]] std::vector<core::summary::Range<Bits>> ranges_of(AddressList::Of<Bits> list) {
  for (const auto& prefix : list.prefixes) list.ranges.push_back({prefix.key, prefix.last()});
  return std::move(list.ranges);
}

}  // namespace untrombone::cli
