// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/daemon/config.hpp"
#include "agent/daemon/log.hpp"
#include "bgp/frr_lint.hpp"
#include "bgp/route_sink.hpp"
#include "bgp/vty_client.hpp"

namespace untrombone::daemon {

/// What keeps FRR from announcing our routes, for as long as it does.
struct FrrTrouble {
  bgp::FrrFinding finding;
  core::TimePoint since;  ///< when it was first seen
  core::TimePoint last;   ///< when it was last looked at
};

/// The one finding that no configuration shows.
inline constexpr std::string_view kFrrDaemonDeaf = "frr-daemon-deaf";

/// Looks at what FRR makes of our routes: at the running configuration of the daemons of routes.protocols
/// (bgp::lint_frr()), and at whether they hear the zebra that runs now. One that was not restarted with its zebra does
/// not: what it was told before stays, and nothing new reaches it (docs/restarts.md).
///
/// States: waiting -> asking, one daemon after the other -> waiting. Looks every half minute; sooner after a start, a
/// reload, a change of the sink, and while a daemon does not answer. One that does not is not judged. Nothing blocks.
class FrrWatch {
 public:
  FrrWatch(boost::asio::io_context& io, const Config& config, const bgp::RouteSink& sink, const Log& log);

  /// Called when troubles() got longer or shorter.
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }
  /// Look again now rather than in time.
  void look_soon();
  void stop();
  [[nodiscard]] const std::vector<FrrTrouble>& troubles() const { return troubles_; }

 private:
  struct Daemon {
    bgp::RoutingProtocol protocol;
    std::string name;          ///< "bgpd"
    std::string zebra_name;    ///< "bgp": what zebra calls it
    std::string running = {};  ///< its configuration; empty: it does not answer
  };

  void schedule(core::Duration after);
  void look();
  void ask_next(std::size_t index);
  void connect(const std::string& socket);
  void ask_zebra();
  void judge(const std::string& zebra_clients);
  [[nodiscard]] std::vector<bgp::FrrFinding> deaf_daemons(const std::string& zebra_clients,
                                                          const std::vector<bgp::FrrFinding>& known);
  [[nodiscard]] bool announces(core::Family family) const;
  void note(const std::vector<bgp::FrrFinding>& findings);

  boost::asio::io_context& io_;
  const Config& config_;
  const bgp::RouteSink& sink_;
  const Log& log_;
  boost::asio::steady_timer timer_;
  std::vector<Daemon> daemons_;  ///< of the look that goes on
  std::shared_ptr<bgp::VtyClient> vty_;
  bool looking_ = false;
  bool again_ = false;  ///< look_soon() was called meanwhile
  bool stopped_ = false;
  std::set<std::string> suspects_;  ///< daemons that heard nothing at the last look
  std::vector<FrrTrouble> troubles_;
  std::function<void()> changed_;
};

}  // namespace untrombone::daemon
