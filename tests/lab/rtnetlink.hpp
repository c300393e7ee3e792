// SPDX-License-Identifier: GPL-2.0-or-later
// As much rtnetlink as the lab needs to read links and routes.
#pragma once

#include <linux/netlink.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>

#include "tests/lab/frames.hpp"
#include "tests/lab/netns.hpp"

namespace untrombone::lab {

struct LinkInfo {
  int ifindex = 0;
  MacAddress mac{};
  std::uint32_t carrier_changes = 0;
  std::uint64_t rx_packets = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
};

// Throws when there is no such interface.
LinkInfo link_info(const Netns& netns, const std::string& ifname);

using Bytes = std::span<const std::byte>;

// Calls handler(header, body) for each message of a received datagram, handler(type, value) for each attribute.
void for_each_message(Bytes datagram, const std::function<void(const nlmsghdr&, Bytes)>& handler);
void for_each_attribute(Bytes attributes, const std::function<void(std::uint16_t, Bytes)>& handler);

// The bytes as a T, zero-filled when too short.
template <class T>
T load(Bytes bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

// A NETLINK_ROUTE socket of the namespace, member of the multicast groups in the mask (RTMGRP_*).
UniqueFd open_rtnetlink(const Netns& netns, std::uint32_t groups);

}  // namespace untrombone::lab
