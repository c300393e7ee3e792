// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/types.hpp"

#include <set>
#include <string>

#include <catch2/catch.hpp>

namespace untrombone::core {
namespace {

std::array<std::byte, 6> as_bytes(const MacAddress& mac) {
  std::array<std::byte, 6> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(mac.octets[i]);
  return bytes;
}

}  // namespace

TEST_CASE("a MAC address reads back what it prints") {
  for (const char* text : {"00:00:00:00:00:00", "00:00:5e:00:53:01", "ff:ff:ff:ff:ff:ff"}) {
    const auto mac = MacAddress::parse(text);
    REQUIRE(mac);
    CHECK(mac->to_string() == text);
    CHECK(MacAddress::from_bytes(as_bytes(*mac)) == *mac);
  }
  CHECK(MacAddress::parse("00:00:5E:00:53:AF")->to_string() == "00:00:5e:00:53:af");
}

TEST_CASE("what is not six colon-separated octets is not a MAC address") {
  for (const char* text : {"", "00:00:5e:00:53", "00:00:5e:00:53:01:02", "00-00-5e-00-53-01", "0:0:5e:0:53:1",
                           "00:00:5e:00:53:0g", "00:00:5e:00:53: 1", "00005e005301", "00:00:5e:00:53.01"}) {
    INFO(text);
    CHECK_FALSE(MacAddress::parse(text));
  }
}

TEST_CASE("the first bit on the wire tells a group address") {
  CHECK(MacAddress::parse("ff:ff:ff:ff:ff:ff")->is_group());
  CHECK(MacAddress::parse("01:00:5e:00:00:12")->is_group());
  CHECK_FALSE(MacAddress::parse("02:00:5e:00:53:01")->is_group());
  CHECK(MacAddress{}.is_zero());
  CHECK_FALSE(MacAddress::parse("00:00:5e:00:53:01")->is_zero());
}

TEST_CASE("an IP address reads back what it prints") {
  for (const char* text :
       {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "2001:db8::1", "2001:db8:1:2:3:4:5:6"}) {
    INFO(text);
    const auto address = IpAddress::parse(text);
    REQUIRE(address);
    CHECK(address->to_string() == text);
    const auto octets = address->octets();
    CHECK(IpAddress::from_bytes(std::as_bytes(octets)) == address);
    CHECK(octets.size() * 8 == address->bits());
  }
}

TEST_CASE("what is not one whole address is not an IP address") {
  for (const char* text : {"", "192.0.2", "192.0.2.256", "192.0.2.1.1", "192.0.2.1/32", " 192.0.2.1",
                           "192.0.2.1 ", "0x7f.0.0.1", "2001:db8:::1", "fe80::1%eth0", "gateway"}) {
    INFO(text);
    CHECK_FALSE(IpAddress::parse(text));
  }
  CHECK_FALSE(IpAddress::parse(std::string_view("192.0.2.1\0.evil", 15)));
  CHECK_FALSE(IpAddress::from_bytes({}));
  CHECK_FALSE(IpAddress::from_bytes(std::array<std::byte, 5>{}));
}

TEST_CASE("the families do not mix") {
  const auto v4 = IpAddress::v4({0, 0, 0, 0});
  const auto v6 = IpAddress::v6({});
  CHECK(v4.is_unspecified());
  CHECK(v6.is_unspecified());
  CHECK(v4 != v6);
  CHECK(v4.is_v4());
  CHECK_FALSE(v6.is_v4());
  CHECK(v4.bits() == 32);
  CHECK(v6.bits() == 128);
  CHECK(hash_value(v4) != hash_value(v6));
}

TEST_CASE("neighbouring addresses do not share a hash") {
  std::set<std::size_t> hashes;
  for (unsigned i = 0; i < 4096; ++i) {
    const auto high = static_cast<std::uint8_t>(i >> 8U);
    const auto low = static_cast<std::uint8_t>(i);
    hashes.insert(hash_value(IpAddress::v4({192, 0, high, low})));
    hashes.insert(hash_value(MacAddress{{0, 0, 0x5e, 0, high, low}}));
  }
  CHECK(hashes.size() == 2 * 4096);
}

TEST_CASE("a port class has a name") {
  CHECK(to_string(PortClass::kLocal) == "local");
  CHECK(to_string(PortClass::kPeer) == "peer");
  CHECK(to_string(PortClass::kDci) == "dci");
}

}  // namespace untrombone::core
