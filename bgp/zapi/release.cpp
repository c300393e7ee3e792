// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/zapi/release.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace untrombone::bgp::zapi {
namespace {

constexpr std::uint16_t kOldHello = 18;
constexpr std::uint16_t kNewHello = 19;  // from 10.0 on, ROUTE_ADD and what follows it moved by one

/// The releases that share a row, oldest and newest.
struct Span {
  std::string_view name;
  std::string_view first;
  std::string_view last;
};

/// What a zebra answers before it is known: the number of ERROR, of the HELLO it takes, the length of CAPABILITIES.
struct Answers {
  std::uint16_t error;
  std::uint16_t hello;
  std::size_t capabilities_length;
};

constexpr Release row(Span span, Answers answers, std::uint16_t notify_request, bool needs_table_instance) {
  const auto shift = static_cast<std::uint16_t>(answers.hello - kOldHello);
  const auto moved = [shift](int number) { return static_cast<std::uint16_t>(number + shift); };
  return {.name = span.name,
          .first = span.first,
          .last = span.last,
          .hello = answers.hello,
          .capabilities = moved(19),
          .route_add = moved(8),
          .route_delete = moved(9),
          .route_notify_owner = moved(10),
          .error = answers.error,
          .client_capabilities = static_cast<std::uint16_t>(answers.error + 1),
          .route_notify_request = notify_request,
          .route_type_table = static_cast<std::uint8_t>(15 + shift),
          .capabilities_length = answers.capabilities_length,
          .needs_table_instance = needs_table_instance};
}

constexpr std::array kReleases{
    row({"7.5", "7.5", "7.5"}, {112, kOldHello, 10}, 0, false),
    row({"8.0", "8.0", "8.0"}, {117, kOldHello, 10}, 0, false),
    row({"8.1", "8.1", "8.1"}, {121, kOldHello, 10}, 0, false),
    row({"8.2-9.0", "8.2", "9.0"}, {118, kOldHello, 10}, 0, false),
    row({"9.1", "9.1", "9.1"}, {117, kOldHello, 11}, 0, false),
    row({"10.0-10.1", "10.0", "10.1"}, {118, kNewHello, 11}, 124, false),
    row({"10.2-10.4", "10.2", "10.4"}, {120, kNewHello, 12}, 126, false),
    // Same answers on the socket as the row above; only the version that zebra names tells them apart.
    row({"10.5", "10.5", "10.5"}, {120, kNewHello, 12}, 126, true),
    // 10.8 as its development branch was when 10.7 came out.
    row({"10.6-10.8", "10.6", "10.8"}, {120, kNewHello, 9}, 126, true),
};

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

bool is_error_command(std::uint16_t command) {
  return std::any_of(kReleases.begin(), kReleases.end(),
                     [command](const Release& release) { return release.error == command; });
}

}  // namespace untrombone::bgp::zapi
