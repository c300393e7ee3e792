// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/settings.hpp"

#include <catch2/catch.hpp>

namespace untrombone::core {
namespace {

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
IpPrefix prefix(const char* text) { return IpPrefix::parse(text).value(); }

SegmentSettings segment() {
  SegmentSettings settings;
  settings.subnets = {prefix("192.0.2.0/24"), prefix("198.51.100.0/28"), prefix("2001:db8::/64")};
  settings.gateways = {ip("192.0.2.1"), ip("2001:db8::1")};
  settings.gateway_macs = {MacAddress::parse("00:00:5e:00:01:0a").value()};
  settings.exclude = {prefix("192.0.2.240/28"), prefix("198.51.100.5/32")};
  return settings;
}

}  // namespace

TEST_CASE("an address belongs to the subnet that contains it") {
  const SegmentSettings settings = segment();
  CHECK(settings.subnet_of(ip("192.0.2.200")) == &settings.subnets[0]);
  CHECK(settings.subnet_of(ip("198.51.100.15")) == &settings.subnets[1]);
  CHECK(settings.subnet_of(ip("2001:db8::53")) == &settings.subnets[2]);
  CHECK(settings.subnet_of(ip("198.51.100.16")) == nullptr);
}

TEST_CASE("ordinary addresses of the subnets may be hosts") {
  for (const char* text : {"192.0.2.2", "192.0.2.239", "198.51.100.1", "198.51.100.14", "2001:db8::2"}) {
    INFO(text);
    CHECK(segment().may_be_host(ip(text)));
  }
}

TEST_CASE("gateways, reserved, excluded and foreign addresses are never hosts") {
  for (const char* text : {"192.0.2.1", "2001:db8::1", "192.0.2.0", "192.0.2.255", "198.51.100.0",
                           "198.51.100.15", "2001:db8::", "192.0.2.240", "192.0.2.254", "198.51.100.5",
                           "203.0.113.9", "0.0.0.0", "2001:db8:1::2"}) {
    INFO(text);
    CHECK_FALSE(segment().may_be_host(ip(text)));
  }
}

TEST_CASE("a gateway is known by its address and by its MAC") {
  const SegmentSettings settings = segment();
  CHECK(settings.is_gateway(ip("2001:db8::1")));
  CHECK_FALSE(settings.is_gateway(ip("192.0.2.2")));
  CHECK(settings.is_gateway_mac(settings.gateway_macs.front()));
  CHECK_FALSE(settings.is_gateway_mac(MacAddress{}));
}

}  // namespace untrombone::core
