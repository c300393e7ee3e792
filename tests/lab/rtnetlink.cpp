// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/rtnetlink.hpp"

#include <net/if.h>
#include <sys/socket.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <array>
#include <stdexcept>

#include <fmt/format.h>

namespace untrombone::lab {
namespace {

constexpr unsigned kTypeMask = 0x3fff;    // NLA_TYPE_MASK
constexpr int kReceiveBuffer = 64 << 20;  // bytes; enough for 100,000 events that nobody reads yet

std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

LinkInfo decode_link(Bytes body) {
  LinkInfo link{.ifindex = load<ifinfomsg>(body).ifi_index};
  for_each_attribute(body.subspan(sizeof(ifinfomsg)), [&link](std::uint16_t type, Bytes value) {
    if (type == IFLA_ADDRESS) {
      link.mac = load<MacAddress>(value);
    } else if (type == IFLA_CARRIER_CHANGES) {
      link.carrier_changes = load<std::uint32_t>(value);
    } else if (type == IFLA_STATS64) {
      const auto stats = load<rtnl_link_stats64>(value);
      link.rx_packets = stats.rx_packets;
      link.tx_packets = stats.tx_packets;
      link.rx_bytes = stats.rx_bytes;
      link.tx_bytes = stats.tx_bytes;
    }
  });
  return link;
}

}  // namespace

void for_each_message(Bytes datagram, const std::function<void(const nlmsghdr&, Bytes)>& handler) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto header = load<nlmsghdr>(datagram);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) {
      return;
    }
    handler(header, datagram.first(header.nlmsg_len).subspan(sizeof header));
    datagram = datagram.subspan(std::min(aligned(header.nlmsg_len), datagram.size()));
  }
}

void for_each_attribute(Bytes attributes, const std::function<void(std::uint16_t, Bytes)>& handler) {
  while (attributes.size() >= sizeof(nlattr)) {
    const auto header = load<nlattr>(attributes);
    if (header.nla_len < sizeof header || header.nla_len > attributes.size()) {
      return;
    }
    handler(static_cast<std::uint16_t>(header.nla_type & kTypeMask),
            attributes.first(header.nla_len).subspan(sizeof header));
    attributes = attributes.subspan(std::min(aligned(header.nla_len), attributes.size()));
  }
}

UniqueFd open_rtnetlink(const Netns& netns, std::uint32_t groups) {
  return run_in(netns, [groups] {
    UniqueFd socket(check(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "netlink socket"));
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = groups;
    check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind netlink");
    return socket;
  });
}

LinkInfo link_info(const Netns& netns, const std::string& ifname) {
  struct Request {
    nlmsghdr header;
    ifinfomsg body;
  } request{};
  request.header = {.nlmsg_len = sizeof request,
                    .nlmsg_type = RTM_GETLINK,
                    .nlmsg_flags = NLM_F_REQUEST,
                    .nlmsg_seq = 1,
                    .nlmsg_pid = 0};
  request.body.ifi_index = run_in(netns, [&] { return static_cast<int>(::if_nametoindex(ifname.c_str())); });
  if (request.body.ifi_index == 0) {
    throw std::invalid_argument(fmt::format("no interface {} in {}", ifname, netns.name()));
  }
  const UniqueFd socket = open_rtnetlink(netns, 0);
  check(::send(socket.get(), &request, sizeof request, 0), "ask for a link");
  std::array<std::byte, 16384> answer;
  const long size = check(::recv(socket.get(), answer.data(), answer.size(), 0), "receive a link");
  LinkInfo link;
  for_each_message(Bytes(answer).first(static_cast<std::size_t>(size)),
                   [&link](const nlmsghdr& header, Bytes body) {
                     if (header.nlmsg_type == RTM_NEWLINK) {
                       link = decode_link(body);
                     }
                   });
  return link;
}

}  // namespace untrombone::lab
