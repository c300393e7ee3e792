// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/alarms.hpp"

#include <chrono>

#include <catch2/catch.hpp>

namespace untrombone::daemon {
namespace {

using namespace std::chrono_literals;
using core::AlarmKind;
using core::IpAddress;
using core::MacAddress;

constexpr core::TimePoint kStart{1h};

core::Alarm alarm(AlarmKind kind, unsigned last) {
  return {kind,
          {0},
          IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(last)}),
          MacAddress{{0x00, 0x00, 0x5e, 0x00, 0x53, static_cast<std::uint8_t>(last)}},
          {11}};
}

}  // namespace

TEST_CASE("an alarm names its offender: who lies by MAC and address, who floods by port") {
  CHECK(Alarms::subject_of(alarm(AlarmKind::kGatewayClaimed, 1), "acc0") == "00:00:5e:00:53:01 as 192.0.2.1");
  CHECK(Alarms::subject_of(alarm(AlarmKind::kOwnAddressClaimed, 2), "acc0") ==
        "00:00:5e:00:53:02 as 192.0.2.2");
  CHECK(Alarms::subject_of(alarm(AlarmKind::kTooManyIpsOnMac, 3), "acc0") == "00:00:5e:00:53:03");
  CHECK(Alarms::subject_of(alarm(AlarmKind::kTooManyHosts, 4), "acc0") == "port acc0");
  CHECK(Alarms::subject_of(alarm(AlarmKind::kTooManyNewHosts, 5), "acc0") == "port acc0");
  CHECK(Alarms::subject_of(alarm(AlarmKind::kTooManyHosts, 4), "") == "segment");
  CHECK(Alarms::subject_of(alarm(AlarmKind::kHostFrozen, 6), "acc0") == "192.0.2.6");
}

TEST_CASE("a flood is one alarm, counted, with its last sender, and logged once a minute") {
  Alarms alarms;
  CHECK(alarms.raise(alarm(AlarmKind::kTooManyNewHosts, 1), "acc0", kStart));
  for (unsigned last = 2; last <= 200; ++last)
    CHECK_FALSE(alarms.raise(alarm(AlarmKind::kTooManyNewHosts, last), "acc0", kStart + 1s));
  REQUIRE(alarms.entries().size() == 1);
  const Alarms::Entry& entry = alarms.entries().begin()->second;
  CHECK(entry.count == 200);
  CHECK(entry.ip == IpAddress::v4({192, 0, 2, 200}));
  CHECK(entry.mac.octets[5] == 200);
  CHECK(alarms.raise(alarm(AlarmKind::kTooManyNewHosts, 1), "acc0", kStart + 61s));
  CHECK(alarms.raise(alarm(AlarmKind::kTooManyNewHosts, 1), "acc1", kStart + 61s));
}

TEST_CASE("alarms are bounded: who comes last shares an entry with the others") {
  Alarms alarms;
  for (unsigned last = 0; last < 1000; ++last) {
    core::Alarm one = alarm(AlarmKind::kTooManyIpsOnMac, last);
    one.mac.octets[4] = static_cast<std::uint8_t>(last >> 8U);
    alarms.raise(one, "acc0", kStart);
  }
  CHECK(alarms.entries().size() == 257);
  CHECK(alarms.entries().at({AlarmKind::kTooManyIpsOnMac, {0}, "others"}).count == 744);
}

}  // namespace untrombone::daemon
