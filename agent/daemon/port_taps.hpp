// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "agent/core/strangers.hpp"
#include "agent/daemon/config.hpp"
#include "agent/daemon/log.hpp"
#include "agent/daemon/topology.hpp"
#include "arp/tap.hpp"
#include "netlink/monitor.hpp"

namespace untrombone::daemon {

/// Keeps a tap on every port of every segment, also where segments share one, and sends frames as those of a segment:
/// tagged on the ports where its VLAN is. Makes our probe MAC an address of the bridge's own, per VLAN, so that the
/// answers to probes are not flooded.
class PortTaps {
 public:
  PortTaps(const Config& config, const Log& log, const Topology& topology, arp::PortTap& tap,
           netlink::Monitor& monitor);

  /// Does what the topology now asks for; call it after each of its updates.
  void follow();
  /// From now on hears the IP packets of these, on their ports.
  void listen_for(std::span<const core::Stranger> strangers);
  void send(core::SegmentId id, core::Ifindex port, std::span<const std::byte> frame);
  /// Sends out of all local ports of the segment that are up.
  void send_to_local_ports(core::SegmentId id, std::span<const std::byte> frame);
  /// Takes the probe MACs back.
  void give_up_probe_macs();

  /// A locally administered MAC that depends on the site and the segment only, so that a restart does not change it.
  [[nodiscard]] core::MacAddress probe_mac(core::SegmentId id) const;

 private:
  /// Where a bridge knows our probe MAC.
  struct ProbeHome {
    core::Ifindex bridge;
    std::uint32_t incarnation = 0;
    core::VlanId vlan;
    bool operator==(const ProbeHome&) const = default;
  };

  void close_unused();
  void open_wanted(core::SegmentId id);
  bool open(core::SegmentId id, core::Ifindex port);
  void settle_probe_mac(core::SegmentId id);

  const Config& config_;
  const Log& log_;
  const Topology& topology_;
  arp::PortTap& tap_;
  netlink::Monitor& monitor_;
  std::vector<std::set<core::Ifindex>> heard_;  ///< ports, by segment
  std::vector<ProbeHome> probe_homes_;          ///< by segment
};

}  // namespace untrombone::daemon
