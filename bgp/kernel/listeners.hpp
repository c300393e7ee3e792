// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace untrombone::bgp::kernel {

/// How those who listen to the kernel's route changes keep up: zebra or BIRD, mostly. A listener whose socket is full
/// loses changes, and most never learn of it.
struct Listeners {
  std::uint64_t fullest = 0;                ///< octets that wait in the fullest of their sockets
  std::uint64_t dropped = 0;                ///< messages that any of them ever lost
  std::vector<std::uint64_t> sockets = {};  ///< their inodes: a daemon that was restarted has another one
};

/// Reads the text of /proc/net/netlink (net/netlink/af_netlink.c: netlink_native_seq_show): one socket a line, its
/// protocol second, its multicast groups (bit n-1 for group n) fourth, what waits in it fifth, its losses ninth, its
/// inode last. Only sockets in the groups of IPv4 or IPv6 routes count; lines that do not look like that are skipped.
[[nodiscard]] Listeners read_listeners(std::string_view text);

}  // namespace untrombone::bgp::kernel
