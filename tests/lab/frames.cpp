// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/frames.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <sys/socket.h>
#include <linux/if_packet.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <stdexcept>

#include <fmt/format.h>

namespace untrombone::lab {
namespace {

constexpr std::size_t kSourceOffset = 6;
constexpr std::size_t kEthertypeOffset = 12;
constexpr std::size_t kEthernetSize = 14;
constexpr std::size_t kArpSize = 28;
constexpr std::size_t kMinimalFrame = 60;  // without the check sequence
constexpr std::size_t kIpv4ProtocolOffset = kEthernetSize + 9;
constexpr std::size_t kIpv4SourceOffset = kEthernetSize + 12;
constexpr std::size_t kIpv4DestinationOffset = kEthernetSize + 16;
constexpr std::size_t kIpv4MinimalSize = 20;

std::uint16_t load16(FrameView frame, std::size_t offset) {
  return static_cast<std::uint16_t>(frame[offset] << 8 | frame[offset + 1]);
}

std::uint32_t load32(FrameView frame, std::size_t offset) {
  return static_cast<std::uint32_t>(load16(frame, offset)) << 16 | load16(frame, offset + 2);
}

MacAddress load_mac(FrameView frame, std::size_t offset) {
  MacAddress mac;
  std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(offset), mac.size(), mac.begin());
  return mac;
}

void append(Frame& frame, const MacAddress& mac) { frame.insert(frame.end(), mac.begin(), mac.end()); }

void append16(Frame& frame, std::uint16_t value) {
  frame.push_back(static_cast<std::uint8_t>(value >> 8));
  frame.push_back(static_cast<std::uint8_t>(value & 0xff));
}

void append32(Frame& frame, std::uint32_t value) {
  append16(frame, static_cast<std::uint16_t>(value >> 16));
  append16(frame, static_cast<std::uint16_t>(value & 0xffff));
}

}  // namespace

MacAddress parse_mac(std::string_view text) {
  ether_addr address{};
  if (::ether_aton_r(std::string(text).c_str(), &address) == nullptr) {
    throw std::invalid_argument(fmt::format("not a MAC address: {}", text));
  }
  MacAddress mac;
  std::copy_n(std::begin(address.ether_addr_octet), mac.size(), mac.begin());
  return mac;
}

std::uint32_t parse_ipv4(std::string_view text) {
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) {
    throw std::invalid_argument(fmt::format("not an IPv4 address: {}", text));
  }
  return ntohl(address.s_addr);
}

std::string format_mac(const MacAddress& mac) { return fmt::format("{:02x}", fmt::join(mac, ":")); }

std::string format_ipv4(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 0xff, address >> 8 & 0xff, address & 0xff);
}

std::optional<std::uint16_t> ethertype_of(FrameView frame) {
  if (frame.size() < kEthernetSize) {
    return std::nullopt;
  }
  return load16(frame, kEthertypeOffset);
}

std::optional<MacAddress> source_of(FrameView frame) {
  if (frame.size() < kEthernetSize) {
    return std::nullopt;
  }
  return load_mac(frame, kSourceOffset);
}

std::optional<MacAddress> destination_of(FrameView frame) {
  if (frame.size() < kEthernetSize) {
    return std::nullopt;
  }
  return load_mac(frame, 0);
}

std::optional<IpPair> icmp_pair_of(FrameView frame) {
  if (frame.size() < kEthernetSize + kIpv4MinimalSize || ethertype_of(frame) != kEthertypeIpv4 ||
      frame[kIpv4ProtocolOffset] != IPPROTO_ICMP) {
    return std::nullopt;
  }
  return IpPair{.source = load32(frame, kIpv4SourceOffset),
                .destination = load32(frame, kIpv4DestinationOffset)};
}

std::optional<ArpBody> arp_body_of(FrameView frame) {
  const auto ethertype = ethertype_of(frame);
  if (frame.size() < kEthernetSize + kArpSize ||
      (ethertype != kEthertypeArp && ethertype != kEthertypeRarp)) {
    return std::nullopt;
  }
  return ArpBody{.operation = load16(frame, kEthernetSize + 6),
                 .sender_mac = load_mac(frame, kEthernetSize + 8),
                 .sender_ip = load32(frame, kEthernetSize + 14),
                 .target_mac = load_mac(frame, kEthernetSize + 18),
                 .target_ip = load32(frame, kEthernetSize + 24)};
}

Frame make_arp(const MacAddress& destination, const MacAddress& source, const ArpBody& body,
               std::uint16_t ethertype) {
  Frame frame;
  frame.reserve(kMinimalFrame);
  append(frame, destination);
  append(frame, source);
  append16(frame, ethertype);
  append16(frame, 1);  // hardware: Ethernet
  append16(frame, kEthertypeIpv4);
  frame.push_back(6);
  frame.push_back(4);
  append16(frame, body.operation);
  append(frame, body.sender_mac);
  append32(frame, body.sender_ip);
  append(frame, body.target_mac);
  append32(frame, body.target_ip);
  frame.resize(kMinimalFrame);
  return frame;
}

Frame make_rarp(const MacAddress& mac) {
  return make_arp(kBroadcastMac, mac, {.operation = kRarpRequest, .sender_mac = mac, .target_mac = mac},
                  kEthertypeRarp);
}

Frame make_garp(const MacAddress& mac, std::uint32_t ip) {
  return make_arp(kBroadcastMac, mac,
                  {.operation = kArpRequest, .sender_mac = mac, .sender_ip = ip, .target_ip = ip});
}

FramePredicate from_mac(const MacAddress& mac) {
  return [mac](FrameView frame) { return source_of(frame) == mac; };
}

FramePredicate is_rarp_of(const MacAddress& mac) {
  return [mac](FrameView frame) {
    const auto body = arp_body_of(frame);
    return body && ethertype_of(frame) == kEthertypeRarp && body->target_mac == mac;
  };
}

FramePredicate is_greeting_to(const MacAddress& guest, std::string_view gateway) {
  return [guest, address = parse_ipv4(gateway)](FrameView frame) {
    const auto body = arp_body_of(frame);
    return body && ethertype_of(frame) == kEthertypeArp && destination_of(frame) == guest &&
           body->sender_ip == address;
  };
}

FramePredicate is_icmp_between(std::string_view one, std::string_view other) {
  return [a = parse_ipv4(one), b = parse_ipv4(other)](FrameView frame) {
    const auto pair = icmp_pair_of(frame);
    return pair &&
           ((pair->source == a && pair->destination == b) || (pair->source == b && pair->destination == a));
  };
}

UniqueFd open_packet_socket(const Netns& netns, const std::string& ifname, std::uint16_t protocol) {
  return run_in(netns, [&] {
    UniqueFd socket(check(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "packet socket"));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(protocol);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(ifname.c_str()));
    if (address.sll_ifindex == 0) {
      throw std::invalid_argument(fmt::format("no interface {} in {}", ifname, netns.name()));
    }
    check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
          "bind packet socket");
    return socket;
  });
}

FrameSender::FrameSender(const Netns& netns, const std::string& ifname)
    : socket_(open_packet_socket(netns, ifname, 0)) {}

Timestamp FrameSender::send(FrameView frame) const {
  const Timestamp sent = now();
  check(::send(socket_.get(), frame.data(), frame.size(), 0), "send frame");
  return sent;
}

}  // namespace untrombone::lab
