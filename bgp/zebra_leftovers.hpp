// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "agent/core/event.hpp"
#include "bgp/kernel/table.hpp"
#include "bgp/vty_client.hpp"

namespace untrombone::bgp {

/// Takes out of zebra's table what a killed zebra left in it.
///
/// A zebra of FRR 10.2 to 10.6 sweeps before it has come to the routes that it found in the kernel (zebra_ns.c, mended
/// in 10.7). It keeps them for good, as kernel routes of distance 0: they beat ours, and other sites', and the routing
/// daemons are told nothing. It sweeps its predecessor's next hop objects, and with these the kernel has dropped the
/// routes themselves; and a removal that the kernel announces of "its own" routes zebra does not believe. What it does
/// believe is a kernel route of somebody else. One whose metric it reads as that of the leftover takes the leftover's
/// place, and may be removed. So that is added and removed, in one go: our protocol number, and a priority which zebra
/// reads as distance 255, so that the route wins nowhere meanwhile.
///
/// States of a suspect: waiting -> asked about -> (zebra has a leftover: superseded -> waiting, ever longer) -> none.
/// Nothing of anybody else's is ever removed, and nothing happens unless zebra itself shows a leftover
/// (read_leftover()). Nothing blocks: a batch in the kernel takes a millisecond.
class ZebraLeftovers {
 public:
  using Now = std::function<core::TimePoint()>;
  /// Gets what was superseded; never called from within a call.
  using Superseded = std::function<void(const std::vector<core::RouteKey>& keys)>;

  ZebraLeftovers(boost::asio::io_context& io, const std::string& vty_dir, Now now, Superseded superseded);

  /// A route of ours out of `interface` that did not win, or was withdrawn while zebra was away: looks at it soon.
  void suspect(const core::RouteKey& key, core::Ifindex interface);
  /// Zebra has installed our route.
  void acquit(const core::RouteKey& key) { suspects_.erase(key); }
  /// Zebra has gone.
  void clear();

 private:
  struct Suspect {
    core::Ifindex interface;
    core::TimePoint at;      ///< when it is looked at
    core::Duration pause{};  ///< after that
  };
  struct Leftover {
    core::RouteKey key;
    core::Ifindex interface;
  };

  void look_later(const core::RouteKey& key, Suspect& suspect);
  void arm();
  void ask_what_is_due();
  void ask_about(const core::RouteKey& key);
  void take_answer(const core::RouteKey& key, const VtyResult& answer);
  void supersede();
  void supersede(std::uint32_t table, const std::vector<Leftover>& leftovers,
                 std::vector<core::RouteKey>& done);

  Now now_;
  Superseded superseded_;
  VtyClient vty_;
  boost::asio::steady_timer timer_;
  boost::unordered_flat_map<core::RouteKey, Suspect> suspects_;
  /// Whom to look at when; an entry counts if the suspect still has that time.
  std::multimap<core::TimePoint, core::RouteKey> schedule_;
  std::map<std::uint32_t, std::vector<Leftover>> found_;  ///< by kernel table
  std::size_t found_count_ = 0;
  std::size_t questions_ = 0;  ///< unanswered
};

}  // namespace untrombone::bgp
