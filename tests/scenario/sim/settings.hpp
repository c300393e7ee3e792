// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "agent/core/settings.hpp"

namespace untrombone::sim {

/// 192.0.2.0/24 behind 192.0.2.1, timers as configured by default.
inline core::SiteSettings default_settings(core::SummaryMode mode = core::SummaryMode::kExact) {
  core::SegmentSettings segment;
  segment.name = "vlan10";
  segment.subnets = {core::IpPrefix(core::IpAddress::v4({192, 0, 2, 0}), 24)};
  segment.gateways = {core::IpAddress::v4({192, 0, 2, 1})};
  segment.exclude = {core::IpPrefix(core::IpAddress::v4({192, 0, 2, 240}), 28)};
  segment.mode = mode;
  if (mode == core::SummaryMode::kHome) {  // of the first guests, each at one of two sites
    segment.home_blocks = {core::IpPrefix(core::IpAddress::v4({192, 0, 2, 32}), 30),
                           core::IpPrefix(core::IpAddress::v4({192, 0, 2, 36}), 30)};
  }
  core::SiteSettings settings;
  settings.segments.push_back(std::move(segment));
  return settings;
}

}  // namespace untrombone::sim
