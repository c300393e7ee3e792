// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/settings.hpp"

#include <algorithm>

namespace untrombone::core {

const IpPrefix* SegmentSettings::subnet_of(const IpAddress& ip) const {
  const auto found = std::find_if(subnets.begin(), subnets.end(),
                                  [&](const IpPrefix& subnet) { return subnet.contains(ip); });
  return found == subnets.end() ? nullptr : &*found;
}

bool SegmentSettings::is_gateway(const IpAddress& ip) const {
  return std::find(gateways.begin(), gateways.end(), ip) != gateways.end();
}

bool SegmentSettings::is_gateway_mac(const MacAddress& mac) const {
  return std::find(gateway_macs.begin(), gateway_macs.end(), mac) != gateway_macs.end();
}

bool SegmentSettings::may_be_host(const IpAddress& ip) const {
  const IpPrefix* subnet = subnet_of(ip);
  if (subnet == nullptr || subnet->is_reserved(ip) || is_gateway(ip)) return false;
  return std::none_of(exclude.begin(), exclude.end(),
                      [&](const IpPrefix& prefix) { return prefix.contains(ip); });
}

}  // namespace untrombone::core
