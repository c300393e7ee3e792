// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/port_taps.hpp"

#include <algorithm>
#include <optional>

#include "agent/daemon/log_events.hpp"

namespace untrombone::daemon {

using core::Ifindex;
using core::MacAddress;
using core::SegmentId;

PortTaps::PortTaps(const Config& config, const Log& log, const Topology& topology, arp::PortTap& tap,
                   netlink::Monitor& monitor)
    : config_(config),
      log_(log),
      topology_(topology),
      tap_(tap),
      monitor_(monitor),
      heard_(config.segments.size()),
      probe_homes_(config.segments.size()) {}

void PortTaps::follow() {
  heard_.resize(config_.segments.size());
  probe_homes_.resize(config_.segments.size());
  close_unused();
  for (std::uint16_t i = 0; i < config_.segments.size(); ++i) {
    open_wanted({i});
    settle_probe_mac({i});
  }
}

void PortTaps::close_unused() {
  std::set<Ifindex> left;
  for (std::uint16_t i = 0; i < heard_.size(); ++i) {
    const auto& ports = topology_.segment({i}).ports;
    std::erase_if(heard_[i], [&](Ifindex port) {
      if (ports.contains(port)) return false;
      left.insert(port);
      log_.event(LogLevel::kInfo, log_events::kPortDown, "a port left the bridge",
                 {{"segment", config_.segments[i].name}, {"ifindex", std::to_string(port.value)}});
      return true;
    });
  }
  for (const Ifindex port : left) {
    const bool shared = std::any_of(heard_.begin(), heard_.end(),
                                    [&](const std::set<Ifindex>& ports) { return ports.contains(port); });
    if (!shared) tap_.close(port);
  }
}

void PortTaps::open_wanted(SegmentId id) {
  std::set<Ifindex>& heard = heard_[id.value];
  for (const auto& [port, state] : topology_.segment(id).ports) {
    if (!open(id, port)) continue;
    if (!heard.insert(port).second) continue;
    log_.event(LogLevel::kInfo, log_events::kPortUp, "hearing a port",
               {{"segment", config_.segments[id.value].name},
                {"port", topology_.name_of(port)},
                {"class", std::string(to_string(state.port_class))}});
  }
}

/// A tap whose device went, though another one has its ifindex, hears nothing any more: it is opened anew.
bool PortTaps::open(SegmentId id, Ifindex port) {
  if (heard_[id.value].contains(port) && !tap_.is_alive(port)) tap_.close(port);
  const auto tags = topology_.has_tags(port) ? arp::PortTap::Tags::kAny : arp::PortTap::Tags::kNone;
  const auto error = tap_.open(port, tags);
  if (!error) return true;
  log_.event(LogLevel::kError, log_events::kTapFailed, "a port cannot be heard",
             {{"port", topology_.name_of(port)}, {"error", error.message()}});
  return false;
}

void PortTaps::settle_probe_mac(SegmentId id) {
  const SegmentView& view = topology_.segment(id);
  const ProbeHome home = view.bridge && view.bridge_listens
                             ? ProbeHome{view.bridge, view.bridge_incarnation, view.vlan}
                             : ProbeHome{};
  if (home == probe_homes_[id.value]) return;
  const ProbeHome& old = probe_homes_[id.value];
  if (config_.segments[id.value].removed) monitor_.change_own_mac(old.bridge, old.vlan, probe_mac(id), false);
  if (home.bridge) monitor_.change_own_mac(home.bridge, home.vlan, probe_mac(id), true);
  probe_homes_[id.value] = home;
}

void PortTaps::give_up_probe_macs() {
  for (std::uint16_t i = 0; i < probe_homes_.size(); ++i) {
    const ProbeHome& home = probe_homes_[i];
    if (home.bridge) monitor_.change_own_mac(home.bridge, home.vlan, probe_mac({i}), false);
  }
}

void PortTaps::listen_for(std::span<const core::Stranger> strangers) {
  std::set<Ifindex> ports;
  for (const auto& heard : heard_) ports.insert(heard.begin(), heard.end());
  for (const Ifindex port : ports) {
    std::vector<MacAddress> macs;
    for (const core::Stranger& stranger : strangers) {
      if (stranger.port == port) macs.push_back(stranger.mac);
    }
    tap_.listen_for(port, macs);
  }
}

void PortTaps::send(SegmentId id, Ifindex port, std::span<const std::byte> frame) {
  const SegmentView& view = topology_.segment(id);
  const auto found = view.ports.find(port);
  std::optional<arp::VlanTag> tag;
  if (found != view.ports.end() && found->second.tagged) tag = {view.vlan_protocol, view.vlan};
  tap_.send(port, frame, tag);
}

void PortTaps::send_to_local_ports(SegmentId id, std::span<const std::byte> frame) {
  for (const auto& [port, state] : topology_.segment(id).ports) {
    if (state.up && state.port_class != core::PortClass::kDci) send(id, port, frame);
  }
}

MacAddress PortTaps::probe_mac(SegmentId id) const {
  std::size_t hash = id.value;
  for (const char c : config_.site) hash = core::hash_mix(hash, static_cast<std::uint8_t>(c));
  MacAddress mac{{0x02, 0x75, 0x74, 0, 0, 0}};
  for (std::size_t i = 3; i < mac.octets.size(); ++i, hash >>= 8U)
    mac.octets[i] = static_cast<std::uint8_t>(hash & 0xffU);
  return mac;
}

}  // namespace untrombone::daemon
