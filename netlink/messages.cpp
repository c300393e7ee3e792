// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/messages.hpp"

#include <net/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>

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

std::string as_string(const Attribute& attribute) {
  const char* const text = reinterpret_cast<const char*>(attribute.value.data());
  return {text, strnlen(text, attribute.value.size())};
}

/// Calls `visit(attribute)` for each attribute after a fixed header of type T; false when malformed.
template <typename T, typename Visit>
bool for_each_attribute(std::span<const std::byte> body, Visit visit) {
  AttributeCursor cursor(body.subspan(std::min(aligned(sizeof(T)), body.size())));
  while (const auto attribute = cursor.next()) visit(*attribute);
  return !cursor.malformed();
}

struct Decoded {
  std::optional<Message> message;
  bool malformed = false;
};
constexpr auto kMalformed = [] { return Decoded{std::nullopt, true}; };

Decoded decode_link(std::span<const std::byte> body, bool removed) {
  const auto header = read_struct<ifinfomsg>(body);
  if (!header) return kMalformed();
  if (header->ifi_family != AF_UNSPEC) return {};
  LinkMessage link;
  link.index = {header->ifi_index};
  link.removed = removed;
  link.up = (header->ifi_flags & IFF_UP) != 0 && (header->ifi_flags & kIffLowerUp) != 0;
  const bool complete = for_each_attribute<ifinfomsg>(body, [&](const Attribute& attribute) {
    switch (attribute.type) {
      case IFLA_IFNAME: link.name = as_string(attribute); break;
      case IFLA_ADDRESS: link.mac = as_mac(attribute).value_or(MacAddress{}); break;
      case IFLA_MASTER: link.master = {attribute.as<int>().value_or(0)}; break;
      default: break;
    }
  });
  if (!complete || link.name.empty()) return kMalformed();
  return {link, false};
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
      case NDA_VLAN: entry.vlan = attribute.as<std::uint16_t>(); break;
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
      case RTM_NEWNEIGH: decoded = decode_neigh(body, false); break;
      case RTM_DELNEIGH: decoded = decode_neigh(body, true); break;
      case RTM_NEWROUTE: decoded = decode_route(body); break;
      default: break;
    }
  }
  if (malformed != nullptr) *malformed = decoded.malformed;
  return decoded.message;
}

}  // namespace untrombone::netlink
