// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "agent/core/event.hpp"
#include "tests/scenario/sim/scheduler.hpp"

namespace untrombone::sim {

using SiteIndex = std::size_t;

/// How long the routing protocol takes. Withdrawals are not held up as updates are: FRR writes them first.
struct RoutingDelays {
  Duration shortest = std::chrono::milliseconds(20);
  Duration longest = std::chrono::milliseconds(120);
  Duration longest_withdrawal = std::chrono::milliseconds(60);
};

/// The routed world: every site has a session with one remote router, which hears all sites, chooses, and tells each
/// site what another one has that is better than the site's own. Messages about different prefixes overtake each other;
/// of one prefix, a later message replaces an earlier one that has not left yet. The newest class wins (fresh, settled,
/// lingering), then the lower metric; of equal ones the older stays.
class Routing {
 public:
  /// `heard(site, prefix, visible)`: the remote router now offers (or no longer offers) another site's route to `site`.
  using Heard = std::function<void(SiteIndex, const core::IpPrefix&, std::optional<core::Route>)>;

  Routing(Scheduler& scheduler, Random& random, std::size_t sites, RoutingDelays delays, Heard heard);

  /// The site announces the prefix as `route`, or withdraws it.
  void announce(SiteIndex site, const core::IpPrefix& prefix, const std::optional<core::Route>& route);
  /// The session of the site goes and takes all its routes along, or comes back with what the site announces by then.
  void set_session(SiteIndex site, bool up);

  /// Where the remote router sends packets for the address; nullopt: it has no route.
  [[nodiscard]] std::optional<SiteIndex> lookup(const core::IpAddress& address) const;
  [[nodiscard]] std::size_t size() const;
  /// Calls `visit(prefix, site, route)` for all that the remote router has heard.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [prefix, entry] : table_) {
      for (SiteIndex site = 0; site < entry.routes.size(); ++site) {
        if (entry.routes[site]) visit(prefix, site, entry.routes[site]->route);
      }
    }
  }
  /// Grows with every change of the remote router's table.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

 private:
  struct Path {
    core::Route route;
    std::uint64_t order = 0;
  };
  struct Entry {
    std::vector<std::optional<Path>> routes;  ///< by site
    std::optional<SiteIndex> best;
    std::vector<std::uint32_t> sent;  ///< by announcing site: grows, so that only the last message arrives
    std::vector<std::uint32_t> reflected;  ///< by site, the same in the other direction
  };

  [[nodiscard]] Duration delay_of(bool withdrawal);
  void deliver(SiteIndex site, const core::IpPrefix& prefix, const std::optional<core::Route>& route);
  void choose(const core::IpPrefix& prefix, Entry& entry);
  void reflect(const core::IpPrefix& prefix, Entry& entry);
  Entry& entry_of(const core::IpPrefix& prefix);

  Scheduler& scheduler_;
  Random& random_;
  RoutingDelays delays_;
  Heard heard_;
  std::vector<std::map<core::IpPrefix, core::Route>>
      announced_;  ///< what each site announces, whether heard or not
  std::vector<bool> sessions_;
  std::vector<std::uint32_t> epochs_;  ///< a message of an earlier session is lost
  std::map<core::IpPrefix, Entry> table_;
  std::uint64_t next_order_ = 0;
  std::uint64_t changes_ = 0;
};

}  // namespace untrombone::sim
