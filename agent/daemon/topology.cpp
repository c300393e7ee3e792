// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/topology.hpp"

#include <fnmatch.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include <fmt/format.h>

namespace untrombone::daemon {
namespace {

using core::Ifindex;
using core::PortClass;
using core::SegmentId;
using core::VlanId;
using netlink::LinkKind;
using netlink::LinkMessage;

bool matches_any(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

/// A VXLAN port leads to other VTEPs, whether the configuration names it or not.
PortClass classify(const SegmentConfig& config, const LinkMessage& link) {
  if (matches_any(config.dci_ports, link.name)) return PortClass::kDci;
  if (matches_any(config.peer_ports, link.name)) return PortClass::kPeer;
  return link.kind == LinkKind::kVxlan ? PortClass::kDci : PortClass::kLocal;
}

/// As "ip link" writes it.
std::string_view name_of_protocol(std::uint16_t protocol) {
  return protocol == ETH_P_8021AD ? "802.1ad" : "802.1Q";
}

bool interface_differs(const SegmentView& before, const SegmentView& after) {
  return before.interface != after.interface || before.interface_up != after.interface_up ||
         before.interface_mac != after.interface_mac || before.vrf != after.vrf;
}

/// The ports that were up before, and are no more or are others now.
void add_lost_ports(SegmentId id, const SegmentView& before, const SegmentView& after,
                    std::vector<core::Event>& events) {
  for (const auto& [port, old] : before.ports) {
    const auto now = after.ports.find(port);
    const bool stays = before.vlan == after.vlan && now != after.ports.end() && now->second.up &&
                       now->second.incarnation == old.incarnation;
    if (old.up && !stays) {
      events.emplace_back(core::PortChanged{id, port, old.port_class, false, before.vlan});
    }
  }
}

void add_new_ports(SegmentId id, const SegmentView& before, const SegmentView& after,
                   std::vector<core::Event>& events) {
  for (const auto& [port, now] : after.ports) {
    const auto old = before.ports.find(port);
    const bool same = before.vlan == after.vlan && old != before.ports.end() && old->second.up == now.up &&
                      old->second.port_class == now.port_class && old->second.incarnation == now.incarnation;
    if (now.up && !same) {
      events.emplace_back(core::PortChanged{id, port, now.port_class, true, after.vlan});
    }
  }
}

}  // namespace

Topology::Topology(const Config& config) : config_(config), segments_(config.segments.size()) {
  for (std::uint16_t i = 0; i < segments_.size(); ++i) segments_[i] = derive({i});
}

void Topology::take(const LinkMessage& link) {
  changed_ = true;
  if (link.removed) {
    links_.erase(link.index);
    vlans_.forget(link.index);
    return;
  }
  const auto [entry, is_new] = links_.try_emplace(link.index);
  if (is_new) entry->second.incarnation = ++incarnations_;
  entry->second.message = link;
  entry->second.listed = true;
}

void Topology::take(const netlink::VlanMessage& vlans) {
  changed_ = true;
  vlans_.take(vlans);
}

void Topology::start_dump() {
  for (auto& [index, link] : links_) link.listed = false;
  vlans_.start_dump();
}

void Topology::finish_dump() {
  changed_ = true;
  std::erase_if(links_, [](const auto& entry) { return !entry.second.listed; });
  vlans_.finish_dump();
}

void Topology::reconfigure() {
  segments_.resize(config_.segments.size());
  changed_ = true;
}

std::vector<core::Event> Topology::update() {
  changed_ = false;
  const std::vector<SegmentView> before = segments_;
  for (std::uint16_t i = 0; i < segments_.size(); ++i) segments_[i] = derive({i});
  index_places();
  std::vector<core::Event> events;
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    const SegmentView& after = segments_[i];
    if (interface_differs(before[i], after)) {
      events.emplace_back(
          core::InterfaceChanged{{i}, after.interface, after.interface_mac, after.interface_up, after.vrf});
    }
  }
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    if (before[i].bridge_ageing != segments_[i].bridge_ageing)
      events.emplace_back(core::BridgeAgeing{{i}, segments_[i].bridge_ageing});
  }
  // First who lost a port, then who got it: it may be the same port.
  for (std::uint16_t i = 0; i < segments_.size(); ++i) add_lost_ports({i}, before[i], segments_[i], events);
  for (std::uint16_t i = 0; i < segments_.size(); ++i) add_new_ports({i}, before[i], segments_[i], events);
  return events;
}

SegmentView Topology::derive(SegmentId id) const {
  SegmentView view;
  if (config_.segments[id.value].removed) return view;
  view.missing = derive_bridge(id, view);
  const std::string interface_missing = derive_interface(id, view);
  if (view.missing.empty()) view.missing = interface_missing;
  return view;
}

/// Fills in the bridge's part; returns what is missing of it.
std::string Topology::derive_bridge(SegmentId id, SegmentView& view) const {
  const SegmentConfig& config = config_.segments[id.value];
  const Link* const bridge = find(config.bridge);
  if (bridge == nullptr) return fmt::format("bridge {} does not exist", config.bridge);
  const LinkMessage& link = bridge->message;
  if (link.kind != LinkKind::kBridge) return fmt::format("{} is not a bridge", config.bridge);
  if (link.vlan_aware && !config.vlan)
    return fmt::format("bridge {} is VLAN-aware: segment {} needs vlan", config.bridge, config.name);
  if (!link.vlan_aware && config.vlan) {
    return fmt::format("bridge {} is not VLAN-aware: segment {} must not have vlan", config.bridge,
                       config.name);
  }
  view.bridge = link.index;
  view.bridge_incarnation = bridge->incarnation;
  view.bridge_ageing = link.ageing;
  view.vlan = config.vlan;
  view.vlan_protocol = link.vlan_protocol;
  view.bridge_listens = !config.vlan || vlans_.membership(link.index, config.vlan).has_value();
  for (const auto& [index, port] : links_) {
    if (port.message.master != link.index) continue;
    const auto membership =
        config.vlan ? vlans_.membership(index, config.vlan) : std::optional(VlanMembership{true});
    if (!membership) continue;
    view.ports[index] = {classify(config, port.message), port.message.up, !membership->untagged,
                         port.incarnation};
  }
  if (view.bridge_listens) return {};
  return fmt::format("bridge {} itself is not in VLAN {}; it takes: bridge vlan add vid {} dev {} self",
                     config.bridge, config.vlan.value, config.vlan.value, config.bridge);
}

/// Fills in the interface's part; returns what is missing of it. Routes wait until it fits the configuration.
std::string Topology::derive_interface(SegmentId id, SegmentView& view) const {
  const SegmentConfig& config = config_.segments[id.value];
  const Link* const found = find(config.interface);
  if (found == nullptr) return fmt::format("interface {} does not exist", config.interface);
  const LinkMessage& interface = found->message;
  view.interface = interface.index;
  view.interface_mac = interface.mac;
  std::string wrong = why_other_vlan(id, view, interface);
  const std::string wrong_vrf = take_vrf(id, view, interface);
  if (wrong.empty()) wrong = wrong_vrf;
  view.interface_up = interface.up && wrong.empty();
  if (wrong.empty() && !interface.up) return fmt::format("interface {} is down", config.interface);
  return wrong;
}

/// Why frames of the segment's VLAN do not reach the interface; "" when they do, or when it cannot be told.
std::string Topology::why_other_vlan(SegmentId id, const SegmentView& view,
                                     const LinkMessage& interface) const {
  const SegmentConfig& config = config_.segments[id.value];
  const bool is_bridge = view.bridge && interface.index == view.bridge;
  if (is_bridge && view.vlan && vlans_.pvid(view.bridge) != view.vlan) {
    return fmt::format(
        "interface {} is the bridge itself, whose own VLAN (PVID) is {}; segment {} has vlan {}",
        config.interface, vlans_.pvid(view.bridge).value, config.name, view.vlan.value);
  }
  const bool on_bridge = view.bridge && interface.kind == LinkKind::kVlan && interface.lower == view.bridge;
  if (!on_bridge) return {};
  if (!view.vlan) {
    return fmt::format("interface {} is of VLAN {}, but bridge {} is not VLAN-aware", config.interface,
                       interface.vlan.value, config.bridge);
  }
  if (interface.vlan != view.vlan) {
    return fmt::format("interface {} is of VLAN {}; segment {} has vlan {}", config.interface,
                       interface.vlan.value, config.name, view.vlan.value);
  }
  if (interface.vlan_protocol == view.vlan_protocol) return {};
  return fmt::format("interface {} takes {} tags, bridge {} has {} ones", config.interface,
                     name_of_protocol(interface.vlan_protocol), config.bridge,
                     name_of_protocol(view.vlan_protocol));
}

/// Notes the VRF that the interface is in; returns why it is not the configured one.
std::string Topology::take_vrf(SegmentId id, SegmentView& view, const LinkMessage& interface) const {
  const SegmentConfig& config = config_.segments[id.value];
  view.table = RT_TABLE_MAIN;
  const auto master = links_.find(interface.master);
  if (master != links_.end() && master->second.message.kind == LinkKind::kVrf) {
    view.vrf = {static_cast<std::uint32_t>(interface.master.value)};
    view.vrf_name = master->second.message.name;
    view.table = master->second.message.table;
  }
  if (!config.vrf || *config.vrf == view.vrf_name) return {};
  return fmt::format("interface {} is in {}; segment {} has vrf {}", config.interface,
                     view.vrf_name.empty() ? "no VRF" : fmt::format("VRF {}", view.vrf_name), config.name,
                     config.vrf->empty() ? kDefaultVrf : *config.vrf);
}

const Topology::Link* Topology::find(const std::string& name) const {
  const auto found = std::find_if(links_.begin(), links_.end(),
                                  [&](const auto& entry) { return entry.second.message.name == name; });
  return found == links_.end() ? nullptr : &found->second;
}

void Topology::index_places() {
  places_.clear();
  trunks_.clear();
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    const SegmentView& view = segments_[i];
    for (const auto& [port, state] : view.ports) {
      places_[{port, view.vlan}] = {i};
      if (view.vlan) trunks_[port] = {view.vlan_protocol, vlans_.pvid(port)};
    }
  }
}

std::optional<SegmentId> Topology::segment_of_interface(Ifindex interface) const {
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    if (interface && segments_[i].interface == interface) return SegmentId{i};
  }
  return std::nullopt;
}

std::optional<Place> Topology::place_of(Ifindex port, const std::optional<arp::VlanTag>& tag) const {
  VlanId vlan = tag ? tag->vlan : VlanId{};
  const auto trunk = trunks_.find(port);
  if (trunk != trunks_.end() && vlan && tag->protocol != trunk->second.protocol) return std::nullopt;
  if (trunk != trunks_.end() && !vlan) {
    vlan = trunk->second.pvid;
    if (!vlan) return std::nullopt;
  }
  const auto found = places_.find({port, vlan});
  if (found == places_.end()) return std::nullopt;
  return Place{found->second, vlan};
}

bool Topology::is_up(Ifindex index) const {
  const auto found = links_.find(index);
  return found != links_.end() && found->second.message.up;
}

std::string Topology::name_of(Ifindex index) const {
  const auto found = links_.find(index);
  return found == links_.end() ? std::string() : found->second.message.name;
}

}  // namespace untrombone::daemon
