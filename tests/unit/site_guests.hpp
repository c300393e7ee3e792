// SPDX-License-Identifier: GPL-2.0-or-later
// The guest that most tests of the site are about, and what they ask of its actions.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "tests/unit/site_driver.hpp"

namespace untrombone::core::testing {

using namespace std::chrono_literals;

inline const MacAddress kGuestMac = mac(0x11);
inline const IpAddress kGuest = ip(11);

/// A guest that moved here long ago, keeps silent since its last ARP frame, and is settled.
inline SiteDriver with_local_guest(SiteSettings settings = default_settings()) {
  SiteDriver driver = SiteDriver::running(std::move(settings));
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  driver.advance(31s);
  driver.feed(arp(kPort1, kGuestMac, kGuest));
  return driver;
}

/// A guest that is known to be behind the DCI.
inline SiteDriver with_remote_guest(SiteSettings settings = default_settings()) {
  SiteDriver driver = SiteDriver::running(std::move(settings));
  driver.feed(arp(kDciPort, kGuestMac, kGuest));
  return driver;
}

inline bool probed(const Actions& actions, const IpAddress& address, Ifindex port) {
  return std::any_of(actions.probes.begin(), actions.probes.end(), [&](const ProbeRequest& probe) {
    return probe.ip == address && probe.port == port && probe.segment == kSegment;
  });
}

inline std::vector<AlarmKind> alarms(const Actions& actions) {
  std::vector<AlarmKind> kinds;
  for (const Alarm& alarm : actions.alarms) kinds.push_back(alarm.kind);
  return kinds;
}

inline std::optional<Route> route_to(const SiteDriver& driver, const IpAddress& address) {
  const auto found = driver.routes().find({{}, IpPrefix::host(address)});
  return found == driver.routes().end() ? std::nullopt : std::optional(found->second);
}

}  // namespace untrombone::core::testing
