// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "agent/daemon/config.hpp"
#include "agent/daemon/http_request.hpp"

namespace untrombone::daemon {

/// Serves GET requests on the agent's own thread (docs/decisions/0009-metrics.md): one request, one answer, closed. A
/// client that is slow, or says too much, is cut off; so is one too many.
class MetricsServer {
 public:
  /// Called on the io_context's thread; must not throw.
  using Serve = std::function<HttpAnswer(const std::string& path)>;

  MetricsServer(boost::asio::io_context& io, Serve serve);

  /// `listen`: what parse_listen() reads.
  [[nodiscard]] ConfigResult<void> start(const std::string& listen);

 private:
  class Session;
  void accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  Serve serve_;
  std::shared_ptr<std::size_t> sessions_ = std::make_shared<std::size_t>(0);  ///< outlives this by a moment
};

}  // namespace untrombone::daemon
