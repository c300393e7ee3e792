// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/settings.hpp"

#include <algorithm>

namespace untrombone::core {

std::string_view to_string(SummaryMode mode) {
  switch (mode) {
    case SummaryMode::kOff: return "off";
    case SummaryMode::kExact: return "exact";
    case SummaryMode::kCover: return "cover";
    case SummaryMode::kHome: return "home";
  }
  return "?";
}

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

bool SegmentSettings::is_inside(const IpPrefix& prefix) const {
  return std::any_of(subnets.begin(), subnets.end(),
                     [&](const IpPrefix& subnet) { return subnet.contains(prefix) && subnet != prefix; });
}

bool SegmentSettings::is_announced_half(const IpPrefix& prefix) const {
  return announce_subnet && is_inside(prefix) && !is_inside({prefix.address(), prefix.length() - 1U});
}

unsigned SegmentSettings::shortest_summary(const IpPrefix& subnet) const {
  const unsigned wanted = subnet.address().is_v4() ? shortest : shortest6;
  return std::min(std::max(wanted, subnet.length() + 1U), subnet.address().bits());
}

}  // namespace untrombone::core
