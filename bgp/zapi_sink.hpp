// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bgp/route_sink.hpp"
#include "bgp/zapi/codec.hpp"

namespace untrombone::bgp {

struct ZapiSinkOptions {
  std::string socket = "/var/run/frr/zserv.api";
  std::string version = "auto";  ///< or the FRR release that must be found, e.g. "8.4"
  std::uint16_t table = 201;     ///< zebra instance where the release needs one; 1..252
  bool retain = true;            ///< on exit, leave the routes to the next run (graceful restart)
  std::chrono::seconds retain_time{120};
};

/// The sink on zebra's own socket.
///
/// States: waiting (with a reason; retried with back-off from 100 ms to 5 s) -> asking which release it is -> syncing
/// (everything wanted is written) -> synced. An unknown release is refused. Whenever the connection breaks, all routes
/// are queued again and sent after reconnecting; zebra keeps the old ones meanwhile (graceful restart) and sweeps what
/// was not sent again once allow_sweep() was called. Zebra's limits that shape the code are in docs/architecture.md.
class ZapiSink final : public RouteSink {
 public:
  using Now = std::function<core::TimePoint()>;

  ZapiSink(boost::asio::io_context& io, SinkListener& listener, ZapiSinkOptions options, Now now);

  void start() override;
  void apply(const core::RouteChange& change) override;
  void flush() override;
  void allow_sweep() override;
  void stop(std::function<void()> done) override;
  [[nodiscard]] const SinkRoutes& routes() const override { return routes_; }
  [[nodiscard]] SinkStatus status() const override;

 private:
  enum class Phase { kWaiting, kProbing, kHello, kReady };
  /// A route message in the outbox: where it ends in the stream, for the time it was written.
  struct InFlight {
    std::uint64_t end;
    core::IpPrefix prefix;
  };

  void connect();
  void on_connected();
  void disconnect(const std::string& why);
  void retry_later();
  void say_hello();
  void on_release_known(const zapi::Release& release);
  void sync();
  void remove_unknown(const core::IpPrefix& prefix);
  void send_route(const core::IpPrefix& prefix, SinkRoute& route);
  void sweep_if_due();
  void resend_after_removal();
  void write();
  void account_written(std::size_t count);
  void wait_writable();
  void read();
  void take_input();
  void take_message(const zapi::Message& message);
  void take_probe_answer(const zapi::Message& message);
  void take_hello_answer(const zapi::Message& message);
  void take_note(const core::RouteNoted& note);
  void set_waiting(const std::string& why);
  void finish_stop_if_done();
  void close();

  boost::asio::io_context& io_;
  SinkListener& listener_;
  ZapiSinkOptions options_;
  Now now_;
  boost::asio::local::stream_protocol::socket socket_;
  boost::asio::steady_timer retry_timer_;
  boost::asio::steady_timer removal_timer_;
  boost::asio::steady_timer stop_timer_;

  Phase phase_ = Phase::kWaiting;
  std::string detail_ = "not started";
  const zapi::Release* release_ = nullptr;
  std::uint16_t instance_ = 0;
  std::uint16_t error_command_ = 0;
  std::span<const std::uint16_t> hellos_;  ///< still to be tried
  std::chrono::milliseconds backoff_{0};

  SinkRoutes routes_;
  std::vector<std::byte> outbox_;
  std::uint64_t queued_bytes_ = 0;   ///< ever put into the outbox on this connection
  std::uint64_t written_bytes_ = 0;  ///< ever written on this connection
  std::deque<InFlight> in_flight_;
  bool waiting_writable_ = false;
  bool removal_timer_running_ = false;
  bool sweep_allowed_ = false;
  bool swept_ = false;

  std::array<std::byte, 65536> input_{};
  std::size_t input_size_ = 0;
  std::function<void()> stopped_;
};

}  // namespace untrombone::bgp
