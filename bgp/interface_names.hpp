// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/core/types.hpp"

namespace untrombone::bgp {

/// As the kernel calls it now; empty: there is none of that number.
[[nodiscard]] std::string interface_name(core::Ifindex interface);

/// As FRR calls it: by its device; empty for the default VRF, and for one that has gone.
[[nodiscard]] std::string vrf_name(core::VrfId vrf);

}  // namespace untrombone::bgp
