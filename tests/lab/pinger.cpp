// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/pinger.hpp"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "tests/lab/capture.hpp"
#include "tests/lab/frames.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::lab {
namespace {

constexpr std::size_t kEchoSize = 64;
constexpr std::size_t kEchoHeader = 8;

std::uint16_t checksum(const std::vector<std::uint8_t>& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  }
  sum = (sum & 0xffff) + (sum >> 16);
  sum += sum >> 16;
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

void put16(std::vector<std::uint8_t>& bytes, std::size_t offset, std::uint16_t value) {
  bytes[offset] = static_cast<std::uint8_t>(value >> 8);
  bytes[offset + 1] = static_cast<std::uint8_t>(value & 0xff);
}

struct Echo {
  std::uint16_t id;
  std::uint16_t sequence;
};

Echo decode_echo(FrameView echo) {
  return {.id = static_cast<std::uint16_t>(echo[4] << 8 | echo[5]),
          .sequence = static_cast<std::uint16_t>(echo[6] << 8 | echo[7])};
}

// The id and sequence of an echo reply, from what a raw socket of the family reads: with its IPv4 header, without its
// IPv6 one.
std::optional<Echo> decode_echo_reply(FrameView packet, int family) {
  if (family == AF_INET6) {
    const bool reply = packet.size() >= kEchoHeader && packet[0] == ICMP6_ECHO_REPLY;
    return reply ? std::optional(decode_echo(packet)) : std::nullopt;
  }
  const auto reply = decode_ipv4_echo_reply(packet);
  return reply ? std::optional(Echo{.id = reply->id, .sequence = reply->sequence}) : std::nullopt;
}

sockaddr_storage parse_destination(std::string_view text) {
  sockaddr_storage storage{};
  if (text.find(':') == std::string_view::npos) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(parse_ipv4(text));
    std::memcpy(&storage, &address, sizeof address);
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    const Ipv6Address ip = parse_ipv6(text);
    std::memcpy(&address.sin6_addr, ip.data(), ip.size());
    std::memcpy(&storage, &address, sizeof address);
  }
  return storage;
}

UniqueFd open_icmp6_socket(const Netns& netns) {
  return run_in(netns, [] {
    UniqueFd socket(check(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6), "ICMPv6 socket"));
    constexpr int kOn = 1;
    check(::setsockopt(socket.get(), SOL_SOCKET, SO_TIMESTAMPNS, &kOn, sizeof kOn), "SO_TIMESTAMPNS");
    return socket;
  });
}

}  // namespace

std::uint16_t next_echo_id() {
  static std::atomic<std::uint16_t> counter{0x7500};
  return counter++;
}

std::optional<EchoReply> decode_ipv4_echo_reply(FrameView packet) {
  if (packet.size() < sizeof(iphdr)) return std::nullopt;
  const std::size_t header = static_cast<std::size_t>(packet[0] & 0x0f) * 4;
  if (packet.size() < header + kEchoHeader || packet[header] != ICMP_ECHOREPLY) return std::nullopt;
  iphdr ip{};
  std::memcpy(&ip, packet.data(), sizeof ip);
  const Echo echo = decode_echo(packet.subspan(header));
  return EchoReply{.source = ntohl(ip.saddr), .id = echo.id, .sequence = echo.sequence};
}

std::vector<std::uint8_t> make_echo_request(std::uint16_t id, std::uint16_t sequence) {
  std::vector<std::uint8_t> message(kEchoSize);
  message[0] = ICMP_ECHO;
  put16(message, 4, id);
  put16(message, 6, sequence);
  put16(message, 2, checksum(message));
  return message;
}

UniqueFd open_icmp_socket(const Netns& netns) {
  return run_in(netns, [] {
    UniqueFd socket(check(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP), "ICMP socket"));
    constexpr int kOn = 1;
    check(::setsockopt(socket.get(), SOL_SOCKET, SO_TIMESTAMPNS, &kOn, sizeof kOn), "SO_TIMESTAMPNS");
    return socket;
  });
}

void send_icmp(int socket, std::uint32_t destination, const std::vector<std::uint8_t>& message) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(destination);
  // An error (no route yet, no neighbour) is a lost probe.
  ::sendto(socket, message.data(), message.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&address),
           sizeof address);
}

Pinger::Pinger(const Netns& netns, std::string_view destination, std::chrono::microseconds interval)
    : destination_(parse_destination(destination)),
      interval_(interval),
      id_(next_echo_id()),
      socket_(destination_.ss_family == AF_INET ? open_icmp_socket(netns) : open_icmp6_socket(netns)),
      worker_([this](int stop_fd) { run(stop_fd); }) {}

void Pinger::stop(std::chrono::milliseconds patience) {
  worker_.stop();
  wait_for(
      [this] {
        receive_all();
        const std::vector<Probe> all = probes();
        return std::all_of(all.begin(), all.end(), [](const Probe& probe) { return probe.rtt.has_value(); });
      },
      patience);
}

std::vector<Probe> Pinger::probes() {
  const std::lock_guard lock(mutex_);
  return probes_;
}

bool Pinger::wait_answers(std::size_t count, std::chrono::milliseconds timeout, Timestamp since) {
  return wait_for(
      [&] {
        const std::vector<Probe> all = probes();
        const auto answered = std::count_if(
            all.begin(), all.end(), [since](const Probe& probe) { return probe.sent >= since && probe.rtt; });
        return static_cast<std::size_t>(answered) >= count;
      },
      timeout);
}

PingSummary Pinger::summary(Timestamp from, Timestamp to) {
  PingSummary result;
  std::vector<std::chrono::nanoseconds> rtts;
  std::optional<Timestamp> last;
  for (const Probe& probe : probes()) {
    if (probe.sent < from || probe.sent >= to) {
      continue;
    }
    ++result.sent;
    if (probe.rtt) {
      rtts.push_back(*probe.rtt);
      result.longest_gap = std::max(result.longest_gap, probe.sent - last.value_or(probe.sent));
      last = probe.sent;
    }
  }
  result.received = rtts.size();
  result.lost = result.sent - result.received;
  if (!rtts.empty()) {
    std::sort(rtts.begin(), rtts.end());
    result.min_rtt = rtts.front();
    result.median_rtt = rtts[rtts.size() / 2];
    result.max_rtt = rtts.back();
  }
  return result;
}

void Pinger::run(int stop_fd) {
  using SteadyClock = std::chrono::steady_clock;
  std::array<pollfd, 2> events{{{.fd = stop_fd, .events = POLLIN, .revents = 0},
                                {.fd = socket_.get(), .events = POLLIN, .revents = 0}}};
  SteadyClock::time_point next = SteadyClock::now();
  while (events[0].revents == 0) {
    if (SteadyClock::now() >= next) {
      send_one();
      next += interval_;
    }
    const std::chrono::nanoseconds left =
        std::max(std::chrono::nanoseconds(next - SteadyClock::now()), std::chrono::nanoseconds(0));
    const timespec timeout{.tv_sec = left.count() / 1'000'000'000, .tv_nsec = left.count() % 1'000'000'000};
    if (::ppoll(events.data(), events.size(), &timeout, nullptr) > 0) {
      receive_all();
    }
  }
}

void Pinger::send_one() {
  std::uint16_t sequence = 0;
  {
    const std::lock_guard lock(mutex_);
    sequence = static_cast<std::uint16_t>(probes_.size() & 0xffff);
    probes_.push_back({.sent = now(), .rtt = std::nullopt});
  }
  std::vector<std::uint8_t> message = make_echo_request(id_, sequence);
  if (destination_.ss_family == AF_INET6) {
    message[0] = ICMP6_ECHO_REQUEST;  // the kernel makes the checksum
  }
  // An error (no route yet, no neighbour) is a lost probe.
  const socklen_t size = destination_.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  ::sendto(socket_.get(), message.data(), message.size(), MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&destination_), size);
}

void Pinger::receive_all() {
  std::array<std::uint8_t, 2048> buffer;
  std::array<char, 128> control;
  while (true) {
    iovec vector{.iov_base = buffer.data(), .iov_len = buffer.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
    if (size < 0) {
      return;
    }
    const auto echo =
        decode_echo_reply(FrameView(buffer).first(static_cast<std::size_t>(size)), destination_.ss_family);
    if (echo && echo->id == id_) {
      answered(echo->sequence, kernel_timestamp(message));
    }
  }
}

// The sequence on the wire has 16 bits: the answer belongs to the latest probe that has it.
void Pinger::answered(std::uint16_t sequence, Timestamp at) {
  const std::lock_guard lock(mutex_);
  constexpr std::size_t kWrap = 0x10000;
  std::size_t index = probes_.size() / kWrap * kWrap + sequence;
  if (index >= probes_.size()) {
    index -= kWrap;
  }
  if (index < probes_.size() && !probes_[index].rtt) {
    probes_[index].rtt = at - probes_[index].sent;
  }
}

}  // namespace untrombone::lab
