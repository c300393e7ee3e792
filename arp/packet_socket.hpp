// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "agent/core/types.hpp"

namespace untrombone::arp {

/// The error that the last system call left in errno.
[[nodiscard]] boost::system::error_code last_error();

/// A non-blocking AF_PACKET socket on one interface, and the wait for what it hears.
class PacketSocket {
 public:
  /// Sets the socket up, its filter above all, before it is bound.
  using Configure = std::function<boost::system::error_code(int fd)>;

  explicit PacketSocket(boost::asio::io_context& io) : descriptor_(io) {}

  /// Bound to no protocol until it is configured, so that nothing unfiltered is ever queued; then to ETH_P_ALL.
  boost::system::error_code open(core::Ifindex interface, const Configure& configure);
  [[nodiscard]] int fd() { return descriptor_.native_handle(); }

  /// Calls `read` once something waits; never when the socket is closed before.
  template <typename Read>
  void wait(Read read) {
    descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                           [read = std::move(read)](const boost::system::error_code& error) mutable {
                             if (!error) read();
                           });
  }

 private:
  boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace untrombone::arp
