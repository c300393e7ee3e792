// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "bgp/kernel/route_codec.hpp"

namespace untrombone::bgp::kernel {

/// What was removed while one of those who listen to the kernel's routes was away. A zebra that comes back reads the
/// table anew and tells the daemons behind it of what is there; of what went meanwhile they are told nothing, and bgpd
/// keeps it for good. Pure.
///
/// A listener that ends without a successor, somebody's `ip monitor`, makes for ghosts that nobody waits for: no more
/// than kMost of them are kept.
class Ghosts {
 public:
  static constexpr std::size_t kMost = 100000;
  using Routes = boost::unordered_flat_map<core::IpPrefix, KernelRoute>;

  /// The sockets that listen now, in any order. True: who was away is back.
  bool see(std::vector<std::uint64_t> sockets);
  /// After the last see(), so whoever it showed has heard.
  void note_removed(const KernelRoute& route);
  void note_added(const core::IpPrefix& prefix) { routes_.erase(prefix); }
  [[nodiscard]] bool empty() const { return routes_.empty(); }
  /// Somebody is away, and there is something that it does not hear.
  [[nodiscard]] bool awaited() const { return away_ && !routes_.empty(); }
  /// All of them, for the last time.
  [[nodiscard]] Routes take();

 private:
  std::vector<std::uint64_t> sockets_;  ///< sorted
  bool away_ = false;
  Routes routes_;
};

}  // namespace untrombone::bgp::kernel
