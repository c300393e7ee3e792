// SPDX-License-Identifier: GPL-2.0-or-later
// What the sinks read from others as text: FRR's configuration, zebra's RIB, the kernel's list of netlink sockets.
#include <catch2/catch.hpp>

#include "bgp/kernel/listeners.hpp"
#include "bgp/kernel/route_codec.hpp"
#include "bgp/static_batch.hpp"
#include "bgp/static_routes.hpp"
#include "bgp/zebra_clients.hpp"
#include "bgp/zebra_rib.hpp"

namespace untrombone::bgp {
namespace {

using core::IpPrefix;
using State = RibView::State;

IpPrefix prefix(const char* text) { return IpPrefix::parse(text).value(); }

// ---- FRR's configuration -----------------------------------------------------------------------------------------

TEST_CASE("a static route is written as every release reads it") {
  CHECK(configuration_line({"", prefix("192.0.2.11/32"), "br0", 4211, 5}) ==
        "ip route 192.0.2.11/32 br0 tag 4211 5");
  CHECK(configuration_line({"tenant1", prefix("2001:db8::11/128"), "br0.10", 4212, 250}) ==
        "ipv6 route 2001:db8::11/128 br0.10 tag 4212 250 vrf tenant1");
}

TEST_CASE("only routes with one of our tags, in our form, are read back") {
  // As `show running-config` of 7.5, 8.4, 10.3 and 10.7 has them.
  constexpr std::string_view kConfiguration =
      "frr version 8.4.4\n"
      "hostname edge\n"
      "!\n"
      "ip route 192.0.2.11/32 br0 tag 4210 5\n"
      "ip route 192.0.2.12/32 br0 tag 4212 250\r\n"
      "ip route 192.0.2.64/26 br0 tag 4214 250\n"
      "ip route 192.0.2.13/32 br0 tag 4215 5\n"
      "ip route 192.0.2.14/32 br0 tag 4209 5\n"
      "ip route 192.0.2.15/32 br0\n"
      "ip route 192.0.2.16/32 198.51.100.1 tag 4210\n"
      "ip route 192.0.2.17/32 br0 tag 4210 label 17\n"
      "ip route 192.0.2.18/32 Null0 tag 4211\n"
      "ipv6 route 2001:db8:1::51/128 br0 tag 4211 5\n"
      "vrf tenant1\n"
      " ip route 192.0.2.11/32 br0.10 tag 4210 5\n"
      "exit-vrf\n"
      "router bgp 65001\n"
      " neighbor 192.0.2.99 remote-as 65000\n";
  const auto routes = read_static_routes(kConfiguration, 4210);
  REQUIRE(routes.size() == 6);
  CHECK(routes[0] == StaticRoute{"", prefix("192.0.2.11/32"), "br0", 4210, 5});
  CHECK(routes[1] == StaticRoute{"", prefix("192.0.2.12/32"), "br0", 4212, 250});
  CHECK(routes[2] == StaticRoute{"", prefix("192.0.2.64/26"), "br0", 4214, 250});
  CHECK(routes[3] == StaticRoute{"", prefix("192.0.2.18/32"), "Null0", 4211, 1});
  CHECK(routes[4] == StaticRoute{"", prefix("2001:db8:1::51/128"), "br0", 4211, 5});
  CHECK(routes[5] == StaticRoute{"tenant1", prefix("192.0.2.11/32"), "br0.10", 4210, 5});
}

TEST_CASE("what is written is read back the same") {
  const StaticRoute route{"tenant1", prefix("192.0.2.128/25"), "br0.10", 4211, 5};
  const auto read = read_static_routes(configuration_line(route), 4210);
  REQUIRE(read.size() == 1);
  CHECK(read.front() == route);
}

TEST_CASE("lines become one transaction, and each of them has its own answer") {
  const std::vector<BatchLine> lines{{"ip route 192.0.2.11/32 br0 tag 4211 5"},
                                     {"no ip route 192.0.2.12/32 br0"}};
  CHECK(batch_commands(ConfigDaemon::kStaticd, lines, true) ==
        std::vector<std::string>{"configure terminal", "XFRR_start_configuration", lines[0].text,
                                 lines[1].text, "XFRR_end_configuration", "end"});
  CHECK(batch_commands(ConfigDaemon::kMgmtd, lines, true) ==
        std::vector<std::string>{"configure terminal file-lock", "mgmt commit abort",
                                 "XFRR_start_configuration", lines[0].text, lines[1].text,
                                 "XFRR_end_configuration", "end"});
  CHECK(batch_commands(ConfigDaemon::kMgmtd, lines, false).size() == 6);

  const VtyAnswer fine{};
  const VtyAnswer unknown{kVtyUnknownCommand, "% [STATIC] Unknown command: XFRR_start_configuration\n"};
  const VtyAnswer warning{kVtyWarning, "% Malformed address\n"};
  BatchVerdict verdict = read_batch({fine, fine, fine, fine, warning, fine, fine}, 2);
  CHECK(verdict.state == BatchVerdict::State::kTaken);
  REQUIRE(verdict.answers.size() == 2);
  CHECK(verdict.answers[0].status == kVtySuccess);
  CHECK(phrase_of(verdict.answers[1].text) == "Malformed address");
  // 7.5 knows nothing of the marks.
  verdict = read_batch({fine, unknown, fine, warning, unknown, fine}, 2);
  CHECK(verdict.state == BatchVerdict::State::kTaken);
  CHECK(verdict.answers[1].status == kVtyWarning);
  const VtyAnswer failed{
      13, "% Configuration failed.\n\nError type: validation\nError description: no such VRF\n"};
  verdict = read_batch({fine, fine, fine, fine, failed, fine}, 2);
  CHECK(verdict.state == BatchVerdict::State::kRefused);
  CHECK(verdict.reason == "no such VRF");
  verdict = read_batch({{13, "% Can't enter config\r\n"}, unknown, unknown, unknown, unknown, fine}, 2);
  CHECK(verdict.state == BatchVerdict::State::kLocked);
  CHECK(verdict.reason == "Can't enter config");
}

// ---- zebra's clients ---------------------------------------------------------------------------------------------

TEST_CASE("what zebra told a daemon is counted, and the label manager's session is another client") {
  // Of 10.3, shortened; 7.5 to 10.7 print the same lines.
  constexpr std::string_view kClients =
      "Client: system\n------------------------ \nRedist:v4   9           0           0           \n\n"
      "Client: bgp\n------------------------ \nFD: 31 \n"
      "Type        Add         Update      Del \n"
      "IPv4        0           0           0           \n"
      "Redist:v4   1           2           7           \n"
      "Redist:v6   0           0           0           \n"
      "Redist:v6 is not counted here\n\n"
      "Client: bgp [1]\nRedist:v4   4           0           0           \n";
  CHECK(read_zebra_client(kClients, "bgp") == ZebraClient{3, 0});
  CHECK(read_zebra_client(kClients, "system") == ZebraClient{9, 0});
  CHECK_FALSE(read_zebra_client(kClients, "ospf"));
  CHECK_FALSE(read_zebra_client("", "bgp"));
  CHECK(read_zebra_client("Client: bgp", "bgp") == ZebraClient{});
}

// ---- zebra's RIB -------------------------------------------------------------------------------------------------

TEST_CASE("a route is found among those of others, with its instance") {
  const IpPrefix host = prefix("192.0.2.11/32");
  CHECK(rib_question(host, "") == "show ip route 192.0.2.11/32 json");
  CHECK(rib_question(prefix("2001:db8::11/128"), "tenant1") ==
        "show ipv6 route vrf tenant1 2001:db8::11/128 json");
  const auto state = [&](std::string_view text, std::uint16_t instance = 0) {
    return read_rib(text, host, {"table", instance}).state;
  };
  CHECK(state(R"({"192.0.2.11/32":[{"protocol":"table","selected":true,"installed":true,"distance":5}]})") ==
        State::kInstalled);
  CHECK(state(R"({"192.0.2.11/32":[{"protocol":"table","instance":201,"selected":true,"installed":true}]})",
              201) == State::kInstalled);
  CHECK(
      state(R"({"192.0.2.11/32":[{"protocol":"table","instance":201,"selected":true,"installed":true}]})") ==
      State::kAbsent);
  CHECK(state(R"({"192.0.2.11/32":[{"protocol":"table","selected":true}]})") == State::kSelected);
  CHECK(state(R"({"192.0.2.0/24":[{"protocol":"table","selected":true,"installed":true}]})") ==
        State::kAbsent);
  CHECK(state("{}") == State::kAbsent);
  for (const char* text : {"", "[]", "% Unknown command", R"({"192.0.2.11/32":[7]})"}) {
    CHECK(state(text) == State::kUnreadable);
  }
}

TEST_CASE("only the route with the tag that was asked for counts, in a list of its own, too") {
  constexpr std::string_view kList =
      R"([{"protocol":"static","tag":4210,"selected":true,"installed":true,"distance":5},
          {"protocol":"static","tag":4212,"distance":250}])";
  CHECK(rib_table_question(true, "", "static") == "show ip route static json");
  CHECK(rib_table_question(false, "tenant1", "static") == "show ipv6 route vrf tenant1 static json");
  CHECK(read_rib_list(kList, {"static", 0, 4210}).state == State::kInstalled);
  CHECK(read_rib_list(kList, {"static", 0, 4211}).state == State::kAbsent);
  CHECK(read_rib_list(kList, {"static", 0, 4212}).winner == "static, distance 5");
  CHECK(read_rib_list(kList, {"bgp"}).state == State::kAbsent);
  CHECK(read_rib_list("{}", {"static"}).state == State::kUnreadable);
}

TEST_CASE("who won is named") {
  const RibView view = read_rib(R"({"192.0.2.11/32":[{"protocol":"bgp","selected":true,"distance":20},
                                   {"protocol":"table","distance":250}]})",
                                prefix("192.0.2.11/32"), {"table"});
  CHECK(view.state == State::kUnselected);
  CHECK(view.winner == "bgp, distance 20");
}

// Zebra 10.3's, started after one was killed; what says nothing here is left out.
std::string left_behind(const std::string& changed = "", const std::string& to = "") {
  std::string route =
      R"({"192.0.2.11/32":[{"prefix":"192.0.2.11/32","protocol":"table","vrfId":0,"distance":5,
      "metric":1000,"table":254,"internalFlags":0,
      "nexthops":[{"directlyConnected":true,"interfaceIndex":2,"interfaceName":"br0","active":true}]},
      {"prefix":"192.0.2.11/32","prefixLen":32,"protocol":"kernel","vrfId":0,"selected":true,"distance":0,
      "metric":0,"installed":true,"table":254,"internalStatus":16,"internalFlags":10,"nexthops":[
      {"flags":3,"fib":true,"directlyConnected":true,"interfaceIndex":2,"interfaceName":"br0","active":true}]}]})";
  if (!changed.empty()) route.replace(route.rfind(changed), changed.size(), to);
  return route;
}

TEST_CASE("a route that a killed zebra left is known by what the next one says of it") {
  const IpPrefix host = prefix("192.0.2.11/32");
  const auto table = [&](const std::string& answer) { return read_leftover(answer, host, {2}); };
  CHECK(table(left_behind()) == 254U);
  CHECK(table(left_behind(R"("table":254)", R"("table":1001)")) == 1001U);
  CHECK_FALSE(read_leftover(left_behind(), host, {3}));
  CHECK_FALSE(read_leftover(left_behind(), prefix("192.0.2.12/32"), {2}));
  CHECK_FALSE(table(""));
  CHECK_FALSE(table("[]"));
}

TEST_CASE("a route that only resembles what a killed zebra left is somebody's") {
  const auto [member, other] = GENERATE(table<std::string, std::string>({
      {R"("protocol":"kernel")", R"("protocol":"bgp")"},       // another daemon's, which zebra had put there
      {R"("internalFlags":10)", R"("internalFlags":8)"},       // added by hand since zebra's start
      {R"("metric":0)", R"("metric":77)"},                     // not what zebra gives its routes
      {R"("distance":0)", R"("distance":1)"},                  //
      {R"("selected":true)", R"("selected":false)"},           // not what is in the way
      {R"("directlyConnected":true)", R"("ip":"192.0.2.1")"},  // by a gateway
      {R"("nexthops":[)", R"("nexthops":[{},)"},               // two ways
      {R"("table":254)", R"("table":0)"},                      //
      {R"({"prefix":"192.0.2.11/32","prefixLen")",
       R"({"protocol":"kernel","metric":5},{"prefixLen")"},               // a second
      {R"({"prefix":"192.0.2.11/32","prefixLen")", R"(7,{"prefixLen")"},  // no route
  }));
  CAPTURE(member, other);
  CHECK_FALSE(read_leftover(left_behind(member, other), prefix("192.0.2.11/32"), {2}));
}

}  // namespace

namespace kernel {
namespace {

// ---- the kernel --------------------------------------------------------------------------------------------------

TEST_CASE("the fullest of those who listen to routes counts, and the losses of all of them") {
  // Linux 6.1's /proc/net/netlink: ip monitor (groups 1-31), zebra, a genetlink socket, one without groups.
  constexpr std::string_view kText =
      "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
      "00000000a9b21f0c 0   2441       00000551 4608     0        0     2        3        24410   \n"
      "000000003c1d2a77 0   1201       80000440 70000    0        0     2        0        12011   \n"
      "0000000011111111 16  900        ffffffff 999999   0        0     2        9        9000    \n"
      "0000000022222222 0   0          00000000 888888   0        0     2        5        1       \n"
      "garbage\n";
  const Listeners listeners = read_listeners(kText);
  CHECK(listeners.fullest == 70000);
  CHECK(listeners.dropped == 3);
  CHECK(listeners.sockets == std::vector<std::uint64_t>{24410, 12011});
  CHECK(read_listeners("").fullest == 0);
}

TEST_CASE("an answer that is cut off or not about our routes is none") {
  // A VRF's table may have a number that the header of a message has no room for.
  const std::uint32_t table = GENERATE(201U, 1001U);
  std::vector<std::byte> bytes;
  encode_add(bytes, 7, table, {IpPrefix::parse("192.0.2.11/32").value(), {3}, 1000});
  // The request looks like the kernel's own message about the route.
  std::span<const std::byte> whole(bytes);
  const auto answer = take_answer(whole, table);
  REQUIRE(answer);
  CHECK(std::get<KernelRoute>(*answer) == KernelRoute{IpPrefix::parse("192.0.2.11/32").value(), {3}, 1000});
  CHECK(whole.empty());
  whole = bytes;
  CHECK_FALSE(take_answer(whole, table + 1));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    std::span<const std::byte> cut = std::span(bytes).first(length);
    CHECK_FALSE(take_answer(cut, table));
    CHECK(cut.empty());
  }
}

}  // namespace
}  // namespace kernel
}  // namespace untrombone::bgp
