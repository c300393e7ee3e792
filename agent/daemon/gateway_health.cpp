// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/gateway_health.hpp"

namespace untrombone::daemon {

void GatewayHealth::observe(const std::string& trouble, bool isolated, core::TimePoint now) {
  const bool seen_good = trouble.empty() && !isolated;
  if (!seen_good) reason_ = trouble.empty() ? "the uplink is lost" : trouble;
  deadline_ = core::TimePoint::max();
  if (seen_good == good_) {
    changing_ = false;
    return;
  }
  if (!changing_) changed_at_ = now;
  changing_ = true;
  const core::Duration hold = good_ ? kFailHold : kHealHold;
  if (isolated || now - changed_at_ >= hold) {
    good_ = seen_good;
    changing_ = false;
  } else {
    deadline_ = changed_at_ + hold;
  }
}

}  // namespace untrombone::daemon
