// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "agent/core/types.hpp"
#include "arp/guard_rules.hpp"

namespace untrombone::arp {

/// A frame that a rule of the guard must stop, and the rule's counter.
struct TestFrame {
  std::string counter;
  std::vector<std::byte> bytes;
};

/// One frame for each rule to the DCI that `segment` has elements for. `sender` is a MAC of this site only. They go to
/// a MAC that nobody has, and bind nothing: where the guard should fail to stop one, nobody takes it in. DHCP is left
/// out, whose rule only knows frames to everybody.
[[nodiscard]] std::vector<TestFrame> make_test_frames(const core::MacAddress& sender,
                                                      const GuardedSegment& segment);

}  // namespace untrombone::arp
