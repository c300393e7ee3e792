// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/notify.hpp"

#include <boost/system/error_code.hpp>
#include <systemd/sd-daemon.h>

namespace untrombone::daemon {

Notify::Notify(boost::asio::io_context& io) : timer_(io) {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) > 0) interval_ = std::chrono::microseconds(microseconds / 2);
}

void Notify::ready(const std::string& status) {
  sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
  if (interval_.count() != 0) feed_watchdog();  // a second call only moves the timer
}

void Notify::status(const std::string& status) { sd_notify(0, ("STATUS=" + status).c_str()); }

void Notify::reloading() { sd_notify(0, "RELOADING=1"); }

void Notify::stopping() {
  sd_notify(0, "STOPPING=1");
  timer_.cancel();
}

void Notify::feed_watchdog() {
  sd_notify(0, "WATCHDOG=1");
  timer_.expires_after(interval_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) feed_watchdog();
  });
}

}  // namespace untrombone::daemon
