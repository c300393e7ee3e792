// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/lab/route_watcher.hpp"

namespace untrombone::failover {

/// A router's IPv4 table, rebuilt event by event, and what a lookup of each of many hosts finds in it at that instant.
/// Only routes inside the subnet count, not the one to all of it: that is there without us.
class RemoteTable {
 public:
  /// `hosts` must ascend.
  RemoteTable(std::vector<std::uint32_t> hosts, std::uint32_t subnet, unsigned subnet_length);

  /// Calls visit(std::size_t host, const std::string& gateway) for each host whose lookup finds another gateway now;
  /// "" for none.
  template <class Visit>
  void apply(const lab::RouteEvent& event, Visit visit) {
    const auto [first, last] = store(event);
    for (std::size_t host = first; host < last; ++host) {
      const int gateway = lookup(hosts_[host]);
      if (std::exchange(found_[host], gateway) != gateway)
        visit(host, names_[static_cast<std::size_t>(gateway)]);
    }
  }

  void apply(const lab::RouteEvent& event) {
    apply(event, [](std::size_t, const std::string&) {});
  }

  [[nodiscard]] std::size_t routes() const { return routes_.size(); }
  [[nodiscard]] bool has(std::uint32_t address, unsigned length) const {
    return routes_.contains(key(address, length));
  }
  [[nodiscard]] const std::vector<std::uint32_t>& hosts() const { return hosts_; }
  /// What a lookup of the host finds.
  [[nodiscard]] const std::string& gateway_of(std::size_t host) const {
    return names_[static_cast<std::size_t>(found_[host])];
  }

 private:
  struct Range {
    std::size_t first = 0;
    std::size_t last = 0;
  };
  static std::uint64_t key(std::uint32_t address, unsigned length) {
    return std::uint64_t{address} << 8U | length;
  }
  /// The hosts that the route is about; none when it is not ours.
  Range store(const lab::RouteEvent& event);
  [[nodiscard]] int lookup(std::uint32_t address) const;
  int number_of(const std::string& gateway);

  std::vector<std::uint32_t> hosts_;
  std::uint32_t subnet_;
  unsigned subnet_length_;
  std::vector<int> found_;
  std::vector<std::string> names_{""};
  std::unordered_map<std::uint64_t, int> routes_;
  std::array<std::size_t, 33> lengths_{};
};

}  // namespace untrombone::failover
