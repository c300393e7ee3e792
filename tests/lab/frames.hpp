// SPDX-License-Identifier: GPL-2.0-or-later
// Ethernet frames as bytes: the few that the lab sends and recognises. Multi-byte fields are big-endian on the
// wire and host order here.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/lab/netns.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

using MacAddress = std::array<std::uint8_t, 6>;
using Ipv6Address = std::array<std::uint8_t, 16>;
using Frame = std::vector<std::uint8_t>;
using FrameView = std::span<const std::uint8_t>;
using FramePredicate = std::function<bool(FrameView)>;

inline constexpr MacAddress kBroadcastMac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
inline constexpr std::uint16_t kEthertypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEthertypeArp = 0x0806;
inline constexpr std::uint16_t kEthertypeRarp = 0x8035;
inline constexpr std::uint16_t kEthertypeIpv6 = 0x86dd;

// They throw std::invalid_argument on malformed text.
MacAddress parse_mac(std::string_view text);
std::uint32_t parse_ipv4(std::string_view text);
Ipv6Address parse_ipv6(std::string_view text);
std::string format_mac(const MacAddress& mac);
std::string format_ipv4(std::uint32_t address);

struct IpPair {
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
};

// Nothing when the frame is too short or of another kind. VLAN tags are not looked through.
std::optional<std::uint16_t> ethertype_of(FrameView frame);
std::optional<MacAddress> source_of(FrameView frame);
std::optional<MacAddress> destination_of(FrameView frame);
std::optional<IpPair> icmp_pair_of(FrameView frame);

// The answer to an ICMP echo request (RFC 792); nothing when the frame is none.
std::optional<Frame> make_echo_reply(FrameView request);

// The body shared by ARP and RARP (RFC 826, RFC 903).
struct ArpBody {
  std::uint16_t operation = 0;
  MacAddress sender_mac{};
  std::uint32_t sender_ip = 0;
  MacAddress target_mac{};
  std::uint32_t target_ip = 0;
};
inline constexpr std::uint16_t kArpRequest = 1;
inline constexpr std::uint16_t kArpReply = 2;
inline constexpr std::uint16_t kRarpRequest = 3;

std::optional<ArpBody> arp_body_of(FrameView frame);  // ARP and RARP
Frame make_arp(const MacAddress& destination, const MacAddress& source, const ArpBody& body,
               std::uint16_t ethertype = kEthertypeArp);
// What QEMU and VMware send for a guest that has moved: the MAC, no address.
Frame make_rarp(const MacAddress& mac);
// Gratuitous ARP request.
Frame make_garp(const MacAddress& mac, std::uint32_t ip);

// A neighbour solicitation or advertisement (RFC 4861 4.3, 4.4) without other options than the link-layer address.
struct NdBody {
  std::uint8_t type = 0;
  Ipv6Address source{};
  Ipv6Address destination{};
  Ipv6Address target{};
  std::uint8_t flags = 0;                  // R, S, O: the three highest bits
  std::optional<MacAddress> link_address;  // source's of a solicitation, target's of an advertisement
};
inline constexpr std::uint8_t kNeighborSolicitation = 135;
inline constexpr std::uint8_t kNeighborAdvertisement = 136;

// A link-layer address is only read where it is the first option.
std::optional<NdBody> nd_body_of(FrameView frame);
Frame make_nd(const MacAddress& destination, const MacAddress& source, const NdBody& body);
// To all nodes, with Override.
Frame make_unsolicited_na(const MacAddress& mac, const Ipv6Address& ip);
// To the target's solicited-node address.
Frame make_solicitation(const MacAddress& mac, const Ipv6Address& source, const Ipv6Address& target);

// Predicates for FrameCapture.
FramePredicate from_mac(const MacAddress& mac);
FramePredicate is_rarp_of(const MacAddress& mac);
// A unicast ARP frame to `guest` whose sender is the gateway: untrombone's greeting.
FramePredicate is_greeting_to(const MacAddress& guest, std::string_view gateway);
FramePredicate is_icmp_between(std::string_view one, std::string_view other);
// ICMPv6 echo requests and replies.
FramePredicate is_echo6_between(std::string_view one, std::string_view other);
// A solicitation or advertisement from this MAC about this target.
FramePredicate is_nd_about(const MacAddress& source, std::string_view target);
// A unicast solicitation of `guest` whose source is the gateway: the half of untrombone's greeting that is answered.
FramePredicate is_nd_greeting_to(const MacAddress& guest, std::string_view gateway);

// Sends whole frames out of an interface.
class FrameSender {
 public:
  FrameSender(const Netns& netns, const std::string& ifname);

  // Returns the time just before the frame was handed to the kernel.
  Timestamp send(FrameView frame) const;

 private:
  UniqueFd socket_;
};

// An AF_PACKET socket bound to the interface. `protocol` in host order; 0 receives nothing.
UniqueFd open_packet_socket(const Netns& netns, const std::string& ifname, std::uint16_t protocol);

}  // namespace untrombone::lab
