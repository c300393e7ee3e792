// SPDX-License-Identifier: GPL-2.0-or-later
// What the demo measures: the path while nothing changes, and a move while the client pings.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tests/lab/lab.hpp"

namespace untrombone::demo {

inline constexpr auto kPatience = std::chrono::seconds(15);
inline constexpr auto kPingInterval = std::chrono::milliseconds(10);

/// A second of pings from the remote client to the VM, a traceroute, and what of the pings crossed the DCI.
struct Path {
  std::vector<std::string> hops;  // towards the VM, ending with it
  lab::PingSummary ping;
  double a_to_b = 0;  // ICMP between the two over the DCI, per second
  double b_to_a = 0;
  std::string gateway_mac;  // what the guest uses for its gateway; empty: it has none

  bool enters_at(lab::Site site) const;
  bool leaves_at(lab::Site site) const;
  bool crosses_nowhere() const { return a_to_b == 0 && b_to_a == 0; }
  /// As many as the pings, or nearly: the first and the last of a window may miss a counter.
  bool crosses_both_ways() const;
};

struct Move {
  lab::PingSummary ping;  // from a moment before the move to a moment after it
  // From the first frame of the VM at its new access port.
  std::optional<std::chrono::nanoseconds> greeting;  // to the greeting on the wire
  std::optional<std::chrono::nanoseconds> route;     // to the host route in the remote router's kernel
};

/// Throws when the VM cannot be reached.
Path measure_path(lab::Lab& lab, const lab::Vm& vm);

/// Moves the VM with QEMU's RARP burst; returns when the burst is over and the client reaches the VM again. With
/// agents it waits for the greeting and the route too, at most kPatience, and leaves out what did not come.
Move measure_move(lab::Lab& lab, lab::Vm& vm, lab::Site site, bool with_agents);

}  // namespace untrombone::demo
