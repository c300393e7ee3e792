// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/frame_rules.hpp"

#include <catch2/catch.hpp>

namespace untrombone::core {
namespace {

bool is_virtual(const char* mac) { return is_virtual_router_mac(MacAddress::parse(mac).value()); }

}  // namespace

TEST_CASE("every first-hop redundancy protocol's MAC is known") {
  CHECK(is_virtual("00:00:5e:00:01:00"));  // VRRP and CARP
  CHECK(is_virtual("00:00:5e:00:01:ff"));
  CHECK(is_virtual("00:00:5e:00:02:0a"));  // the same for IPv6
  CHECK(is_virtual("00:00:0c:07:ac:2a"));  // HSRP version 1, group 42
  CHECK(is_virtual("00:00:0c:9f:f0:00"));  // HSRP version 2, groups 0..4095
  CHECK(is_virtual("00:00:0c:9f:ff:ff"));
  CHECK(is_virtual("00:05:73:a0:00:00"));  // HSRP for IPv6
  CHECK(is_virtual("00:05:73:a0:0f:ff"));
  CHECK(is_virtual("00:07:b4:00:01:01"));  // GLBP, group and forwarder
  CHECK(is_virtual("00:07:b4:00:ff:04"));
}

TEST_CASE("the addresses beside them are ordinary") {
  CHECK_FALSE(is_virtual("00:00:5e:00:00:01"));
  CHECK_FALSE(is_virtual("00:00:5e:00:03:01"));
  CHECK_FALSE(is_virtual("00:00:5e:00:53:01"));
  CHECK_FALSE(is_virtual("00:00:0c:07:ad:01"));
  CHECK_FALSE(is_virtual("00:00:0c:9f:ef:ff"));
  CHECK_FALSE(is_virtual("00:00:0c:9f:e0:00"));
  CHECK_FALSE(is_virtual("00:05:73:a0:10:00"));
  CHECK_FALSE(is_virtual("00:07:b4:01:00:00"));
  CHECK_FALSE(is_virtual("02:00:5e:00:01:00"));
}

}  // namespace untrombone::core
