// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/tap_watch.hpp"

#include <chrono>
#include <utility>

namespace untrombone::daemon {

TapWatch::TapWatch(boost::asio::io_context& io, arp::PortTap& tap,
                   std::function<void(const std::vector<core::Ifindex>&)> lost)
    : timer_(io), tap_(tap), lost_(std::move(lost)) {}

void TapWatch::start() {
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const std::vector<core::Ifindex> ports = tap_.take_losses();
    if (!ports.empty()) lost_(ports);
    start();
  });
}

}  // namespace untrombone::daemon
