// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "arp/tap.hpp"

namespace untrombone::daemon {

/// Looks once a second whether the kernel had to drop frames of a port because we read too slowly: nothing else tells.
class TapWatch {
 public:
  /// `lost` is called with the ports whose frames were dropped since the last look.
  TapWatch(boost::asio::io_context& io, arp::PortTap& tap,
           std::function<void(const std::vector<core::Ifindex>&)> lost);

  void start();
  void stop() { timer_.cancel(); }

 private:
  boost::asio::steady_timer timer_;
  arp::PortTap& tap_;
  std::function<void(const std::vector<core::Ifindex>&)> lost_;
};

}  // namespace untrombone::daemon
