// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/packet_socket.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include <cerrno>

namespace untrombone::arp {

using boost::system::error_code;

error_code last_error() { return {errno, boost::system::system_category()}; }

error_code PacketSocket::open(core::Ifindex interface, const Configure& configure) {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return last_error();
  error_code error;
  descriptor_.assign(fd, error);
  if (error) {
    ::close(fd);
    return error;
  }
  if (const auto failed = configure(fd)) return failed;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = interface.value;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) return last_error();
  return {};
}

}  // namespace untrombone::arp
