// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/guard_rules.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "arp/guard_list.hpp"
#include "arp/guard_listing.hpp"

/// tests/golden/nft/guard.nft is the guard of example(); UNTROMBONE_UPDATE_GOLDEN=1 rewrites it: read the diff.
/// guard.json is what nft 1.0.6 made of it: nft -f guard.nft, with three packets counted by arp_sender_to_dci, then
/// nft -j list table bridge untrombone, one object a line.
namespace untrombone::arp {
namespace {

using core::IpAddress;
using core::MacAddress;

const IpAddress kGateway = IpAddress::v4({192, 0, 2, 1});
const IpAddress kGateway6 = IpAddress::parse("2001:db8::1").value();
const IpAddress kShortGateway6 = IpAddress::parse("64:ff9b::1").value();
const IpAddress kOtherGateway = IpAddress::v4({198, 51, 100, 1});
const MacAddress kOwn{{0x02, 0x00, 0x5e, 0x00, 0x53, 0x01}};
const MacAddress kOther{{0x02, 0x00, 0x5e, 0x00, 0x53, 0x02}};

constexpr const char* kRemoval = "table bridge untrombone {}\ndelete table bridge untrombone\n";
constexpr const char* kNoHandOvers = "table netdev untrombone {}\ndelete table netdev untrombone\n";

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string golden_path(const std::string& name) {
  return std::string(UNTROMBONE_SOURCE_DIR) + "/tests/golden/nft/" + name;
}

std::string read_golden(const std::string& name) {
  const std::ifstream file(golden_path(name));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A bit of everything.
std::vector<GuardedSegment> example() {
  GuardedSegment whole{.dci_ports = {{"dci1"}, {"dci0"}}, .local_ports = {{"acc0"}}};
  whole.gateways = {kGateway, kGateway6, kShortGateway6};
  whole.ra = true;
  whole.fhrp = true;
  whole.rewrites = {{kOther, kOwn}};
  GuardedSegment tagged{.dci_ports = {{"trunk0", 20}}, .local_ports = {{"acc1", 0}, {"acc2", 20}}};
  tagged.gateways = {kOtherGateway};
  tagged.dhcp = true;
  tagged.strict = true;
  tagged.strict_macs = {kOther};
  tagged.rewrites = {{kOther, kOwn}};
  GuardedSegment native{.dci_ports = {{"trunk0", 0}}, .gateways = {kOtherGateway}};
  return {whole, tagged, native};
}

}  // namespace

TEST_CASE("the guard word for word") {
  const std::string text = render_guard(guard_sets(example()));
  if (std::getenv("UNTROMBONE_UPDATE_GOLDEN") != nullptr) std::ofstream(golden_path("guard.nft")) << text;
  CHECK(text == read_golden("guard.nft"));
}

TEST_CASE("what nft lists is what was rendered") {
  const auto listing = parse_guard_listing(read_golden("guard.json"));
  REQUIRE(listing.has_value());
  CHECK(listing->present);
  CHECK(listing->sets == guard_sets(example()));
  for (const std::string& counter : guard_counters()) CHECK(listing->counters.contains(counter));
  CHECK(listing->counters.at("arp_sender_to_dci") == GuardCount{3, 138});
  CHECK(find_drift(guard_sets(example()), listing->rules_text, *listing).empty());
}

TEST_CASE("a listing with any line missing is a drift, or none of ours") {
  const auto whole = parse_guard_listing(read_golden("guard.json")).value();
  const std::string json = read_golden("guard.json");
  CHECK(find_drift(guard_sets(example()), whole.rules_text, GuardListing{}) == "the table is gone");
  for (const char* part :
       {R"("dci0")", R"("192.0.2.1")", R"("goto")", R"("prerouting")", R"("trunk0", 20)"}) {
    std::string other = json;
    other.replace(other.find(part), std::string(part).size(), R"("x")");
    const auto listing = parse_guard_listing(other);
    REQUIRE(listing.has_value());
    INFO(part);
    CHECK_FALSE(find_drift(guard_sets(example()), whole.rules_text, *listing).empty());
  }
}

TEST_CASE("what is no listing is none") {
  for (const char* text : {"", "{", "[]", "{}", R"({"nftables": 3})"}) CHECK_FALSE(parse_guard_listing(text));
  const auto odd = parse_guard_listing(R"({"nftables": [3, {"set": 1}, {"set": {}}, {"counter": {"name": 7}},
      {"set": {"name": "gateways", "elem": [null, {"concat": 1}, [1, 2, 3], {"elem": {}}]}}]})");
  REQUIRE(odd.has_value());
  CHECK_FALSE(odd->present);
}

TEST_CASE("a gateway is kept off the DCI ports of its own segment only") {
  const GuardSets sets = guard_sets({{.dci_ports = {{"dci1"}, {"dci0"}}, .gateways = {kGateway}},
                                     {.dci_ports = {{"vx20"}}, .gateways = {kOtherGateway}}});
  CHECK(sets.at("gateways") ==
        std::set<std::string>{"dci0 . 192.0.2.1", "dci1 . 192.0.2.1", "vx20 . 198.51.100.1"});
}

TEST_CASE("the same guard is the same text, however it is put") {
  CHECK(guard_sets({{.dci_ports = {{"dci1"}, {"dci0"}, {"dci0"}}, .gateways = {kOtherGateway, kGateway}}}) ==
        guard_sets({{.dci_ports = {{"dci0"}}, .gateways = {kGateway}},
                    {.dci_ports = {{"dci1"}}, .gateways = {kGateway}},
                    {.dci_ports = {{"dci0"}, {"dci1"}}, .gateways = {kOtherGateway}}}));
}

TEST_CASE("segments without ports, and open ones, have no elements") {
  CHECK(guard_sets({}).empty());
  CHECK(guard_sets({{.dci_ports = {}, .gateways = {kGateway}}}).empty());
  CHECK(guard_sets({{.dci_ports = {{"dci0"}}}}).empty());
}

TEST_CASE("the rules are the same whatever the sets hold") {
  const auto without_elements = [](const std::string& text) {
    std::istringstream lines(text);
    std::string rest;
    for (std::string line; std::getline(lines, line);) {
      if (!has(line, "elements = ")) rest += line + "\n";
    }
    return rest;
  };
  CHECK(without_elements(render_guard(guard_sets(example()))) == without_elements(render_guard({})));
}

TEST_CASE("a change is the elements that differ") {
  auto after = example();
  after[0].gateways = {kGateway6, kShortGateway6, kOtherGateway};
  after[1].local_ports.pop_back();
  CHECK(render_guard_changes(guard_sets(example()), guard_sets(after)) ==
        R"(delete element bridge untrombone gateways { "dci0" . 192.0.2.1, "dci1" . 192.0.2.1 }
add element bridge untrombone gateways { "dci0" . 198.51.100.1, "dci1" . 198.51.100.1 }
delete element bridge untrombone rewrites_vlan { "acc2" . 20 . 02:00:5e:00:53:02 : 02:00:5e:00:53:01 }
)");
  CHECK(render_guard_changes(guard_sets(after), guard_sets(after)).empty());
}

TEST_CASE("a port whose name would end the string is left out") {
  for (const char* name : {"a\"b", "vx*", "a\\", "", "a b", "\x7f"}) {
    CHECK_FALSE(can_guard(name));
    CHECK(guard_sets({{.dci_ports = {{name}}, .gateways = {kGateway}}}).empty());
  }
  CHECK(can_guard("vx-odd.name_1@x"));
}

TEST_CASE("packets are handed over by a table of its own, and only while there are any") {
  GuardedSegment segment{.dci_ports = {{"dci0"}}, .local_ports = {{"acc0"}, {"acc1", 0}}};
  CHECK(render_hand_overs({segment}) == kNoHandOvers);
  segment.hand_over = HandOver{kOwn, "dci0"};
  CHECK(render_hand_overs({segment}) == std::string(kNoHandOvers) + R"(table netdev untrombone {
  chain arriving {
    type filter hook ingress devices = { "acc0", "acc1" } priority filter; policy accept;
    iifname "acc0" ether daddr 02:00:5e:00:53:01 meta protocol { ip, ip6 } fwd to "dci0"
    iifname "acc1" ether daddr 02:00:5e:00:53:01 meta protocol { ip, ip6 } fwd to "dci0"
  }
}
)");
}

TEST_CASE("the guard never touches a table that is not ours") {
  CHECK(render_guard_removal() == std::string(kRemoval) + kNoHandOvers);
  const std::string text = render_guard(guard_sets(example()));
  CHECK_FALSE(has(text, "flush ruleset"));
  CHECK(text.rfind(kRemoval, 0) == 0);
}

TEST_CASE("a table is dormant by its own flags, not by those of its sets") {
  CHECK(is_dormant("table bridge untrombone {\n\tflags dormant\n\n\tset gateways {\n\t}\n}\n"));
  CHECK(is_dormant("table bridge untrombone {\n\tflags owner,dormant\n}\n"));
  CHECK_FALSE(is_dormant("table bridge untrombone {\n\tset gateways {\n\t\tflags interval\n\t}\n}\n"));
  CHECK_FALSE(is_dormant("table bridge untrombone {\n\tchain dormant {\n\t}\n}\n"));
  CHECK_FALSE(is_dormant(""));
}

}  // namespace untrombone::arp
