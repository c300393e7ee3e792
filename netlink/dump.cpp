// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/dump.hpp"

#include <poll.h>
#include <linux/netlink.h>

#include <cerrno>

#include "netlink/attributes.hpp"

namespace untrombone::netlink {
namespace {

using boost::system::error_code;

// One dump datagram is at most 32 KiB.
constexpr std::size_t kBuffer = std::size_t{64} * 1024;
constexpr int kReceiveBuffer = 4 * 1024 * 1024;

error_code from_errno(int number) { return {number, boost::system::system_category()}; }

struct Progress {
  bool done = false;
  error_code error;
};

/// Visits the messages of one datagram.
Progress take_datagram(std::span<const std::byte> datagram, const Dumper::Visit& visit) {
  while (const auto header = read_struct<nlmsghdr>(datagram)) {
    if (header->nlmsg_len < NLMSG_HDRLEN || header->nlmsg_len > datagram.size()) {
      return {true, from_errno(EBADMSG)};
    }
    if (header->nlmsg_type == NLMSG_DONE) return {true, {}};
    if (header->nlmsg_type == NLMSG_ERROR) {
      const auto error = read_struct<nlmsgerr>(datagram.subspan(NLMSG_HDRLEN));
      return {true, from_errno(error ? -error->error : EBADMSG)};
    }
    visit(datagram.first(header->nlmsg_len));
    datagram = datagram.subspan(std::min(aligned(header->nlmsg_len), datagram.size()));
  }
  return {};
}

}  // namespace

error_code Dumper::open() {
  buffer_.resize(kBuffer);
  return RouteSocket::open({}, kReceiveBuffer, socket_);
}

error_code Dumper::dump(const Request& request, const Visit& visit, std::chrono::milliseconds patience) {
  if (const error_code error = request(*socket_)) return error;
  for (;;) {
    std::size_t received = 0;
    if (const error_code error = receive(patience, received)) return error;
    const Progress progress = take_datagram(std::span(buffer_).first(received), visit);
    if (progress.done) return progress.error;
  }
}

error_code Dumper::receive(std::chrono::milliseconds patience, std::size_t& received) {
  pollfd wait{socket_->fd(), POLLIN, 0};
  const int ready = ::poll(&wait, 1, static_cast<int>(patience.count()));
  if (ready == 0) return from_errno(ETIMEDOUT);
  if (ready < 0) return from_errno(errno);
  return socket_->receive(buffer_, received);
}

}  // namespace untrombone::netlink
