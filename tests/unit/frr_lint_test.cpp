// SPDX-License-Identifier: GPL-2.0-or-later
// The running configurations are what the real daemons printed after they were fed what frr-config prints.
#include "bgp/frr_lint.hpp"

#include <catch2/catch.hpp>

#include "bgp/frr_running.hpp"
#include "tests/unit/golden.hpp"

namespace untrombone::bgp {
namespace {

using testing::golden_text;
using Ids = std::vector<std::string>;

const std::vector<std::string> kReleases = {"7.5", "8.4", "10.3", "10.7"};

std::string running(const std::string& release) { return golden_text("frr/running-" + release + ".conf"); }

FrrLintRequest request_for(std::vector<RoutingProtocol> protocols = {RoutingProtocol::kBgp}) {
  FrrLintRequest request;
  request.config.vrfs = {{"", true, true}};
  request.protocols = std::move(protocols);
  request.subnets = {core::IpPrefix::parse("10.1.0.0/16").value(),
                     core::IpPrefix::parse("2001:db8:1::/64").value()};
  return request;
}

Ids ids(const std::vector<FrrFinding>& findings) {
  Ids found;
  for (const FrrFinding& finding : findings) {
    INFO(finding.subject << " " << finding.problem);
    CHECK_FALSE(finding.hint.empty());
    found.emplace_back(finding.id);
  }
  return found;
}

Ids judged(const std::string& text, const FrrLintRequest& request = request_for()) {
  return ids(lint_frr(request, text));
}

/// The text with every `from` replaced; there has to be one.
std::string with(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

TEST_CASE("what frr-config made of FRR has no finding, in any release") {
  for (const std::string& release : kReleases) {
    CAPTURE(release);
    FrrLintRequest request = request_for({RoutingProtocol::kBgp, RoutingProtocol::kOspf});
    CHECK(judged(running(release), request).empty());
    request.protocols = {RoutingProtocol::kOspf6};
    CHECK(judged(running(release), request) ==
          (release == "10.7" ? Ids{"frr-not-redistributed"} : Ids{}));  // it cannot
    request.protocols = {RoutingProtocol::kIsis};
    if (release != "10.3") CHECK(judged(running(release), request).empty());
  }
}

TEST_CASE("blocks for the outside need clauses of their own, without what keeps routes inside") {
  FrrLintRequest request = request_for();
  request.config.external = true;
  CHECK(judged(running("8.4"), request) == Ids{"frr-class-missing", "frr-class-missing"});
  FrrConfigRequest edge = request.config;
  edge.version = {8, 4};
  edge.asn = 65001;
  const FrrConfigResult printed = render_frr_config(edge);
  REQUIRE(printed.has_value());
  const std::string& fed = *printed;
  CHECK(judged(fed, request).empty());
  CHECK(judged(with(fed, "65000:4210 additive", "65000:4210 65000:4219 additive"), request) ==
        Ids{"frr-external-marked"});
  CHECK(judged(with(fed, "65000:4210 additive", "65000:4210 no-export additive"), request) ==
        Ids{"frr-external-marked"});
  CHECK(judged(with(fed, "65000:4210 additive", "65000:1 additive"), request) == Ids{"frr-no-marker"});
  CHECK(judged(with(fed, "local-preference 1\n", "local-preference 100\n"), request) ==
        Ids{"frr-not-ranked", "frr-not-ranked"});
}

TEST_CASE("the running configuration is read as it is meant") {
  const FrrRunning read = parse_frr_running(running("8.4"));
  CHECK(read.version == FrrVersion{8, 4});
  REQUIRE(read.route_maps.at("UNTROMBONE").size() == 3);
  CHECK(read.route_maps.at("UNTROMBONE")[0].matches == std::vector<FrrWords>{{"tag", "4211"}});
  CHECK_FALSE(read.route_maps.at("UNTROMBONE-BORDER")[0].permit);
  CHECK(read.community_lists.at("UNTROMBONE-HOSTS")[0].what == FrrWords{"65000:4219"});
  REQUIRE(read.routers.size() == 4);
  const FrrRouter& bgp = read.routers[0];
  CHECK(bgp.name == "65001");
  CHECK(bgp.redistributions.size() == 2);
  CHECK(bgp.neighbors.at("192.0.2.1").peer_group == "FABRIC");
  CHECK(bgp.neighbors.at("FABRIC").remote_as == "65000");
  CHECK(bgp.neighbors.at("FABRIC").active.at("ipv6"));
  CHECK(bgp.neighbors.at("198.51.100.1").route_map_out.at("ipv4") == "UNTROMBONE-BORDER");
}

TEST_CASE("a protocol that is not there or does not redistribute is found") {
  for (const std::string& release : kReleases) {
    CAPTURE(release);
    const std::string number = release == "10.7" ? " 201" : "";
    CHECK(judged("frr version 8.4.4\n") == Ids{"frr-no-router"});
    CHECK(judged(with(running(release), "  redistribute table" + number + " route-map UNTROMBONE\n", ""))
              .front() == "frr-not-redistributed");
  }
  // Another table's number, and the plain form where a number is needed, are not ours.
  CHECK(judged(with(running("8.4"), "redistribute table route-map UNTROMBONE\n",
                    "redistribute table 7 route-map UNTROMBONE\n")) ==
        Ids{"frr-not-redistributed", "frr-not-redistributed"});
  CHECK(judged(with(running("10.7"), "redistribute table-direct 201 ", "redistribute table-direct 7 ")) ==
        Ids{"frr-not-redistributed"});
}

TEST_CASE("redistribution of everything is found, whether by no route-map or by one that asks for no tag") {
  CHECK(
      judged(with(running("8.4"), "  redistribute table route-map UNTROMBONE\n", "  redistribute table\n")) ==
      Ids{"frr-redistributes-everything", "frr-redistributes-everything"});
  CHECK(judged(running("8.4") + "route-map UNTROMBONE permit 40\nexit\n") ==
        Ids{"frr-redistributes-everything"});
  CHECK(judged(running("8.4") + "route-map UNTROMBONE deny 40\nexit\n").empty());
  CHECK(judged(with(running("8.4"), "redistribute table route-map UNTROMBONE\n",
                    "redistribute table route-map MISSING\n")) ==
        Ids{"frr-no-route-map", "frr-no-route-map"});
}

TEST_CASE("a class that is missing, unmarked or of the wrong rank is found") {
  const std::string text = running("8.4");
  CHECK(judged(with(text, " match tag 4212\n", " match tag 12\n")) == Ids{"frr-class-missing"});
  CHECK(judged(with(text, "65000:4211 65000:4219 additive", "65000:4211 additive")) == Ids{"frr-no-marker"});
  CHECK(judged(with(text, "65000:4211 65000:4219 additive", "65000:4219 additive")) == Ids{"frr-no-marker"});
  CHECK(judged(with(text, " set weight 0\n", "")) == Ids{"frr-not-ranked"});
  CHECK(judged(with(text, " set local-preference 100\n", " set local-preference 200\n")) ==
        Ids{"frr-not-ranked"});
  CHECK(judged(with(text, " set metric 10\n", " set metric 50\n"), request_for({RoutingProtocol::kOspf})) ==
        Ids{"frr-not-ranked"});
  CHECK(judged(with(text, " net 49.", " metric-style narrow\n net 49."),
               request_for({RoutingProtocol::kIsis})) == Ids{"frr-narrow-metrics"});
}

TEST_CASE("a session with a stranger's AS without the border filter is found") {
  const std::string text = running("8.4");
  const std::string filter = "  neighbor 198.51.100.1 route-map UNTROMBONE-BORDER out\n";
  const std::string open = with(text, filter, "");
  const auto findings = lint_frr(request_for(), open);
  CHECK(ids(findings) == Ids{"frr-border-open"});
  CHECK(findings[0].subject == "neighbor 198.51.100.1 (AS 64496)");
  CHECK(findings[0].problem == "host routes leave the domain there (ipv4)");
  // The filter has to be one.
  CHECK(judged(with(text, "route-map UNTROMBONE-BORDER deny 10", "route-map UNTROMBONE-BORDER permit 10")) ==
        Ids{"frr-border-open"});
  CHECK(judged(with(text, "UNTROMBONE-HOSTS seq 5 permit 65000:4219",
                    "UNTROMBONE-HOSTS seq 5 permit 65000:1")) == Ids{"frr-border-open"});
  // IPv6 counts where the session carries it.
  CHECK(judged(with(open, "  neighbor FABRIC activate\n",
                    "  neighbor FABRIC activate\n  neighbor 198.51.100.1 "
                    "activate\n"))
            .size() == 1);
  // A prefix-list that lets only blocks out is a filter as well.
  const std::string by_list = with(text, filter, "  neighbor 198.51.100.1 prefix-list OUT out\n");
  CHECK(judged(by_list + "ip prefix-list OUT seq 5 permit 10.1.0.0/16\n").empty());
  CHECK(judged(by_list + "ip prefix-list OUT seq 5 permit 10.1.0.0/16 le 24\n").empty());
  CHECK(judged(by_list + "ip prefix-list OUT seq 5 permit 10.0.0.0/8 le 32\n") == Ids{"frr-border-open"});
  CHECK(judged(by_list + "ip prefix-list OUT seq 5 deny 10.1.0.0/16 ge 25\n"
                         "ip prefix-list OUT seq 10 permit any\n")
            .empty());
  // Nothing to filter towards our own AS and private ones.
  CHECK(judged(with(open, "remote-as 64496", "remote-as 64513")).empty());
  CHECK(judged(with(open, "remote-as 64496", "remote-as internal")).empty());
}

TEST_CASE("no-export is checked for, and objected to where the domain has several ASes") {
  FrrLintRequest request = request_for();
  request.config.leak_guard = LeakGuard::kNoExport;
  CHECK(judged(running("8.4"), request) ==
        Ids{"frr-no-marker", "frr-no-marker", "frr-no-marker", "frr-no-export-in-fabric"});
  const std::string text = with(running("8.4"), "65000:4219 additive", "65000:4219 no-export additive");
  const auto findings = lint_frr(request, text);
  CHECK(ids(findings) == Ids{"frr-no-export-in-fabric"});
  CHECK_FALSE(findings[0].error);
  CHECK(judged(with(text, "neighbor FABRIC remote-as 65000", "neighbor FABRIC remote-as 65001"), request)
            .empty());
}

TEST_CASE("a finding says the line that mends it") {
  const auto hint = [](const std::string& text, RoutingProtocol protocol) {
    const auto findings = lint_frr(request_for({protocol}), text);
    REQUIRE_FALSE(findings.empty());
    return findings.front().hint;
  };
  CHECK(
      hint(with(running("8.4"), "  redistribute table route-map UNTROMBONE\n", ""), RoutingProtocol::kBgp) ==
      "vtysh -c 'configure terminal' -c 'router bgp 65001' -c 'address-family ipv4 unicast' -c 'redistribute "
      "table route-map UNTROMBONE'");
  CHECK(
      hint(with(running("10.7"), " redistribute table 201 route-map UNTROMBONE-OSPF\n", ""),
           RoutingProtocol::kOspf) ==
      "vtysh -c 'configure terminal' -c 'router ospf' -c 'redistribute table 201 route-map UNTROMBONE-OSPF'");
  CHECK(hint(with(running("8.4"), "65000:4211 65000:4219 additive", "65000:4219 65000:7 additive"),
             RoutingProtocol::kBgp) ==
        "in the clause of route-map UNTROMBONE with `match tag 4211`: set community 65000:4219 65000:7 "
        "65000:4211 additive");
}

TEST_CASE("of a kernel table only the redistribution is judged: it has no tags") {
  FrrLintRequest request = request_for();
  request.config.origin = RouteOrigin::kKernelTable;
  CHECK(
      judged("frr version 10.7\nrouter bgp 65001\n address-family ipv4 unicast\n  redistribute table-direct "
             "201 route-map X\n exit-address-family\n address-family ipv6 unicast\n  redistribute table 7\n",
             request) == Ids{"frr-not-redistributed"});
}

TEST_CASE("nonsense is no configuration, and no crash") {
  for (const char* text :
       {"", "\n\n", "router\n", "route-map\n x\n", " neighbor\n", "bgp community-list\n",
        "router bgp\n neighbor\n redistribute\n address-family\n", "route-map X permit\n match\n"}) {
    CHECK(judged(text).size() >= 1);
  }
}

}  // namespace untrombone::bgp
