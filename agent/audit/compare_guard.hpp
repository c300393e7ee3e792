// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "agent/audit/finding.hpp"
#include "agent/audit/snapshot.hpp"

namespace untrombone::audit {

/// The guard in nftables against what the configuration wants guarded. Pure.
void compare_guard(const Snapshot& snapshot, std::vector<Finding>& findings);

}  // namespace untrombone::audit
