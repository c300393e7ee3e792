// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/crowd.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <linux/if_ether.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace untrombone::lab {
namespace {

constexpr std::size_t kBatch = 256;
constexpr int kBuffer = 32 * 1024 * 1024;

}  // namespace

Crowd::Crowd(const Netns& netns, const std::string& ifname, std::uint32_t first_address, std::uint32_t size)
    : first_(first_address),
      size_(size),
      sender_(open_packet_socket(netns, ifname, 0)),
      receiver_(open_packet_socket(netns, ifname, ETH_P_ALL)) {
  ::setsockopt(receiver_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBuffer, sizeof kBuffer);
}

Crowd::~Crowd() {
  stop_ = true;
  if (answerer_.joinable()) answerer_.join();
}

MacAddress Crowd::mac_of(std::uint32_t guest) {
  return {0x02,
          0x00,
          0x5e,
          static_cast<std::uint8_t>(guest >> 16U),
          static_cast<std::uint8_t>(guest >> 8U),
          static_cast<std::uint8_t>(guest)};
}

std::chrono::duration<double> Crowd::introduce() {
  std::vector<Frame> frames;
  frames.reserve(size_);
  for (std::uint32_t guest = 0; guest < size_; ++guest)
    frames.push_back(make_garp(mac_of(guest), address_of(guest)));
  std::vector<iovec> parts(size_);
  std::vector<mmsghdr> messages(size_);
  for (std::uint32_t guest = 0; guest < size_; ++guest) {
    parts[guest] = {frames[guest].data(), frames[guest].size()};
    messages[guest].msg_hdr.msg_iov = &parts[guest];
    messages[guest].msg_hdr.msg_iovlen = 1;
  }
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t sent = 0; sent < messages.size();) {
    const auto count = static_cast<unsigned>(std::min(kBatch, messages.size() - sent));
    const int taken = ::sendmmsg(sender_.get(), &messages[sent], count, 0);
    if (taken < 0 && errno == ENOBUFS) continue;
    sent += static_cast<std::size_t>(check(taken, "send a crowd's frames"));
  }
  return std::chrono::steady_clock::now() - start;
}

void Crowd::answer() {
  answerer_ = std::thread([this] { answer_until_stopped(); });
}

void Crowd::answer_until_stopped() {
  std::array<std::uint8_t, 128> buffer{};
  pollfd ready{.fd = receiver_.get(), .events = POLLIN, .revents = 0};
  while (!stop_) {
    if (::poll(&ready, 1, 100) <= 0) continue;
    ssize_t length = 0;
    while ((length = ::recv(receiver_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) {
      const FrameView frame(buffer.data(), static_cast<std::size_t>(length));
      const auto question = arp_body_of(frame);
      if (ethertype_of(frame) != kEthertypeArp || !question || question->operation != kArpRequest) continue;
      const std::uint32_t guest = question->target_ip - first_;
      if (guest >= size_ || question->sender_ip == question->target_ip) continue;
      const Frame reply = make_arp(question->sender_mac, mac_of(guest),
                                   {.operation = kArpReply,
                                    .sender_mac = mac_of(guest),
                                    .sender_ip = question->target_ip,
                                    .target_mac = question->sender_mac,
                                    .target_ip = question->sender_ip});
      if (::send(sender_.get(), reply.data(), reply.size(), 0) > 0) ++answered_;
    }
  }
}

}  // namespace untrombone::lab
