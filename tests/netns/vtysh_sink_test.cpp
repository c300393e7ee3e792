// SPDX-License-Identifier: GPL-2.0-or-later
// What the vtysh sink does when FRR's configuration refuses, is locked or goes away. FRR itself is made to do that by
// hand only; what it does on a good day is in sink_contract_test.cpp.
#include "bgp/vtysh_sink.hpp"

#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "tests/lab/core_time.hpp"
#include "tests/netns/bridge_netns.hpp"
#include "tests/netns/fake_frr.hpp"
#include "tests/netns/scratch.hpp"
#include "tests/netns/sink_recorder.hpp"

namespace untrombone::bgp {
namespace {

using core::IpPrefix;
using core::Route;
using core::RouteClass;
using core::RouteKey;
using testing::FakeFrr;

constexpr int kLoopback = 1;  // there is no namespace without it
const Route kSettled{{kLoopback}, RouteClass::kSettled, 5, 1000, 4210};

RouteKey key(int i) {
  const auto byte = [](int value) { return static_cast<std::uint8_t>(value); };
  return {{}, IpPrefix::host(core::IpAddress::v4({10, 1, byte(i / 250), byte(i % 250 + 1)}))};
}

/// A sink on a fake FRR.
class World {
 public:
  explicit World(const std::string& daemon = "staticd", bool retain = true)
      : frr_(io_, scratch_.path().string(), daemon),
        sink_(io_, recorder_, {.vty_dir = scratch_.path().string(), .first_tag = 4210, .retain = retain},
              lab::core_now) {
    sink_.start();
    REQUIRE(wait([&] { return sink_.status().state == SinkState::kSynced; }));
  }

  void want(int first, int end, const std::optional<Route>& route = kSettled) {
    for (int i = first; i < end; ++i) sink_.apply({key(i), route, lab::core_now()});
    sink_.flush();
  }
  template <typename Condition>
  bool wait(Condition condition) {
    return testing::run_until(io_, condition);
  }
  [[nodiscard]] int count(RouteState state) const {
    int count = 0;
    for (const auto& [unused, route] : sink_.routes()) count += route.state == state ? 1 : 0;
    return count;
  }
  FakeFrr& frr() { return frr_; }
  VtyshSink& sink() { return sink_; }

 private:
  testing::Scratch scratch_;
  boost::asio::io_context io_;
  testing::Recorder recorder_;
  FakeFrr frr_;
  VtyshSink sink_;
};

}  // namespace

TEST_CASE("what waits goes into FRR's configuration in one transaction, and what comes meanwhile in the next",
          "[netns]") {
  const std::string daemon = GENERATE("staticd", "mgmtd");
  World world(daemon);
  world.want(0, 1000);
  world.want(1000, 1010);
  world.want(0, 10, std::nullopt);
  REQUIRE(world.wait([&] { return world.count(RouteState::kInstalled) == 1000; }));
  REQUIRE(world.wait([&] { return world.sink().routes().size() == 1000; }));
  CHECK(world.frr().transactions == 2);
  CHECK(world.frr().running.size() == 1000);
}

TEST_CASE("a route that FRR refuses takes no other with it", "[netns]") {
  const std::string daemon = GENERATE("staticd", "mgmtd");
  World world(daemon);
  world.frr().impossible = key(37).prefix.to_string();
  world.want(0, 100);
  REQUIRE(world.wait([&] { return world.count(RouteState::kInstalled) == 99; }));
  REQUIRE(world.wait([&] { return world.count(RouteState::kRejected) == 1; }));
  CHECK(world.sink().routes().at(key(37)).state == RouteState::kRejected);
  CHECK(world.sink().reason_of(key(37)) == "FRR refused it: it cannot be");
  world.want(100, 200);
  REQUIRE(world.wait([&] { return world.count(RouteState::kInstalled) == 199; }));
}

TEST_CASE("a configuration that somebody else has locked is waited for", "[netns]") {
  World world("mgmtd");
  world.frr().locked = true;
  world.want(0, 3);
  REQUIRE(world.wait([&] { return world.sink().status().state == SinkState::kWaiting; }));
  CHECK(world.sink().status().detail ==
        "FRR does not let us configure: Can't enter config; locked by another session");
  world.frr().locked = false;
  CHECK(world.wait([&] { return world.count(RouteState::kInstalled) == 3; }));
}

TEST_CASE("a removal that FRR refuses is tried again", "[netns]") {
  World world;
  world.want(0, 3);
  REQUIRE(world.wait([&] { return world.count(RouteState::kInstalled) == 3; }));
  world.frr().impossible = key(0).prefix.to_string();  // so nothing can be committed beside it
  world.want(1, 2, std::nullopt);
  REQUIRE(world.wait([&] { return world.sink().status().state == SinkState::kWaiting; }));
  CHECK(world.sink().status().detail ==
        "FRR does not let us remove " + key(1).prefix.to_string() + ": it cannot be");
  world.frr().impossible = "nothing";
  CHECK(world.wait([&] { return world.frr().running.size() == 2; }));
  CHECK(world.wait([&] { return world.sink().routes().size() == 2; }));
}

TEST_CASE("a sink that stops while FRR's configuration is locked withdraws its routes when it is not",
          "[netns]") {
  const bool locked_before = GENERATE(false, true);
  World world("mgmtd", false);
  world.want(0, 3);
  REQUIRE(world.wait([&] { return world.count(RouteState::kInstalled) == 3; }));
  world.frr().locked = true;
  const auto waits = [&] { return world.sink().status().state == SinkState::kWaiting; };
  if (locked_before) {
    world.want(3, 4);
    REQUIRE(world.wait(waits));
  }
  bool stopped = false;
  world.sink().stop([&] { stopped = true; });
  REQUIRE(world.wait(waits));
  CHECK_FALSE(stopped);
  world.frr().locked = false;
  REQUIRE(world.wait([&] { return stopped; }));
  CHECK(world.frr().running.empty());
}

TEST_CASE("a removal that was under way when the vty closed is not forgotten", "[netns]") {
  World world;
  world.want(0, 3);
  REQUIRE(world.wait([&] { return world.count(RouteState::kInstalled) == 3; }));
  world.frr().hang_up_on = "no ip route " + key(1).prefix.to_string() + " lo tag 4210 5";
  world.want(1, 2, std::nullopt);
  REQUIRE(world.wait([&] { return world.frr().running.size() == 2; }));
  CHECK(world.wait([&] { return world.sink().routes().size() == 2; }));
}

TEST_CASE("a route that is configured and not in the kernel is told as it is, few or many", "[netns]") {
  const int routes = GENERATE(3, 300);
  World world;
  world.frr().hidden = key(0).prefix.to_string();
  world.frr().beaten = key(1).prefix.to_string();
  world.want(0, routes);
  REQUIRE(world.wait([&] { return world.count(RouteState::kInstalled) == routes - 2; }));
  REQUIRE(world.wait([&] { return world.count(RouteState::kSent) == 0; }));
  CHECK(world.sink().routes().at(key(0)).state == RouteState::kRejected);
  CHECK(world.sink().reason_of(key(0)) == "zebra does not have it; is its interface up?");
  CHECK(world.sink().routes().at(key(1)).state == RouteState::kLost);
  CHECK(world.sink().reason_of(key(1)) == "zebra prefers ospf, distance 110");
}

}  // namespace untrombone::bgp
