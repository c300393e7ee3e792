// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "agent/core/types.hpp"

namespace untrombone::netlink {

/// The addresses of this machine's interfaces, by the interface's name.
using InterfaceAddresses = std::set<std::pair<std::string, core::IpAddress>>;

/// Tells when addresses of interfaces changed. It only wakes: whoever is woken reads all of them, so that a lost event
/// costs nothing as long as one arrives, and an overrun wakes, too.
class AddressWatch {
 public:
  /// `changed` is called on the io_context's thread, once for any number of events that wait.
  AddressWatch(boost::asio::io_context& io, std::function<void()> changed);
  [[nodiscard]] boost::system::error_code start();
  /// Blocks for a dump: a millisecond for a thousand addresses. Empty when the kernel does not answer.
  [[nodiscard]] static InterfaceAddresses read();

 private:
  void wait();

  boost::asio::posix::stream_descriptor descriptor_;
  std::function<void()> changed_;
};

}  // namespace untrombone::netlink
