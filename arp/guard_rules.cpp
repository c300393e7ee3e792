// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/guard_rules.hpp"

#include <set>

#include <fmt/format.h>

namespace untrombone::arp {
namespace {

/// `"dci0" . 192.0.2.1` for each pair of a port and a gateway of `family`, sorted and without repeats.
template <typename Render>
std::string elements_of(const std::vector<GuardedSegment>& segments, core::Family family, Render render) {
  std::set<std::string> elements;
  for (const GuardedSegment& segment : segments) {
    for (const std::string& port : segment.dci_ports) {
      for (const core::IpAddress& gateway : segment.gateways) {
        if (gateway.family() == family) elements.insert(fmt::format("\"{}\" . {}", port, render(gateway)));
      }
    }
  }
  return fmt::format("{}", fmt::join(elements, ", "));
}

/// As one number, the form that a set over raw payload takes.
std::string as_number(const core::IpAddress& address) {
  return fmt::format("0x{:02x}", fmt::join(address.octets(), ""));
}

/// One family's part of the table.
struct Rules {
  std::string sets_and_counters;
  std::string from_dci;
  std::string to_dci;
};

Rules arp_rules(const std::vector<GuardedSegment>& segments) {
  const std::string elements =
      elements_of(segments, core::Family::kIpv4, [](const auto& gateway) { return gateway.to_string(); });
  if (elements.empty()) return {};
  const auto rules = [](const char* name, const char* interface) {
    return fmt::format(
        R"(    meta protocol arp {1} . arp daddr ip @gateways counter name arp_target_{0} drop
    meta protocol arp {1} . arp saddr ip @gateways counter name arp_sender_{0} drop
)",
        name, interface);
  };
  return {fmt::format(R"(  set gateways {{
    type ifname . ipv4_addr
    elements = {{ {} }}
  }}
  counter arp_target_from_dci {{}}
  counter arp_sender_from_dci {{}}
  counter arp_target_to_dci {{}}
  counter arp_sender_to_dci {{}}
)",
                      elements),
          rules("from_dci", "iifname"), rules("to_dci", "oifname")};
}

/// nft 1.0.6 has no name for the target of a solicitation or advertisement: it is 128 bits at bit 64 of the transport
/// header.
Rules nd_rules(const std::vector<GuardedSegment>& segments) {
  const std::string targets = elements_of(segments, core::Family::kIpv6, as_number);
  if (targets.empty()) return {};
  const std::string sources =
      elements_of(segments, core::Family::kIpv6, [](const auto& gateway) { return gateway.to_string(); });
  const auto rules = [](const char* name, const char* interface) {
    return fmt::format(
        R"(    meta protocol ip6 icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} \
      {1} . @th,64,128 @gateway_targets counter name nd_target_{0} drop
    meta protocol ip6 icmpv6 type nd-neighbor-solicit \
      {1} . ip6 saddr @gateway_sources counter name nd_sender_{0} drop
)",
        name, interface);
  };
  return {fmt::format(R"(  set gateway_targets {{
    typeof iifname . @th,64,128
    elements = {{ {} }}
  }}
  set gateway_sources {{
    type ifname . ipv6_addr
    elements = {{ {} }}
  }}
  counter nd_target_from_dci {{}}
  counter nd_sender_from_dci {{}}
  counter nd_target_to_dci {{}}
  counter nd_sender_to_dci {{}}
)",
                      targets, sources),
          rules("from_dci", "iifname"), rules("to_dci", "oifname")};
}

}  // namespace

std::string render_guard_removal() {
  return fmt::format("table bridge {0} {{}}\ndelete table bridge {0}\n", kGuardTable);
}

std::string render_guard(const std::vector<GuardedSegment>& segments) {
  const Rules arp = arp_rules(segments);
  const Rules nd = nd_rules(segments);
  if (arp.from_dci.empty() && nd.from_dci.empty()) return render_guard_removal();
  return render_guard_removal() + fmt::format(R"(table bridge {} {{
{}{}  chain from_dci {{
{}{}  }}
  chain to_dci {{
{}{}  }}
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
                                              kGuardTable, arp.sets_and_counters, nd.sets_and_counters,
                                              arp.from_dci, nd.from_dci, arp.to_dci, nd.to_dci);
}

}  // namespace untrombone::arp
