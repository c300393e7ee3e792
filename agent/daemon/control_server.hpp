// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "agent/daemon/config.hpp"

namespace untrombone::daemon {

class EventHub;

/// Answers operators on a UNIX stream socket: one line of JSON in, one JSON document out, closed. Whoever asks to
/// "watch" gets one line of JSON for each event until he leaves (docs/control-protocol.md).
class ControlServer {
 public:
  /// Gets one line, returns the document. Called on the io_context's thread; must not throw.
  using Answer = std::function<std::string(const std::string& request)>;

  ControlServer(boost::asio::io_context& io, std::string path, Answer answer,
                std::shared_ptr<EventHub> events);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Makes the socket's folder if need be, replaces a socket that nobody answers on, and listens.
  [[nodiscard]] ConfigResult<void> start();

 private:
  class Session;
  class WatchSession;
  void accept();

  boost::asio::io_context& io_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::string path_;
  Answer answer_;
  std::shared_ptr<EventHub> events_;
};

}  // namespace untrombone::daemon
