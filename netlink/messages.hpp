// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::netlink {

/// What IFLA_INFO_KIND calls a link, as far as it matters here.
enum class LinkKind : std::uint8_t { kOther, kBridge, kVlan, kVrf, kVxlan };

/// RTM_NEWLINK / RTM_DELLINK with ifi_family AF_UNSPEC (linux/if_link.h). AF_BRIDGE ones repeat what the master says.
struct LinkMessage {
  core::Ifindex index;
  std::string name;
  core::MacAddress mac;
  core::Ifindex master;
  bool up = false;  ///< administratively up and with carrier
  bool removed = false;
  LinkKind kind = LinkKind::kOther;
  bool vlan_aware = false;  ///< of a bridge: it filters VLANs
  std::uint16_t vlan_protocol =
      0;                    ///< of a bridge or a VLAN device: the ethertype of its tags (ETH_P_8021Q, ...)
  core::VlanId vlan{};      ///< of a VLAN device
  core::Ifindex lower{};    ///< of a VLAN device: the link it is on, when that is in the same namespace
  std::uint32_t table = 0;  ///< of a VRF: its routing table
  core::Duration ageing{};  ///< of a bridge: it forgets a MAC after so much silence
  bool operator==(const LinkMessage&) const = default;
};

/// Consecutive VLANs that a bridge port, or the bridge itself, is a member of in the same way.
struct VlanRange {
  core::VlanId first;
  core::VlanId last;
  bool pvid = false;      ///< untagged frames that come in belong to it
  bool untagged = false;  ///< its frames go out without a tag
  bool operator==(const VlanRange&) const = default;
};

/// RTM_NEWVLAN / RTM_DELVLAN (linux/if_bridge.h, since Linux 5.6): a change; the answer to a dump has all of a device.
struct VlanMessage {
  core::Ifindex device;  ///< the port, or the bridge itself
  std::vector<VlanRange> ranges;
  bool removed = false;
  bool operator==(const VlanMessage&) const = default;
};

/// RTM_NEWNEIGH / RTM_DELNEIGH with ndm_family AF_BRIDGE that belongs to a bridge: it has NDA_MASTER and not NTF_SELF
/// (a VXLAN device sends a second message about itself). Permanent entries are the bridge's own addresses.
struct FdbMessage {
  core::Ifindex port;
  core::Ifindex bridge;
  core::MacAddress mac;
  core::VlanId vlan;    ///< 0 unless the bridge filters VLANs
  bool remote = false;  ///< NTF_EXT_LEARNED, or a remote VTEP (NDA_DST)
  bool removed = false;
  bool aged = false;  ///< removed with NUD_STALE; a flush says NUD_REACHABLE
  bool operator==(const FdbMessage&) const = default;
};

/// RTM_NEWNEIGH of AF_INET or AF_INET6 that names a MAC.
struct NeighbourMessage {
  core::Ifindex interface;
  core::IpAddress ip;
  core::MacAddress mac;
  std::uint16_t state = 0;  ///< NUD_* of linux/neighbour.h
  bool operator==(const NeighbourMessage&) const = default;
};

/// RTM_NEWADDR / RTM_DELADDR: an address of this machine.
struct AddressMessage {
  core::Ifindex interface;
  core::IpAddress ip;
  bool removed = false;
  bool operator==(const AddressMessage&) const = default;
};

/// RTM_NEWROUTE, unicast, with one outgoing interface.
struct RouteMessage {
  core::IpPrefix prefix;
  core::Ifindex interface;
  std::uint8_t protocol = 0;  ///< RTPROT_*
  bool operator==(const RouteMessage&) const = default;
};

using Message =
    std::variant<LinkMessage, VlanMessage, AddressMessage, FdbMessage, NeighbourMessage, RouteMessage>;

/// Decodes one netlink message, header included (native byte order, linux/netlink.h). nullopt: of no interest, or
/// malformed; `malformed`, when given, tells which. Unknown attributes are skipped.
[[nodiscard]] std::optional<Message> decode(std::span<const std::byte> message, bool* malformed = nullptr);

}  // namespace untrombone::netlink
