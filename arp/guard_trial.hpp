// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace untrombone::arp {

/// Has the kernel judge a guard without loading it (`nft --check`): every kind of rule that we use, for an invented
/// port. Returns nft's complaint, empty when there is none. Blocks for some milliseconds.
[[nodiscard]] std::string try_guard();

}  // namespace untrombone::arp
