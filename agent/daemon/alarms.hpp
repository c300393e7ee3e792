// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "agent/core/event.hpp"

namespace untrombone::daemon {

/// What the core raised alarms about, counted by kind, segment and subject; bounded.
class Alarms {
 public:
  struct Key {
    core::AlarmKind kind = core::AlarmKind::kGatewayClaimed;
    core::SegmentId segment;
    std::string subject;  ///< the offender: "02:00:5e:00:53:01 as 192.0.2.1"
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    std::uint64_t count = 0;
    core::TimePoint last;
    core::MacAddress mac;  ///< of the last one
    core::IpAddress ip;
    core::TimePoint last_logged;
  };

  /// Counts it; true when it is worth a line in the log: the first time, then once a minute per subject.
  /// `port` is the name of the alarm's port, "" when it has none.
  bool raise(const core::Alarm& alarm, std::string_view port, core::TimePoint now);
  [[nodiscard]] const std::map<Key, Entry>& entries() const { return entries_; }
  [[nodiscard]] static std::string subject_of(const core::Alarm& alarm, std::string_view port);

 private:
  std::map<Key, Entry> entries_;
};

}  // namespace untrombone::daemon
