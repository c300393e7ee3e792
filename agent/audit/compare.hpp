// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "agent/audit/finding.hpp"
#include "agent/audit/snapshot.hpp"

namespace untrombone::audit {

/// What is wrong, ordered by kind and subject. Pure. One cause gives one finding: a host without a route is not also
/// one whose traffic enters elsewhere. Hosts in transit are left alone. Time is in proportion to hosts and routes.
[[nodiscard]] std::vector<Finding> compare(const Snapshot& snapshot);

}  // namespace untrombone::audit
