// SPDX-License-Identifier: GPL-2.0-or-later
// Tracked routes in the real kernel. Needs root.
#include "netlink/route_watch.hpp"

#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "tests/lab/netns.hpp"
#include "tests/netns/bridge_netns.hpp"

namespace untrombone::netlink {
namespace {

using core::IpPrefix;
using testing::BridgeNetns;
using testing::run_until;

constexpr std::uint32_t kMain = 254;
const IpPrefix kDefault = IpPrefix::parse("0.0.0.0/0").value();
const IpPrefix kDefault6 = IpPrefix::parse("::/0").value();

/// A watch in a namespace, and what it said last.
class Watcher {
 public:
  explicit Watcher(const BridgeNetns& bridge)
      : watch_(io_, [this](std::uint32_t table, const IpPrefix& prefix, bool present) {
          said_[{table, prefix}] = present;
        }) {
    lab::run_in(bridge.netns(), [this] { REQUIRE_FALSE(watch_.start()); });
  }
  RouteWatch& watch() { return watch_; }
  boost::asio::io_context& io() { return io_; }
  bool says(std::uint32_t table, const IpPrefix& prefix, bool present) {
    return run_until(io_, [&] {
      const auto found = said_.find({table, prefix});
      return found != said_.end() && found->second == present;
    });
  }

 private:
  boost::asio::io_context io_;
  std::map<std::pair<std::uint32_t, IpPrefix>, bool> said_;
  RouteWatch watch_;
};

}  // namespace

TEST_CASE("tracked routes are seen to come and go, in any table and family", "[netns]") {
  const BridgeNetns bridge;
  Watcher watcher(bridge);
  watcher.watch().follow({{kMain, {kDefault, kDefault6}}, {77, {kDefault}}});
  CHECK(watcher.says(kMain, kDefault, false));
  CHECK(watcher.says(kMain, kDefault6, false));
  CHECK(watcher.says(77, kDefault, false));
  bridge.ip("route add default via 192.0.2.254 table 77\nroute add default via 192.0.2.254\n");
  CHECK(watcher.says(kMain, kDefault, true));
  CHECK(watcher.says(77, kDefault, true));
  REQUIRE(bridge.netns().set_sysctl("net/ipv6/conf/br0/disable_ipv6", "0"));
  bridge.ip("address add 2001:db8::1/64 dev br0 nodad\nroute add default via 2001:db8::fe\n");
  CHECK(watcher.says(kMain, kDefault6, true));
  bridge.ip("route del default table 77\n");
  CHECK(watcher.says(77, kDefault, false));
  CHECK(watcher.says(kMain, kDefault, true));
}

TEST_CASE("a route is there as long as one to its prefix is left; a blackhole is none", "[netns]") {
  const BridgeNetns bridge;
  bridge.ip("route add default via 192.0.2.254 metric 10\nroute add default via 192.0.2.253 metric 20\n");
  Watcher watcher(bridge);
  watcher.watch().follow({{kMain, {kDefault}}});
  REQUIRE(watcher.says(kMain, kDefault, true));
  const auto dumps = watcher.watch().dumps();
  bridge.ip("route del default metric 10\n");
  CHECK(run_until(watcher.io(), [&] { return watcher.watch().dumps() > dumps; }));
  CHECK(watcher.says(kMain, kDefault, true));
  bridge.ip("route replace blackhole default metric 20\n");
  CHECK(watcher.says(kMain, kDefault, false));
}

TEST_CASE("a link that goes down takes its routes along, and the kernel says nothing of them", "[netns]") {
  const BridgeNetns bridge;
  bridge.ip("route add default via 192.0.2.254\n");
  Watcher watcher(bridge);
  watcher.watch().follow({{kMain, {kDefault}}});
  REQUIRE(watcher.says(kMain, kDefault, true));
  bridge.ip("link set br0 down\n");
  CHECK(watcher.says(kMain, kDefault, false));
}

}  // namespace untrombone::netlink
