// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "bgp/route_sink.hpp"
#include "bgp/static_routes.hpp"
#include "bgp/vty_client.hpp"

namespace untrombone::bgp {

struct VtyshSinkOptions {
  std::string vty_dir = "/var/run/frr";
  std::uint32_t first_tag = 4210;  ///< of the three by which our static routes are known
  bool retain = true;              ///< on exit, leave the routes to the next run
};

/// The sink on FRR's configuration: static routes, as an operator would write them in vtysh. Slow (some hundred to some
/// thousand routes a second), but it needs nothing but the vty sockets, and every daemon of every release
/// redistributes static routes, OSPFv3 too.
///
/// States: waiting (for the vty; retried) -> reading (the running configuration: what is there already) -> syncing ->
/// synced. The configuration belongs to mgmtd where there is one (FRR 10), else to staticd. A route is sent once its
/// line is taken, and installed once zebra shows it. The configuration is read again every 10 s, because a daemon that
/// was restarted has forgotten what nobody wrote to its file; what is missing is put back.
class VtyshSink final : public RouteSink {
 public:
  using Now = std::function<core::TimePoint()>;

  VtyshSink(boost::asio::io_context& io, SinkListener& listener, VtyshSinkOptions options, Now now);

  void start() override;
  void apply(const core::RouteChange& change) override;
  void flush() override;
  void note_prior(const core::RouteKey& /*key*/) override {}
  void allow_sweep() override;
  void stop(std::function<void()> done) override;
  [[nodiscard]] const SinkRoutes& routes() const override { return routes_; }
  [[nodiscard]] SinkStatus status() const override;
  [[nodiscard]] std::string reason_of(const core::RouteKey& key) const override;

 private:
  enum class Phase : std::uint8_t { kWaiting, kReading, kReady };
  /// A line that waits for its turn. `route` is absent for those that only change the mode.
  struct Line {
    std::string text;
    std::optional<core::RouteKey> key;
    std::optional<StaticRoute> route;  ///< what there is once it was taken; absent: nothing
  };

  void connect();
  void read_configuration();
  void take_configuration(const std::string& text);
  void remove_surplus(const std::vector<std::string>& commands);
  void wait_for(const std::string& why);
  void queue(const core::RouteKey& key);
  void work();
  void add_lines(const core::RouteKey& key);
  [[nodiscard]] std::optional<StaticRoute> line_of(const core::RouteKey& key, const core::Route& route) const;
  void send_next();
  void take_answer(const Line& line, const VtyResult& answer);
  void take_success(const Line& line);
  void reject(const core::RouteKey& key, const std::string& reason);
  void verify();
  void ask_about(const core::RouteKey& key);
  void take_view(const core::RouteKey& key, const VtyResult& answer);
  void check_again_later();
  void sweep();
  void note(const core::RouteKey& key, core::RouteNote note);
  void set_detail(const std::string& detail);
  void finish_stop_if_done();

  boost::asio::io_context& io_;
  SinkListener& listener_;
  VtyshSinkOptions options_;
  Now now_;
  VtyClient zebra_;
  std::shared_ptr<VtyClient> vty_;  ///< mgmtd's or staticd's; it remembers the mode it is in
  boost::asio::steady_timer retry_timer_;
  boost::asio::steady_timer verify_timer_;
  boost::asio::steady_timer stop_timer_;

  Phase phase_ = Phase::kWaiting;
  std::string detail_ = "not started";
  SinkRoutes routes_;
  boost::unordered_flat_map<core::RouteKey, StaticRoute> programmed_;
  boost::unordered_flat_map<core::RouteKey, std::string> reasons_;
  std::deque<core::RouteKey> queue_;
  std::deque<Line> lines_;
  bool sending_ = false;
  bool prior_told_ = false;
  std::deque<core::RouteKey> unverified_;
  std::size_t questions_ = 0;
  bool verify_waits_ = false;
  bool sweep_allowed_ = false;
  std::function<void()> stopped_;
};

}  // namespace untrombone::bgp
