// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace untrombone::bgp::zapi {

/// What differs between FRR releases in the part of the zebra API that host routes need. Numbers are those of
/// lib/zclient.h and lib/route_types.txt; within one stable line no point release changes any.
struct Release {
  std::string_view name;   ///< the releases that share this row, e.g. "8.2-9.0"
  std::string_view first;  ///< "8.2"
  std::string_view last;
  std::uint16_t hello;
  std::uint16_t capabilities;
  std::uint16_t route_add;
  std::uint16_t route_delete;
  std::uint16_t route_notify_owner;
  std::uint16_t error;
  std::uint16_t client_capabilities;
  std::uint16_t route_notify_request;  ///< 0: HELLO itself asks for owner notes
  std::uint8_t route_type_table;
  std::size_t capabilities_length;  ///< body of CAPABILITIES, octets
  /// `redistribute table` without a number is gone: our routes need an instance. BGP IPv6 knows no instance either,
  /// only `redistribute table-direct N`, which takes routes that are in table N.
  bool needs_table_instance;

  [[nodiscard]] bool hello_asks_for_notes() const { return route_notify_request == 0; }
};

/// Every release we know, oldest first.
[[nodiscard]] std::span<const Release> known_releases();

/// The release by what its zebra answers: the command number of ERROR, the number of the HELLO it took, and the length
/// of CAPABILITIES. nullptr: unknown, and to be refused, because an old "delete" is a new "add".
[[nodiscard]] const Release* find_release(std::uint16_t error, std::uint16_t hello,
                                          std::size_t capabilities_length);

/// The release by its number, "8.4" or "8.4.4"; nullptr when unknown.
[[nodiscard]] const Release* find_release(std::string_view version);

/// Does any release send ERROR under this number?
[[nodiscard]] bool is_error_command(std::uint16_t command);

}  // namespace untrombone::bgp::zapi
