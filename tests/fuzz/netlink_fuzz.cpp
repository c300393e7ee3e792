// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/socket.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <variant>

#include "netlink/attributes.hpp"
#include "netlink/messages.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace untrombone::fuzz {
namespace {

using netlink::aligned;
using netlink::read_struct;

struct Outcome {
  std::optional<netlink::Message> message;
  bool malformed = false;
  bool operator==(const Outcome&) const = default;
};

Outcome decode(std::span<const std::byte> bytes) {
  const auto exact = copy_of(bytes);
  Outcome outcome;
  outcome.message = netlink::decode(exact, &outcome.malformed);
  require(!(outcome.message && outcome.malformed), "a malformed message has no content");
  require(netlink::decode(exact) == outcome.message, "the answer is the same when nobody asks why");
  return outcome;
}

bool has_family(const core::IpAddress& address, unsigned family) {
  return family == (address.is_v4() ? AF_INET : AF_INET6);
}

/// What has to be true of a message that was decoded from `bytes`.
struct Laws {
  std::span<const std::byte> bytes;

  [[nodiscard]] std::span<const std::byte> body() const { return bytes.subspan(sizeof(nlmsghdr)); }

  void operator()(const netlink::LinkMessage& link) const {
    require(!link.name.empty() && link.name.size() < bytes.size(), "a link has a name, from the message");
    require(link.name.find('\0') == std::string::npos, "a name ends at its first NUL");
  }
  void operator()(const netlink::VlanMessage& vlans) const {
    require(!vlans.ranges.empty(), "a message about VLANs names one");
    for (const netlink::VlanRange& range : vlans.ranges) {
      require(range.first.value >= 1 && range.last.value <= 4094, "a VLAN is one of 1 to 4094");
      require(range.first <= range.last, "a range of VLANs goes upwards");
    }
  }
  void operator()(const netlink::AddressMessage& address) const {
    const auto header = read_struct<ifaddrmsg>(body());
    require(header && has_family(address.ip, header->ifa_family), "an address is of its family");
  }
  void operator()(const netlink::FdbMessage& entry) const {
    require(static_cast<bool>(entry.bridge), "an FDB entry belongs to a bridge");
    require(entry.removed || !entry.aged, "only what is gone has aged");
  }
  void operator()(const netlink::NeighbourMessage& neighbour) const {
    const auto header = read_struct<ndmsg>(body());
    require(header && has_family(neighbour.ip, header->ndm_family), "a neighbour's address is of its family");
    require((neighbour.state & (NUD_FAILED | NUD_INCOMPLETE)) == 0, "a failed neighbour has no MAC address");
  }
  void operator()(const netlink::RouteMessage& route) const {
    const auto header = read_struct<rtmsg>(body());
    require(static_cast<bool>(route.interface), "a route has an outgoing interface");
    require(header && has_family(route.prefix.address(), header->rtm_family),
            "a route's prefix is of its family");
    require(route.prefix.length() == header->rtm_dst_len, "a route's prefix is as long as the kernel says");
  }
};

/// The message with one more attribute, of a type that no kernel has.
std::vector<std::byte> with_unknown_attribute(std::span<const std::byte> message) {
  constexpr std::uint16_t kUnknown = 0x3fff;
  const nlattr attribute{.nla_len = sizeof(nlattr) + 4, .nla_type = kUnknown};
  std::vector<std::byte> longer = copy_of(message);
  const std::size_t at = aligned(longer.size());
  longer.resize(at + attribute.nla_len);
  std::memcpy(longer.data() + at, &attribute, sizeof attribute);
  const auto length = static_cast<std::uint32_t>(longer.size());
  std::memcpy(longer.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
  return longer;
}

/// `message` is as long as its header says.
void check_message(std::span<const std::byte> message) {
  const Outcome outcome = decode(message);
  if (outcome.message) std::visit(Laws{message}, *outcome.message);
  if (!outcome.malformed) {
    require(decode(with_unknown_attribute(message)) == outcome, "an unknown attribute is skipped");
  }
  require(decode(message.first(message.size() - 1)).malformed, "a message that is cut short is malformed");
}

}  // namespace

/// The input is a datagram with any number of messages, like those netlink::Monitor reads.
void run(std::span<const std::byte> input) {
  while (const auto header = read_struct<nlmsghdr>(input)) {
    if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > input.size()) break;
    const auto message = input.first(header->nlmsg_len);
    check_message(message);
    require(decode(input) == decode(message), "what follows a message does not matter");
    input = input.subspan(std::min(aligned(message.size()), input.size()));
  }
  require(decode(input).malformed, "a message without a proper header is malformed");
}

}  // namespace untrombone::fuzz
