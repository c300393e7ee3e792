// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "agent/daemon/config.hpp"

namespace untrombone::daemon {

/// What a changed configuration file means for an agent that runs.
struct ReloadPlan {
  /// From now on. Segments keep their position: one that is gone stays as a removed one, new ones follow.
  Config config;
  std::vector<std::string> changed;        ///< what is applied: "routes.settle", `segment "vlan10": subnets`
  std::vector<std::string> needs_restart;  ///< what a restart only applies; until then it is as it was
};

/// Compares the running configuration with a new one, key by key as they are written. What only a restart applies keeps
/// its old value. An error: the new values do not fit together with the old ones that stay.
[[nodiscard]] ConfigResult<ReloadPlan> plan_reload(const Config& running, const Config& wanted);

}  // namespace untrombone::daemon
