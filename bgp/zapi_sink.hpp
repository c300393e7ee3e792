// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "bgp/route_sink.hpp"
#include "bgp/vty_client.hpp"
#include "bgp/zapi_connection.hpp"
#include "bgp/zebra_leftovers.hpp"

namespace untrombone::bgp {

struct ZapiSinkOptions {
  std::string socket = ZapiOptions().socket;
  std::string vty_dir = ZapiOptions().vty_dir;
  std::string version = ZapiOptions().version;
  std::uint16_t table = ZapiOptions().table;
  bool isis = false;
  bool retain = true;  ///< on exit, leave the routes to the next run (graceful restart)
  std::chrono::seconds retain_time{120};
  /// After zebra was restarted: when the routing daemons, which retry every 10 s, are connected to it again.
  std::chrono::milliseconds daemons_return{15000};
};

/// The sink on zebra's own socket.
///
/// States: waiting (ZapiConnection says for what) -> syncing (something waits to be written) -> synced. Changes wait in
/// a queue by key and are encoded when zebra has room for them, so a slow or stuck zebra costs one entry a route,
/// whatever happens meanwhile. Whenever the connection breaks, all routes are queued again; zebra keeps the old ones
/// meanwhile (graceful restart), and what was not sent again is removed once allow_sweep() was called: by name where
/// it is known, because zebra's own sweep knows no routes outside the VRF's table, and then by zebra.
///
/// A route is `sent` until zebra's owner note. No note means nothing: zebra sends none for a route that loses from the
/// start. So a route that stays `sent` is looked up by zebra's vty. An unknown message, which zebra answers in its
/// turn, tells "read, and no note" from "not read yet": the echo.
///
/// A route that zebra rejects is tried again, after a second and then ever more seldom: the kernel tells us of an
/// interface that is up sooner than zebra, and a route that comes in between fails.
///
/// The removal of a route that another daemon's route may overtake waits a moment, and when it has been overtaken a
/// second, and until zebra has answered what it was told before. Zebra announces the winner to the daemons, and with it
/// that ours is gone, when the kernel has the winner; it says that ours has lost when it asks the kernel. If ours is
/// removed in between, nobody tells the daemons, and they keep it for good (rib_process_result in zebra/zebra_rib.c,
/// 8.4 to 10.7).
///
/// A route that has not won since zebra was started may be beaten by what a killed zebra left: ZebraLeftovers looks.
///
/// Zebra's other habits that shape the code are in docs/architecture.md.
class ZapiSink final : public RouteSink, private ZapiUser {
 public:
  using Now = std::function<core::TimePoint()>;

  struct Counters {
    std::uint64_t changes = 0;   ///< route messages written
    std::uint64_t resyncs = 0;   ///< connections on which everything was sent again
    std::uint64_t verified = 0;  ///< routes looked up for want of a note
    std::uint64_t ghosts = 0;    ///< routes cleared out of the routing daemons after a restart of zebra
  };

  ZapiSink(boost::asio::io_context& io, SinkListener& listener, ZapiSinkOptions options, Now now);

  void start() override { connection_.start(); }
  void apply(const core::RouteChange& change) override;
  void flush() override;
  void note_prior(const core::RouteKey& key) override;
  void allow_sweep() override;
  void stop(std::function<void()> done) override;
  [[nodiscard]] const SinkRoutes& routes() const override { return routes_; }
  [[nodiscard]] SinkStatus status() const override;
  [[nodiscard]] std::string reason_of(const core::RouteKey& key) const override;
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  /// A route message in the stream: where it ends, for the time it was written.
  struct InFlight {
    std::uint64_t end;
    core::RouteKey key;
  };

  /// A removal that waits.
  struct Parked {
    core::TimePoint since;
    bool overtaken = false;
  };

  /// When a rejected route is tried again, and how long it waits for that.
  struct Retry {
    core::TimePoint at;
    core::Duration pause{};
  };

  // ZapiUser
  void on_zebra_ready() override;
  void on_zebra_message(const zapi::Message& message) override;
  void on_zebra_writable() override;
  void on_zebra_lost() override;
  void on_zebra_status() override;

  void queue(const core::RouteKey& key, SinkRoute& route);
  void remove_prior(const core::RouteKey& key);
  void remove_prior_routes();
  void pump();
  void fill();
  void send_route(const core::RouteKey& key, SinkRoute& route);
  void retain_in(core::VrfId vrf);
  void account_written();
  void take_note(const zapi::OwnerNote& note);
  void take_removal_note(const core::RouteKey& key, SinkRoute& route);
  void win(const core::RouteKey& key, SinkRoute& route);
  void lose(const core::RouteKey& key, SinkRoute& route, RouteState state, const std::string& reason);
  void look_for_leftover(const core::RouteKey& key, const SinkRoute& route);
  [[nodiscard]] std::uint32_t direct_table(const core::RouteKey& key) const;

  // zapi_watch.cpp: what zebra does not say by itself
  void watch();
  void on_watch();
  void send_echo();
  void take_echo();
  void give_up_removals(core::TimePoint before);
  void verify(core::TimePoint before);
  void ask_about(const core::RouteKey& key);
  void take_view(const core::RouteKey& key, const VtyResult& answer);
  void note_rejection(const core::RouteKey& key);
  void try_again();
  void remove_parked();
  void await_daemons();
  void clear_ghosts();
  void end_ghost(const core::RouteKey& key, SinkRoute& route);
  [[nodiscard]] bool has_any_in(std::initializer_list<RouteState> states) const;
  [[nodiscard]] bool has_unanswered() const;
  void finish_stop_if_done();
  void end_stop();

  boost::asio::io_context& io_;
  SinkListener& listener_;
  ZapiSinkOptions options_;
  Now now_;
  ZapiConnection connection_;
  VtyClient vty_;
  ZebraLeftovers leftovers_;
  boost::asio::steady_timer watch_timer_;
  boost::asio::steady_timer ghost_timer_;
  boost::asio::steady_timer stop_timer_;

  SinkRoutes routes_;
  boost::unordered_flat_map<core::RouteKey, std::string> reasons_;
  boost::unordered_flat_map<core::RouteKey, Retry> rejected_;
  std::deque<core::RouteKey> queue_;
  std::deque<InFlight> in_flight_;
  std::vector<core::VrfId>
      retained_;  ///< VRFs in which zebra knows, on this connection, that we restart gracefully
  boost::unordered_flat_map<core::RouteKey, Parked> parked_;
  std::set<core::RouteKey> prior_;  ///< to be removed by the sweep, unless wanted
  /// Withdrawn, and nobody has said that they are gone. After a restart of zebra the routing daemons may keep them.
  boost::unordered_flat_map<core::RouteKey, core::Route> ghosts_;
  bool awaits_daemons_ = false;        ///< until the ghosts can be cleared
  std::set<core::RouteKey> clearing_;  ///< ghosts that were announced once more, in order to be withdrawn
  int last_zebra_ = 0;                 ///< its process

  bool watching_ = false;
  std::optional<core::TimePoint> echo_;  ///< when the question was sent that zebra has not answered yet
  bool stuck_ = false;
  std::size_t questions_ = 0;  ///< to the vty, unanswered
  bool sweep_allowed_ = false;
  bool swept_ = false;
  Counters counters_;
  std::function<void()> stopped_;
};

}  // namespace untrombone::bgp
