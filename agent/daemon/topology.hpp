// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/event.hpp"
#include "agent/daemon/config.hpp"
#include "agent/daemon/vlan_table.hpp"
#include "arp/vlan_tag.hpp"
#include "netlink/messages.hpp"

namespace untrombone::daemon {

/// A bridge port of a segment, as the kernel shows it.
struct SegmentPort {
  core::PortClass port_class = core::PortClass::kLocal;
  bool up = false;
  bool tagged = false;            ///< the segment's frames carry a VLAN tag there
  std::uint32_t incarnation = 0;  ///< tells a device from an earlier one with the same ifindex
  bool operator==(const SegmentPort&) const = default;
};

/// What the kernel has of one configured segment right now.
struct SegmentView {
  core::Ifindex bridge;
  std::uint32_t bridge_incarnation = 0;
  core::VlanId vlan;                ///< 0 unless the bridge filters VLANs
  std::uint16_t vlan_protocol = 0;  ///< the ethertype of the bridge's tags
  bool bridge_listens = false;      ///< the bridge itself takes in the segment's frames
  core::Duration bridge_ageing{};
  core::Ifindex interface;
  core::MacAddress interface_mac;
  bool interface_up = false;
  core::VrfId vrf;          ///< of the interface
  std::string vrf_name;     ///< "" is the default VRF
  std::uint32_t table = 0;  ///< where the kernel has the VRF's routes
  std::map<core::Ifindex, SegmentPort> ports;
  std::string missing;  ///< what the segment waits for; empty: it is ready
  bool operator==(const SegmentView&) const = default;
};

/// Where on a port a frame belongs.
struct Place {
  core::SegmentId segment;
  core::VlanId vlan;
  bool operator==(const Place&) const = default;
};

/// Which link, and on a VLAN-aware bridge which VLAN of it, belongs to which segment. Links and VLANs come and go in
/// any order; the segments are derived from all of them.
class Topology {
 public:
  explicit Topology(const Config& config);

  /// Notes a link or VLANs; update() derives.
  void take(const netlink::LinkMessage& link);
  /// The configuration has other, or more, segments.
  void reconfigure();
  void take(const netlink::VlanMessage& vlans);
  /// Everything is told again from here on; what is not told until finish_dump() is gone.
  void start_dump();
  void finish_dump();
  [[nodiscard]] bool changed() const { return changed_; }
  /// Derives the segments anew and returns, as events for the core, what is different.
  std::vector<core::Event> update();

  [[nodiscard]] const SegmentView& segment(core::SegmentId id) const { return segments_[id.value]; }
  [[nodiscard]] std::optional<core::SegmentId> segment_of_interface(core::Ifindex interface) const;
  /// The link exists, is up and has carrier.
  [[nodiscard]] bool is_up(core::Ifindex index) const;
  /// Where a frame belongs that came in with this tag; nullopt when no segment has the VLAN on the port.
  [[nodiscard]] std::optional<Place> place_of(core::Ifindex port,
                                              const std::optional<arp::VlanTag>& tag) const;
  /// The port is one of a VLAN-aware bridge, where frames with tags may be ours.
  [[nodiscard]] bool has_tags(core::Ifindex port) const { return trunks_.contains(port); }
  /// The link's name; "" for 0 and for links that are gone.
  [[nodiscard]] std::string name_of(core::Ifindex index) const;

 private:
  struct Link {
    netlink::LinkMessage message;
    std::uint32_t incarnation = 0;
    bool listed = true;  ///< by the dump under way, or after it
  };
  /// A port of a VLAN-aware bridge.
  struct Trunk {
    std::uint16_t protocol = 0;
    core::VlanId pvid;
  };

  [[nodiscard]] SegmentView derive(core::SegmentId id) const;
  [[nodiscard]] std::string derive_bridge(core::SegmentId id, SegmentView& view) const;
  [[nodiscard]] std::string derive_interface(core::SegmentId id, SegmentView& view) const;
  [[nodiscard]] std::string why_other_vlan(core::SegmentId id, const SegmentView& view,
                                           const netlink::LinkMessage& interface) const;
  [[nodiscard]] std::string take_vrf(core::SegmentId id, SegmentView& view,
                                     const netlink::LinkMessage& interface) const;
  [[nodiscard]] const Link* find(const std::string& name) const;
  void index_places();

  const Config& config_;
  std::map<core::Ifindex, Link> links_;
  VlanTable vlans_;
  std::vector<SegmentView> segments_;
  std::map<std::pair<core::Ifindex, core::VlanId>, core::SegmentId> places_;
  std::map<core::Ifindex, Trunk> trunks_;
  std::uint32_t incarnations_ = 0;
  bool changed_ = false;
};

}  // namespace untrombone::daemon
