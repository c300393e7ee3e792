// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/messages.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>

#include "netlink/attributes.hpp"

namespace untrombone::netlink {
namespace {

using core::Ifindex;
using core::IpAddress;
using core::MacAddress;

// net/if.h ends at IFF_DYNAMIC; this one is only in linux/if.h, which cannot be included beside it.
constexpr unsigned kIffLowerUp = 1U << 16U;

std::optional<MacAddress> as_mac(const Attribute& attribute) {
  if (attribute.value.size() != 6) return std::nullopt;
  return MacAddress::from_bytes(attribute.value);
}

std::optional<IpAddress> as_address(const Attribute& attribute, int family) {
  const auto address = IpAddress::from_bytes(attribute.value);
  return address && address->is_v4() == (family == AF_INET) ? address : std::nullopt;
}

std::string_view as_text(const Attribute& attribute) {
  const char* const text = reinterpret_cast<const char*>(attribute.value.data());
  return {text, strnlen(text, attribute.value.size())};
}

/// Calls `visit(attribute)` for each of a run of attributes; false when malformed.
template <typename Visit>
bool for_each_attribute_in(std::span<const std::byte> attributes, Visit visit) {
  AttributeCursor cursor(attributes);
  while (const auto attribute = cursor.next()) visit(*attribute);
  return !cursor.malformed();
}

/// The same for those after a fixed header of type T.
template <typename T, typename Visit>
bool for_each_attribute(std::span<const std::byte> body, Visit visit) {
  return for_each_attribute_in(body.subspan(std::min(aligned(sizeof(T)), body.size())), visit);
}

struct Decoded {
  std::optional<Message> message;
  bool malformed = false;
};
constexpr auto kMalformed = [] { return Decoded{std::nullopt, true}; };

/// clock_t of the kernel's interfaces: USER_HZ is 100 wherever Linux runs on this century's machines.
constexpr core::Duration kUserTick = std::chrono::milliseconds(10);

LinkKind kind_of(const Attribute& attribute) {
  const std::string_view kind = as_text(attribute);
  if (kind == "bridge") return LinkKind::kBridge;
  if (kind == "vlan") return LinkKind::kVlan;
  if (kind == "vrf") return LinkKind::kVrf;
  return kind == "vxlan" ? LinkKind::kVxlan : LinkKind::kOther;
}

/// What a bridge, a VLAN device or a VRF says of itself; the numbers of the attributes depend on the kind.
void take_link_data(const Attribute& attribute, LinkMessage& link) {
  constexpr auto kOf = [](LinkKind kind, std::uint16_t type) {
    return static_cast<unsigned>(kind) << 16U | type;
  };
  switch (kOf(link.kind, attribute.type)) {
    case kOf(LinkKind::kBridge, IFLA_BR_VLAN_FILTERING):
      link.vlan_aware = attribute.as<std::uint8_t>().value_or(0) != 0;
      break;
    case kOf(LinkKind::kBridge, IFLA_BR_AGEING_TIME):
      link.ageing = attribute.as<std::uint32_t>().value_or(0) * kUserTick;
      break;
    case kOf(LinkKind::kBridge, IFLA_BR_VLAN_PROTOCOL):
    case kOf(LinkKind::kVlan, IFLA_VLAN_PROTOCOL):
      link.vlan_protocol = ntohs(attribute.as<std::uint16_t>().value_or(0));
      break;
    case kOf(LinkKind::kVlan, IFLA_VLAN_ID): link.vlan = {attribute.as<std::uint16_t>().value_or(0)}; break;
    case kOf(LinkKind::kVrf, IFLA_VRF_TABLE): link.table = attribute.as<std::uint32_t>().value_or(0); break;
    default: break;
  }
}

/// IFLA_LINKINFO; false when malformed. A port's master has its own say in it (IFLA_INFO_SLAVE_...), not read here.
bool take_link_info(const Attribute& info, LinkMessage& link) {
  std::span<const std::byte> data;
  bool complete = for_each_attribute_in(info.value, [&](const Attribute& attribute) {
    if (attribute.type == IFLA_INFO_KIND) link.kind = kind_of(attribute);
    if (attribute.type == IFLA_INFO_DATA) data = attribute.value;
  });
  if (link.kind == LinkKind::kOther) return complete;
  complete &= for_each_attribute_in(data, [&](const Attribute& one) { take_link_data(one, link); });
  return complete;
}

Decoded decode_link(std::span<const std::byte> body, bool removed) {
  const auto header = read_struct<ifinfomsg>(body);
  if (!header) return kMalformed();
  if (header->ifi_family != AF_UNSPEC) return {};
  LinkMessage link;
  link.index = {header->ifi_index};
  link.removed = removed;
  link.up = (header->ifi_flags & IFF_UP) != 0 && (header->ifi_flags & kIffLowerUp) != 0;
  Ifindex lower;
  bool lower_is_elsewhere = false;
  bool info_complete = true;
  const bool complete = for_each_attribute<ifinfomsg>(body, [&](const Attribute& attribute) {
    switch (attribute.type) {
      case IFLA_IFNAME: link.name = as_text(attribute); break;
      case IFLA_ADDRESS: link.mac = as_mac(attribute).value_or(MacAddress{}); break;
      case IFLA_MASTER: link.master = {attribute.as<int>().value_or(0)}; break;
      case IFLA_LINK: lower = {attribute.as<int>().value_or(0)}; break;
      case IFLA_LINK_NETNSID: lower_is_elsewhere = true; break;
      case IFLA_LINKINFO: info_complete = take_link_info(attribute, link); break;
      default: break;
    }
  });
  if (!complete || !info_complete || link.name.empty()) return kMalformed();
  if (link.kind == LinkKind::kVlan && !lower_is_elsewhere) link.lower = lower;
  return {link, false};
}

/// One BRIDGE_VLANDB_ENTRY; nullopt when it names no VLANs.
std::optional<VlanRange> as_vlan_range(const Attribute& entry, bool& complete) {
  std::optional<bridge_vlan_info> info;
  std::uint16_t last = 0;
  complete &= for_each_attribute_in(entry.value, [&](const Attribute& attribute) {
    if (attribute.type == BRIDGE_VLANDB_ENTRY_INFO) info = attribute.as<bridge_vlan_info>();
    if (attribute.type == BRIDGE_VLANDB_ENTRY_RANGE) last = attribute.as<std::uint16_t>().value_or(0);
  });
  constexpr std::uint16_t kLastVlan = 4094;
  if (!info || info->vid == 0 || info->vid > kLastVlan || last > kLastVlan) return std::nullopt;
  return VlanRange{{info->vid},
                   {std::max(info->vid, last)},
                   (info->flags & BRIDGE_VLAN_INFO_PVID) != 0,
                   (info->flags & BRIDGE_VLAN_INFO_UNTAGGED) != 0};
}

Decoded decode_vlan(std::span<const std::byte> body, bool removed) {
  const auto header = read_struct<br_vlan_msg>(body);
  if (!header) return kMalformed();
  if (header->family != AF_BRIDGE) return {};
  VlanMessage vlans{{static_cast<int>(header->ifindex)}, {}, removed};
  bool entries_complete = true;
  const bool complete = for_each_attribute<br_vlan_msg>(body, [&](const Attribute& attribute) {
    if (attribute.type != BRIDGE_VLANDB_ENTRY) return;  // others are options of the whole bridge
    if (const auto range = as_vlan_range(attribute, entries_complete)) vlans.ranges.push_back(*range);
  });
  if (!complete || !entries_complete) return kMalformed();
  if (vlans.ranges.empty()) return {};
  return {std::move(vlans), false};
}

Decoded decode_fdb(const ndmsg& header, std::span<const std::byte> body, bool removed) {
  FdbMessage entry;
  entry.port = {header.ndm_ifindex};
  entry.removed = removed;
  entry.aged = removed && (header.ndm_state & NUD_STALE) != 0;
  entry.remote = (header.ndm_flags & NTF_EXT_LEARNED) != 0;
  std::optional<MacAddress> mac;
  const bool complete = for_each_attribute<ndmsg>(body, [&](const Attribute& attribute) {
    switch (attribute.type) {
      case NDA_LLADDR: mac = as_mac(attribute); break;
      case NDA_MASTER: entry.bridge = {attribute.as<int>().value_or(0)}; break;
      case NDA_VLAN: entry.vlan = {attribute.as<std::uint16_t>().value_or(0)}; break;
      case NDA_DST: entry.remote = true; break;
      default: break;
    }
  });
  if (!complete) return kMalformed();
  const bool own = (header.ndm_state & NUD_PERMANENT) != 0;
  if (own || !entry.bridge || (header.ndm_flags & NTF_SELF) != 0) return {};
  if (!mac) return kMalformed();
  entry.mac = *mac;
  return {entry, false};
}

Decoded decode_neighbour(const ndmsg& header, std::span<const std::byte> body) {
  NeighbourMessage neighbour;
  neighbour.interface = {header.ndm_ifindex};
  neighbour.state = header.ndm_state;
  std::optional<MacAddress> mac;
  std::optional<IpAddress> ip;
  const bool complete = for_each_attribute<ndmsg>(body, [&](const Attribute& attribute) {
    if (attribute.type == NDA_LLADDR) mac = as_mac(attribute);
    if (attribute.type == NDA_DST) ip = as_address(attribute, header.ndm_family);
  });
  if (!complete || !ip) return kMalformed();
  constexpr unsigned kWithoutBinding = NUD_FAILED | NUD_INCOMPLETE | NUD_NOARP;
  if (!mac || (header.ndm_state & kWithoutBinding) != 0) return {};
  neighbour.mac = *mac;
  neighbour.ip = *ip;
  return {neighbour, false};
}

Decoded decode_neigh(std::span<const std::byte> body, bool removed) {
  const auto header = read_struct<ndmsg>(body);
  if (!header) return kMalformed();
  if (header->ndm_family == AF_BRIDGE) return decode_fdb(*header, body, removed);
  if (removed || (header->ndm_family != AF_INET && header->ndm_family != AF_INET6)) return {};
  return decode_neighbour(*header, body);
}

Decoded decode_address(std::span<const std::byte> body, bool removed) {
  const auto header = read_struct<ifaddrmsg>(body);
  if (!header) return kMalformed();
  if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6) return {};
  std::optional<IpAddress> local;  // where it differs from IFA_ADDRESS, that one is the other end's
  std::optional<IpAddress> address;
  const bool complete = for_each_attribute<ifaddrmsg>(body, [&](const Attribute& attribute) {
    if (attribute.type == IFA_LOCAL) local = as_address(attribute, header->ifa_family);
    if (attribute.type == IFA_ADDRESS) address = as_address(attribute, header->ifa_family);
  });
  if (!local) local = address;
  if (!complete || !local) return kMalformed();
  return {AddressMessage{{static_cast<int>(header->ifa_index)}, *local, removed}, false};
}

Decoded decode_route(std::span<const std::byte> body) {
  const auto header = read_struct<rtmsg>(body);
  if (!header) return kMalformed();
  if (header->rtm_type != RTN_UNICAST || (header->rtm_family != AF_INET && header->rtm_family != AF_INET6))
    return {};
  std::optional<IpAddress> destination;
  Ifindex interface;
  const bool complete = for_each_attribute<rtmsg>(body, [&](const Attribute& attribute) {
    if (attribute.type == RTA_DST) destination = as_address(attribute, header->rtm_family);
    if (attribute.type == RTA_OIF) interface = {attribute.as<int>().value_or(0)};
  });
  if (!complete) return kMalformed();
  if (!destination || !interface) return {};  // a default route, or several next hops
  if (header->rtm_dst_len > destination->bits()) return kMalformed();
  return {RouteMessage{{*destination, header->rtm_dst_len}, interface, header->rtm_protocol}, false};
}

}  // namespace

std::optional<Message> decode(std::span<const std::byte> message, bool* malformed) {
  const auto header = read_struct<nlmsghdr>(message);
  Decoded decoded;
  if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > message.size()) {
    decoded.malformed = true;
  } else {
    const auto body = message.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
    switch (header->nlmsg_type) {
      case RTM_NEWLINK: decoded = decode_link(body, false); break;
      case RTM_DELLINK: decoded = decode_link(body, true); break;
      case RTM_NEWVLAN: decoded = decode_vlan(body, false); break;
      case RTM_DELVLAN: decoded = decode_vlan(body, true); break;
      case RTM_NEWNEIGH: decoded = decode_neigh(body, false); break;
      case RTM_DELNEIGH: decoded = decode_neigh(body, true); break;
      case RTM_NEWADDR: decoded = decode_address(body, false); break;
      case RTM_DELADDR: decoded = decode_address(body, true); break;
      case RTM_NEWROUTE: decoded = decode_route(body); break;
      default: break;
    }
  }
  if (malformed != nullptr) *malformed = decoded.malformed;
  return decoded.message;
}

}  // namespace untrombone::netlink
