// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace untrombone::arp {

/// What `nft -j list table bridge untrombone` prints; empty when there is no such table. False: nftables does not
/// answer at all. Blocks for some milliseconds.
[[nodiscard]] bool list_guard(std::string& listing);

}  // namespace untrombone::arp
