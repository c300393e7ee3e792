// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/uplink.hpp"

namespace untrombone::core {

void Uplink::see(bool present, TimePoint now) {
  const bool same = known_ && present_ == present;
  known_ = true;
  if (same) return;
  present_ = present;
  expected_ = expected_ || present;
  const bool ought_to_change = expected_ && present == isolated_;
  change_at_ = ought_to_change ? now + hold_ : TimePoint::max();
}

bool Uplink::run(TimePoint now) {
  if (change_at_ > now) return false;
  change_at_ = TimePoint::max();
  isolated_ = !isolated_;
  return true;
}

}  // namespace untrombone::core
