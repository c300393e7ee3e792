// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <boost/system/error_code.hpp>

#include "bgp/kernel/listeners.hpp"
#include "bgp/kernel/route_codec.hpp"

namespace untrombone::bgp::kernel {

/// A change of one route. A new priority is a removal and an addition.
struct Change {
  KernelRoute route;
  bool add = true;
};

/// One routing table of the kernel, and our routes in it.
///
/// The kernel does what a request asks before send() returns, so nothing here waits: a call takes as long as its own
/// routes do, about 10 us each.
class Table {
 public:
  explicit Table(std::uint32_t number) : number_(number) {}
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  boost::system::error_code open();
  /// Makes the changes in their order; `errors` becomes an errno for each, 0 when it was made.
  boost::system::error_code change(std::span<const Change> changes, std::vector<int>& errors);
  /// All our routes in the table.
  boost::system::error_code dump(std::vector<KernelRoute>& routes);
  /// How those who listen keep up; nothing when /proc cannot be read.
  [[nodiscard]] Listeners listeners();

 private:
  boost::system::error_code dump(core::Family family, std::vector<KernelRoute>& routes);
  boost::system::error_code receive_dump(std::vector<KernelRoute>& routes, bool& interrupted);
  boost::system::error_code send();
  boost::system::error_code receive(std::span<const std::byte>& datagram);

  std::uint32_t number_;
  int socket_ = -1;
  int statistics_ = -1;  ///< /proc/net/netlink
  std::uint32_t sequence_ = 0;
  std::vector<std::byte> requests_;
  std::vector<std::byte> answers_;
};

}  // namespace untrombone::bgp::kernel
