// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/capture.hpp"

#include <net/ethernet.h>
#include <poll.h>
#include <time.h>
#include <linux/if_packet.h>

#include <array>
#include <cstring>
#include <utility>

namespace untrombone::lab {
namespace {

constexpr int kReceiveBuffer = 32 << 20;
constexpr int kOn = 1;

}  // namespace

Timestamp kernel_timestamp(msghdr& message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPNS) {
      timespec time{};
      std::memcpy(&time, CMSG_DATA(header), sizeof time);
      return Timestamp(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
    }
  }
  return now();
}

FrameCapture::FrameCapture(const Netns& netns, const std::string& ifname, FramePredicate wanted)
    : socket_(open_packet_socket(netns, ifname, ETH_P_ALL)), wanted_(std::move(wanted)) {
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
  check(::setsockopt(socket_.get(), SOL_SOCKET, SO_TIMESTAMPNS, &kOn, sizeof kOn), "SO_TIMESTAMPNS");
  worker_ = Worker([this](int stop_fd) { run(stop_fd); });
}

std::optional<CapturedFrame> FrameCapture::wait_first(std::chrono::milliseconds timeout, Timestamp since,
                                                      const FramePredicate& predicate) {
  std::unique_lock lock(mutex_);
  std::size_t next = 0;
  std::optional<CapturedFrame> found;
  changed_.wait_for(lock, timeout, [&] {
    for (; next < frames_.size() && !found; ++next) {
      const CapturedFrame& captured = frames_[next];
      if (captured.at >= since && (!predicate || predicate(captured.frame))) {
        found = captured;
      }
    }
    return found.has_value();
  });
  return found;
}

std::vector<CapturedFrame> FrameCapture::frames(Timestamp since) {
  const std::lock_guard lock(mutex_);
  std::vector<CapturedFrame> result;
  for (const CapturedFrame& captured : frames_) {
    if (captured.at >= since) {
      result.push_back(captured);
    }
  }
  return result;
}

std::size_t FrameCapture::count(const FramePredicate& predicate, Timestamp since) {
  std::size_t result = 0;
  for (const CapturedFrame& captured : frames(since)) {
    result += predicate(captured.frame) ? 1U : 0U;
  }
  return result;
}

void FrameCapture::clear() {
  const std::lock_guard lock(mutex_);
  frames_.clear();
}

std::uint64_t FrameCapture::dropped() {
  tpacket_stats stats{};
  socklen_t size = sizeof stats;
  ::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &size);  // reading resets it
  const std::lock_guard lock(mutex_);
  return dropped_ += stats.tp_drops;
}

void FrameCapture::run(int stop_fd) {
  std::array<pollfd, 2> events{{{.fd = stop_fd, .events = POLLIN, .revents = 0},
                                {.fd = socket_.get(), .events = POLLIN, .revents = 0}}};
  while (::poll(events.data(), events.size(), -1) >= 0 && events[0].revents == 0) {
    receive();
  }
}

void FrameCapture::receive() {
  std::array<std::uint8_t, 65536> buffer;
  std::array<char, 128> control;
  iovec vector{.iov_base = buffer.data(), .iov_len = buffer.size()};
  sockaddr_ll from{};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
  if (size < 0) {
    return;
  }
  const FrameView frame = FrameView(buffer).first(static_cast<std::size_t>(size));
  if (wanted_ && !wanted_(frame)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  frames_.push_back({.at = kernel_timestamp(message),
                     .outgoing = from.sll_pkttype == PACKET_OUTGOING,
                     .frame = Frame(frame.begin(), frame.end())});
  changed_.notify_all();
}

}  // namespace untrombone::lab
