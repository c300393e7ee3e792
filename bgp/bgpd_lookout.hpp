// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/core/types.hpp"
#include "bgp/vty_client.hpp"

namespace untrombone::bgp {

/// Does bgpd's `show bgp ... PREFIX json` show a path of its own that carries none of `stale`?
[[nodiscard]] bool shows_own_path(std::string_view answer, const std::vector<std::string>& stale);

struct BgpdLookoutOptions {
  std::string vty_dir = "/var/run/frr";
  std::vector<std::string> stale;  ///< communities of our routes that are not fresh
  std::chrono::milliseconds patience{2000};
};

/// Finds out when bgpd has a route that zebra has acknowledged: bgpd tells nobody of its own routes, so it is asked
/// for that one prefix, again and again with growing pauses, until it is there or `patience` is over.
///
/// A sample, not a census: one route at a time, with a pause after each, so that a storm costs bgpd a few cheap
/// questions a second; a long one after a route that did not come, for then nothing redistributes it. Answers are as
/// exact as the pause before them: 5 ms at first, 40 ms at most.
class BgpdLookout {
 public:
  /// `id` of look_for(); `when` bgpd's answer came.
  using Seen = std::function<void(std::uint64_t id, core::TimePoint when)>;

  BgpdLookout(boost::asio::io_context& io, BgpdLookoutOptions options, Seen seen);
  void stop();

  /// False: it looks for another one, or pauses, or there is no bgpd.
  bool look_for(std::uint64_t id, const core::IpPrefix& prefix, const std::string& vrf_name);

  /// Samples that bgpd did not show in time.
  [[nodiscard]] std::uint64_t missed() const { return missed_; }

 private:
  void ask();
  void take(const VtyResult& result);
  void finish(std::chrono::milliseconds rest);

  BgpdLookoutOptions options_;
  Seen seen_;
  VtyClient bgpd_;
  boost::asio::steady_timer timer_;
  std::uint64_t id_ = 0;
  std::string command_;
  std::chrono::milliseconds pause_{};
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::steady_clock::time_point free_at_;
  bool busy_ = false;
  bool stopped_ = false;
  std::uint64_t missed_ = 0;
};

}  // namespace untrombone::bgp
