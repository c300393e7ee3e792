// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::arp {

/// The outermost VLAN tag of a frame (IEEE 802.1Q 9.6): 16 bits of protocol (TPID), then 3 of priority, 1 of drop
/// eligibility and 12 of VLAN; priorities are not ours to set. VLAN 0 is a tag that only carries a priority.
struct VlanTag {
  std::uint16_t protocol = 0x8100;  ///< 0x8100 (802.1Q) or 0x88a8 (802.1ad), host order
  core::VlanId vlan;
  bool operator==(const VlanTag&) const = default;
};

/// The Ethernet frame with `tag` behind its addresses; unchanged when it is too short to have them.
[[nodiscard]] std::vector<std::byte> with_tag(std::span<const std::byte> frame, const VlanTag& tag);

}  // namespace untrombone::arp
