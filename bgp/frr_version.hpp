// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace untrombone::bgp {

/// A stable line of FRR: "8.4" is every 8.4.x. Configuration commands do not change inside one.
struct FrrVersion {
  std::uint16_t major = 0;
  std::uint16_t minor = 0;

  auto operator<=>(const FrrVersion&) const = default;
  [[nodiscard]] std::string to_string() const;
  /// "8.4", "10.7.1" or "8.4.4-1~deb12u1"; nullopt for anything that does not begin with MAJOR.MINOR.
  static std::optional<FrrVersion> parse(std::string_view text);
  /// The release in what `show version` prints, "FRRouting 8.4.4 (host) ..."; nullopt when there is none.
  static std::optional<FrrVersion> from_show_version(std::string_view text);
};

}  // namespace untrombone::bgp
