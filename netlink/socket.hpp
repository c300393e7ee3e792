// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <boost/system/error_code.hpp>

#include "agent/core/types.hpp"

struct nl_sock;

namespace untrombone::netlink {

/// A connected, non-blocking NETLINK_ROUTE socket. libnl makes it and builds the requests; reading is ours, so that
/// an overrun (ENOBUFS) is seen as such and nothing is thrown or allocated per message.
class RouteSocket {
 public:
  /// Joins `groups` (RTNLGRP_*). `receive_buffer` bytes are asked for with SO_RCVBUFFORCE, then SO_RCVBUF.
  static boost::system::error_code open(std::span<const int> groups, int receive_buffer,
                                        std::unique_ptr<RouteSocket>& socket);

  [[nodiscard]] int fd() const;

  boost::system::error_code request_links();
  /// All FDB entries of all bridges.
  boost::system::error_code request_fdb();
  /// All neighbours of AF_INET (or AF_INET6).
  boost::system::error_code request_neighbours(core::Family family);
  /// Routes in the main table with `protocol` (RTPROT_*) out of `interface`, filtered by the kernel.
  boost::system::error_code request_routes(core::Family family, std::uint8_t protocol,
                                           core::Ifindex interface);
  /// Makes `mac` an address of the bridge's own, so that frames to it are not flooded ("bridge fdb add MAC dev BRIDGE
  /// self local"), or takes it back.
  boost::system::error_code change_own_mac(core::Ifindex bridge, const core::MacAddress& mac, bool add);

  /// One datagram into `buffer`; would_block when there is none, no_buffer_space after an overrun.
  boost::system::error_code receive(std::span<std::byte> buffer, std::size_t& received);

 private:
  struct Closer {
    void operator()(nl_sock* socket) const;
  };
  explicit RouteSocket(nl_sock* socket) : socket_(socket) {}

  std::unique_ptr<nl_sock, Closer> socket_;
};

}  // namespace untrombone::netlink
