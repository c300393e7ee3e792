// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace untrombone::daemon {

/// Tells systemd how the agent is (sd_notify(3)); does nothing when no one listens. The watchdog is fed from the event
/// loop, so a loop that is stuck is noticed.
class Notify {
 public:
  explicit Notify(boost::asio::io_context& io);

  void ready(const std::string& status);
  void status(const std::string& status);
  void reloading();
  void stopping();

 private:
  void feed_watchdog();

  boost::asio::steady_timer timer_;
  std::chrono::microseconds interval_{0};  ///< 0: no watchdog
};

}  // namespace untrombone::daemon
