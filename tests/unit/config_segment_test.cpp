// SPDX-License-Identifier: GPL-2.0-or-later
// What a segment may be, alone and beside others.
#include <catch2/catch.hpp>

#include "agent/daemon/config.hpp"
#include "tests/unit/config_texts.hpp"

namespace untrombone::daemon {

using namespace testing;

TEST_CASE("home blocks are parts of the subnets, disjoint, and only there for the mode home") {
  const auto about = [](const std::string& lines) {
    return complaint_about("[segment.summarize]\n" + lines);
  };
  CHECK(about("mode = \"home\"\n") ==
        "11: segment \"vlan10\": summarize.mode: home without home-blocks; expected at least one block that "
        "is this "
        "site's");
  CHECK(about("home-blocks = [\"192.0.2.0/26\"]\n") ==
        "11: segment \"vlan10\": summarize.home-blocks: is only for mode = \"home\"");
  CHECK(about("mode = \"home\"\nhome-blocks = [\"192.0.2.0/24\"]\n") ==
        "12: segment \"vlan10\": summarize.home-blocks: 192.0.2.0/24 is no part of a subnet (192.0.2.0/24); "
        "expected a longer prefix inside one: the subnet itself is the interface's connected route");
  CHECK(about("mode = \"home\"\nhome-blocks = [\"192.0.2.0/26\", \"192.0.2.32/27\"]\n") ==
        "12: segment \"vlan10\": summarize.home-blocks: 192.0.2.32/27 overlaps 192.0.2.0/26; expected "
        "disjoint "
        "blocks");
  CHECK(about("shortest = 33\n") ==
        "11: segment \"vlan10\": summarize.shortest: 33 is out of range; expected 0 to 32");
}

TEST_CASE("blocks for the outside are parts of the subnets, and tell themselves apart by a tag") {
  const auto about = [](const std::string& lines) {
    return complaint_about("[segment.summarize]\n" + lines);
  };
  CHECK(parsed(minimal_and("[segment.summarize]\nexternal-length = 26\n")).core.segments[0].external_length ==
        26);
  const std::string key = "segment \"vlan10\": summarize.external-length: ";
  CHECK(about("external-length = 24\n") ==
        "11: " + key +
            "24 is not longer than 192.0.2.0/24: a block would be the interface's connected route, which "
            "zebra prefers to ours; expected a longer one, or 0 and `network 192.0.2.0/24` at the domain's "
            "border");
  CHECK(about("external-length = 8\n") == "11: " + key + "8 is too short; expected 0, or 16 to 30");
  CHECK(about("external-length = 31\n") == "11: " + key + "31 is out of range; expected 0 to 30");
  CHECK_THAT(about("mode = \"home\"\nhome-blocks = [\"192.0.2.0/26\"]\nexternal-length = 26\n"),
             Catch::StartsWith("13: " + key + "does not go with mode = \"home\""));
  CHECK_THAT(
      complaint_about("[segment.summarize]\nexternal-length = 26\n[routes]\nsink = \"kernel-table\"\n"),
      Catch::StartsWith("11: " + key + "needs tags"));
}

TEST_CASE("names of interfaces and paths are what the kernel takes") {
  CHECK(complaint(replaced("\"br0\"", "\"sixteen-letters-\"")) ==
        "6: segment \"vlan10\": bridge: \"sixteen-letters-\" cannot be an interface; "
        "expected 1 to 15 characters without \"/\", \":\" and spaces");
  CHECK(complaint_about("dci-ports = [\"[a-z][a-z][0-9][0-9]*\"]\n") == "none");
  CHECK(complaint_about("dci-ports = [\"vx *\"]\n") ==
        "10: segment \"vlan10\": dci-ports: \"vx *\" matches no interface; "
        "expected a pattern without \"/\", \":\" and spaces");
  CHECK(complaint_about("[control]\nsocket = \"c.sock\"\n") ==
        "11: control.socket: \"c.sock\" is not an absolute path; expected e.g. \"/run/x\"");
  CHECK(complaint_about("[control]\nsocket = \"/" + std::string(107, 'x') + "\"\n") ==
        "11: control.socket: is too long; expected at most 107 bytes");
  CHECK(complaint_about("[routes]\nvty-dir = \"frr\"\n") ==
        R"(11: routes.vty-dir: "frr" is not an absolute path; expected e.g. "/run/x")");
  CHECK(complaint_about("[routes]\nvty-dir = \"/" + std::string(88, 'x') + "\"\n") ==
        "11: routes.vty-dir: is too long; expected at most 88 bytes");
  CHECK(complaint_about("[routes]\nbmp-listen = \"127.0.0.1\"\n") ==
        "11: routes.bmp-listen: \"127.0.0.1\" is no address with a port; "
        "expected e.g. \"127.0.0.1:9517\" or \"[::1]:9517\"");
}

/// kMinimal with 2001:db8:1::/64 beside its subnet, and more gateways.
std::string dual_stack(std::string_view gateways) {
  std::string text = replaced("[\"192.0.2.0/24\"]", "[\"192.0.2.0/24\", \"2001:db8:1::/64\"]");
  const std::string_view one = "[\"192.0.2.1\"]";
  return text.replace(text.find(one), one.size(), gateways);
}

TEST_CASE("both families live in one segment") {
  const Config config = parsed(dual_stack(R"(["192.0.2.1", "2001:db8:1::1", "fe80::1"])") +
                               "exclude = [\"2001:db8:1::f000/116\"]\n[segment.detect]\nprobe-address = "
                               "\"2001:db8:1::2\"\n");
  const core::SegmentSettings& segment = config.core.segments[0];
  REQUIRE(segment.subnets.size() == 2);
  CHECK(segment.subnets[1].to_string() == "2001:db8:1::/64");
  REQUIRE(segment.gateways.size() == 3);
  CHECK(segment.gateways[2].to_string() == "fe80::1");
  CHECK(segment.exclude[0].to_string() == "2001:db8:1::f000/116");
  REQUIRE(config.segments[0].probe_address);
  CHECK(config.segments[0].probe_address->to_string() == "2001:db8:1::2");
}

TEST_CASE("a link-local gateway needs no subnet of its own, but one of IPv6") {
  CHECK(complaint(dual_stack("[\"fe80::1\"]")) == "none");
  CHECK(complaint(replaced("\"192.0.2.1\"", "\"fe80::1\"")) ==
        "8: segment \"vlan10\": gateways: fe80::1 is in none of the subnets (192.0.2.0/24)");
  CHECK(complaint(dual_stack("[\"2001:db8:2::1\"]")) ==
        "8: segment \"vlan10\": gateways: 2001:db8:2::1 is in none of the subnets (192.0.2.0/24, "
        "2001:db8:1::/64)");
  CHECK(complaint(dual_stack("[\"ff02::1\"]")) ==
        "8: segment \"vlan10\": gateways: ff02::1 is nobody's address; expected a unicast one");
}

TEST_CASE("an IPv6 subnet is one that hosts can live in") {
  const auto subnet = [](std::string_view text) {
    return complaint(replaced("\"192.0.2.0/24\"", "\"192.0.2.0/24\", \"" + std::string(text) + "\""));
  };
  const std::string where = "7: segment \"vlan10\": subnets: ";
  CHECK(subnet("fd00:1::/48") == "none");
  CHECK(subnet("2001:db8::/127") == "none");
  CHECK(subnet("2001:db8::/128") ==
        where + "2001:db8::/128 cannot be a segment's subnet; expected a length of 32 to 127");
  CHECK(subnet("2000::/3") ==
        where + "2000::/3 cannot be a segment's subnet; expected a length of 32 to 127");
  for (const std::string text : {"fe80::/64", "ff05::/64", "::/64"}) {
    CHECK(subnet(text) == where + text + " holds no unicast hosts; expected a subnet that does");
  }
}

TEST_CASE("a prefix is exact") {
  const auto subnet = [](std::string_view text) { return complaint(replaced("192.0.2.0/24", text)); };
  const std::string where = "7: segment \"vlan10\": subnets: ";
  CHECK(subnet("192.0.2.0") == where + "192.0.2.0 has no length; expected e.g. 192.0.2.0/24");
  CHECK(subnet("192.0.2.5/24") == where + "192.0.2.5/24 has host bits set; expected 192.0.2.0/24");
  CHECK(subnet("192.0.2.0/33") ==
        where + "192.0.2.0/33 has a wrong length; expected 0 to 32 after the slash");
  CHECK(subnet("192.0.2.0/") == where + "192.0.2.0/ has a wrong length; expected 0 to 32 after the slash");
  CHECK(subnet("192.0.2/24") == where + "\"192.0.2/24\" is not a prefix; expected e.g. \"192.0.2.0/24\"");
  CHECK(subnet("192.0.2.1/32") ==
        where + "192.0.2.1/32 cannot be a segment's subnet; expected a length of 8 to 31");
  CHECK(subnet("233.252.0.0/24") ==
        where + "233.252.0.0/24 holds no unicast hosts; expected a subnet that does");
}

TEST_CASE("a gateway is a host address of a subnet") {
  const auto gateway = [](std::string_view text) { return complaint(replaced("\"192.0.2.1\"", text)); };
  CHECK(gateway("\"198.51.100.1\"") ==
        "8: segment \"vlan10\": gateways: 198.51.100.1 is in none of the subnets (192.0.2.0/24)");
  CHECK(gateway("\"192.0.2.255\"") ==
        "8: segment \"vlan10\": gateways: 192.0.2.255 is the network or broadcast address of 192.0.2.0/24; "
        "expected a host's");
  CHECK(gateway("\"192.0.2.1\",\n\"192.0.2.1\"") ==
        "9: segment \"vlan10\": gateways: 192.0.2.1 is listed twice; expected it once");
  CHECK(gateway("\"gw\"") ==
        "8: segment \"vlan10\": gateways: \"gw\" is not an address; expected e.g. \"192.0.2.1\"");
}

TEST_CASE("a gateway MAC is one station's") {
  CHECK(complaint_about("gateway-macs = [\"00-00-5e-00-53-01\"]\n") ==
        "10: segment \"vlan10\": gateway-macs: \"00-00-5e-00-53-01\" is not a MAC address; "
        "expected e.g. \"00:00:5e:00:01:0a\"");
  CHECK(complaint_about("gateway-macs = [\"01:00:5e:90:10:00\"]\n") ==
        "10: segment \"vlan10\": gateway-macs: 01:00:5e:90:10:00 is not a unicast MAC address; expected one");
}

TEST_CASE("what is excluded lies inside a subnet") {
  CHECK(complaint_about("exclude = [\"192.0.2.7/32\"]\n") == "none");
  CHECK(complaint_about("exclude = [\"192.0.0.0/16\"]\n") ==
        "10: segment \"vlan10\": exclude: 192.0.0.0/16 is inside none of the subnets (192.0.2.0/24); "
        "expected a part of one");
}

TEST_CASE("a probe address is of this site only") {
  CHECK(complaint_about("[segment.detect]\nprobe-address = \"192.0.2.1\"\n") ==
        "11: segment \"vlan10\": detect.probe-address: 192.0.2.1 is a gateway, which every site has; "
        "expected an address that exists at this site only");
  CHECK(complaint_about("[segment.detect]\nprobe-address = \"203.0.113.2\"\n") ==
        "11: segment \"vlan10\": detect.probe-address: 203.0.113.2 is in none of the subnets (192.0.2.0/24)");
}

TEST_CASE("times that contradict each other are refused") {
  CHECK(complaint_about("[segment.detect]\nsilent-after = \"60s\"\n") ==
        "11: segment \"vlan10\": detect.silent-after: silent-after (1m) is not longer than refresh (1m); "
        "expected time for a probe between");
  CHECK(complaint_about("[segment.detect]\nrefresh = \"1h\"\n") ==
        "11: segment \"vlan10\": detect.refresh: silent-after (3m) is not longer than refresh (1h); "
        "expected time for a probe between");
  CHECK(complaint_about("[segment.detect]\nconfirm = \"5s\"\nrefresh = \"2s\"\n") ==
        "11: segment \"vlan10\": detect.confirm: confirm (5s) is longer than refresh (2s); expected it to be "
        "shorter");
}

TEST_CASE("a port is not of two classes") {
  CHECK(complaint_about("dci-ports = [\"vx10\"]\npeer-ports = [\"peerlink\",\n\"vx10\"]\n") ==
        "12: segment \"vlan10\": peer-ports: \"vx10\" is in dci-ports, too; expected a port in one of them");
}

TEST_CASE("two segments share nothing") {
  const auto second = [](std::string_view name, std::string_view bridge, std::string_view more,
                         std::string_view subnet) {
    std::ostringstream text;
    text << kMinimal << "[[segment]]\nname = \"" << name << "\"\nbridge = \"" << bridge << "\"\n"
         << "subnets = [\"" << subnet << "\"]\ngateways = [\"" << subnet.substr(0, subnet.rfind('.'))
         << ".2\"]\n"
         << more;
    return complaint(text.str());
  };
  CHECK(second("b", "br1", "", "198.51.100.0/24") == "none");
  CHECK(second("vlan10", "br1", "", "198.51.100.0/24") ==
        "11: segment \"vlan10\": name: another segment has it; expected a unique name");
  CHECK(
      second("b", "br0", "", "198.51.100.0/24") ==
      "12: segment \"b\": bridge: br0 is the interface of segment \"vlan10\", too; expected one of its own");
  CHECK(second("b", "br1", "interface = \"br0\"\n", "198.51.100.0/24") ==
        "15: segment \"b\": interface: br0 is the interface of segment \"vlan10\", too; expected one of its "
        "own");
  CHECK(second("b", "br0", "interface = \"br0.20\"\n", "198.51.100.0/24") ==
        "12: segment \"b\": bridge: br0 is the bridge of segment \"vlan10\", too; expected one of its own, "
        "or a vlan in each");
  CHECK(second("b", "br1", "", "192.0.2.0/25") ==
        "13: segment \"b\": subnets: 192.0.2.0/25 overlaps segment \"vlan10\", 192.0.2.0/24; "
        "expected disjoint subnets, or another vrf in each");
}

TEST_CASE("segments share a bridge when each has a VLAN of its own") {
  const auto two = [](std::string_view first, std::string_view second,
                      std::string_view subnet = "198.51.100") {
    std::ostringstream text;
    text << kMinimal << first << "[[segment]]\nname = \"b\"\nbridge = \"br0\"\ninterface = \"br0.20\"\n"
         << "subnets = [\"" << subnet << ".0/24\"]\ngateways = [\"" << subnet << ".2\"]\n"
         << second;
    return text.str();
  };
  const Config config = parsed(two("vlan = 10\n", "vlan = 20\n"));
  CHECK(config.segments[0].vlan == core::VlanId{10});
  CHECK(config.segments[1].vlan == core::VlanId{20});
  CHECK(complaint(two("vlan = 10\n", "vlan = 10\n")) ==
        "17: segment \"b\": vlan: 10 of bridge br0 is segment \"vlan10\", too; expected one of its own");
  CHECK(complaint(two("", "vlan = 20\n")) ==
        "16: segment \"b\": vlan: segment \"vlan10\" is on bridge br0, too, and has no vlan; expected a vlan "
        "in each, "
        "or in none");
  CHECK(complaint(two("vlan = 10\n", "")) ==
        "13: segment \"b\": bridge: segment \"vlan10\" is on bridge br0, too, and has a vlan; expected a "
        "vlan in each, "
        "or in none");
  CHECK(complaint(two("vlan = 0\n", "")) ==
        "10: segment \"vlan10\": vlan: 0 is out of range; expected 1 to 4094");
  CHECK(complaint(two("vlan = 4095\n", "")) ==
        "10: segment \"vlan10\": vlan: 4095 is out of range; expected 1 to 4094");
}

TEST_CASE("two VRFs may have the same subnet, and the default one is a VRF, too") {
  const auto two = [](std::string_view first, std::string_view second) {
    std::ostringstream text;
    text << kMinimal << "vlan = 10\n"
         << first << "[[segment]]\nname = \"b\"\nbridge = \"br0\"\nvlan = 20\ninterface = \"br0.20\"\n"
         << "subnets = [\"192.0.2.0/24\"]\ngateways = [\"192.0.2.1\"]\n"
         << second;
    return text.str();
  };
  const Config config = parsed(two("vrf = \"red\"\n", "vrf = \"default\"\n"));
  CHECK(config.segments[0].vrf == "red");
  CHECK(config.segments[1].vrf == "");
  CHECK_FALSE(parsed(std::string(kMinimal)).segments[0].vrf);
  for (const auto& [first, second] : {std::pair{"", ""}, std::pair{"vrf = \"red\"\n", "vrf = \"red\"\n"},
                                      std::pair{"vrf = \"red\"\n", ""}}) {
    CHECK_THAT(complaint(two(first, second)),
               Catch::Contains(
                   "overlaps segment \"vlan10\", 192.0.2.0/24; expected disjoint subnets, or another vrf "
                   "in each"));
  }
  CHECK_THAT(complaint(two("vrf = \"a/b\"\n", "")), Catch::Contains("vrf: \"a/b\" cannot be an interface"));
}

TEST_CASE("a segment's subnets do not overlap") {
  CHECK(complaint(replaced("[\"192.0.2.0/24\"]", "[\"192.0.2.0/24\", \"192.0.2.128/25\"]")) ==
        "7: segment \"vlan10\": subnets: 192.0.2.128/25 overlaps another subnet, 192.0.2.0/24; "
        "expected disjoint subnets");
}

}  // namespace untrombone::daemon
