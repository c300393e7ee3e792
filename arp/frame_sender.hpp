// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <span>

#include "agent/core/types.hpp"

namespace untrombone::arp {

/// Sends a frame as this machine would, out of an interface that nobody listens to here. False: the kernel would not
/// take it.
[[nodiscard]] bool send_frame(core::Ifindex interface, std::span<const std::byte> frame);

}  // namespace untrombone::arp
