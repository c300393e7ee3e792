// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/own_addresses.hpp"

#include <set>

#include <catch2/catch.hpp>

#include "tests/unit/config_texts.hpp"

namespace untrombone::daemon {
namespace {

using core::Ifindex;
using core::IpAddress;
using core::MacAddress;

constexpr Ifindex kBridge{10};
constexpr Ifindex kAccess{11};

MacAddress mac(unsigned last) { return {{0x00, 0x00, 0x5e, 0x00, 0x53, static_cast<std::uint8_t>(last)}}; }
IpAddress ip(unsigned last) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(last)}); }

Config config() {
  return testing::parsed(testing::minimal_and("[segment.detect]\nprobe-address = \"192.0.2.2\"\n"));
}

/// A bridge with a port, and what the core was told of the edge itself.
struct Edge {
  Edge() {
    link(kBridge, "br0", 0xfe, {});
    link(kAccess, "acc0", 0xa0, kBridge);
    update();
  }
  void link(Ifindex index, const char* name, unsigned last, Ifindex master, bool removed = false) {
    netlink::LinkMessage message;
    message.index = index;
    message.name = name;
    message.mac = mac(last);
    message.master = master;
    message.up = true;
    if (!master) message.kind = netlink::LinkKind::kBridge;
    message.removed = removed;
    topology.take(message);
    own.take(message);
  }
  std::size_t update() {
    static_cast<void>(topology.update());
    const auto events = own.update(topology, {mac(0x99)});
    for (const core::Event& event : events) {
      if (const auto* address = std::get_if<core::OwnAddress>(&event)) {
        address->present ? void(ips.insert(address->ip)) : void(ips.erase(address->ip));
      } else if (const auto* one = std::get_if<core::OwnMac>(&event)) {
        one->present ? void(macs.insert(one->mac)) : void(macs.erase(one->mac));
      }
    }
    return events.size();
  }

  Config settings = config();
  Topology topology{settings};
  OwnAddresses own{settings};
  std::set<IpAddress> ips;
  std::set<MacAddress> macs;
};

}  // namespace

TEST_CASE("the edge is its bridge, its ports, its probes and the addresses of the segment's interface") {
  Edge edge;
  CHECK(edge.ips == std::set{ip(2)});
  CHECK(edge.macs == std::set{mac(0xfe), mac(0xa0), mac(0x99)});
  edge.own.take(netlink::AddressMessage{kBridge, ip(1), false});
  edge.own.take(
      netlink::AddressMessage{{77}, ip(77), false});  // another interface's: a guest may have it here
  CHECK(edge.own.changed());
  edge.update();
  CHECK(edge.ips == std::set{ip(1), ip(2)});
  CHECK_FALSE(edge.own.changed());
  CHECK(edge.update() == 0);
  edge.own.take(netlink::AddressMessage{kBridge, ip(1), true});
  edge.link(kAccess, "acc0", 0xa0, {}, true);
  edge.update();
  CHECK(edge.ips == std::set{ip(2)});
  CHECK(edge.macs == std::set{mac(0xfe), mac(0x99)});
}

TEST_CASE("an address that a dump does not tell any more is gone, one that came meanwhile is not") {
  Edge edge;
  edge.own.take(netlink::AddressMessage{kBridge, ip(5), false});
  edge.own.take(netlink::AddressMessage{kBridge, ip(6), false});
  edge.update();
  edge.own.start_dump();
  edge.own.take(netlink::AddressMessage{kBridge, ip(6), false});
  edge.own.take(netlink::AddressMessage{kBridge, ip(7), false});
  edge.own.finish_dump();
  CHECK(edge.own.changed());
  edge.update();
  CHECK(edge.ips == std::set{ip(2), ip(6), ip(7)});
}

}  // namespace untrombone::daemon
