// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/lab/frames.hpp"
#include "tests/lab/netns.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

struct Probe {
  Timestamp sent;
  std::optional<std::chrono::nanoseconds> rtt;  // nothing while unanswered
};

struct PingSummary {
  std::size_t sent = 0;
  std::size_t received = 0;
  std::size_t lost = 0;
  std::chrono::nanoseconds
      longest_gap{};  // between the sending of two answered probes that follow each other
  std::chrono::nanoseconds min_rtt{};
  std::chrono::nanoseconds median_rtt{};
  std::chrono::nanoseconds max_rtt{};
};

// Sends ICMP echo requests, to an IPv4 or IPv6 address, at a fixed interval until stopped. Thread-safe.
class Pinger {
 public:
  Pinger(const Netns& netns, std::string_view destination,
         std::chrono::microseconds interval = std::chrono::milliseconds(10));

  // Stops sending, then waits for the answers under way, at most `patience`.
  void stop(std::chrono::milliseconds patience = std::chrono::seconds(1));

  std::vector<Probe> probes();
  // Waits until `count` probes sent at or after `since` have been answered.
  bool wait_answers(std::size_t count, std::chrono::milliseconds timeout, Timestamp since = {});
  // Of the probes sent in [from, to). A probe without an answer counts as lost: leave time before asking, or
  // stop() first.
  PingSummary summary(Timestamp from = Timestamp::min(), Timestamp to = Timestamp::max());

 private:
  void run(int stop_fd);
  void send_one();
  void receive_all();
  void answered(std::uint16_t sequence, Timestamp at);

  sockaddr_storage destination_;
  std::chrono::nanoseconds interval_;
  std::uint16_t id_;
  UniqueFd socket_;
  std::mutex mutex_;
  std::vector<Probe> probes_;
  Worker worker_;  // last: stops before the rest goes
};

// Tells the echo requests of this process's pingers apart.
std::uint16_t next_echo_id();
// An ICMP echo request (RFC 792) with its checksum.
std::vector<std::uint8_t> make_echo_request(std::uint16_t id, std::uint16_t sequence);
// A raw ICMP socket of the namespace, with SO_TIMESTAMPNS.
UniqueFd open_icmp_socket(const Netns& netns);
void send_icmp(int socket, std::uint32_t destination, const std::vector<std::uint8_t>& message);

struct EchoReply {
  std::uint32_t source = 0;
  std::uint16_t id = 0;
  std::uint16_t sequence = 0;
};
// From what a raw IPv4 socket reads; nothing when it is something else.
std::optional<EchoReply> decode_ipv4_echo_reply(FrameView packet);

}  // namespace untrombone::lab
