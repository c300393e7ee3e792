// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "agent/daemon/config_reader.hpp"

namespace untrombone::daemon {

/// Reads the [[segment]] at `index` of `config.segments` and `config.core.segments`, which holds all that were read
/// before it: names, interfaces, bridges and subnets may not repeat.
void read_segment(ConfigReport& report, const toml::table& table, Config& config);

}  // namespace untrombone::daemon
