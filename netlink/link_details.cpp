// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/link_details.hpp"

#include <net/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cstring>

#include "netlink/attributes.hpp"

namespace untrombone::netlink {
namespace {

// net/if.h ends at IFF_DYNAMIC; this one is only in linux/if.h, which cannot be included beside it.
constexpr unsigned kIffLowerUp = 1U << 16U;

std::string as_string(const Attribute& attribute) {
  const char* const text = reinterpret_cast<const char*>(attribute.value.data());
  return {text, strnlen(text, attribute.value.size())};
}

void take_port_data(const Attribute& data, LinkDetails& link) {
  AttributeCursor cursor(data.value);
  while (const auto attribute = cursor.next()) {
    if (attribute->type != IFLA_BRPORT_NEIGH_SUPPRESS) continue;
    if (const auto value = attribute->as<std::uint8_t>()) link.neigh_suppress = *value != 0;
  }
}

void take_link_info(const Attribute& info, LinkDetails& link) {
  std::string slave_kind;
  AttributeCursor cursor(info.value);
  while (const auto attribute = cursor.next()) {
    switch (attribute->type) {
      case IFLA_INFO_KIND: link.kind = as_string(*attribute); break;
      case IFLA_INFO_SLAVE_KIND: slave_kind = as_string(*attribute); break;
      case IFLA_INFO_SLAVE_DATA:  // comes behind the kind
        if (slave_kind == "bridge") take_port_data(*attribute, link);
        break;
      default: break;
    }
  }
}

}  // namespace

std::optional<LinkDetails> decode_link_details(std::span<const std::byte> message) {
  const auto header = read_struct<nlmsghdr>(message);
  if (!header || header->nlmsg_type != RTM_NEWLINK || header->nlmsg_len > message.size()) return std::nullopt;
  const auto body = message.subspan(NLMSG_HDRLEN);
  const auto info = read_struct<ifinfomsg>(body);
  if (!info || info->ifi_family != AF_UNSPEC) return std::nullopt;
  LinkDetails link;
  link.index = {info->ifi_index};
  link.up = (info->ifi_flags & IFF_UP) != 0 && (info->ifi_flags & kIffLowerUp) != 0;
  AttributeCursor cursor(body.subspan(std::min(aligned(sizeof(ifinfomsg)), body.size())));
  while (const auto attribute = cursor.next()) {
    switch (attribute->type) {
      case IFLA_IFNAME: link.name = as_string(*attribute); break;
      case IFLA_MASTER: link.master = {attribute->as<int>().value_or(0)}; break;
      case IFLA_MTU: link.mtu = attribute->as<std::uint32_t>().value_or(0); break;
      case IFLA_LINKINFO: take_link_info(*attribute, link); break;
      default: break;
    }
  }
  if (cursor.malformed() || link.name.empty()) return std::nullopt;
  return link;
}

}  // namespace untrombone::netlink
