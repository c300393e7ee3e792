// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/question_tap.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "arp/frames.hpp"
#include "arp/nd_frames.hpp"
#include "arp/packet_socket.hpp"

namespace untrombone::arp {
namespace {

using boost::system::error_code;
using core::Ifindex;

constexpr int kBudget = 64;  ///< frames per wake-up
constexpr std::size_t kSnap = 256;

/// Outgoing ARP, and outgoing neighbour solicitations right behind an IPv6 header.
error_code attach_filter(int fd) {
  constexpr std::uint16_t kLoadHalf = BPF_LD | BPF_H | BPF_ABS;
  constexpr std::uint16_t kLoadByte = BPF_LD | BPF_B | BPF_ABS;
  constexpr std::uint16_t kJumpEqual = BPF_JMP | BPF_JEQ | BPF_K;
  constexpr std::uint16_t kReturn = BPF_RET | BPF_K;
  std::array<sock_filter, 11> filter{{
      {kLoadByte, 0, 0, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)},
      {kJumpEqual, 0, 8, PACKET_OUTGOING},
      {kLoadHalf, 0, 0, 12},
      {kJumpEqual, 5, 0, ETH_P_ARP},
      {kJumpEqual, 0, 5, ETH_P_IPV6},
      {kLoadByte, 0, 0, 20},  // next header
      {kJumpEqual, 0, 3, IPPROTO_ICMPV6},
      {kLoadByte, 0, 0, 54},  // type
      {kJumpEqual, 0, 1, static_cast<std::uint32_t>(NdType::kSolicitation)},
      {kReturn, 0, 0, kSnap},
      {kReturn, 0, 0, 0},
  }};
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) return last_error();
  return {};
}

std::optional<core::IpAddress> question_in(std::span<const std::byte> frame) {
  if (const auto arp = decode(frame)) {
    const bool asks = arp->protocol == Protocol::kArp && arp->operation == kRequest;
    return asks ? std::optional(arp->target_ip) : std::nullopt;
  }
  if (const auto nd = decode_nd(frame)) return nd->target;
  return std::nullopt;
}

}  // namespace

/// One interface's socket and its wait.
class QuestionTap::Interface {
 public:
  Interface(boost::asio::io_context& io, Ifindex index, const Asked& asked)
      : socket_(io), index_(index), asked_(asked) {}

  error_code open() {
    if (const auto error = socket_.open(index_, attach_filter)) return error;
    wait();
    return {};
  }

 private:
  void wait() {
    socket_.wait([this] { read(); });
  }

  void read() {
    std::array<std::byte, kSnap> buffer{};
    for (int budget = kBudget; budget > 0; --budget) {
      const ssize_t size = ::recv(socket_.fd(), buffer.data(), buffer.size(), 0);
      if (size < 0) break;
      const auto target =
          question_in(std::span<const std::byte>(buffer).first(static_cast<std::size_t>(size)));
      if (target) asked_(index_, *target);
    }
    wait();
  }

  PacketSocket socket_;
  Ifindex index_;
  const Asked& asked_;
};

QuestionTap::QuestionTap(boost::asio::io_context& io, Asked asked) : io_(io), asked_(std::move(asked)) {}
QuestionTap::~QuestionTap() = default;

error_code QuestionTap::open(Ifindex interface) {
  if (interfaces_.contains(interface)) return {};
  auto made = std::make_unique<Interface>(io_, interface, asked_);
  if (const auto error = made->open()) return error;
  interfaces_.emplace(interface, std::move(made));
  return {};
}

void QuestionTap::close(Ifindex interface) { interfaces_.erase(interface); }

}  // namespace untrombone::arp
