// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/host_table.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

namespace untrombone::core {
namespace {

constexpr SegmentId kSegment{0};

MacAddress mac(unsigned last) { return {{0x00, 0x00, 0x5e, 0x00, 0x53, static_cast<std::uint8_t>(last)}}; }
IpAddress ip(unsigned last) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(last)}); }

std::vector<IpAddress> addresses_of(const HostTable& table, const MacAddress& owner) {
  std::vector<IpAddress> found;
  const Station* station = table.find_station(kSegment, owner);
  if (station == nullptr) return found;
  table.for_each_of(*station, [&](HostIndex index) { found.push_back(table[index].ip); });
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

TEST_CASE("a host is found by segment and address") {
  HostTable table;
  const HostIndex index = table.add(kSegment, ip(11), mac(1));
  CHECK(table.find(kSegment, ip(11)) == index);
  CHECK(table.find({1}, ip(11)) == kNoHost);
  CHECK(table.find(kSegment, ip(12)) == kNoHost);
  CHECK(table[index].mac == mac(1));
  CHECK(table[index].state == HostState::kUnknown);
  CHECK(table.size() == 1);
}

TEST_CASE("a station lists all addresses of its MAC and nobody else's") {
  HostTable table;
  table.add(kSegment, ip(11), mac(1));
  table.add(kSegment, ip(12), mac(1));
  table.add(kSegment, ip(13), mac(2));
  table.add({1}, ip(14), mac(1));
  CHECK(addresses_of(table, mac(1)) == std::vector{ip(11), ip(12)});
  CHECK(addresses_of(table, mac(2)) == std::vector{ip(13)});
  CHECK(table.find_station(kSegment, mac(1))->hosts == 2);
}

TEST_CASE("rebinding moves a host from one station to the other") {
  HostTable table;
  const HostIndex index = table.add(kSegment, ip(11), mac(1));
  table.add(kSegment, ip(12), mac(1));
  table.rebind(index, mac(2));
  CHECK(addresses_of(table, mac(1)) == std::vector{ip(12)});
  CHECK(addresses_of(table, mac(2)) == std::vector{ip(11)});
  CHECK(table.find(kSegment, ip(11)) == index);
}

TEST_CASE("a station that is nowhere goes with its last host, one with a place stays") {
  HostTable table;
  const HostIndex nowhere = table.add(kSegment, ip(11), mac(1));
  const HostIndex placed = table.add(kSegment, ip(12), mac(2));
  table.station(kSegment, mac(2)).port = {7};
  table.remove(nowhere);
  table.remove(placed);
  CHECK(table.size() == 0);
  CHECK(table.find_station(kSegment, mac(1)) == nullptr);
  REQUIRE(table.find_station(kSegment, mac(2)) != nullptr);
  table.station(kSegment, mac(2)).port = {};
  table.prune({kSegment, mac(2)});
  CHECK(table.find_station(kSegment, mac(2)) == nullptr);
}

TEST_CASE("a reused slot remembers nothing") {
  HostTable table;
  const HostIndex first = table.add(kSegment, ip(11), mac(1));
  table[first].state = HostState::kLocal;
  table[first].probe_at = TimePoint{};
  table.remove(first);
  const HostIndex second = table.add(kSegment, ip(12), mac(2));
  CHECK(second == first);
  CHECK(table[second].state == HostState::kUnknown);
  CHECK(table[second].due() == kNever);
  CHECK(table[second].next_of_mac == kNoHost);
}

TEST_CASE("the earliest deadline of a host is due") {
  Host host;
  CHECK(host.due() == kNever);
  const auto at = [](int seconds) { return TimePoint(std::chrono::seconds(seconds)); };
  for (TimePoint Host::*deadline : {&Host::settle_at, &Host::answer_by, &Host::probe_at, &Host::greet_at,
                                    &Host::linger_until, &Host::forget_at}) {
    Host one;
    one.forget_at = at(9);
    one.*deadline = at(3);
    CHECK(one.due() == at(3));
  }
}

TEST_CASE("a station's place is local, remote or nowhere") {
  Station station;
  CHECK_FALSE(station.is_local());
  CHECK_FALSE(station.is_remote());
  station.port = {7};
  CHECK(station.is_local());
  station.port_class = PortClass::kPeer;
  CHECK(station.is_local());
  station.remote_vtep = true;
  CHECK(station.is_remote());
  station.remote_vtep = false;
  station.port_class = PortClass::kDci;
  CHECK(station.is_remote());
}

TEST_CASE("any order of adding, rebinding and removing keeps the lists whole") {
  HostTable table;
  std::mt19937 random(1);
  std::vector<unsigned> owner(32, 0);  // 0: absent, else the number of the MAC
  for (int step = 0; step < 5000; ++step) {
    const auto which = static_cast<unsigned>(random() % owner.size());
    const auto who = static_cast<unsigned>(1 + random() % 5);
    const HostIndex index = table.find(kSegment, ip(which));
    REQUIRE((index == kNoHost) == (owner[which] == 0));
    if (index == kNoHost) {
      table.add(kSegment, ip(which), mac(who));
      owner[which] = who;
    } else if (random() % 2 == 0) {
      table.rebind(index, mac(who));
      owner[which] = who;
    } else {
      table.remove(index);
      owner[which] = 0;
    }
  }
  for (unsigned who = 1; who <= 5; ++who) {
    std::vector<IpAddress> expected;
    for (unsigned which = 0; which < owner.size(); ++which) {
      if (owner[which] == who) expected.push_back(ip(which));
    }
    CHECK(addresses_of(table, mac(who)) == expected);
  }
}

}  // namespace untrombone::core
