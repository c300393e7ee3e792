// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/core/types.hpp"

namespace untrombone::daemon {

/// Whether a site can be the gateway of a segment, with hysteresis: a gateway that fails is believed after `kFailHold`,
/// one that heals after `kHealHold` without a relapse. An isolated site is believed at once, its tracking has waited.
/// No clock of its own.
class GatewayHealth {
 public:
  static constexpr core::Duration kFailHold = std::chrono::milliseconds(500);
  static constexpr core::Duration kHealHold = std::chrono::seconds(3);

  /// `trouble`: what is wrong with the gateway itself; empty: nothing.
  void observe(const std::string& trouble, bool isolated, core::TimePoint now);
  /// When observe() wants to be called again, with whatever is true then; core::TimePoint::max() if not at all.
  [[nodiscard]] core::TimePoint next_deadline() const { return deadline_; }

  [[nodiscard]] bool good() const { return good_; }
  /// Why it is not good, or was not last.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  bool good_ = true;
  std::string reason_;
  bool changing_ = false;  ///< what is seen differs from what is believed
  core::TimePoint changed_at_{};
  core::TimePoint deadline_ = core::TimePoint::max();
};

}  // namespace untrombone::daemon
