// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/neighbour_writer.hpp"

#include <sys/socket.h>
#include <unistd.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace untrombone::netlink {
namespace {

constexpr std::size_t kMostBytes = 128;

/// A message under construction in a buffer that is large enough for it.
class Message {
 public:
  template <typename T>
  void append(const T& value) {
    append_bytes(std::as_bytes(std::span(&value, 1)));
  }
  void append_bytes(std::span<const std::byte> bytes) {
    std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ += NLMSG_ALIGN(bytes.size());
  }
  template <typename Octets>
  void attribute(std::uint16_t type, const Octets& octets) {
    append(nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + octets.size()), type});
    append_bytes(std::as_bytes(std::span(octets)));
  }
  [[nodiscard]] std::span<const std::byte> finish() {
    const auto size = static_cast<std::uint32_t>(size_);
    std::memcpy(bytes_.data(), &size, sizeof size);
    return std::span(bytes_).first(size_);
  }

 private:
  std::array<std::byte, kMostBytes> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace

NeighbourWriter::NeighbourWriter()
    : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE)) {}

NeighbourWriter::~NeighbourWriter() {
  if (fd_ >= 0) ::close(fd_);
}

bool NeighbourWriter::tell(core::Ifindex interface, const core::IpAddress& ip, const core::MacAddress& mac) {
  Message message;
  message.append(nlmsghdr{0, RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE, 0, 0});
  ndmsg header{};
  header.ndm_family = ip.is_v4() ? AF_INET : AF_INET6;
  header.ndm_ifindex = interface.value;
  header.ndm_state = NUD_STALE;
  message.append(header);
  message.attribute(NDA_DST, ip.octets());
  message.attribute(NDA_LLADDR, mac.octets);
  const auto bytes = message.finish();
  return ::send(fd_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
}

}  // namespace untrombone::netlink
