// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/crowd.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <linux/if_ether.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

namespace untrombone::lab {
namespace {

constexpr std::size_t kBatch = 256;
constexpr int kBuffer = 32 * 1024 * 1024;

std::vector<std::uint32_t> consecutive(std::uint32_t first, std::uint32_t size) {
  std::vector<std::uint32_t> addresses(size);
  std::iota(addresses.begin(), addresses.end(), first);
  return addresses;
}

}  // namespace

Crowd::Crowd(const Netns& netns, const std::string& ifname, std::vector<std::uint32_t> addresses)
    : addresses_(std::move(addresses)),
      present_(addresses_.size()),
      sender_(open_packet_socket(netns, ifname, 0)),
      receiver_(open_packet_socket(netns, ifname, ETH_P_ALL)) {
  if (!std::is_sorted(addresses_.begin(), addresses_.end()))
    throw std::invalid_argument("the addresses of a crowd must ascend");
  for (auto& present : present_) present = true;
  ::setsockopt(receiver_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBuffer, sizeof kBuffer);
}

Crowd::Crowd(const Netns& netns, const std::string& ifname, std::uint32_t first_address, std::uint32_t size)
    : Crowd(netns, ifname, consecutive(first_address, size)) {}

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
  frames.reserve(size());
  for (std::uint32_t guest = 0; guest < size(); ++guest)
    frames.push_back(make_garp(mac_of(guest), address_of(guest)));
  std::vector<iovec> parts(size());
  std::vector<mmsghdr> messages(size());
  for (std::uint32_t guest = 0; guest < size(); ++guest) {
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

void Crowd::leave(std::uint32_t guest) {
  const std::lock_guard lock(answering_);
  present_[guest] = false;
}

Timestamp Crowd::arrive(std::uint32_t guest) {
  const Frame frame = make_garp(mac_of(guest), address_of(guest));
  present_[guest] = true;
  const Timestamp at = now();
  while (::send(sender_.get(), frame.data(), frame.size(), 0) < 0) {
    if (errno != ENOBUFS) check(-1, "send a gratuitous ARP");
  }
  return at;
}

void Crowd::answer_until_stopped() {
  std::array<std::uint8_t, 2048> buffer{};
  pollfd ready{.fd = receiver_.get(), .events = POLLIN, .revents = 0};
  while (!stop_) {
    if (::poll(&ready, 1, 100) <= 0) continue;
    ssize_t length = 0;
    while ((length = ::recv(receiver_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) {
      const std::lock_guard lock(answering_);
      const auto reply = answer_to(FrameView(buffer.data(), static_cast<std::size_t>(length)));
      if (reply && ::send(sender_.get(), reply->data(), reply->size(), 0) > 0) ++answered_;
    }
  }
}

std::optional<std::uint32_t> Crowd::present_guest(std::uint32_t address) const {
  const auto found = std::lower_bound(addresses_.begin(), addresses_.end(), address);
  if (found == addresses_.end() || *found != address) return std::nullopt;
  const auto guest = static_cast<std::uint32_t>(found - addresses_.begin());
  return present_[guest] ? std::optional(guest) : std::nullopt;
}

std::optional<Frame> Crowd::answer_to(FrameView frame) const {
  if (const auto question = arp_body_of(frame); question && ethertype_of(frame) == kEthertypeArp) {
    const auto guest = present_guest(question->target_ip);
    const bool gratuitous = question->sender_ip == question->target_ip;
    if (question->operation != kArpRequest || !guest || gratuitous) return std::nullopt;
    return make_arp(question->sender_mac, mac_of(*guest),
                    {.operation = kArpReply,
                     .sender_mac = mac_of(*guest),
                     .sender_ip = question->target_ip,
                     .target_mac = question->sender_mac,
                     .target_ip = question->sender_ip});
  }
  const auto pair = icmp_pair_of(frame);
  const auto guest = pair ? present_guest(pair->destination) : std::nullopt;
  if (!guest || destination_of(frame) != mac_of(*guest)) return std::nullopt;
  return make_echo_reply(frame);
}

}  // namespace untrombone::lab
