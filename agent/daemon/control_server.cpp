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
#include <nlohmann/json.hpp>

#include "agent/daemon/event_hub.hpp"

namespace untrombone::daemon {
namespace {

using boost::asio::local::stream_protocol;
using boost::system::error_code;
namespace asio = boost::asio;

constexpr std::size_t kLongestRequest = std::size_t{64} * 1024;
constexpr std::chrono::seconds kPatience{10};
constexpr mode_t kSocketMode = 0660;
constexpr std::size_t kWatcherLines = 4096;
constexpr std::size_t kMostWatchers = 64;

}  // namespace

/// One watcher. Owns itself through the handlers; ends when he leaves or cannot be written to.
class ControlServer::WatchSession : public Watcher, public std::enable_shared_from_this<WatchSession> {
 public:
  WatchSession(stream_protocol::socket socket, std::shared_ptr<EventHub> events, WatchRequest request)
      : socket_(std::move(socket)),
        events_(std::move(events)),
        request_(std::move(request)),
        queue_(kWatcherLines) {}
  ~WatchSession() override { events_->leave(*this); }
  WatchSession(const WatchSession&) = delete;
  WatchSession& operator=(const WatchSession&) = delete;

  void start() {
    events_->join(*this);
    queue_.offer(std::make_shared<const std::string>("{\"event\":\"watching\",\"protocol\":1}\n"));
    write_next();
    wait_for_leave();
  }

  void on_event(EventKind kind, const EventLine& line) override {
    if (request_.kinds.count(kind) == 0) return;
    const std::uint64_t dropped = queue_.dropped();
    queue_.offer(line);
    events_->count_dropped(queue_.dropped() - dropped);
    if (writing_ == nullptr) write_next();
  }

 private:
  void write_next() {
    writing_ = queue_.take();
    if (writing_ == nullptr) return;
    asio::async_write(socket_, asio::buffer(*writing_),
                      [self = shared_from_this()](const error_code& error, std::size_t /*count*/) {
                        if (error) return self->close();
                        self->write_next();
                      });
  }

  /// A watcher says nothing more; an end of his stream is his leave.
  void wait_for_leave() {
    socket_.async_read_some(asio::buffer(&ignored_, 1),
                            [self = shared_from_this()](const error_code& error, std::size_t /*count*/) {
                              if (error) return self->close();
                              self->wait_for_leave();
                            });
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  stream_protocol::socket socket_;
  std::shared_ptr<EventHub> events_;
  WatchRequest request_;
  EventQueue queue_;
  EventLine writing_;
  char ignored_ = 0;
};

/// One operator's question. Owns itself through the handlers; ends after the answer, an error or kPatience.
class ControlServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(stream_protocol::socket socket, const Answer& answer, std::shared_ptr<EventHub> events)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        answer_(answer),
        events_(std::move(events)) {}

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
    const std::string line = request_.substr(0, length);
    if (auto watch = parse_watch(line)) {
      if (watch->error.empty() && events_->watchers() >= kMostWatchers)
        watch->error = "too many watch already";
      if (watch->error.empty()) return serve_watcher(std::move(*watch));
      response_ = nlohmann::json{{"error", watch->error}}.dump();
    } else {
      response_ = answer_(line);
    }
    response_ += '\n';
    asio::async_write(
        socket_, asio::buffer(response_),
        [self = shared_from_this()](const error_code& /*error*/, std::size_t /*count*/) { self->close(); });
  }

  void serve_watcher(WatchRequest request) {
    timer_.cancel();
    std::make_shared<WatchSession>(std::move(socket_), events_, std::move(request))->start();
  }

  void close() {
    error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
  }

  stream_protocol::socket socket_;
  asio::steady_timer timer_;
  const Answer& answer_;
  std::shared_ptr<EventHub> events_;
  std::string request_;
  std::string response_;
};

ControlServer::ControlServer(asio::io_context& io, std::string path, Answer answer,
                             std::shared_ptr<EventHub> events)
    : io_(io),
      acceptor_(io),
      path_(std::move(path)),
      answer_(std::move(answer)),
      events_(std::move(events)) {}

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
    if (!error) std::make_shared<Session>(std::move(socket), answer_, events_)->start();
    accept();
  });
}

}  // namespace untrombone::daemon
