// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/event.hpp"
#include "agent/daemon/config.hpp"
#include "netlink/messages.hpp"

namespace untrombone::daemon {

/// A bridge port of a segment, as the kernel shows it.
struct SegmentPort {
  core::PortClass port_class = core::PortClass::kLocal;
  bool up = false;
  bool operator==(const SegmentPort&) const = default;
};

/// What the kernel has of one configured segment right now.
struct SegmentView {
  core::Ifindex bridge;
  core::Ifindex interface;
  core::MacAddress interface_mac;
  bool interface_up = false;
  std::map<core::Ifindex, SegmentPort> ports;
  std::string missing;  ///< what the segment waits for; empty: it is ready
  bool operator==(const SegmentView&) const = default;
};

/// Which link belongs to which segment. Links come and go in any order; the segments are derived from all of them.
class Topology {
 public:
  explicit Topology(const Config& config);

  /// Notes a link; update() derives.
  void take(const netlink::LinkMessage& link);
  [[nodiscard]] bool changed() const { return changed_; }
  /// Derives the segments anew and returns, as events for the core, what is different.
  std::vector<core::Event> update();

  [[nodiscard]] const SegmentView& segment(core::SegmentId id) const { return segments_[id.value]; }
  [[nodiscard]] std::optional<core::SegmentId> segment_of_interface(core::Ifindex interface) const;
  [[nodiscard]] std::optional<core::SegmentId> segment_of_port(core::Ifindex port) const;
  /// The link's name; "" for 0 and for links that are gone.
  [[nodiscard]] std::string name_of(core::Ifindex index) const;

 private:
  [[nodiscard]] SegmentView derive(const SegmentConfig& config) const;
  [[nodiscard]] const netlink::LinkMessage* find(const std::string& name) const;

  const Config& config_;
  std::map<core::Ifindex, netlink::LinkMessage> links_;
  std::vector<SegmentView> segments_;
  bool changed_ = false;
};

}  // namespace untrombone::daemon
