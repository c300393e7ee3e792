// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/alarms.hpp"

#include <chrono>

namespace untrombone::daemon {
namespace {

constexpr std::size_t kMostSubjects = 256;
constexpr core::Duration kLogInterval = std::chrono::minutes(1);

}  // namespace

std::string Alarms::subject_of(const core::Alarm& alarm, std::string_view port) {
  switch (alarm.kind) {
    case core::AlarmKind::kGatewayClaimed:
    case core::AlarmKind::kOwnAddressClaimed: return alarm.mac.to_string() + " as " + alarm.ip.to_string();
    case core::AlarmKind::kClaimedTwice:
    case core::AlarmKind::kHostFrozen: return alarm.ip.to_string();
    case core::AlarmKind::kTooManyIpsOnMac: return alarm.mac.to_string();
    case core::AlarmKind::kTooManyHosts:
    case core::AlarmKind::kTooManyNewHosts:
      if (!port.empty()) return "port " + std::string(port);  // a flood has many MACs, but one port
      [[fallthrough]];
    case core::AlarmKind::kTooManyRoutes:
    case core::AlarmKind::kOverBudget: return "segment";
  }
  return {};
}

bool Alarms::raise(const core::Alarm& alarm, std::string_view port, core::TimePoint now) {
  Key key{alarm.kind, alarm.segment, subject_of(alarm, port)};
  if (!entries_.contains(key) && entries_.size() >= kMostSubjects) key.subject = "others";
  Entry& entry = entries_[key];
  ++entry.count;
  entry.last = now;
  entry.mac = alarm.mac;
  entry.ip = alarm.ip;
  if (entry.count != 1 && now - entry.last_logged < kLogInterval) return false;
  entry.last_logged = now;
  return true;
}

}  // namespace untrombone::daemon
