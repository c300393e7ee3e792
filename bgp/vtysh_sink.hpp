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
#include "bgp/static_batch.hpp"
#include "bgp/static_routes.hpp"
#include "bgp/static_verifier.hpp"
#include "bgp/vty_client.hpp"

namespace untrombone::bgp {

struct VtyshSinkOptions {
  std::string vty_dir = "/var/run/frr";
  std::uint32_t first_tag = 4210;  ///< of the three by which our static routes are known
  bool retain = true;              ///< on exit, leave the routes to the next run
};

/// The sink on FRR's configuration: static routes, as an operator would write them in vtysh. Slow (some thousand routes
/// a second), but it needs nothing but the vty sockets, and every daemon of every release redistributes static routes,
/// OSPFv3 too.
///
/// States: waiting (for the vty; retried) -> reading (the running configuration: what is there already) -> syncing ->
/// synced. All changes that wait go in one transaction; what is refused is halved until the line that cannot be stands
/// alone. A route is sent once its transaction is taken, and installed once zebra shows it. The configuration is read
/// again every 10 s, because a daemon that was restarted has forgotten what nobody wrote to its file; what is missing
/// is put back. So is zebra asked, for a route is installed only as long as zebra has it: without an answer the sink
/// waits, too.
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
  void connect();
  void read_configuration();
  void take_configuration(const std::string& text);
  void wait_for(const std::string& why, bool is_there = false);
  void queue(const core::RouteKey& key);
  void work();
  void add_lines(const core::RouteKey& key);
  [[nodiscard]] std::optional<StaticRoute> line_of(const core::RouteKey& key, const core::Route& route);
  [[nodiscard]] const std::string& name_of(core::Ifindex interface);
  void send();
  void take_answers(std::vector<VtyAnswer> answers);
  void take_refusal(const std::vector<BatchLine>& lines, const std::string& reason);
  void take_answer(const BatchLine& line, const VtyAnswer& answer);
  void take_success(const BatchLine& line);
  void reject(const core::RouteKey& key, const std::string& reason);
  void take_view(const core::RouteKey& key, const RibView& view);
  void check_again_later();
  void ask_zebra_again();
  void take_silence(bool zebra_is_silent);
  void doubt_installed();
  void sweep();
  void note(const core::RouteKey& key, core::RouteNote note);
  void set_detail(const std::string& detail);
  void finish_stop_if_done();

  boost::asio::io_context& io_;
  SinkListener& listener_;
  VtyshSinkOptions options_;
  Now now_;
  StaticVerifier verifier_;
  ConfigDaemon daemon_ = ConfigDaemon::kStaticd;
  std::shared_ptr<VtyClient> vty_;  ///< that daemon's; it remembers the mode it is in
  boost::asio::steady_timer retry_timer_;
  boost::asio::steady_timer stop_timer_;

  Phase phase_ = Phase::kWaiting;
  bool is_there_ = false;  ///< while it waits: the daemon listens, and takes nothing for now
  bool zebra_is_silent_ = false;
  std::string detail_ = "not started";
  SinkRoutes routes_;
  boost::unordered_flat_map<core::RouteKey, StaticRoute> programmed_;
  boost::unordered_flat_map<core::RouteKey, std::string> reasons_;
  std::deque<core::RouteKey> queue_;
  std::vector<BatchLine> lines_;  ///< under way
  std::size_t most_keys_;         ///< of the next batch; less after a refusal
  bool discard_first_ = false;    ///< what mgmtd has refused
  bool prior_told_ = false;
  bool sweep_allowed_ = false;
  boost::unordered_flat_map<int, std::string> names_;  ///< of interfaces, while a batch is made
  std::function<void()> stopped_;
};

}  // namespace untrombone::bgp
