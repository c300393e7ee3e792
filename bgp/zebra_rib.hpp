// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/core/types.hpp"

namespace untrombone::bgp {

/// A route of ours, as zebra shows it.
struct RibView {
  enum class State : std::uint8_t { kUnreadable, kAbsent, kUnselected, kSelected, kInstalled };
  State state = State::kUnreadable;
  std::string winner;  ///< with kUnselected: whose route won, e.g. "connected, distance 0"

  /// Why the route is there, and yet not in use: a phrase for kUnselected and kSelected, empty for the others.
  [[nodiscard]] std::string reason() const;
};

/// The question about one prefix; `vrf_name` is empty for the default VRF.
[[nodiscard]] std::string rib_question(const core::IpPrefix& prefix, std::string_view vrf_name);

/// The question about all routes of a protocol.
[[nodiscard]] std::string rib_table_question(bool v4, std::string_view vrf_name, std::string_view protocol);

/// Which of the routes for a prefix is ours.
struct RibOwner {
  std::string_view protocol;  ///< "table", "static"
  std::uint16_t instance = 0;
  std::optional<std::uint32_t> tag = {};  ///< this one only: not what it replaces
};

/// Reads the answer (JSON, an object of lists of routes by prefix) for our route. Pure.
[[nodiscard]] RibView read_rib(std::string_view answer, const core::IpPrefix& prefix, const RibOwner& owner);
/// The same in one of those lists.
[[nodiscard]] RibView read_rib_list(std::string_view list, const RibOwner& owner);

/// Reads the same answer for a route out of `interface`, without a gateway, that an earlier zebra put into the kernel
/// and the one that runs now has selected as a kernel route: the number of its kernel table; nullopt: there is none.
/// Zebra marks as its own (SELFROUTE) what it found at its start with a protocol number of FRR's; as "kernel" it shows
/// of that only protocol 11, which TABLE routes like ours have; and the metric that it gives to all its routes it shows
/// as 0 (10.2 on). Nobody else's routes look like that. Pure.
[[nodiscard]] std::optional<std::uint32_t> read_leftover(std::string_view answer,
                                                         const core::IpPrefix& prefix,
                                                         core::Ifindex interface);

}  // namespace untrombone::bgp
