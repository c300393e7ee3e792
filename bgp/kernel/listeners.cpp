// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/kernel/listeners.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace untrombone::bgp::kernel {
namespace {

constexpr std::uint64_t kRouteGroups =
    std::uint64_t{1} << (RTNLGRP_IPV4_ROUTE - 1) | std::uint64_t{1} << (RTNLGRP_IPV6_ROUTE - 1);
// sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
constexpr std::size_t kProtocol = 1;
constexpr std::size_t kGroups = 3;
constexpr std::size_t kWaiting = 4;
constexpr std::size_t kDrops = 8;
constexpr std::size_t kInode = 9;
using Columns = std::array<std::string_view, kInode + 1>;

std::string_view take_until(std::string_view& text, char end) {
  const std::string_view taken = text.substr(0, text.find(end));
  text.remove_prefix(std::min(taken.size() + 1, text.size()));
  return taken;
}

/// False when there are not enough of them.
bool split(std::string_view line, Columns& columns) {
  for (std::string_view& column : columns) {
    while (line.starts_with(' ')) line.remove_prefix(1);
    column = take_until(line, ' ');
    if (column.empty()) return false;
  }
  return true;
}

bool read_number(std::string_view text, int base, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

Listeners read_listeners(std::string_view text) {
  Listeners listeners;
  Columns columns;
  while (!text.empty()) {
    std::uint64_t protocol = 0;
    std::uint64_t groups = 0;
    std::uint64_t waiting = 0;
    std::uint64_t drops = 0;
    std::uint64_t inode = 0;
    const bool readable =
        split(take_until(text, '\n'), columns) && read_number(columns[kProtocol], 10, protocol) &&
        read_number(columns[kGroups], 16, groups) && read_number(columns[kWaiting], 10, waiting) &&
        read_number(columns[kDrops], 10, drops) && read_number(columns[kInode], 10, inode);
    if (!readable || protocol != NETLINK_ROUTE || (groups & kRouteGroups) == 0) continue;
    listeners.fullest = std::max(listeners.fullest, waiting);
    listeners.dropped += drops;
    listeners.sockets.push_back(inode);
  }
  return listeners;
}

}  // namespace untrombone::bgp::kernel
