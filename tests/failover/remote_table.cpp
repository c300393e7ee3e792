// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/failover/remote_table.hpp"

#include <algorithm>
#include <utility>

#include "tests/lab/frames.hpp"

namespace untrombone::failover {

static std::uint32_t mask_of(unsigned length) { return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length); }

RemoteTable::RemoteTable(std::vector<std::uint32_t> hosts, std::uint32_t subnet, unsigned subnet_length)
    : hosts_(std::move(hosts)), subnet_(subnet), subnet_length_(subnet_length), found_(hosts_.size(), 0) {}

RemoteTable::Range RemoteTable::store(const lab::RouteEvent& event) {
  const auto slash = event.prefix.find('/');
  if (event.prefix.find(':') != std::string::npos || slash == std::string::npos) return {};
  const auto length = static_cast<unsigned>(std::stoul(event.prefix.substr(slash + 1)));
  const std::uint32_t address = lab::parse_ipv4(event.prefix.substr(0, slash));
  if (length <= subnet_length_ || (address & mask_of(subnet_length_)) != subnet_) return {};
  const int gateway = number_of(event.gateway);
  const auto route = routes_.find(key(address, length));
  if (event.kind == lab::RouteEvent::Kind::kNew) {
    if (route == routes_.end()) ++lengths_[length];
    routes_[key(address, length)] = gateway;
  } else {
    // A route that was replaced is not the one that goes.
    if (route == routes_.end() || route->second != gateway) return {};
    routes_.erase(route);
    --lengths_[length];
  }
  const auto first = std::lower_bound(hosts_.begin(), hosts_.end(), address);
  const auto last = std::upper_bound(first, hosts_.end(), address | ~mask_of(length));
  return {static_cast<std::size_t>(first - hosts_.begin()), static_cast<std::size_t>(last - hosts_.begin())};
}

int RemoteTable::lookup(std::uint32_t address) const {
  for (unsigned length = 32; length > subnet_length_; --length) {
    if (lengths_[length] == 0) continue;
    const auto found = routes_.find(key(address & mask_of(length), length));
    if (found != routes_.end()) return found->second;
  }
  return 0;
}

int RemoteTable::number_of(const std::string& gateway) {
  const auto found = std::find(names_.begin(), names_.end(), gateway);
  if (found != names_.end()) return static_cast<int>(found - names_.begin());
  names_.push_back(gateway);
  return static_cast<int>(names_.size() - 1);
}

}  // namespace untrombone::failover
