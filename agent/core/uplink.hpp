// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "agent/core/types.hpp"

namespace untrombone::core {

/// Is the way to the rest of the world there? Of one routing table and family: its tracked routes are there, or not.
///
/// connected <-> isolated, each entered when the opposite has been seen for `hold` without a break: a route that flaps
/// changes nothing. `expected` false: before the route was seen once, its absence means nothing.
class Uplink {
 public:
  Uplink(Duration hold, bool expected) : hold_(hold), expected_(expected) {}

  /// What the table shows now.
  void see(bool present, TimePoint now);
  /// True when the state has changed at `now`.
  bool run(TimePoint now);

  [[nodiscard]] bool isolated() const { return isolated_; }
  [[nodiscard]] bool present() const { return present_; }
  /// Was anything seen of it yet?
  [[nodiscard]] bool known() const { return known_; }
  /// When run() wants to be called; TimePoint::max() if not at all.
  [[nodiscard]] TimePoint next_deadline() const { return change_at_; }

 private:
  Duration hold_;
  bool expected_;
  bool known_ = false;
  bool present_ = false;
  bool isolated_ = false;
  TimePoint change_at_ = TimePoint::max();
};

}  // namespace untrombone::core
