// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/json_members.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace untrombone::bgp {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

struct Read {
  Members members;
  bool understood = true;
  bool complete = false;
};

Read read(std::string_view object, std::string_view document, std::size_t size) {
  JsonMembers reader(object);
  Read result;
  for (std::size_t at = 0; at < document.size() && result.understood; at += size) {
    result.understood =
        reader.take(document.substr(at, size), [&](std::string_view name, std::string_view value) {
          result.members.emplace_back(name, value);
          return true;
        });
  }
  result.complete = reader.complete();
  return result;
}

}  // namespace

TEST_CASE("the members of a named object are cut out, however the document is cut", "[json]") {
  const std::string document = R"({ "vrfId": 0, "other": {"a": {"routes": 1}, "b": [2]},
 "routes": { "10.1.0.11/32": [{"valid":true,"path":"65002 {1,2}","x":"a\"}]"}]
,"2001:db8::\/64": [ ] }  } 
)";
  const Members expected = {{"10.1.0.11/32", R"([{"valid":true,"path":"65002 {1,2}","x":"a\"}]"}])"},
                            {R"(2001:db8::\/64)", "[]"}};
  for (std::size_t size = 1; size <= document.size(); ++size) {
    const Read result = read("routes", document, size);
    REQUIRE(result.understood);
    CHECK(result.complete);
    CHECK(result.members == expected);
  }
}

TEST_CASE("the members of the document itself are cut out", "[json]") {
  CHECK(read("", R"({"a":1,"b":{"c":[1,{}]},"d":"x"})", 3).members ==
        Members{{"a", "1"}, {"b", R"({"c":[1,{}]})"}, {"d", R"("x")"}});
  CHECK(read("", "{\n}\n", 2).members.empty());
  CHECK(read("", "{\n}\n", 2).complete);
}

TEST_CASE("a document without the object has no members; half a document is not complete", "[json]") {
  const Read warning = read("routes", R"({ "warning":"View/Vrf is unknown" })", 5);
  CHECK(warning.understood);
  CHECK(warning.complete);
  CHECK(warning.members.empty());
  CHECK(read("routes", R"({"routes":[{"a":1}]})", 5).members.empty());
  CHECK_FALSE(read("routes", R"({"routes":{"a":1,)", 5).complete);
  CHECK(read("routes", R"({"routes":{"a":1,)", 5).members.size() == 1);
}

TEST_CASE("what is no JSON object, and what follows one, is refused", "[json]") {
  CHECK_FALSE(read("routes", "% Unknown command", 4).understood);
  CHECK_FALSE(read("routes", "[]", 4).understood);
  CHECK_FALSE(read("routes", "{} {}", 4).understood);
}

TEST_CASE("a member that is too long ends it", "[json]") {
  const std::string document =
      "{\"routes\":{\"a\":\"" + std::string(JsonMembers::kLongestMember, 'x') + "\"}}";
  CHECK_FALSE(read("routes", document, 4096).understood);
  CHECK(read("other", document, 4096).understood);
}

}  // namespace untrombone::bgp
