// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/socket.hpp"

#include <sys/socket.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "netlink/errors.hpp"

namespace untrombone::netlink {
namespace {

using boost::system::error_code;

struct MessageDeleter {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using MessagePtr = std::unique_ptr<nl_msg, MessageDeleter>;

/// A request of `type` whose body starts with `header`.
template <typename Header>
MessagePtr make_request(int type, int flags, Header header) {
  MessagePtr message(nlmsg_alloc_simple(type, flags));
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  return message;
}

error_code send(nl_sock* socket, const MessagePtr& message) {
  nl_complete_msg(socket, message.get());
  const nlmsghdr* const header = nlmsg_hdr(message.get());
  if (::send(nl_socket_get_fd(socket), header, header->nlmsg_len, 0) < 0) return last_error();
  return {};
}

}  // namespace

void RouteSocket::Closer::operator()(nl_sock* socket) const { nl_socket_free(socket); }

error_code RouteSocket::open(std::span<const int> groups, int receive_buffer,
                             std::unique_ptr<RouteSocket>& socket) {
  std::unique_ptr<RouteSocket> made(new RouteSocket(nl_socket_alloc()));
  nl_socket_disable_auto_ack(made->socket_.get());  // only failures are answered
  if (nl_connect(made->socket_.get(), NETLINK_ROUTE) < 0) return last_error();
  for (const int group : groups) {
    if (nl_socket_add_membership(made->socket_.get(), group) < 0) return last_error();
  }
  const int fd = made->fd();
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) < 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const int on = 1;  // the kernel then honours the filters of dump requests (since 4.20)
  setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  if (nl_socket_set_nonblocking(made->socket_.get()) < 0) return last_error();
  socket = std::move(made);
  return {};
}

int RouteSocket::fd() const { return nl_socket_get_fd(socket_.get()); }

error_code RouteSocket::request_links() {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  return send(socket_.get(), make_request(RTM_GETLINK, NLM_F_DUMP, header));
}

error_code RouteSocket::request_vlans() {
  br_vlan_msg header{};
  header.family = AF_BRIDGE;
  return send(socket_.get(), make_request(RTM_GETVLAN, NLM_F_DUMP, header));
}

error_code RouteSocket::request_fdb(core::Ifindex bridge) {
  ndmsg header{};
  header.ndm_family = AF_BRIDGE;
  const MessagePtr message = make_request(RTM_GETNEIGH, NLM_F_DUMP, header);
  nla_put_s32(message.get(), NDA_MASTER, bridge.value);
  return send(socket_.get(), message);
}

error_code RouteSocket::request_addresses() {
  ifaddrmsg header{};
  header.ifa_family = AF_UNSPEC;
  return send(socket_.get(), make_request(RTM_GETADDR, NLM_F_DUMP, header));
}

error_code RouteSocket::request_fdb_entry(core::Ifindex bridge, core::VlanId vlan,
                                          const core::MacAddress& mac, std::uint32_t& sequence) {
  ndmsg header{};
  header.ndm_family = AF_BRIDGE;
  const MessagePtr message = make_request(RTM_GETNEIGH, 0, header);
  nla_put(message.get(), NDA_LLADDR, static_cast<int>(mac.octets.size()), mac.octets.data());
  nla_put_s32(message.get(), NDA_MASTER, bridge.value);
  if (vlan) nla_put_u16(message.get(), NDA_VLAN, vlan.value);
  const error_code error = send(socket_.get(), message);
  sequence = nlmsg_hdr(message.get())->nlmsg_seq;
  return error;
}

error_code RouteSocket::request_neighbours(core::Family family) {
  ndmsg header{};
  header.ndm_family = family == core::Family::kIpv4 ? AF_INET : AF_INET6;
  return send(socket_.get(), make_request(RTM_GETNEIGH, NLM_F_DUMP, header));
}

error_code RouteSocket::request_routes(core::Family family, std::uint8_t protocol, std::uint32_t table,
                                       core::Ifindex interface) {
  rtmsg header{};
  header.rtm_family = family == core::Family::kIpv4 ? AF_INET : AF_INET6;
  header.rtm_protocol = protocol;
  const MessagePtr message = make_request(RTM_GETROUTE, NLM_F_DUMP, header);
  nla_put_u32(message.get(), RTA_TABLE, table);
  nla_put_s32(message.get(), RTA_OIF, interface.value);
  return send(socket_.get(), message);
}

error_code RouteSocket::request_table(core::Family family, std::uint32_t table) {
  rtmsg header{};
  header.rtm_family = family == core::Family::kIpv4 ? AF_INET : AF_INET6;
  header.rtm_type = RTN_UNICAST;
  const MessagePtr message = make_request(RTM_GETROUTE, NLM_F_DUMP, header);
  nla_put_u32(message.get(), RTA_TABLE, table);
  return send(socket_.get(), message);
}

error_code RouteSocket::change_own_mac(core::Ifindex bridge, core::VlanId vlan, const core::MacAddress& mac,
                                       bool add) {
  ndmsg header{};
  header.ndm_family = AF_BRIDGE;
  header.ndm_ifindex = bridge.value;
  header.ndm_state = NUD_PERMANENT;
  header.ndm_flags = NTF_SELF;
  const int flags = add ? NLM_F_CREATE | NLM_F_REPLACE : 0;
  const MessagePtr message = make_request(add ? RTM_NEWNEIGH : RTM_DELNEIGH, flags, header);
  nla_put(message.get(), NDA_LLADDR, static_cast<int>(mac.octets.size()), mac.octets.data());
  if (vlan) nla_put_u16(message.get(), NDA_VLAN, vlan.value);
  return send(socket_.get(), message);
}

error_code RouteSocket::receive(std::span<std::byte> buffer, std::size_t& received) {
  const ssize_t count = ::recv(fd(), buffer.data(), buffer.size(), 0);
  if (count < 0) return last_error();
  received = static_cast<std::size_t>(count);
  return {};
}

}  // namespace untrombone::netlink
