// SPDX-License-Identifier: GPL-2.0-or-later
#include <catch2/catch.hpp>

#include "agent/core/types.hpp"

namespace untrombone::core {
namespace {

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
IpPrefix prefix(const char* text) { return IpPrefix::parse(text).value(); }

}  // namespace

TEST_CASE("a prefix reads back what it prints") {
  for (const char* text : {"0.0.0.0/0", "192.0.2.0/24", "192.0.2.128/25", "192.0.2.7/32", "::/0",
                           "2001:db8::/32", "2001:db8:0:8000::/49", "2001:db8::1/128"}) {
    INFO(text);
    REQUIRE(IpPrefix::parse(text));
    CHECK(prefix(text).to_string() == text);
  }
}

TEST_CASE("a prefix without a length, with a wrong one or with host bits is refused") {
  for (const char* text :
       {"192.0.2.0", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/24x", "192.0.2.1/24",
        "192.0.2/24", "2001:db8::/129", "2001:db8::1/64", "/24", "192.0.2.0/ 24", "192.0.2.0/99999999999"}) {
    INFO(text);
    CHECK_FALSE(IpPrefix::parse(text));
  }
}

TEST_CASE("making a prefix clears the host bits and clamps the length") {
  CHECK(IpPrefix(ip("192.0.2.201"), 25) == prefix("192.0.2.128/25"));
  CHECK(IpPrefix(ip("192.0.2.201"), 99) == prefix("192.0.2.201/32"));
  CHECK(IpPrefix(ip("2001:db8::ffff"), 120) == prefix("2001:db8::ff00/120"));
  CHECK(IpPrefix::host(ip("192.0.2.1")).is_host());
  CHECK(IpPrefix::host(ip("2001:db8::1")).length() == 128);
  CHECK_FALSE(prefix("192.0.2.0/31").is_host());
}

TEST_CASE("a prefix contains its addresses and no others") {
  const IpPrefix subnet = prefix("192.0.2.64/26");
  CHECK(subnet.contains(ip("192.0.2.64")));
  CHECK(subnet.contains(ip("192.0.2.127")));
  CHECK_FALSE(subnet.contains(ip("192.0.2.63")));
  CHECK_FALSE(subnet.contains(ip("192.0.2.128")));
  CHECK_FALSE(subnet.contains(ip("2001:db8::1")));
  CHECK(prefix("0.0.0.0/0").contains(ip("255.255.255.255")));
  CHECK_FALSE(prefix("0.0.0.0/0").contains(ip("::")));
}

TEST_CASE("a prefix contains itself and longer ones inside it") {
  const IpPrefix block = prefix("192.0.2.0/24");
  CHECK(block.contains(block));
  CHECK(block.contains(prefix("192.0.2.128/25")));
  CHECK_FALSE(prefix("192.0.2.128/25").contains(block));
  CHECK_FALSE(block.contains(prefix("198.51.100.0/25")));
}

TEST_CASE("the last address has all host bits set") {
  CHECK(prefix("192.0.2.0/24").last() == ip("192.0.2.255"));
  CHECK(prefix("192.0.2.64/27").last() == ip("192.0.2.95"));
  CHECK(prefix("192.0.2.7/32").last() == ip("192.0.2.7"));
  CHECK(prefix("2001:db8::/126").last() == ip("2001:db8::3"));
}

TEST_CASE("network and broadcast are reserved, except on a point-to-point link") {
  CHECK(prefix("192.0.2.0/24").is_reserved(ip("192.0.2.0")));
  CHECK(prefix("192.0.2.0/24").is_reserved(ip("192.0.2.255")));
  CHECK_FALSE(prefix("192.0.2.0/24").is_reserved(ip("192.0.2.1")));
  CHECK(prefix("192.0.2.4/30").is_reserved(ip("192.0.2.7")));
  CHECK_FALSE(prefix("192.0.2.4/31").is_reserved(ip("192.0.2.4")));
  CHECK_FALSE(prefix("192.0.2.4/31").is_reserved(ip("192.0.2.5")));
  CHECK_FALSE(prefix("192.0.2.4/32").is_reserved(ip("192.0.2.4")));
}

TEST_CASE("IPv6 reserves the subnet-router anycast address and no broadcast") {
  CHECK(prefix("2001:db8::/64").is_reserved(ip("2001:db8::")));
  CHECK_FALSE(prefix("2001:db8::/64").is_reserved(prefix("2001:db8::/64").last()));
  CHECK_FALSE(prefix("2001:db8::/127").is_reserved(ip("2001:db8::")));
}

TEST_CASE("prefixes of one address and different lengths differ in order and hash") {
  CHECK(prefix("192.0.2.0/24") < prefix("192.0.2.0/25"));
  CHECK(hash_value(prefix("192.0.2.0/24")) != hash_value(prefix("192.0.2.0/25")));
}

}  // namespace untrombone::core
