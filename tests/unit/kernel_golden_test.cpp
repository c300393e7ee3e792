// SPDX-License-Identifier: GPL-2.0-or-later
// What kernels of six years say about the same events, captured by scripts/capture-golden: every release is decoded to
// the same facts, whatever attributes it added in between.
#include <linux/if_ether.h>

#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "arp/frames.hpp"
#include "arp/nd_frames.hpp"
#include "netlink/messages.hpp"
#include "tests/unit/golden.hpp"

namespace untrombone::netlink {
namespace {

using core::Ifindex;
using core::MacAddress;
using testing::GoldenBytes;
using testing::read_golden;

// As in tests/golden/capture.py.
constexpr Ifindex kBridge{30};
constexpr Ifindex kAccessPort{31};
constexpr Ifindex kDciPort{34};
constexpr Ifindex kSvi{35};
constexpr Ifindex kVrf{36};
constexpr const char* kReleases[] = {"linux-5.10/", "linux-6.1/", "linux-6.12/", "linux-7.2/"};

MacAddress mac(std::uint8_t last) { return {{0x00, 0x00, 0x5e, 0x00, 0x53, last}}; }

std::optional<Message> decoded(const GoldenBytes& records, const std::string& name) {
  INFO(name);
  bool malformed = false;
  auto message = decode(records.at(name), &malformed);
  CHECK_FALSE(malformed);
  // A kernel that can filter VLANs says so of a bridge that does not; one built without says nothing.
  if (auto* const link = message ? std::get_if<LinkMessage>(&*message) : nullptr) {
    if (link->removed) link->mac = {};  // nobody gave it one: random
    if (!link->vlan_aware && link->kind == LinkKind::kBridge) link->vlan_protocol = 0;
  }
  return message;
}

void check_same(const std::string& release, const std::string& file, const auto& decode_one) {
  const GoldenBytes here = read_golden(file);
  const GoldenBytes there = read_golden(release + file);
  CHECK_FALSE(there.empty());
  for (const auto& [name, bytes] : there) {
    INFO(release << file << ' ' << name);
    CHECK(decode_one(there, name) == decode_one(here, name));
  }
}

}  // namespace

TEST_CASE("kernels of every release say the same about links, FDB, neighbours and routes") {
  for (const char* release : kReleases) check_same(release, "netlink/messages.hex", decoded);
}

TEST_CASE("kernels of every release ask, answer and announce with the same frames") {
  for (const char* release : kReleases) {
    check_same(release, "arp/frames.hex", [](const GoldenBytes& records, const std::string& name) {
      return arp::decode(records.at(name));
    });
    check_same(release, "arp/nd_frames.hex", [](const GoldenBytes& records, const std::string& name) {
      return arp::decode_nd(records.at(name));
    });
  }
}

TEST_CASE("kernels of every release tell the VLANs of ports and bridges") {
  for (const char* release : kReleases) {
    INFO(release);
    const GoldenBytes golden = read_golden(std::string(release) + "netlink/vlan.hex");
    const auto vlans = [&](const std::string& name) {
      return std::get<VlanMessage>(decoded(golden, name).value());
    };
    CHECK(vlans("vlan-pvid") == VlanMessage{kAccessPort, {{{10}, {10}, true, true}}, false});
    CHECK(vlans("vlan-removed") == VlanMessage{kAccessPort, {{{1}, {1}, false, false}}, true});
    CHECK(vlans("vlan-range") == VlanMessage{kDciPort, {{{10}, {29}, false, false}}, false});
    CHECK(vlans("vlan-self") == VlanMessage{kBridge, {{{10}, {10}, false, false}}, false});
    CHECK(vlans("vlan-dump") ==
          VlanMessage{kDciPort, {{{1}, {1}, true, true}, {{10}, {29}, false, false}}, false});
  }
}

TEST_CASE("kernels of every release tell the VLAN of an FDB entry") {
  for (const char* release : kReleases) {
    INFO(release);
    const GoldenBytes golden = read_golden(std::string(release) + "netlink/vlan.hex");
    const auto entry = [&](const std::string& name) {
      return std::get<FdbMessage>(decoded(golden, name).value());
    };
    CHECK(entry("fdb-tagged") == FdbMessage{kDciPort, kBridge, mac(0x21), {10}, false, false, false});
    CHECK(entry("fdb-untagged") == FdbMessage{kAccessPort, kBridge, mac(0x21), {10}, false, false, false});
  }
}

TEST_CASE("kernels of every release tell VLAN-aware bridges, their interfaces and VRFs") {
  for (const char* release : kReleases) {
    INFO(release);
    const GoldenBytes golden = read_golden(std::string(release) + "netlink/vlan.hex");
    const auto link = [&](const std::string& name) {
      return std::get<LinkMessage>(decoded(golden, name).value());
    };
    LinkMessage bridge{kBridge, "br1", mac(0xe1), {}, true, false, LinkKind::kBridge, true, ETH_P_8021Q};
    bridge.ageing = std::chrono::seconds(300);
    CHECK(link("link-vlan-aware") == bridge);
    LinkMessage svi{kSvi,  "br1.10",    mac(0xe1), {},     false, false, LinkKind::kVlan,
                    false, ETH_P_8021Q, {10},      kBridge};
    CHECK(link("link-svi") == svi);
    svi.master = kVrf;
    CHECK(link("link-svi-in-vrf") == svi);
    LinkMessage vrf{kVrf, "red", mac(0xe2), {}, false, false, LinkKind::kVrf};
    vrf.table = 1010;
    CHECK(link("link-vrf") == vrf);
  }
}

TEST_CASE("no octet of a message about VLANs can be changed or cut off so that the decoder goes astray") {
  for (const auto& [name, bytes] : read_golden("linux-6.1/netlink/vlan.hex")) {
    testing::Bytes changed = bytes;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      bool malformed = false;
      CHECK_FALSE(decode(std::span(bytes).first(at), &malformed));
      for (const int value : {0x00, 0x01, 0x04, 0x7f, 0xff}) {
        changed[at] = static_cast<std::byte>(value);
        const auto message = decode(changed, &malformed);
        if (message && malformed) FAIL(name << " with octet " << at << " changed");
      }
      changed[at] = bytes[at];
    }
  }
}

}  // namespace untrombone::netlink
