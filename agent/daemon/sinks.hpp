// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "agent/daemon/config.hpp"
#include "agent/daemon/log.hpp"
#include "bgp/route_sink.hpp"

namespace untrombone::daemon {

/// The sink that is configured; with `observe` the one that does nothing.
[[nodiscard]] std::unique_ptr<bgp::RouteSink> make_sink(boost::asio::io_context& io,
                                                        bgp::SinkListener& listener, const Config& config,
                                                        const Log& log, bool observe);

/// What the sink writes to, for messages and for the lock that keeps a second agent off it: zebra's socket, the number
/// of the kernel's table, or the directory of the vty sockets.
[[nodiscard]] std::string sink_target(const Config& config);

}  // namespace untrombone::daemon
