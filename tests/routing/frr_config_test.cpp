// SPDX-License-Identifier: GPL-2.0-or-later
// What frr-config prints, fed to the real daemons: taken without a complaint, in force, and no change the second time.
#include "bgp/frr_config.hpp"

#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/routing/domain.hpp"

using namespace untrombone;
using namespace untrombone::routing;
using bgp::FrrRole;
using bgp::RoutingProtocol;

namespace {

constexpr const char* kBase =
    "router bgp 65001\n neighbor 192.0.2.1 remote-as 65000\n neighbor 2001:db8::1 remote-as 65000\n"
    " address-family ipv6 unicast\n  neighbor 2001:db8::1 activate\n exit-address-family\nexit\n"
    "router ospf\n ospf router-id 192.0.2.2\nexit\nrouter ospf6\n ospf6 router-id 192.0.2.2\nexit\n"
    "router isis CORE\n net 49.0001.0000.0000.0001.00\nexit\n";

// Its lines but for comments and what only ends a node; isisd writes its two timers as one line of its own.
std::vector<std::string> commands_of(const std::string& configuration) {
  std::vector<std::string> commands;
  std::istringstream lines(configuration);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t start = line.find_first_not_of(' ');
    if (start == std::string::npos || line[start] == '!') continue;
    line.erase(0, start);
    const bool ends = line == "exit" || line == "exit-address-family" || line == "router bgp";
    const bool rewritten = line == "lsp-gen-interval 1" || line == "spf-interval 1";
    if (!ends && !rewritten) commands.push_back(line);
  }
  return commands;
}

void check_taken(Router& router, const std::string& configuration) {
  INFO(configuration);
  CHECK(router.feed(configuration) == "");
  std::string running = router.running_config();
  const std::string unchanged = running;
  // FRR 7.5 ends a node's first line with a space.
  for (std::size_t at = 0; (at = running.find(" \n", at)) != std::string::npos;) running.erase(at, 1);
  for (const std::string& command : commands_of(configuration)) {
    INFO(command);
    CHECK(running.find(command + "\n") != std::string::npos);
  }
  CHECK(router.feed(configuration) == "");
  CHECK(router.running_config() == unchanged);
}

}  // namespace

TEST_CASE("FRR takes every configuration without a complaint, and the second time changes nothing") {
  lab::Guardian guardian("frrcfg");
  const lab::Netns netns = lab::Netns::create(lab::netns_name("frrcfg", "edge"));
  netns.ip("link set lo up\n");
  Router router(netns, lab::run_directory("frrcfg") / "edge",
                {"bgpd", "ospfd", "ospf6d", "isisd", "staticd"});
  router.start();
  REQUIRE(router.feed(kBase).empty());
  CHECK_FALSE(router.feed("redistribute nonsense\n").empty());
  CHECK_FALSE(router.feed("router bgp 65001\n neighbor 192.0.2.77 route-map X in\n").empty());

  bgp::FrrConfigRequest request;
  request.version = router.version();
  request.vrfs = {{"", true, true}};
  request.isis_area = "CORE";
  const bool plain = !bgp::needs_table_number(request.version);
  for (const RoutingProtocol protocol :
       {RoutingProtocol::kBgp, RoutingProtocol::kOspf, RoutingProtocol::kOspf6, RoutingProtocol::kIsis}) {
    request.protocol = protocol;
    request.with_instance =
        protocol == RoutingProtocol::kIsis && bgp::isis_needs_table_number(request.version);
    if (protocol == RoutingProtocol::kOspf6 && !plain) continue;
    check_taken(router, rendered(request));
  }

  request.protocol = RoutingProtocol::kBgp;
  request.with_instance = false;
  request.leak_guard = bgp::LeakGuard::kNoExport;
  request.neighbors = {"192.0.2.1"};
  request.asn = 65001;
  check_taken(router, rendered(request));
  request.vrfs = {{"", true, false}};
  for (const FrrRole role : {FrrRole::kReceiver, FrrRole::kBorder}) {
    request.role = role;
    check_taken(router, rendered(request));
  }

  // Routes of staticd, as the vtysh sink writes them.
  request = {};
  request.version = router.version();
  request.vrfs = {{"", true, true}};
  request.isis_area = "CORE";
  request.origin = bgp::RouteOrigin::kStatic;
  for (const RoutingProtocol protocol :
       {RoutingProtocol::kBgp, RoutingProtocol::kOspf, RoutingProtocol::kOspf6, RoutingProtocol::kIsis}) {
    request.protocol = protocol;
    check_taken(router, rendered(request));
  }
}
