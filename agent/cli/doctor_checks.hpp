// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "agent/cli/doctor.hpp"

/// The areas of checks that have a file of their own; evaluate() calls them. Each adds what it found.
namespace untrombone::cli {

/// What the kernel is set to, for the machine and for the segments' interfaces.
void check_sysctls(const DoctorFacts& facts, std::vector<Check>& checks);
/// Bridges, interfaces, ports and their classes.
void check_segments(const DoctorFacts& facts, std::vector<Check>& checks);

}  // namespace untrombone::cli
