// SPDX-License-Identifier: GPL-2.0-or-later
// A site is lost with all its hosts, they come up at the other one, and later they go back: what the routed world sees
// of it in each mode of summaries.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace untrombone::failover {

using Seconds = std::chrono::duration<double>;

enum class Loss : std::uint8_t {
  kEdge,   ///< the edge is gone with its agent, its routing daemons, its uplink and its end of the DCI
  kUplink  ///< only the uplink is gone; the hosts are moved away from there
};

struct Options {
  std::string binary;  ///< the agent's
  std::string mode = "exact";
  Loss loss = Loss::kEdge;
  std::uint32_t hosts = 1000;
  std::chrono::milliseconds arrivals{1000};  ///< they come up, in random order, over this time
  std::chrono::seconds settle{2};            ///< and `hold`; `break-delay` is half of it
  std::size_t sampled = 100;                 ///< so many of them are pinged
  std::chrono::milliseconds interval{200};   ///< each of those this often
};

/// All hosts go from one site to the other.
struct Crossing {
  Seconds spoken{};  ///< from the first host's word to the last one's
  Seconds
      all_reachable{};  ///< from the first host's word to when the remote router sends to the last one's new site
  Seconds delay_median{};  ///< of a host: from its word to that; 0 when the route was there before
  Seconds delay_p99{};
  Seconds delay_worst{};
  std::size_t never = 0;  ///< hosts that the remote router does not send to their new site in the end
  std::size_t dark =
      0;  ///< hosts that a lookup found no route for, at an instant after they had one to the new site
  std::size_t routes_most = 0;
  std::size_t routes_end = 0;
  std::size_t changes = 0;  ///< of the remote router's table
  /// Routes in the remote router's table at this time after the first word.
  std::vector<std::pair<Seconds, std::size_t>> routes_over_time;
  std::size_t probes = 0;      ///< pings of the sampled hosts from their word on
  std::size_t lost = 0;        ///< of those, unanswered
  std::size_t lost_worst = 0;  ///< of one host
  std::size_t overruns = 0;    ///< events that we missed: nothing above is true then
};

struct Report {
  std::size_t routes_before = 0;
  Crossing away;
  Crossing back;
};

/// Makes a lab, runs it all, throws std::runtime_error naming the step that did not come to its end.
Report run(const Options& options);

/// Ascending addresses in 10.1.0.0/17: tenants of 8 to 512 neighbours, 60 % of them here.
std::vector<std::uint32_t> tenants(std::uint32_t hosts);

}  // namespace untrombone::failover
