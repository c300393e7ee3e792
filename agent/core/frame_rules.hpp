// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "agent/core/types.hpp"

namespace untrombone::core {

/// True for the virtual MAC addresses of first-hop redundancy protocols, which are never hosts:
/// VRRP and CARP (RFC 9568 7.3, IPv4 and IPv6), HSRP version 1, 2 and IPv6, GLBP.
[[nodiscard]] bool is_virtual_router_mac(const MacAddress& mac);

}  // namespace untrombone::core
