// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/topology.hpp"

#include <fnmatch.h>

#include <algorithm>

namespace untrombone::daemon {
namespace {

using core::Ifindex;
using core::PortClass;
using core::SegmentId;

bool matches_any(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

PortClass classify(const SegmentConfig& config, const std::string& name) {
  if (matches_any(config.dci_ports, name)) return PortClass::kDci;
  if (matches_any(config.peer_ports, name)) return PortClass::kPeer;
  return PortClass::kLocal;
}

void add_port_changes(SegmentId id, const SegmentView& before, const SegmentView& after,
                      std::vector<core::Event>& events) {
  for (const auto& [port, old] : before.ports) {
    const auto now = after.ports.find(port);
    const bool gone = now == after.ports.end() || !now->second.up;
    if (old.up && gone) events.emplace_back(core::PortChanged{id, port, old.port_class, false});
  }
  for (const auto& [port, now] : after.ports) {
    const auto old = before.ports.find(port);
    const bool same = old != before.ports.end() && old->second == now;
    if (now.up && !same) events.emplace_back(core::PortChanged{id, port, now.port_class, true});
  }
}

}  // namespace

Topology::Topology(const Config& config) : config_(config), segments_(config.segments.size()) {
  for (std::size_t i = 0; i < segments_.size(); ++i) segments_[i] = derive(config.segments[i]);
}

void Topology::take(const netlink::LinkMessage& link) {
  if (link.removed) {
    links_.erase(link.index);
  } else {
    links_[link.index] = link;
  }
  changed_ = true;
}

std::vector<core::Event> Topology::update() {
  std::vector<core::Event> events;
  changed_ = false;
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    const SegmentView before = std::exchange(segments_[i], derive(config_.segments[i]));
    const SegmentView& after = segments_[i];
    if (before == after) continue;
    const bool interface_changed = before.interface != after.interface ||
                                   before.interface_up != after.interface_up ||
                                   before.interface_mac != after.interface_mac;
    if (interface_changed) {
      events.emplace_back(
          core::InterfaceChanged{{i}, after.interface, after.interface_mac, after.interface_up});
    }
    add_port_changes({i}, before, after, events);
  }
  return events;
}

SegmentView Topology::derive(const SegmentConfig& config) const {
  SegmentView view;
  if (const auto* const bridge = find(config.bridge)) {
    view.bridge = bridge->index;
    for (const auto& [index, link] : links_) {
      if (link.master == bridge->index) view.ports[index] = {classify(config, link.name), link.up};
    }
  } else {
    view.missing = "bridge " + config.bridge + " does not exist";
  }
  if (const auto* const interface = find(config.interface)) {
    view.interface = interface->index;
    view.interface_mac = interface->mac;
    view.interface_up = interface->up;
    if (!interface->up && view.missing.empty()) view.missing = "interface " + config.interface + " is down";
  } else if (view.missing.empty()) {
    view.missing = "interface " + config.interface + " does not exist";
  }
  return view;
}

const netlink::LinkMessage* Topology::find(const std::string& name) const {
  const auto found = std::find_if(links_.begin(), links_.end(),
                                  [&](const auto& entry) { return entry.second.name == name; });
  return found == links_.end() ? nullptr : &found->second;
}

std::optional<SegmentId> Topology::segment_of_interface(Ifindex interface) const {
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    if (interface && segments_[i].interface == interface) return SegmentId{i};
  }
  return std::nullopt;
}

std::optional<SegmentId> Topology::segment_of_port(Ifindex port) const {
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].ports.contains(port)) return SegmentId{i};
  }
  return std::nullopt;
}

std::string Topology::name_of(Ifindex index) const {
  const auto found = links_.find(index);
  return found == links_.end() ? std::string() : found->second.name;
}

}  // namespace untrombone::daemon
