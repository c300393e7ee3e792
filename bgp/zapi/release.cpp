// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/zapi/release.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace untrombone::bgp::zapi {
namespace {

constexpr std::uint16_t kOldHello = 18;
constexpr std::uint16_t kNewHello = 19;  // from 10.0 on, ROUTE_ADD and what follows it moved by one

constexpr Release row(std::string_view name, std::string_view first, std::string_view last,
                      std::uint16_t hello, std::uint16_t error, std::uint16_t notify_request,
                      std::size_t capabilities_length, bool needs_table_instance) {
  const auto shift = static_cast<std::uint16_t>(hello - kOldHello);
  const auto moved = [shift](int number) { return static_cast<std::uint16_t>(number + shift); };
  return {.name = name,
          .first = first,
          .last = last,
          .hello = hello,
          .capabilities = moved(19),
          .route_add = moved(8),
          .route_delete = moved(9),
          .route_notify_owner = moved(10),
          .error = error,
          .client_capabilities = static_cast<std::uint16_t>(error + 1),
          .route_notify_request = notify_request,
          .route_type_table = static_cast<std::uint8_t>(15 + shift),
          .capabilities_length = capabilities_length,
          .needs_table_instance = needs_table_instance};
}

constexpr std::array kReleases{
    row("7.5", "7.5", "7.5", kOldHello, 112, 0, 10, false),
    row("8.0", "8.0", "8.0", kOldHello, 117, 0, 10, false),
    row("8.1", "8.1", "8.1", kOldHello, 121, 0, 10, false),
    row("8.2-9.0", "8.2", "9.0", kOldHello, 118, 0, 10, false),
    row("9.1", "9.1", "9.1", kOldHello, 117, 0, 11, false),
    row("10.0-10.1", "10.0", "10.1", kNewHello, 118, 124, 11, false),
    row("10.2-10.4", "10.2", "10.4", kNewHello, 120, 126, 12, false),
    // Same answers on the socket as the row above; only `frr-version` tells them apart.
    row("10.5", "10.5", "10.5", kNewHello, 120, 126, 12, true),
    row("10.6-10.7", "10.6", "10.7", kNewHello, 120, 126, 9, true),
};

constexpr std::array kOldOnly{kOldHello};
constexpr std::array kNewOnly{kNewHello};
constexpr std::array kOldThenNew{kOldHello, kNewHello};

/// "10.3.1" as 10 * 1000 + 3.
std::optional<int> version_number(std::string_view text) {
  constexpr std::uint16_t kMinors = 1000;
  std::uint16_t major = 0;
  std::uint16_t minor = 0;
  const char* const end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, major);
  if (error != std::errc{} || dot == end || *dot != '.') return std::nullopt;
  if (std::from_chars(dot + 1, end, minor).ec != std::errc{} || minor >= kMinors) return std::nullopt;
  return major * kMinors + minor;
}

}  // namespace

std::span<const Release> known_releases() { return kReleases; }

const Release* find_release(std::uint16_t error, std::uint16_t hello, std::size_t capabilities_length) {
  const auto* const found = std::find_if(kReleases.begin(), kReleases.end(), [&](const Release& release) {
    return release.error == error && release.hello == hello &&
           release.capabilities_length == capabilities_length;
  });
  return found == kReleases.end() ? nullptr : found;
}

const Release* find_release(std::string_view version) {
  const auto number = version_number(version);
  if (!number) return nullptr;
  const auto* const found = std::find_if(kReleases.begin(), kReleases.end(), [&](const Release& release) {
    return *number >= version_number(release.first) && *number <= version_number(release.last);
  });
  return found == kReleases.end() ? nullptr : found;
}

std::span<const std::uint16_t> hello_candidates(std::uint16_t error) {
  switch (error) {
    case 112:
    case 117:
    case 121: return kOldOnly;
    case 118: return kOldThenNew;
    case 120: return kNewOnly;
    default: return {};
  }
}

}  // namespace untrombone::bgp::zapi
