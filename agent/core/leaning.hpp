// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "agent/core/spare_room.hpp"
#include "agent/core/types.hpp"

namespace untrombone::core {

/// Hosts that have left and linger without a route of their own, each with the summary that still attracts for it.
class Leaning {
 public:
  void add(const IpAddress& ip, const IpPrefix& summary) {
    remove(ip);
    summary_of_[ip] = summary;
    ++count_[summary];
  }
  void remove(const IpAddress& ip) {
    const auto found = summary_of_.find(ip);
    if (found == summary_of_.end()) return;
    const IpPrefix summary = found->second;
    erase_found(summary_of_, found);
    if (--count_[summary] == 0) erase_key(count_, summary);
  }
  [[nodiscard]] bool is_needed(const IpPrefix& summary) const { return count_.contains(summary); }
  /// Those that lean on it.
  [[nodiscard]] std::vector<IpAddress> hosts_on(const IpPrefix& summary) const {
    std::vector<IpAddress> hosts;
    if (!is_needed(summary)) return hosts;
    for (const auto& [ip, on] : summary_of_) {
      if (on == summary) hosts.push_back(ip);
    }
    return hosts;
  }
  [[nodiscard]] std::vector<IpAddress> hosts() const {
    std::vector<IpAddress> hosts;
    hosts.reserve(summary_of_.size());
    for (const auto& [ip, on] : summary_of_) hosts.push_back(ip);
    return hosts;
  }

 private:
  boost::unordered_flat_map<IpAddress, IpPrefix> summary_of_;
  boost::unordered_flat_map<IpPrefix, unsigned> count_;
};

}  // namespace untrombone::core
