// SPDX-License-Identifier: GPL-2.0-or-later
// FRR's answers in tests/golden/frr are those of a real FRR 8.4.4: two routers that announce the same host.
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "agent/audit/collect.hpp"
#include "agent/audit/frr_tables.hpp"
#include "agent/audit/record_reader.hpp"

namespace untrombone::audit {
namespace {

core::IpPrefix prefix(const char* text) { return *core::IpPrefix::parse(text); }

std::ifstream golden(const std::string& name) {
  std::ifstream file(UNTROMBONE_SOURCE_DIR "/tests/golden/frr/" + name);
  REQUIRE(file);
  return file;
}

/// The segment that those routers have.
Snapshot segment() {
  static const core::SegmentSettings kSettings = [] {
    core::SegmentSettings made;
    made.subnets = {prefix("10.1.0.0/16")};
    return made;
  }();
  Snapshot snapshot;
  SegmentFacts facts;
  facts.settings = &kSettings;
  snapshot.segments = {facts};
  return snapshot;
}

using Records = std::vector<std::pair<std::string, std::vector<std::string>>>;

bool read(const std::string& text, const RecordShape& shape, Records& records) {
  std::istringstream document(text);
  return read_records(document, shape, [&](const std::string& key, Fields fields) {
    records.emplace_back(key, std::vector<std::string>(fields.begin(), fields.end()));
  });
}

}  // namespace

TEST_CASE("zebra's table gives our routes by type and tag, and the others of the subnets") {
  auto file = golden("show-ip-route.json");
  RibTables tables;
  REQUIRE(read_rib(file, segment(), tables));
  REQUIRE(tables.ours.size() == 2);
  CHECK(tables.ours[0].prefix == prefix("10.1.0.11/32"));
  CHECK(tables.ours[0].tag == 4210);
  CHECK(tables.ours[0].selected);
  CHECK(tables.ours[0].installed);
  CHECK(tables.others == std::vector<core::IpPrefix>{prefix("10.1.0.0/16"), prefix("10.1.0.13/32")});
  CHECK(tables.statics.empty());
}

TEST_CASE("a static route is ours by its tag, and kept as another's without, wherever it leads") {
  std::istringstream document(
      R"({"10.1.0.11/32":[{"protocol":"static","tag":4211,"selected":true,"installed":true}],
          "10.1.0.12/32":[{"protocol":"static","selected":true,"installed":true}],
          "203.0.113.0/24":[{"protocol":"static","tag":7,"selected":true,"installed":true}]})");
  RibTables tables;
  REQUIRE(read_rib(document, segment(), tables));
  REQUIRE(tables.ours.size() == 1);
  CHECK(tables.ours[0].prefix == prefix("10.1.0.11/32"));
  CHECK(tables.statics == std::vector<core::IpPrefix>{prefix("10.1.0.12/32"), prefix("203.0.113.0/24")});
  CHECK(tables.others == std::vector<core::IpPrefix>{prefix("10.1.0.12/32")});
}

TEST_CASE("bgpd's table tells own paths from others', and which is taken") {
  auto file = golden("show-bgp-ipv4-unicast.json");
  BgpTable table;
  REQUIRE(read_bgp(file, segment(), table));
  REQUIRE(table.size() == 3);
  const BgpEntry& both = table.at(prefix("10.1.0.11/32"));
  CHECK(both.own);
  CHECK(both.own_best);
  CHECK(both.others == 1);
  CHECK(table.at(prefix("10.1.0.12/32")).others == 0);
  const BgpEntry& theirs = table.at(prefix("10.1.0.13/32"));
  CHECK_FALSE(theirs.own);
  CHECK(theirs.best_peer == "192.0.2.2");
}

TEST_CASE("a prefix's own page tells which communities the others' paths carry") {
  auto file = golden("show-bgp-ipv4-unicast-10.1.0.11.json");
  CHECK(count_paths_with(file, "65000:4211") == 1);
  auto again = golden("show-bgp-ipv4-unicast-10.1.0.11.json");
  CHECK(count_paths_with(again, "65000:4210") == 0);  // the own one
}

TEST_CASE("records are found at their depth, whatever is around them") {
  Records records;
  const RecordShape shape{3, {"a", "list.b"}};
  REQUIRE(read(R"({"x": [{"a": 1, "list": [{"b": true}, {"b": false}], "deep": {"a": {"a": 9}}}, {}],
                   "y": 7, "z": [null, [3], {"a": "s", "a": "t"}]})",
               shape, records));
  CHECK(records == Records{{"x", {"1", "true"}}, {"x", {"", ""}}, {"z", {"s", ""}}});
}

TEST_CASE("what is no JSON is told, after what came before") {
  Records records;
  const RecordShape shape{3, {"a"}};
  CHECK_FALSE(read(R"({"x": [{"a": 1}], "y": )", shape, records));
  CHECK(records == Records{{"x", {"1"}}});
  CHECK_FALSE(read("% Unknown command", shape, records));
  CHECK_FALSE(read("", shape, records));
  CHECK_FALSE(read(std::string(100000, '['), shape, records));
}

TEST_CASE("the guard's listing gives what is guarded, and where") {
  const GuardFacts guard = parse_guard(R"({"nftables": [{"metainfo": {}},
    {"table": {"family": "bridge", "name": "untrombone", "handle": 1}},
    {"chain": {"family": "bridge", "name": "from_dci"}},
    {"chain": {"family": "bridge", "name": "forwarded", "hook": "forward", "prio": 0}},
    {"set": {"name": "gateways", "elem": [{"concat": ["dci0", "192.0.2.1"]},
                                          {"elem": {"val": {"concat": ["dci1", "192.0.2.1"]}, "counter": {}}}]}}]})");
  CHECK(guard.present);
  CHECK(guard.hooks == std::vector<std::string>{"forward"});
  CHECK(guard.guarded ==
        std::vector<std::pair<std::string, std::string>>{{"dci0", "192.0.2.1"}, {"dci1", "192.0.2.1"}});
  for (const char* const nothing : {"", "{}", "[]", R"({"nftables": 3})", R"({"nftables": [3]})"}) {
    CHECK_FALSE(parse_guard(nothing).present);
  }
}

}  // namespace untrombone::audit
