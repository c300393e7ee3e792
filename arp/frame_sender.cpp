// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/frame_sender.hpp"

#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_packet.h>

namespace untrombone::arp {

bool send_frame(core::Ifindex interface, std::span<const std::byte> frame) {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = interface.value;
  const ssize_t sent = ::sendto(fd, frame.data(), frame.size(), 0,
                                reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::close(fd);
  return sent == static_cast<ssize_t>(frame.size());
}

}  // namespace untrombone::arp
