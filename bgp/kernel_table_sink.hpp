// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "bgp/kernel/ghosts.hpp"
#include "bgp/kernel/table.hpp"
#include "bgp/route_sink.hpp"
#include "bgp/zebra_leftovers.hpp"

namespace untrombone::bgp {

struct KernelTableSinkOptions {
  std::uint8_t table = 201;
  std::string vty_dir = "/var/run/frr";  ///< zebra's, if there is one
  bool retain = true;                    ///< on exit, leave the routes to the next run
  /// By it the daemons know a lingering route: what a ghost is announced as, before it is removed again.
  std::uint32_t lingering_metric = 2000;
  /// Routing daemons are connected to a new zebra within this.
  std::chrono::milliseconds daemons_return{15000};
  /// They have been told of an added route within this.
  std::chrono::milliseconds daemons_told{2000};
};

/// The sink on a routing table of the kernel, for every routing daemon that reads one: FRR (`ip import-table`,
/// `redistribute table-direct`), BIRD (`learn`). The daemon sees the class of a route in its kernel metric, which is
/// the route's own; tags and distances it cannot see.
///
/// States: waiting (the kernel's socket cannot be opened; retried) -> syncing (changes wait for their turn) -> synced.
/// A route is installed when the kernel acknowledged it. The table is read back after each burst and every minute:
/// what vanished (the kernel drops routes with their interface) is put back, and what is left of an earlier run, known
/// by its protocol number, is removed once allow_sweep() was called.
///
/// Changes are paced by those who listen. A netlink socket that overflows loses changes, and the daemon behind it
/// never learns of it, or exits. So a batch goes out when no listener has much waiting; if one lost something all the
/// same, all routes are taken out and put in again, which is the only thing it can hear.
///
/// What is removed while zebra is away is a ghost in the daemons behind it that outlive it. Once they are connected to
/// the next one, each ghost is announced once more, lingering, and removed; what zebra has left of it goes, too.
class KernelTableSink final : public RouteSink {
 public:
  using Now = std::function<core::TimePoint()>;

  struct Counters {
    std::uint64_t changes = 0;     ///< requests that the kernel was sent
    std::uint64_t failures = 0;    ///< of them, those that it refused
    std::uint64_t pauses = 0;      ///< a listener had too much waiting
    std::uint64_t losses = 0;      ///< a listener lost changes, and everything was sent again
    std::uint64_t reinstalls = 0;  ///< routes that had vanished from the table
    std::uint64_t ghosts = 0;      ///< routes cleared out of the daemons behind a zebra that was restarted
  };

  KernelTableSink(boost::asio::io_context& io, SinkListener& listener, KernelTableSinkOptions options,
                  Now now);

  void start() override;
  void apply(const core::RouteChange& change) override;
  void flush() override;
  void note_prior(const core::RouteKey& /*key*/) override {}  // it reads its table itself
  void allow_sweep() override;
  void stop(std::function<void()> done) override;
  [[nodiscard]] const SinkRoutes& routes() const override { return routes_; }
  [[nodiscard]] SinkStatus status() const override;
  [[nodiscard]] std::string reason_of(const core::RouteKey& key) const override;
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  /// What the kernel holds for a prefix, by our knowledge.
  using Programmed = boost::unordered_flat_map<core::IpPrefix, kernel::KernelRoute>;

  bool open();
  bool read_back();
  void take_prior_routes();
  void queue(const core::RouteKey& key);
  void work();
  void work_later(std::chrono::milliseconds delay);
  [[nodiscard]] kernel::Listeners look_at_listeners();
  [[nodiscard]] bool must_pause();
  void send_batch();
  void add_changes(const core::IpPrefix& prefix);
  void take_result(const kernel::Change& change, int error);
  void repair_losses();
  void tend_ghosts_later();
  void tend_ghosts();
  void show_ghosts();
  void end_ghosts();
  void verify();
  void verify_later();
  void sweep();
  void note(const core::RouteKey& key, core::RouteNote note);
  void set_detail(const std::string& detail);
  void finish_stop_if_done();

  boost::asio::io_context& io_;
  SinkListener& listener_;
  KernelTableSinkOptions options_;
  Now now_;
  kernel::Table table_;
  boost::asio::steady_timer work_timer_;
  boost::asio::steady_timer verify_timer_;
  boost::asio::steady_timer ghost_timer_;

  bool open_ = false;
  std::string detail_ = "not started";
  SinkRoutes routes_;
  Programmed programmed_;
  boost::unordered_flat_map<core::RouteKey, std::string> reasons_;
  std::deque<core::IpPrefix> queue_;
  boost::unordered_flat_set<core::IpPrefix> again_;  ///< to be removed and added, as they are
  std::vector<kernel::Change> batch_;
  std::vector<int> errors_;
  bool work_waits_ = false;
  int pauses_in_a_row_ = 0;
  kernel::Ghosts ghosts_;
  ZebraLeftovers leftovers_;
  bool tends_ghosts_ = false;
  std::optional<core::TimePoint> show_at_;  ///< when the daemons behind a new zebra are back
  std::optional<core::TimePoint> end_at_;   ///< when they have been told of what is shown
  kernel::Ghosts::Routes shown_;            ///< ghosts that were announced once more, in order to be removed
  std::uint64_t dropped_ = 0;               ///< of Listeners, when we last looked
  bool sweep_allowed_ = false;
  Counters counters_;
  std::function<void()> stopped_;
};

}  // namespace untrombone::bgp
