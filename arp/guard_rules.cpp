// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/guard_rules.hpp"

#include <set>

#include <fmt/format.h>

namespace untrombone::arp {
namespace {

/// `"dci0" . 192.0.2.1` for each pair, sorted and without repeats.
std::string gateway_elements(const std::vector<GuardedSegment>& segments) {
  std::set<std::string> elements;
  for (const GuardedSegment& segment : segments) {
    for (const std::string& port : segment.dci_ports) {
      for (const core::IpAddress& gateway : segment.gateways) {
        if (gateway.is_v4()) elements.insert(fmt::format("\"{}\" . {}", port, gateway.to_string()));
      }
    }
  }
  return fmt::format("{}", fmt::join(elements, ", "));
}

}  // namespace

std::string render_guard_removal() {
  return fmt::format("table bridge {0} {{}}\ndelete table bridge {0}\n", kGuardTable);
}

std::string render_guard(const std::vector<GuardedSegment>& segments) {
  const std::string elements = gateway_elements(segments);
  if (elements.empty()) return render_guard_removal();
  return render_guard_removal() + fmt::format(R"(table bridge {} {{
  set gateways {{
    type ifname . ipv4_addr
    elements = {{ {} }}
  }}
  counter arp_target_from_dci {{}}
  counter arp_sender_from_dci {{}}
  counter arp_target_to_dci {{}}
  counter arp_sender_to_dci {{}}
  chain from_dci {{
    meta protocol arp iifname . arp daddr ip @gateways counter name arp_target_from_dci drop
    meta protocol arp iifname . arp saddr ip @gateways counter name arp_sender_from_dci drop
  }}
  chain to_dci {{
    meta protocol arp oifname . arp daddr ip @gateways counter name arp_target_to_dci drop
    meta protocol arp oifname . arp saddr ip @gateways counter name arp_sender_to_dci drop
  }}
  chain bridged {{
    type filter hook forward priority filter; policy accept;
    jump from_dci
    jump to_dci
  }}
  chain received {{
    type filter hook input priority filter; policy accept;
    jump from_dci
  }}
  chain sent {{
    type filter hook output priority filter; policy accept;
    jump to_dci
  }}
}}
)",
                                              kGuardTable, elements);
}

}  // namespace untrombone::arp
