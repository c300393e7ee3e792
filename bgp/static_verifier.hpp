// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "bgp/static_routes.hpp"
#include "bgp/vty_client.hpp"
#include "bgp/zebra_rib.hpp"

namespace untrombone::bgp {

/// Looks for static routes in zebra's table until they are in the kernel: that FRR took a line into its configuration
/// does not say so.
///
/// A few are looked up by name, many by one question for all static routes of a VRF and family, whose answer is read as
/// it comes. It looks again, ever more rarely; a route that is still not there after two seconds (among many: two
/// seconds after the last one got there) is told as it is. One that zebra did not answer about is told as unreadable.
class StaticVerifier {
 public:
  /// Called from handlers, never from within expect(). The route is not expected any more.
  using Told = std::function<void(const core::RouteKey& key, const RibView& view)>;

  StaticVerifier(boost::asio::io_context& io, const std::string& zebra_socket, Told told);

  /// The route as it was configured last.
  void expect(const core::RouteKey& key, const StaticRoute& route);
  void forget(const core::RouteKey& key) { expected_.erase(key); }
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Expected {
    StaticRoute route;
    Clock::time_point since;
    RibView view = {};
  };
  /// One answer of zebra's.
  struct Table {
    core::VrfId vrf;
    std::string vrf_name;
    bool v4 = true;
    bool operator==(const Table&) const = default;
  };

  void look_after(std::chrono::milliseconds delay);
  void look();
  void look_up(const core::RouteKey& key, const Expected& expected);
  void take_answer(const core::RouteKey& key, const VtyResult& answer);
  void look_at(const Table& table);
  bool take_member(const Table& table, std::string_view name, std::string_view value);
  void end_table(const Table& table);
  [[nodiscard]] std::vector<Table> tables() const;
  void end_question();
  void end_look();
  void tell_overdue();
  [[nodiscard]] bool is_overdue(const Expected& expected) const;
  void tell(const core::RouteKey& key, const RibView& view);

  Told told_;
  VtyClient zebra_;
  boost::asio::steady_timer timer_;
  boost::unordered_flat_map<core::RouteKey, Expected> expected_;
  std::size_t questions_ = 0;  ///< of this look, without answer yet
  std::chrono::milliseconds delay_{};
  Clock::time_point progress_;  ///< when the last one was seen in the kernel
  bool waits_ = false;
  bool stopped_ = false;
};

}  // namespace untrombone::bgp
