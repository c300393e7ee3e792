// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/frames.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip_icmp.h>
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

// Of an IPv6 frame: the Ethernet header, 40 octets of IPv6, then ICMPv6 at once.
constexpr std::size_t kIpv6NextHeaderOffset = kEthernetSize + 6;
constexpr std::size_t kIpv6SourceOffset = kEthernetSize + 8;
constexpr std::size_t kIpv6DestinationOffset = kEthernetSize + 24;
constexpr std::size_t kIcmp6Offset = kEthernetSize + 40;
constexpr std::size_t kNdTargetOffset = kIcmp6Offset + 8;
constexpr std::size_t kNdOptionOffset = kIcmp6Offset + 24;
constexpr std::uint8_t kEcho6Request = 128;
constexpr std::uint8_t kEcho6Reply = 129;

Ipv6Address load_ipv6(FrameView frame, std::size_t offset) {
  Ipv6Address address;
  std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(offset), address.size(), address.begin());
  return address;
}

void append(Frame& frame, const Ipv6Address& address) {
  frame.insert(frame.end(), address.begin(), address.end());
}

// The checksum of what follows the IPv6 header, with its pseudo-header (RFC 8200 8.1).
std::uint16_t icmp6_checksum(FrameView frame) {
  std::uint32_t sum = static_cast<std::uint32_t>(frame.size() - kIcmp6Offset) + IPPROTO_ICMPV6;
  for (std::size_t offset = kIpv6SourceOffset; offset + 1 < frame.size(); offset += 2) {
    sum += load16(frame, offset);
  }
  sum = (sum & 0xffff) + (sum >> 16);
  sum += sum >> 16;
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

std::optional<std::uint8_t> icmp6_type_of(FrameView frame) {
  if (frame.size() < kNdTargetOffset || ethertype_of(frame) != kEthertypeIpv6 ||
      frame[kIpv6NextHeaderOffset] != IPPROTO_ICMPV6) {
    return std::nullopt;
  }
  return frame[kIcmp6Offset];
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

Ipv6Address parse_ipv6(std::string_view text) {
  Ipv6Address address{};
  if (::inet_pton(AF_INET6, std::string(text).c_str(), address.data()) != 1) {
    throw std::invalid_argument(fmt::format("not an IPv6 address: {}", text));
  }
  return address;
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

std::optional<Frame> make_echo_reply(FrameView request) {
  const std::size_t icmp = request.size() > kEthernetSize
                               ? kEthernetSize + static_cast<std::size_t>(request[kEthernetSize] & 0x0f) * 4
                               : 0;
  if (!icmp_pair_of(request) || request.size() < icmp + 4 || request[icmp] != ICMP_ECHO) return std::nullopt;
  Frame reply(request.begin(), request.end());
  std::swap_ranges(reply.begin(), reply.begin() + 6, reply.begin() + 6);
  const auto source = reply.begin() + kIpv4SourceOffset;
  std::swap_ranges(source, source + 4, reply.begin() + kIpv4DestinationOffset);
  // The type goes from 8 to 0, and the checksum follows (RFC 1624).
  reply[icmp] = ICMP_ECHOREPLY;
  const std::uint32_t sum = load16(request, icmp + 2) + (ICMP_ECHO << 8U);
  const std::uint32_t folded = (sum & 0xffffU) + (sum >> 16U);
  reply[icmp + 2] = static_cast<std::uint8_t>(folded >> 8U);
  reply[icmp + 3] = static_cast<std::uint8_t>(folded & 0xffU);
  return reply;
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

std::optional<NdBody> nd_body_of(FrameView frame) {
  const auto type = icmp6_type_of(frame);
  if (frame.size() < kNdOptionOffset || (type != kNeighborSolicitation && type != kNeighborAdvertisement)) {
    return std::nullopt;
  }
  NdBody body{.type = *type,
              .source = load_ipv6(frame, kIpv6SourceOffset),
              .destination = load_ipv6(frame, kIpv6DestinationOffset),
              .target = load_ipv6(frame, kNdTargetOffset),
              .flags = frame[kIcmp6Offset + 4],
              .link_address = std::nullopt};
  const std::uint8_t wanted = *type == kNeighborSolicitation ? 1 : 2;
  if (frame.size() >= kNdOptionOffset + 8 && frame[kNdOptionOffset] == wanted) {
    body.link_address = load_mac(frame, kNdOptionOffset + 2);
  }
  return body;
}

Frame make_nd(const MacAddress& destination, const MacAddress& source, const NdBody& body) {
  Frame frame;
  append(frame, destination);
  append(frame, source);
  append16(frame, kEthertypeIpv6);
  append32(frame, 6U << 28);
  append16(frame, body.link_address ? 32 : 24);
  frame.push_back(IPPROTO_ICMPV6);
  frame.push_back(255);
  append(frame, body.source);
  append(frame, body.destination);
  frame.push_back(body.type);
  frame.push_back(0);
  append16(frame, 0);
  append32(frame, static_cast<std::uint32_t>(body.flags) << 24);
  append(frame, body.target);
  if (body.link_address) {
    frame.push_back(body.type == kNeighborSolicitation ? 1 : 2);
    frame.push_back(1);
    append(frame, *body.link_address);
  }
  const std::uint16_t checksum = icmp6_checksum(frame);
  frame[kIcmp6Offset + 2] = static_cast<std::uint8_t>(checksum >> 8);
  frame[kIcmp6Offset + 3] = static_cast<std::uint8_t>(checksum & 0xff);
  return frame;
}

Frame make_unsolicited_na(const MacAddress& mac, const Ipv6Address& ip) {
  constexpr std::uint8_t kOverride = 0x20;
  return make_nd({0x33, 0x33, 0, 0, 0, 1}, mac,
                 {.type = kNeighborAdvertisement,
                  .source = ip,
                  .destination = parse_ipv6("ff02::1"),
                  .target = ip,
                  .flags = kOverride,
                  .link_address = mac});
}

Frame make_solicitation(const MacAddress& mac, const Ipv6Address& source, const Ipv6Address& target) {
  Ipv6Address group = parse_ipv6("ff02::1:ff00:0");
  std::copy(target.end() - 3, target.end(), group.end() - 3);
  return make_nd({0x33, 0x33, 0xff, target[13], target[14], target[15]}, mac,
                 {.type = kNeighborSolicitation,
                  .source = source,
                  .destination = group,
                  .target = target,
                  .link_address = mac});
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

FramePredicate is_echo6_between(std::string_view one, std::string_view other) {
  return [a = parse_ipv6(one), b = parse_ipv6(other)](FrameView frame) {
    const auto type = icmp6_type_of(frame);
    if (type != kEcho6Request && type != kEcho6Reply) {
      return false;
    }
    const Ipv6Address source = load_ipv6(frame, kIpv6SourceOffset);
    const Ipv6Address destination = load_ipv6(frame, kIpv6DestinationOffset);
    return (source == a && destination == b) || (source == b && destination == a);
  };
}

FramePredicate is_nd_about(const MacAddress& source, std::string_view target) {
  return [source, address = parse_ipv6(target)](FrameView frame) {
    const auto body = nd_body_of(frame);
    return body && source_of(frame) == source && body->target == address;
  };
}

FramePredicate is_nd_greeting_to(const MacAddress& guest, std::string_view gateway) {
  return [guest, address = parse_ipv6(gateway)](FrameView frame) {
    const auto body = nd_body_of(frame);
    return body && body->type == kNeighborSolicitation && destination_of(frame) == guest &&
           body->source == address;
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
