// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/metrics_server.hpp"

#include <memory>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "agent/daemon/config_values.hpp"

namespace untrombone::daemon {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
namespace asio = boost::asio;

constexpr std::size_t kLongestHead = std::size_t{8} * 1024;
constexpr std::size_t kMostSessions = 16;
constexpr std::chrono::seconds kPatience{5};

}  // namespace

/// One scrape. Owns itself through the handlers.
class MetricsServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, MetricsServer& server)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        server_(server),
        sessions_(server.sessions_) {
    ++*sessions_;
  }
  ~Session() { --*sessions_; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start() {
    timer_.expires_after(kPatience);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->close();
    });
    asio::async_read_until(socket_, asio::dynamic_buffer(head_, kLongestHead), "\r\n\r\n",
                           [self = shared_from_this()](const error_code& error, std::size_t /*length*/) {
                             if (error) return self->close();
                             self->reply();
                           });
  }

 private:
  void reply() {
    const auto request = parse_http_request(head_);
    HttpAnswer answer;
    if (!request) {
      answer = {400, "text/plain", "this is not HTTP\n"};
    } else if (request->method != "GET" && request->method != "HEAD") {
      answer = {405, "text/plain", "GET only\n"};
    } else {
      answer = server_.serve_(request->path);
    }
    response_ = render_http(answer, !request || request->method != "HEAD");
    asio::async_write(
        socket_, asio::buffer(response_),
        [self = shared_from_this()](const error_code& /*error*/, std::size_t /*count*/) { self->close(); });
  }

  void close() {
    error_code ignored;
    timer_.cancel();
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  MetricsServer& server_;
  std::shared_ptr<std::size_t> sessions_;
  std::string head_;
  std::string response_;
};

MetricsServer::MetricsServer(asio::io_context& io, Serve serve) : acceptor_(io), serve_(std::move(serve)) {}

ConfigResult<void> MetricsServer::start(const std::string& listen) {
  const auto where = parse_listen(listen);
  if (!where) return ConfigError{fmt::format("metrics.listen {}: expected ADDRESS:PORT", listen)};
  error_code error;
  const auto address = asio::ip::make_address(where->address, error);
  const tcp::endpoint endpoint(address, where->port);
  if (!error) acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return ConfigError{fmt::format("metrics.listen {}: {}", listen, error.message())};
  accept();
  return {};
}

void MetricsServer::accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error && *sessions_ < kMostSessions) std::make_shared<Session>(std::move(socket), *this)->start();
    accept();
  });
}

}  // namespace untrombone::daemon
