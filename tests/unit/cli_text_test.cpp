// SPDX-License-Identifier: GPL-2.0-or-later
#include <catch2/catch.hpp>

#include "agent/cli/document.hpp"
#include "agent/cli/quantity.hpp"
#include "agent/cli/table.hpp"

namespace untrombone::cli {

TEST_CASE("an age has two significant units at most") {
  CHECK(format_seconds(0) == "0 ms");
  CHECK(format_seconds(-3) == "0 ms");
  CHECK(format_seconds(0.0304) == "30 ms");
  CHECK(format_seconds(0.9996) == "1.0 s");
  CHECK(format_seconds(12.06) == "12.1 s");
  CHECK(format_seconds(59.94) == "59.9 s");
  CHECK(format_seconds(59.96) == "1 min 0 s");
  CHECK(format_seconds(3599.6) == "1 h 0 min");
  CHECK(format_seconds(7384) == "2 h 3 min");
  CHECK(format_seconds(90061) == "1 d 1 h");
  CHECK(format_seconds(1e300) == ">1000 years");
}

TEST_CASE("a latency keeps three digits or so") {
  CHECK(format_microseconds(-1) == "0 us");
  CHECK(format_microseconds(420.4) == "420 us");
  CHECK(format_microseconds(11000) == "11.0 ms");
  CHECK(format_microseconds(1.25e6) == "1.25 s");
  CHECK(format_microseconds(90e6) == "1 min 30 s");
}

TEST_CASE("a table aligns its columns and leaves no trailing spaces") {
  Table table({{"NAME"}, {"COUNT", Align::kRight}, {"NOTE"}});
  table.add({{"a"}, {"7"}, {"first"}});
  table.add({{"longer"}, {"1000000"}});
  CHECK(table.render(Style{}, "  ") ==
        "  NAME      COUNT  NOTE\n"
        "  a             7  first\n"
        "  longer  1000000\n");
}

TEST_CASE("a table counts code points, not bytes, and no escapes") {
  Table table({{"SITE"}, {"X"}});
  table.add({{"Köln", Colour::kGreen}, {"1"}});
  table.add({{"Bonn"}, {"2"}});
  CHECK(table.render(Style{true}) ==
        "\x1b[1mSITE\x1b[0m  \x1b[1mX\x1b[0m\n"
        "\x1b[32mKöln\x1b[0m  1\n"
        "Bonn  2\n");
}

TEST_CASE("what is absent, null or of another type reads as absent") {
  const Json object = Json::parse(R"({"null": null, "text": "x", "number": 3, "list": ["a", 1, {}, "b"]})");
  CHECK(text_at(object, "missing") == "-");
  CHECK(text_at(object, "null") == "-");
  CHECK(text_at(object, "list") == "-");
  CHECK(text_at(object, "number") == "3");
  CHECK(text_at(Json(7), "text") == "-");
  CHECK_FALSE(number_at(object, "text"));
  CHECK_FALSE(flag_at(object, "number"));
  CHECK(object_at(object, "text").empty());
  CHECK(array_at(object, "text").empty());
  CHECK(list_at(object, "list") == "a, 1, b");
  CHECK(list_at(object, "list", "-", 2) == "a, 1 and 1 more");
  CHECK(list_at(object, "text", "none") == "none");
}

TEST_CASE("text of the agent cannot drive the terminal") {
  const Json object{{"port", "tap\x1b[2J\r\n\x7f"}};
  CHECK(text_at(object, "port") == "tap?[2J???");
}

}  // namespace untrombone::cli
