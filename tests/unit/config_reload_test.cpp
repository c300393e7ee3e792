// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/config_reload.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/config_texts.hpp"

namespace untrombone::daemon {
namespace {

using namespace testing;
using Names = std::vector<std::string>;

std::string segment(const std::string& name, int number, const std::string& more = "") {
  const std::string net = "192.0." + std::to_string(number) + ".";
  return "[[segment]]\nname = \"" + name + "\"\nbridge = \"br" + std::to_string(number) +
         "\"\nsubnets = [\"" + net + "0/24\"]\ngateways = [\"" + net + "1\"]\n" + more;
}

ReloadPlan plan(const Config& running, const std::string& wanted) {
  const auto planned = plan_reload(running, parsed(wanted));
  REQUIRE(planned.has_value());
  return *planned;
}

const std::string kSite = "[site]\nname = \"dc-a\"\n";

}  // namespace

TEST_CASE("the same configuration changes nothing, however it is laid out") {
  const Config running = parsed(kSite + segment("a", 1, "[segment.detect]\nconfirm = \"2s\"\n"));
  const ReloadPlan same =
      plan(running, kSite + "# a comment\n" + segment("a", 1, "detect = { confirm = \"2s\" }\n"));
  CHECK(same.changed.empty());
  CHECK(same.needs_restart.empty());
  CHECK(same.config.core.segments[0].confirm == std::chrono::seconds(2));
}

TEST_CASE("what can be changed under way is, and named") {
  const Config running = parsed(kSite + "[routes]\nsettle = \"30s\"\n" + segment("a", 1));
  const ReloadPlan result = plan(
      running, kSite + "[routes]\nsettle = \"9s\"\n[log]\nlevel = \"debug\"\n[conflict]\nmax-moves = 7\n" +
                   segment("a", 1, "exclude = [\"192.0.1.128/25\"]\n[segment.detect]\nrefresh = \"9s\"\n"));
  CHECK(result.changed == Names{"routes.settle", "conflict.max-moves", "log.level", "segment \"a\": exclude",
                                "segment \"a\": detect.refresh"});
  CHECK(result.needs_restart.empty());
  CHECK(result.config.core.routes.settle == std::chrono::seconds(9));
  CHECK(result.config.core.conflict.max_moves == 7);
  CHECK(result.config.core.segments[0].exclude.size() == 1);
  CHECK(result.config.log_level == "debug");
}

TEST_CASE("what needs a restart stays as it was, is named, and is named again") {
  const Config running = parsed(kSite + "[routes]\ntable = 7\n" + segment("a", 1));
  const std::string wanted =
      "[site]\nname = \"dc-b\"\n[routes]\ntag = 99\n[control]\nsocket = \"/run/x\"\n" + segment("a", 1);
  const ReloadPlan result = plan(running, wanted);
  CHECK(result.changed.empty());
  CHECK(result.needs_restart == Names{"site.name", "routes.table", "routes.tag", "control.socket"});
  CHECK(result.config.site == "dc-a");
  CHECK(result.config.table == 7);
  CHECK(result.config.core.routes.tag == running.core.routes.tag);
  CHECK(plan(result.config, wanted).needs_restart == result.needs_restart);
}

TEST_CASE("segments keep their positions when others come and go") {
  const Config running = parsed(kSite + segment("a", 1) + segment("b", 2) + segment("c", 3));
  const ReloadPlan result = plan(running, kSite + segment("d", 4) + segment("c", 3) + segment("a", 1));
  CHECK(result.changed == Names{"segment \"d\": added", "segment \"b\": removed"});
  REQUIRE(result.config.segments.size() == 4);
  REQUIRE(result.config.core.segments.size() == 4);
  const auto check = [&](std::size_t index, const char* name, bool removed) {
    CHECK(result.config.segments[index].name == name);
    CHECK(result.config.core.segments[index].name == name);
    CHECK(result.config.segments[index].removed == removed);
    CHECK(result.config.core.segments[index].subnets.empty() == removed);
  };
  check(0, "a", false);
  check(1, "b", true);
  check(2, "c", false);
  check(3, "d", false);
  const ReloadPlan again = plan(result.config, kSite + segment("b", 2) + segment("a", 1) + segment("c", 3));
  CHECK(again.changed == Names{"segment \"b\": added", "segment \"d\": removed"});
  CHECK_FALSE(again.config.segments[1].removed);
  CHECK(again.config.segments[1].bridge == "br2");
  CHECK(again.config.segments[3].removed);
}

}  // namespace untrombone::daemon
