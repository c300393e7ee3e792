// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <vector>

#include <boost/system/error_code.hpp>

#include "netlink/socket.hpp"

namespace untrombone::netlink {

/// Dumps kernel tables for the commands that run once and end. Blocks, so it is not for the agent; see Monitor.
class Dumper {
 public:
  /// Called with each message of the answer, netlink header included.
  using Visit = std::function<void(std::span<const std::byte> message)>;
  using Request = std::function<boost::system::error_code(RouteSocket&)>;

  /// Opens the socket.
  boost::system::error_code open();
  /// Sends `request` and visits the answer up to its end. timed_out when the kernel is silent for `patience`.
  boost::system::error_code dump(const Request& request, const Visit& visit,
                                 std::chrono::milliseconds patience = std::chrono::seconds(5));

 private:
  boost::system::error_code receive(std::chrono::milliseconds patience, std::size_t& received);

  std::unique_ptr<RouteSocket> socket_;
  std::vector<std::byte> buffer_;
};

}  // namespace untrombone::netlink
