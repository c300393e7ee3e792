// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/traceroute.hpp"

#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <optional>

#include "tests/lab/frames.hpp"
#include "tests/lab/pinger.hpp"

namespace untrombone::lab {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint16_t kId = 0x7472;
constexpr int kMaxHops = 8;
constexpr std::size_t kEchoHeader = 8;
constexpr std::size_t kSourceOffset = 12;

std::uint16_t word(FrameView bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

// Skips an IP header; nothing when no ICMP header follows.
std::optional<FrameView> icmp_of(FrameView packet) {
  if (packet.size() < sizeof(iphdr)) {
    return std::nullopt;
  }
  const std::size_t header = static_cast<std::size_t>(packet[0] & 0x0f) * 4;
  if (packet.size() < header + kEchoHeader) {
    return std::nullopt;
  }
  return packet.subspan(header);
}

// Who answers our probe with this packet, if it is an answer to it.
std::optional<std::string> answerer(FrameView packet, std::uint16_t sequence) {
  const auto icmp = icmp_of(packet);
  if (!icmp) {
    return std::nullopt;
  }
  auto echo = icmp;
  if ((*icmp)[0] == ICMP_TIME_EXCEEDED) {
    echo = icmp_of(icmp->subspan(kEchoHeader));
  } else if ((*icmp)[0] != ICMP_ECHOREPLY) {
    return std::nullopt;
  }
  if (!echo || word(*echo, 4) != kId || word(*echo, 6) != sequence) {
    return std::nullopt;
  }
  const FrameView source = packet.subspan(kSourceOffset, 4);
  return format_ipv4(static_cast<std::uint32_t>(word(source, 0)) << 16 | word(source, 2));
}

std::optional<std::string> await_answer(int socket, std::uint16_t sequence,
                                        std::chrono::milliseconds patience) {
  const auto deadline = SteadyClock::now() + patience;
  std::array<std::uint8_t, 2048> packet;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    pollfd event{.fd = socket, .events = POLLIN, .revents = 0};
    if (left <= 0 || ::poll(&event, 1, static_cast<int>(left)) <= 0) {
      return std::nullopt;
    }
    const ssize_t size = ::recv(socket, packet.data(), packet.size(), MSG_DONTWAIT);
    if (size > 0) {
      if (auto hop = answerer(FrameView(packet).first(static_cast<std::size_t>(size)), sequence)) {
        return hop;
      }
    }
  }
}

}  // namespace

std::vector<std::string> traceroute(const Netns& netns, std::string_view destination,
                                    std::chrono::milliseconds patience) {
  const std::string target = format_ipv4(parse_ipv4(destination));
  const UniqueFd socket = open_icmp_socket(netns);
  std::vector<std::string> hops;
  for (int ttl = 1; ttl <= kMaxHops; ++ttl) {
    const auto sequence = static_cast<std::uint16_t>(ttl);
    check(::setsockopt(socket.get(), IPPROTO_IP, IP_TTL, &ttl, sizeof ttl), "IP_TTL");
    send_icmp(socket.get(), parse_ipv4(destination), make_echo_request(kId, sequence));
    hops.push_back(await_answer(socket.get(), sequence, patience).value_or("*"));
    const bool silent = hops.size() >= 2 && hops[hops.size() - 1] == "*" && hops[hops.size() - 2] == "*";
    if (hops.back() == target || silent) {
      break;
    }
  }
  return hops;
}

}  // namespace untrombone::lab
