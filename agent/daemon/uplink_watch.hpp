// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/core/uplink.hpp"
#include "agent/daemon/config.hpp"
#include "agent/daemon/log.hpp"
#include "agent/daemon/topology.hpp"
#include "netlink/route_watch.hpp"

namespace untrombone::daemon {

/// Uplink tracking (design 4): follows the tracked routes in the routing table of each segment, and says which segments
/// are cut off from the rest of the world, family by family.
class UplinkWatch {
 public:
  /// Called when a segment's state changes.
  using Changed = std::function<void(const core::UplinkChanged&)>;

  UplinkWatch(boost::asio::io_context& io, const Config& config, const Topology& topology, const Log& log);

  void on_change(Changed changed) { changed_ = std::move(changed); }
  [[nodiscard]] boost::system::error_code start();
  /// Call when the interfaces of `topology`, or the configuration, changed.
  void update();

  /// Is any segment cut off?
  [[nodiscard]] bool any_isolated() const { return !isolated_.empty(); }
  [[nodiscard]] bool is_isolated(core::SegmentId id, core::Family family) const;
  /// The tracked routes that are not there, for people: "0.0.0.0/0 in table 254".
  [[nodiscard]] std::vector<std::string> absent() const;

 private:
  struct Tracked {
    core::Uplink uplink;
    std::map<core::IpPrefix, bool> present;
  };
  using Key = std::pair<std::uint32_t, core::Family>;

  void take(std::uint32_t table, const core::IpPrefix& prefix, bool present);
  void run();
  void tell_segments();
  void arm();

  const Config& config_;
  const Topology& topology_;
  const Log& log_;
  netlink::RouteWatch watch_;
  boost::asio::steady_timer timer_;
  Changed changed_;
  std::vector<core::IpPrefix> prefixes_;  ///< what is tracked now
  core::Duration hold_{};
  std::map<Key, Tracked> tracked_;
  std::set<std::pair<core::SegmentId, core::Family>> isolated_;
};

}  // namespace untrombone::daemon
