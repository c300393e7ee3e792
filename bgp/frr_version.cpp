// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/frr_version.hpp"

#include <charconv>

#include <fmt/format.h>

namespace untrombone::bgp {

std::string FrrVersion::to_string() const { return fmt::format("{}.{}", major, minor); }

std::optional<FrrVersion> FrrVersion::parse(std::string_view text) {
  FrrVersion version;
  const char* const end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, version.major);
  if (error != std::errc{} || dot == end || *dot != '.') return std::nullopt;
  if (std::from_chars(dot + 1, end, version.minor).ec != std::errc{}) return std::nullopt;
  return version;
}

std::optional<FrrVersion> FrrVersion::from_show_version(std::string_view text) {
  constexpr std::string_view kName = "FRRouting ";
  const std::size_t at = text.find(kName);
  if (at == std::string_view::npos) return std::nullopt;
  return parse(text.substr(at + kName.size()));
}

}  // namespace untrombone::bgp
