// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/kernel/ghosts.hpp"

#include <algorithm>
#include <utility>

namespace untrombone::bgp::kernel {

bool Ghosts::see(std::vector<std::uint64_t> sockets) {
  std::sort(sockets.begin(), sockets.end());
  const bool gone = !std::includes(sockets.begin(), sockets.end(), sockets_.begin(), sockets_.end());
  const bool arrived = !std::includes(sockets_.begin(), sockets_.end(), sockets.begin(), sockets.end());
  sockets_ = std::move(sockets);
  const bool back = away_ && arrived;
  // One that went and came between two looks missed nothing: we change the table only right after a look.
  if (arrived) {
    away_ = false;
  } else if (gone) {
    away_ = true;
  }
  return back;
}

void Ghosts::note_removed(const KernelRoute& route) {
  if (away_ && routes_.size() < kMost) routes_[route.prefix] = route;
}

Ghosts::Routes Ghosts::take() { return std::exchange(routes_, {}); }

}  // namespace untrombone::bgp::kernel
