// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "tests/demo/terminal.hpp"
#include "tests/lab/lab.hpp"

namespace untrombone::demo {

/// The commands with which a person looks around in a lab that was kept.
void show_around(const Terminal& terminal, lab::Lab& lab, const lab::Vm& vm);

/// The path as short as a command line can have it: relative to the working directory when that is shorter.
std::string short_path(const std::string& path);

}  // namespace untrombone::demo
