// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "agent/core/types.hpp"

namespace untrombone::netlink {

/// Tells the kernel MACs of addresses that it asks for. An entry is written STALE: the kernel uses it at once, checks
/// it by itself, and forgets it like any other, so that nothing of ours has to be taken back.
class NeighbourWriter {
 public:
  NeighbourWriter();
  ~NeighbourWriter();
  NeighbourWriter(const NeighbourWriter&) = delete;
  NeighbourWriter& operator=(const NeighbourWriter&) = delete;

  /// False when the kernel would not take the request; what becomes of it is seen in the kernel's own events.
  bool tell(core::Ifindex interface, const core::IpAddress& ip, const core::MacAddress& mac);

 private:
  int fd_;
};

}  // namespace untrombone::netlink
