// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/route_message.hpp"

#include <linux/rtnetlink.h>

#include "netlink/attributes.hpp"

namespace untrombone::netlink {
namespace {

// sys/socket.h is no header for pure code.
constexpr int kAfInet = 2;
constexpr int kAfInet6 = 10;

}  // namespace

std::optional<TableRoute> decode_table_route(std::span<const std::byte> message) {
  const auto header = read_struct<nlmsghdr>(message);
  if (!header || (header->nlmsg_type != RTM_NEWROUTE && header->nlmsg_type != RTM_DELROUTE))
    return std::nullopt;
  const std::size_t size = std::min<std::size_t>(header->nlmsg_len, message.size());
  const auto route = size < sizeof(nlmsghdr)
                         ? std::nullopt
                         : read_struct<rtmsg>(message.subspan(sizeof(nlmsghdr), size - sizeof(nlmsghdr)));
  const std::size_t head = sizeof(nlmsghdr) + aligned(sizeof(rtmsg));
  if (!route || size < head) return std::nullopt;
  const bool v4 = route->rtm_family == kAfInet;
  if (!v4 && route->rtm_family != kAfInet6) return std::nullopt;

  const bool removed = header->nlmsg_type == RTM_DELROUTE;
  const bool dead = (route->rtm_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0;
  TableRoute decoded{.table = route->rtm_table,
                     .prefix = {},
                     .removed = removed,
                     .usable = route->rtm_type == RTN_UNICAST && !dead};
  core::IpAddress address = v4 ? core::IpAddress::v4({}) : core::IpAddress::v6({});
  AttributeCursor attributes(message.subspan(head, size - head));
  while (const auto attribute = attributes.next()) {
    if (attribute->type == RTA_TABLE) {
      decoded.table = attribute->as<std::uint32_t>().value_or(decoded.table);
    } else if (attribute->type == RTA_DST) {
      const auto destination = core::IpAddress::from_bytes(attribute->value);
      if (!destination || destination->is_v4() != v4) return std::nullopt;
      address = *destination;
    }
  }
  if (attributes.malformed() || route->rtm_dst_len > address.bits()) return std::nullopt;
  decoded.prefix = core::IpPrefix(address, route->rtm_dst_len);
  return decoded;
}

}  // namespace untrombone::netlink
