// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/lab/netns.hpp"

namespace untrombone::lab {

// The addresses that answer on the way to `destination`, in order, ending with it when it is reached; "*" for a
// hop that stays silent for `patience`. Gives up after 8 hops or two silent ones in a row.
std::vector<std::string> traceroute(const Netns& netns, std::string_view destination,
                                    std::chrono::milliseconds patience = std::chrono::seconds(1));

}  // namespace untrombone::lab
