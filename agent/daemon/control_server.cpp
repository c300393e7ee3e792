// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/control_server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace untrombone::daemon {
namespace {

using boost::asio::local::stream_protocol;
using boost::system::error_code;
namespace asio = boost::asio;

constexpr std::size_t kLongestRequest = std::size_t{64} * 1024;
constexpr std::chrono::seconds kPatience{10};
constexpr mode_t kSocketMode = 0660;

}  // namespace

/// One operator's question. Owns itself through the handlers; ends after the answer, an error or kPatience.
class ControlServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(stream_protocol::socket socket, const Answer& answer)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), answer_(answer) {}

  void start() {
    timer_.expires_after(kPatience);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->close();
    });
    asio::async_read_until(socket_, asio::dynamic_buffer(request_, kLongestRequest), '\n',
                           [self = shared_from_this()](const error_code& error, std::size_t length) {
                             if (error) return self->close();
                             self->reply(length);
                           });
  }

 private:
  void reply(std::size_t length) {
    response_ = answer_(request_.substr(0, length));
    response_ += '\n';
    asio::async_write(
        socket_, asio::buffer(response_),
        [self = shared_from_this()](const error_code& /*error*/, std::size_t /*count*/) { self->close(); });
  }

  void close() {
    error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
  }

  stream_protocol::socket socket_;
  asio::steady_timer timer_;
  const Answer& answer_;
  std::string request_;
  std::string response_;
};

ControlServer::ControlServer(asio::io_context& io, std::string path, Answer answer)
    : io_(io), acceptor_(io), path_(std::move(path)), answer_(std::move(answer)) {}

ControlServer::~ControlServer() {
  if (acceptor_.is_open()) unlink(path_.c_str());
}

ConfigResult<void> ControlServer::start() {
  const auto failed = [&](std::string_view what) {
    return ConfigError{fmt::format("control socket {}: {}", path_, what)};
  };
  std::error_code file_error;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), file_error);
  if (file_error) return failed(file_error.message());
  const stream_protocol::endpoint endpoint(path_);
  error_code error;
  stream_protocol::socket other(io_);
  other.connect(endpoint, error);
  if (!error) return failed("another agent answers there");
  unlink(path_.c_str());
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error.message());
  chmod(path_.c_str(), kSocketMode);
  accept();
  return {};
}

void ControlServer::accept() {
  acceptor_.async_accept([this](const error_code& error, stream_protocol::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) std::make_shared<Session>(std::move(socket), answer_)->start();
    accept();
  });
}

}  // namespace untrombone::daemon
