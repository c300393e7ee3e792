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
  /// The VLANs of all bridges and ports; since Linux 5.6, and only where bridges can filter them.
  boost::system::error_code request_vlans();
  /// All FDB entries of one bridge, filtered by the kernel.
  boost::system::error_code request_fdb(core::Ifindex bridge);
  /// All addresses of this machine, of both families.
  boost::system::error_code request_addresses();
  /// The FDB entry of `mac` in a VLAN (0: none) of `bridge`; `sequence` is that of the answer, which is an error
  /// (ENOENT) when there is none.
  boost::system::error_code request_fdb_entry(core::Ifindex bridge, core::VlanId vlan,
                                              const core::MacAddress& mac, std::uint32_t& sequence);
  /// All neighbours of AF_INET (or AF_INET6).
  boost::system::error_code request_neighbours(core::Family family);
  /// Routes in `table` with `protocol` (RTPROT_*) out of `interface`, filtered by the kernel.
  boost::system::error_code request_routes(core::Family family, std::uint8_t protocol, std::uint32_t table,
                                           core::Ifindex interface);
  /// Unicast routes of one routing table.
  boost::system::error_code request_table(core::Family family, std::uint32_t table);
  /// Makes `mac` an address of the bridge's own, so that frames to it are not flooded ("bridge fdb add MAC dev BRIDGE
  /// self local"; in one VLAN of a VLAN-aware bridge, which must be a member of it), or takes it back.
  boost::system::error_code change_own_mac(core::Ifindex bridge, core::VlanId vlan,
                                           const core::MacAddress& mac, bool add);

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
