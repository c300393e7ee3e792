// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "agent/audit/snapshot.hpp"

namespace untrombone::audit {

/// One step of a packet from the routed network to a host, or of its answer.
struct Hop {
  std::string step;   ///< "enter", "route", "cross", "host", "leave"
  std::string where;  ///< "here", "another site", "unknown"
  std::string why;    ///< the table entry that decides it
  bool detour = false;
};

/// The way of one address, as far as this site's tables tell.
struct HostPath {
  Place place = Place::kUnknown;
  std::vector<Hop> hops;
  [[nodiscard]] bool is_trombone() const;
};

/// Where would traffic for `ip` enter, cross and leave, from what bgpd, zebra and the guard hold? Pure.
[[nodiscard]] HostPath trace_path(const Snapshot& snapshot, const core::IpAddress& ip);

}  // namespace untrombone::audit
