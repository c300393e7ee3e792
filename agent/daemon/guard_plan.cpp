// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/guard_plan.hpp"

#include <algorithm>

#include "agent/core/frame_rules.hpp"
#include "arp/nd_frames.hpp"

namespace untrombone::daemon {
namespace {

using core::IpAddress;
using core::MacAddress;

/// The gateway MACs of other sites.
std::vector<MacAddress> other_macs(const GuardInput& input) {
  std::vector<MacAddress> macs = input.settings.gateway_macs;
  std::erase(macs, input.own_mac);
  return macs;
}

/// The configured gateways and, where there is IPv6, what the edges form of a MAC that they share: their kernels ask
/// for guests from that link-local address, and each would find the other's a duplicate.
std::vector<IpAddress> guarded_gateways(const GuardInput& input) {
  std::vector<IpAddress> gateways = input.settings.gateways;
  const auto& subnets = input.settings.subnets;
  const bool only_v4 = std::all_of(subnets.begin(), subnets.end(),
                                   [](const core::IpPrefix& subnet) { return subnet.address().is_v4(); });
  if (only_v4) return gateways;
  for (const MacAddress& mac : input.settings.gateway_macs) gateways.push_back(arp::link_local_of(mac));
  if (core::is_virtual_router_mac(input.own_mac)) gateways.push_back(arp::link_local_of(input.own_mac));
  return gateways;
}

void add_ports(const GuardInput& input, arp::GuardedSegment& out) {
  for (const auto& [port, state] : input.view.ports) {
    arp::GuardPort guarded{input.name_of(port)};
    if (input.view.vlan) guarded.vlan = state.tagged ? input.view.vlan.value : std::uint16_t{0};
    if (state.port_class == core::PortClass::kDci) out.dci_ports.push_back(guarded);
    if (state.port_class == core::PortClass::kLocal) out.local_ports.push_back(guarded);
  }
}

/// Frames for the local gateway's MAC go to another site's instead. Where all sites have the same MAC the bridge would
/// take them in, so IP packets leave by a DCI port before it sees them.
void add_steering(const GuardInput& input, arp::GuardedSegment& out) {
  if (input.own_mac.is_zero()) return;  // guests were never told one
  const std::vector<MacAddress> others = other_macs(input);
  if (!others.empty()) {
    out.rewrites.push_back({input.own_mac, others.front()});
    return;
  }
  for (const auto& [port, state] : input.view.ports) {
    if (state.port_class != core::PortClass::kDci || !state.up) continue;
    out.hand_over = arp::HandOver{input.own_mac, input.name_of(port)};
    return;
  }
}

}  // namespace

std::string_view to_string(GuardStance stance) {
  switch (stance) {
    case GuardStance::kClosed: return "closed";
    case GuardStance::kOpen: return "open";
    case GuardStance::kSteering: return "steering";
  }
  return "?";
}

arp::GuardedSegment plan_guard(const GuardInput& input, GuardStance stance) {
  const GuardConfig& config = input.config.guard;
  arp::GuardedSegment out;
  add_ports(input, out);
  // Hellos stay off the DCI in any stance: a sick router that hears the healthy one would fight it.
  out.fhrp = config.fhrp;
  if (stance == GuardStance::kSteering) add_steering(input, out);
  if (stance != GuardStance::kClosed) return out;
  out.gateways = guarded_gateways(input);
  out.ra = config.ra;
  out.dhcp = config.dhcp == GuardDhcp::kLocal;
  if (config.strict_mac) {
    out.strict = true;
    out.strict_macs = input.settings.gateway_macs;
    if (!input.own_mac.is_zero()) out.strict_macs.push_back(input.own_mac);
  }
  if (config.adopt_macs && !input.own_mac.is_zero()) {
    for (const MacAddress& mac : other_macs(input)) out.rewrites.push_back({mac, input.own_mac});
  }
  return out;
}

MacAddress gateway_mac_for_guests(const GuardInput& input) {
  const std::vector<MacAddress> others = other_macs(input);
  return input.own_mac.is_zero() && !others.empty() ? others.front() : input.own_mac;
}

}  // namespace untrombone::daemon
