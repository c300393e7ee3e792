// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/socket.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <string_view>

#include <catch2/catch.hpp>

#include "netlink/attributes.hpp"
#include "netlink/messages.hpp"
#include "tests/unit/golden.hpp"

namespace untrombone::netlink {
namespace {

using core::Ifindex;
using core::IpAddress;
using core::IpPrefix;
using core::MacAddress;
using untrombone::testing::Bytes;

// As in tests/golden/capture.py.
constexpr Ifindex kBridge{10};
constexpr Ifindex kAccessPort{11};
constexpr Ifindex kDciPort{14};
const MacAddress kBridgeMac{{0x00, 0x00, 0x5e, 0x00, 0x53, 0xfe}};
const MacAddress kAccessMac{{0x00, 0x00, 0x5e, 0x00, 0x53, 0xa0}};
const MacAddress kGuestMac{{0x00, 0x00, 0x5e, 0x00, 0x53, 0x11}};
const MacAddress kMovingMac{{0x00, 0x00, 0x5e, 0x00, 0x53, 0x21}};

const testing::GoldenBytes& golden() {
  static const testing::GoldenBytes records = testing::read_golden("netlink/messages.hex");
  return records;
}

/// A message made by hand: a header, a fixed structure, attributes.
class MessageBuilder {
 public:
  template <typename Header>
  MessageBuilder(std::uint16_t type, const Header& header) : bytes_(sizeof(nlmsghdr)), type_(type) {
    append(&header, sizeof header);
  }
  template <typename T>
  MessageBuilder& add(std::uint16_t type, const T& value) {
    return add_octets(type, std::as_bytes(std::span(&value, 1)));
  }
  MessageBuilder& add(std::uint16_t type, const MacAddress& mac) {
    return add_octets(type, std::as_bytes(std::span(mac.octets)));
  }
  MessageBuilder& add(std::uint16_t type, const IpAddress& ip) {
    return add_octets(type, std::as_bytes(ip.octets()));
  }
  MessageBuilder& add(std::uint16_t type, std::string_view text) {
    return add_octets(type, std::as_bytes(std::span(text)));
  }

  [[nodiscard]] Bytes build() const {
    Bytes bytes = bytes_;
    const nlmsghdr header{static_cast<std::uint32_t>(bytes.size()), type_, 0, 0, 0};
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  }

 private:
  MessageBuilder& add_octets(std::uint16_t type, std::span<const std::byte> value) {
    const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
    append(&header, sizeof header);
    append(value.data(), value.size());
    return *this;
  }
  void append(const void* data, std::size_t size) {
    const auto* const first = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
    bytes_.resize(aligned(bytes_.size()));
  }

  Bytes bytes_;
  std::uint16_t type_;
};

ndmsg bridge_neighbour(Ifindex port, std::uint16_t state = NUD_REACHABLE, std::uint8_t flags = 0) {
  ndmsg header{};
  header.ndm_family = AF_BRIDGE;
  header.ndm_ifindex = port.value;
  header.ndm_state = state;
  header.ndm_flags = flags;
  return header;
}

ndmsg ip_neighbour(std::uint16_t state = NUD_REACHABLE) {
  ndmsg header = bridge_neighbour(kBridge, state);
  header.ndm_family = AF_INET;
  return header;
}

ifinfomsg link_header(unsigned flags = 0) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = kAccessPort.value;
  header.ifi_flags = flags;
  return header;
}

rtmsg route_header() {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = 32;
  header.rtm_type = RTN_UNICAST;
  header.rtm_protocol = RTPROT_ZEBRA;
  return header;
}

struct Outcome {
  std::optional<Message> message;
  bool malformed = false;
};

Outcome decoded(std::span<const std::byte> bytes) {
  Outcome outcome;
  outcome.message = decode(bytes, &outcome.malformed);
  return outcome;
}

template <typename T>
T expect(std::span<const std::byte> bytes) {
  const Outcome outcome = decoded(bytes);
  REQUIRE(outcome.message);
  CHECK_FALSE(outcome.malformed);
  REQUIRE(std::holds_alternative<T>(*outcome.message));
  return std::get<T>(*outcome.message);
}

bool is_ignored(std::span<const std::byte> bytes) {
  const Outcome outcome = decoded(bytes);
  return !outcome.message && !outcome.malformed;
}

bool is_malformed(std::span<const std::byte> bytes) {
  const Outcome outcome = decoded(bytes);
  return !outcome.message && outcome.malformed;
}

void set_length(Bytes& bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &length, sizeof length);
}

}  // namespace

// ---- what the real kernel says ---------------------------------------------------------------------------------

TEST_CASE("the kernel's link messages tell name, place and carrier") {
  CHECK(expect<LinkMessage>(golden().at("link-port")) ==
        LinkMessage{kAccessPort, "acc0", kAccessMac, kBridge, true, false});
  LinkMessage bridge{kBridge, "br0", kBridgeMac, {}, true, false, LinkKind::kBridge};
  bridge.ageing = std::chrono::seconds(300);
  CHECK(expect<LinkMessage>(golden().at("link-bridge")) == bridge);
  CHECK(expect<LinkMessage>(golden().at("link-no-carrier")) ==
        LinkMessage{kAccessPort, "acc0", kAccessMac, kBridge, false, false});
  const auto removed = expect<LinkMessage>(golden().at("link-removed"));
  CHECK(removed.removed);
  CHECK(removed.index == Ifindex{16});
  CHECK(removed.name == "gone0");
}

TEST_CASE("what the bridge repeats about a port's link is ignored") {
  CHECK(is_ignored(golden().at("link-of-the-bridge-family")));
}

TEST_CASE("the kernel's FDB messages tell learning, moving, ageing and flushing apart") {
  FdbMessage entry{kAccessPort, kBridge, kMovingMac, {}, false, false, false};
  CHECK(expect<FdbMessage>(golden().at("fdb-learned")) == entry);
  entry.removed = true;
  CHECK(expect<FdbMessage>(golden().at("fdb-flushed")) == entry);
  entry.port = kDciPort;
  entry.aged = true;
  CHECK(expect<FdbMessage>(golden().at("fdb-aged")) == entry);
  entry.removed = entry.aged = false;
  CHECK(expect<FdbMessage>(golden().at("fdb-moved")) == entry);
  entry.remote = true;
  CHECK(expect<FdbMessage>(golden().at("fdb-external")) == entry);
}

TEST_CASE("the bridge's own addresses and what a VXLAN device says of itself are no FDB evidence") {
  CHECK(is_ignored(golden().at("fdb-own")));
  CHECK(is_ignored(golden().at("fdb-vxlan-self")));
}

TEST_CASE("the kernel's neighbours carry a binding, failed and removed ones do not") {
  const auto v4 = expect<NeighbourMessage>(golden().at("neighbour-stale"));
  CHECK(v4 == NeighbourMessage{kBridge, IpAddress::v4({192, 0, 2, 11}), kGuestMac, NUD_STALE});
  const auto v6 = expect<NeighbourMessage>(golden().at("neighbour-v6"));
  CHECK(v6 == NeighbourMessage{kBridge, IpAddress::parse("2001:db8::11").value(), kGuestMac, NUD_REACHABLE});
  CHECK(is_ignored(golden().at("neighbour-failed")));
  CHECK(is_ignored(golden().at("neighbour-removed")));
}

TEST_CASE("the kernel's unicast routes out of one interface are read, others ignored") {
  CHECK(expect<RouteMessage>(golden().at("route-host")) ==
        RouteMessage{IpPrefix::parse("192.0.2.11/32").value(), kBridge, RTPROT_ZEBRA});
  CHECK(expect<RouteMessage>(golden().at("route-v6")) ==
        RouteMessage{IpPrefix::parse("2001:db8::11/128").value(), kBridge, RTPROT_ZEBRA});
  for (const char* name : {"route-default", "route-blackhole", "route-two-hops"}) {
    INFO(name);
    CHECK(is_ignored(golden().at(name)));
  }
}

TEST_CASE("a kernel message cut off anywhere is malformed") {
  for (const auto& [name, bytes] : golden()) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      INFO(name << " cut to " << length);
      CHECK(is_malformed(std::span(bytes).first(length)));
    }
  }
}

TEST_CASE("a kernel message that ends early and says so yields nothing that it did not contain") {
  for (const auto& [name, bytes] : golden()) {
    const Outcome whole = decoded(bytes);
    for (std::size_t length = sizeof(nlmsghdr); length < bytes.size(); ++length) {
      INFO(name << " ends at " << length);
      Bytes shorter(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
      set_length(shorter);
      const Outcome outcome = decoded(shorter);
      CHECK_FALSE((outcome.message && outcome.malformed));
      if (!outcome.message) continue;
      if (const auto* link = std::get_if<LinkMessage>(&*outcome.message)) {
        const auto& complete = std::get<LinkMessage>(whole.message.value());
        CHECK(link->index == complete.index);
        CHECK(link->name == complete.name);
        CHECK((link->mac == complete.mac || link->mac.is_zero()));
        CHECK((link->master == complete.master || !link->master));
      } else if (const auto* address = std::get_if<AddressMessage>(&*outcome.message)) {
        // Without IFA_LOCAL, which comes second, the other end's address is all there is.
        CHECK(address->interface == std::get<AddressMessage>(whole.message.value()).interface);
      } else if (whole.message) {
        CHECK(outcome.message == whole.message);
      }
    }
  }
}

TEST_CASE("octets after the message are not looked at") {
  for (const auto& [name, bytes] : golden()) {
    INFO(name);
    Bytes longer = bytes;
    longer.resize(bytes.size() + 64, std::byte{0xff});
    CHECK(decoded(longer).message == decoded(bytes).message);
  }
}

TEST_CASE("an address of this machine is told with its interface, and not the other end's") {
  const auto address = [](const char* record) { return expect<AddressMessage>(golden().at(record)); };
  CHECK(address("address-added") == AddressMessage{kBridge, IpAddress::v4({192, 0, 2, 7}), false});
  CHECK(address("address-peer") == AddressMessage{kBridge, IpAddress::v4({192, 0, 2, 8}), false});
  CHECK(address("address-removed") == AddressMessage{kBridge, IpAddress::v4({192, 0, 2, 7}), true});
  CHECK(address("address-v6") == AddressMessage{kBridge, IpAddress::parse("2001:db8::7").value(), false});
}

TEST_CASE("an address message without an address, or with one of another family, is malformed") {
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  header.ifa_index = 10;
  CHECK(is_malformed(MessageBuilder(RTM_NEWADDR, header).build()));
  const IpAddress other = IpAddress::parse("2001:db8::7").value();
  CHECK(is_malformed(MessageBuilder(RTM_NEWADDR, header).add(IFA_ADDRESS, other).build()));
  const IpAddress own = IpAddress::v4({192, 0, 2, 7});
  CHECK(expect<AddressMessage>(MessageBuilder(RTM_NEWADDR, header).add(IFA_ADDRESS, own).build()).ip == own);
  header.ifa_family = AF_UNIX;
  CHECK(is_ignored(MessageBuilder(RTM_NEWADDR, header).add(IFA_ADDRESS, own).build()));
}

TEST_CASE("no octet of a kernel message can be changed so that the decoder goes astray") {
  for (const auto& [name, bytes] : golden()) {
    Bytes changed = bytes;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const int value : {0x00, 0x01, 0x04, 0x7f, 0xff}) {
        changed[at] = static_cast<std::byte>(value);
        const Outcome outcome = decoded(changed);
        if (outcome.message && outcome.malformed) FAIL(name << " with octet " << at << " changed");
      }
      changed[at] = bytes[at];
    }
  }
}

// ---- too small, no attributes, some missing, all there -----------------------------------------------------------

TEST_CASE("a message too small for its fixed part is malformed") {
  for (const std::uint16_t type :
       {RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWNEIGH, RTM_DELNEIGH, RTM_NEWROUTE}) {
    INFO(type);
    CHECK(is_malformed(MessageBuilder(type, std::uint32_t{0}).build()));
  }
  CHECK(is_malformed({}));
  CHECK(is_malformed(Bytes(sizeof(nlmsghdr))));  // a length of zero
}

TEST_CASE("a message without attributes is malformed where one is needed and ignored elsewhere") {
  CHECK(is_malformed(MessageBuilder(RTM_NEWLINK, link_header()).build()));
  CHECK(is_ignored(MessageBuilder(RTM_NEWNEIGH, bridge_neighbour(kAccessPort)).build()));
  CHECK(is_malformed(MessageBuilder(RTM_NEWNEIGH, ip_neighbour()).build()));
  CHECK(is_ignored(MessageBuilder(RTM_NEWROUTE, route_header()).build()));
}

TEST_CASE("a missing attribute is an empty field, a refusal or no interest, but never garbage") {
  const auto named =
      expect<LinkMessage>(MessageBuilder(RTM_NEWLINK, link_header()).add(IFLA_IFNAME, "acc0").build());
  CHECK(named == LinkMessage{kAccessPort, "acc0", {}, {}, false, false});
  CHECK(is_malformed(MessageBuilder(RTM_NEWLINK, link_header()).add(IFLA_MASTER, kBridge.value).build()));
  // Without a master it is not a bridge's entry, without a MAC it is none at all.
  CHECK(is_ignored(
      MessageBuilder(RTM_NEWNEIGH, bridge_neighbour(kAccessPort)).add(NDA_LLADDR, kGuestMac).build()));
  CHECK(is_malformed(
      MessageBuilder(RTM_NEWNEIGH, bridge_neighbour(kAccessPort)).add(NDA_MASTER, kBridge.value).build()));
  const IpAddress guest = IpAddress::v4({192, 0, 2, 11});
  CHECK(is_ignored(MessageBuilder(RTM_NEWNEIGH, ip_neighbour()).add(NDA_DST, guest).build()));
  CHECK(is_malformed(MessageBuilder(RTM_NEWNEIGH, ip_neighbour()).add(NDA_LLADDR, kGuestMac).build()));
  CHECK(is_ignored(MessageBuilder(RTM_NEWROUTE, route_header()).add(RTA_DST, guest).build()));
  CHECK(is_ignored(MessageBuilder(RTM_NEWROUTE, route_header()).add(RTA_OIF, kBridge.value).build()));
}

TEST_CASE("all attributes are read and unknown ones skipped") {
  constexpr std::uint16_t kUnknown = 0x1234;
  const auto link = expect<LinkMessage>(MessageBuilder(RTM_NEWLINK, link_header(0x1 | 0x10000))
                                            .add(kUnknown, "what is this")
                                            .add(IFLA_IFNAME, std::string_view("acc0\0", 5))
                                            .add(IFLA_ADDRESS, kAccessMac)
                                            .add(IFLA_MASTER, kBridge.value)
                                            .build());
  CHECK(link == LinkMessage{kAccessPort, "acc0", kAccessMac, kBridge, true, false});
  const auto entry = expect<FdbMessage>(MessageBuilder(RTM_NEWNEIGH, bridge_neighbour(kAccessPort))
                                            .add(NDA_LLADDR, kGuestMac)
                                            .add(NDA_VLAN, std::uint16_t{10})
                                            .add(kUnknown | NLA_F_NESTED, "nested")
                                            .add(NDA_MASTER, kBridge.value)
                                            .build());
  CHECK(entry == FdbMessage{kAccessPort, kBridge, kGuestMac, {10}, false, false, false});
}

TEST_CASE("an entry of the bridge that names a VTEP is remote") {
  const auto entry = expect<FdbMessage>(MessageBuilder(RTM_NEWNEIGH, bridge_neighbour(kDciPort))
                                            .add(NDA_LLADDR, kGuestMac)
                                            .add(NDA_DST, IpAddress::v4({198, 51, 100, 9}))
                                            .add(NDA_MASTER, kBridge.value)
                                            .build());
  CHECK(entry.remote);
}

TEST_CASE("attributes of a wrong length do not count") {
  CHECK(is_malformed(MessageBuilder(RTM_NEWNEIGH, bridge_neighbour(kAccessPort))
                         .add(NDA_LLADDR, std::uint32_t{1})
                         .add(NDA_MASTER, kBridge.value)
                         .build()));
  CHECK(is_ignored(MessageBuilder(RTM_NEWNEIGH, bridge_neighbour(kAccessPort))
                       .add(NDA_LLADDR, kGuestMac)
                       .add(NDA_MASTER, std::uint16_t{10})
                       .build()));
  CHECK(is_malformed(MessageBuilder(RTM_NEWNEIGH, ip_neighbour())
                         .add(NDA_DST, std::uint16_t{10})
                         .add(NDA_LLADDR, kGuestMac)
                         .build()));
}

TEST_CASE("a message of another type or family is ignored") {
  CHECK(is_ignored(MessageBuilder(RTM_NEWQDISC, tcmsg{}).build()));
  CHECK(is_ignored(MessageBuilder(NLMSG_DONE, int{0}).build()));
  ndmsg header = ip_neighbour();
  header.ndm_family = AF_UNSPEC;
  CHECK(is_ignored(MessageBuilder(RTM_NEWNEIGH, header).build()));
  CHECK_FALSE(decode(MessageBuilder(RTM_NEWQDISC, tcmsg{}).build()));  // the second argument may be left out
}

TEST_CASE("a cursor stops at an attribute that does not fit") {
  Bytes bytes = MessageBuilder(0, std::uint32_t{0}).add(1, std::uint32_t{7}).add(2, std::uint32_t{8}).build();
  const std::size_t first = sizeof(nlmsghdr) + sizeof(std::uint32_t);
  const auto walk = [&](std::size_t length) {
    AttributeCursor cursor{std::span(bytes).subspan(first, length)};
    int count = 0;
    while (cursor.next()) ++count;
    return std::pair(count, cursor.malformed());
  };
  CHECK(walk(0) == std::pair(0, false));
  CHECK(walk(3) == std::pair(0, true));
  CHECK(walk(8) == std::pair(1, false));
  CHECK(walk(15) == std::pair(1, true));
  CHECK(walk(16) == std::pair(2, false));
  bytes[first] = std::byte{3};  // shorter than its own header
  CHECK(walk(16) == std::pair(0, true));
}

}  // namespace untrombone::netlink
