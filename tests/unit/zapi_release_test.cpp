// SPDX-License-Identifier: GPL-2.0-or-later
#include <set>
#include <string>
#include <tuple>

#include <catch2/catch.hpp>

#include "bgp/zapi/release.hpp"

namespace untrombone::bgp::zapi {
namespace {

/// What each release answers, from its sources; measured on those that run in the lab.
struct Answers {
  const char* version;
  std::uint16_t error;
  std::uint16_t hello;
  std::size_t capabilities_length;
};

constexpr Answers kAnswers[] = {
    {"7.5", 112, 18, 10},  {"8.0", 117, 18, 10},  {"8.1", 121, 18, 10},  {"8.2", 118, 18, 10},
    {"8.3", 118, 18, 10},  {"8.4", 118, 18, 10},  {"8.5", 118, 18, 10},  {"9.0", 118, 18, 10},
    {"9.1", 117, 18, 11},  {"10.0", 118, 19, 11}, {"10.1", 118, 19, 11}, {"10.2", 120, 19, 12},
    {"10.3", 120, 19, 12}, {"10.4", 120, 19, 12}, {"10.6", 120, 19, 9},  {"10.7", 120, 19, 9},
};

}  // namespace

TEST_CASE("a release is known by what it answers") {
  for (const Answers& answers : kAnswers) {
    INFO(answers.version);
    const Release* const found = find_release(answers.error, answers.hello, answers.capabilities_length);
    REQUIRE(found != nullptr);
    CHECK(found == find_release(answers.version));
    CHECK(is_error_command(answers.error));
  }
}

TEST_CASE("an unknown answer is no release") {
  CHECK(find_release(118, 18, 11) == nullptr);
  CHECK(find_release(118, 20, 10) == nullptr);
  CHECK(find_release(119, 19, 12) == nullptr);
  CHECK(find_release(120, 19, 10) == nullptr);
  CHECK(find_release(0, 0, 0) == nullptr);
  for (const unsigned error : {0U, 111U, 116U, 119U, 122U, 65535U}) {
    CHECK_FALSE(is_error_command(static_cast<std::uint16_t>(error)));
  }
}

TEST_CASE("every point release of a known line is known, others are not") {
  CHECK(find_release("8.4.4") == find_release("8.2"));
  CHECK(find_release("10.5")->name == "10.5");
  CHECK(find_release("10.5.1")->name == "10.5");
  CHECK(find_release("10.10") == nullptr);
  for (const char* version : {"", "8", "7.4", "9.2", "10.9", "11.0", "eight", "8.", ".4", "v8.4"}) {
    INFO(version);
    CHECK(find_release(version) == nullptr);
  }
}

TEST_CASE("10.5 answers like 10.4, and only its number tells it apart") {
  CHECK(find_release(120, 19, 12) == find_release("10.4"));
  CHECK(find_release("10.5") != find_release("10.4"));
  CHECK_FALSE(find_release("10.4")->needs_table_instance);
  CHECK(find_release("10.5")->needs_table_instance);
}

TEST_CASE("from 10.0 on every command after LOCAL moved by one") {
  const Release& old = *find_release("9.1");
  const Release& moved = *find_release("10.0");
  CHECK(std::tuple(old.route_add, old.route_delete, old.route_notify_owner, old.capabilities) ==
        std::tuple(8, 9, 10, 19));
  CHECK(std::tuple(moved.route_add, moved.route_delete, moved.route_notify_owner, moved.capabilities) ==
        std::tuple(9, 10, 11, 20));
  // The reason why an unknown release is refused.
  CHECK(old.route_delete == moved.route_add);
}

TEST_CASE("rows do not overlap and no two mean the same thing by different numbers") {
  std::set<std::string> names;
  for (const Release& release : known_releases()) {
    names.insert(std::string(release.name));
    CHECK(find_release(release.first) == &release);
    CHECK(find_release(release.last) == &release);
    CHECK(release.capabilities == release.hello + 1);
    CHECK(release.client_capabilities == release.error + 1);
    CHECK(release.hello_asks_for_notes() == (release.hello == 18));
  }
  CHECK(names.size() == known_releases().size());
}

}  // namespace untrombone::bgp::zapi
