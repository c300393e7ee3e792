// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <fstream>
#include <functional>
#include <set>

#include <catch2/catch.hpp>

#include "agent/audit/compare.hpp"
#include "agent/audit/report.hpp"

namespace untrombone::audit {
namespace {

core::IpAddress ip(const char* text) { return *core::IpAddress::parse(text); }
core::IpPrefix prefix(const char* text) { return *core::IpPrefix::parse(text); }

const core::SegmentSettings& settings() {
  static const core::SegmentSettings kSettings = [] {
    core::SegmentSettings made;
    made.name = "vlan10";
    made.subnets = {prefix("192.0.2.0/24"), prefix("2001:db8:1::/64")};
    made.gateways = {ip("192.0.2.1"), ip("2001:db8:1::1")};
    return made;
  }();
  return kSettings;
}

HostFact host(const char* address, Place place) {
  HostFact made;
  made.ip = ip(address);
  made.kernel = made.agent = place;
  made.known_to_agent = true;
  return made;
}

RibRoute route(const char* text) { return {prefix(text), 4210, true, true}; }

BgpEntry own(const char* text) {
  BgpEntry entry;
  entry.prefix = prefix(text);
  entry.own = entry.own_best = entry.marked = true;
  return entry;
}

BgpEntry claim(const char* text) {
  BgpEntry entry;
  entry.prefix = prefix(text);
  entry.others = 1;
  entry.best_peer = "198.51.100.1";
  return entry;
}

/// Two local hosts, one of IPv6, and a remote one; all is as it should be. .4 to .7 are a summary's.
Snapshot healthy() {
  Snapshot snapshot;
  snapshot.site = "dc-a";
  SegmentFacts segment;
  segment.name = "vlan10";
  segment.interface = "br0";
  segment.settings = &settings();
  segment.dci_ports = {"dci0"};
  snapshot.segments = {segment};
  snapshot.hosts = {host("192.0.2.10", Place::kLocal), host("2001:db8:1::10", Place::kLocal),
                    host("192.0.2.20", Place::kRemote), host("192.0.2.5", Place::kLocal)};
  snapshot.rib = {route("192.0.2.10/32"), route("2001:db8:1::10/128"), route("192.0.2.4/30")};
  snapshot.other_rib = {prefix("192.0.2.0/24")};
  snapshot.fib = {
      {prefix("192.0.2.10/32"), 0}, {prefix("2001:db8:1::10/128"), 0}, {prefix("192.0.2.4/30"), 0}};
  snapshot.bgp = {own("192.0.2.0/24"), own("192.0.2.10/32"), own("2001:db8:1::10/128"), own("192.0.2.4/30"),
                  claim("192.0.2.20/32")};
  GuardFacts guard;
  guard.present = true;
  guard.hooks = {"forward", "input", "output"};
  guard.guarded = {{"dci0", "192.0.2.1"}, {"dci0", "2001:db8:1::1"}};
  snapshot.guard = guard;
  snapshot.guard_expected = true;
  snapshot.agent = true;
  return snapshot;
}

struct Planted {
  FindingId id;
  const char* subject;
  std::function<void(Snapshot&)> plant;
};

/// At least one per kind of finding.
std::vector<Planted> faults() {
  return {
      {FindingId::kMissingRoute, "192.0.2.11",
       [](Snapshot& s) { s.hosts.push_back(host("192.0.2.11", Place::kLocal)); }},
      {FindingId::kRouteShadowed, "192.0.2.10",
       [](Snapshot& s) {
         (*s.rib)[0].selected = (*s.rib)[0].installed = false;
         s.fib->erase(s.fib->begin());
         s.other_rib->push_back(prefix("192.0.2.10/32"));
       }},
      {FindingId::kStaleRoute, "192.0.2.10/32", [](Snapshot& s) { s.hosts.erase(s.hosts.begin()); }},
      {FindingId::kRemoteAnnounced, "192.0.2.10/32",
       [](Snapshot& s) { s.hosts[0].agent = s.hosts[0].kernel = Place::kRemote; }},
      {FindingId::kTrombone, "192.0.2.10",
       [](Snapshot& s) {
         (*s.bgp)[1].own_best = false;
         (*s.bgp)[1].others = 1;
         (*s.bgp)[1].best_peer = "198.51.100.1";
       }},
      {FindingId::kTrombone, "192.0.2.5", [](Snapshot& s) { s.bgp->push_back(claim("192.0.2.5/32")); }},
      {FindingId::kDoubleClaim, "192.0.2.10", [](Snapshot& s) { (*s.bgp)[1].others = 1; }},
      {FindingId::kUnclaimed, "192.0.2.20", [](Snapshot& s) { s.bgp->pop_back(); }},
      {FindingId::kOrphanSummary, "192.0.2.4/30", [](Snapshot& s) { s.hosts.pop_back(); }},
      {FindingId::kSummaryCoversRemote, "192.0.2.4/30",
       [](Snapshot& s) { s.hosts.push_back(host("192.0.2.6", Place::kRemote)); }},
      {FindingId::kGatewayAnnounced, "192.0.2.1/32",
       [](Snapshot& s) {
         s.rib->push_back(route("192.0.2.1/32"));
         s.fib->push_back({prefix("192.0.2.1/32"), 0});
       }},
      {FindingId::kOutsideSubnets, "203.0.113.7/32",
       [](Snapshot& s) { s.rib->push_back(route("203.0.113.7/32")); }},
      {FindingId::kUnmarkedRoute, "192.0.2.10/32", [](Snapshot& s) { (*s.bgp)[1].marked = false; }},
      {FindingId::kNotRedistributed, "192.0.2.10/32", [](Snapshot& s) { s.bgp->erase(s.bgp->begin() + 1); }},
      {FindingId::kNotRedistributed, "bgpd",
       [](Snapshot& s) {
         s.bgp = {own("192.0.2.0/24"), claim("192.0.2.20/32")};
       }},
      {FindingId::kGhostRoute, "192.0.2.99/32", [](Snapshot& s) { s.bgp->push_back(own("192.0.2.99/32")); }},
      {FindingId::kKernelDisagrees, "192.0.2.10/32", [](Snapshot& s) { s.fib->erase(s.fib->begin()); }},
      {FindingId::kKernelDisagrees, "192.0.2.77/32",
       [](Snapshot& s) {
         s.fib->push_back({prefix("192.0.2.77/32"), 0});
       }},
      {FindingId::kKernelDisagrees, "192.0.2.78/32",
       [](Snapshot& s) {
         s.other_statics = {prefix("192.0.2.77/32"), prefix("198.51.100.0/24")};  // an operator's
         s.fib->push_back({prefix("192.0.2.77/32"), 0, true});
         s.fib->push_back({prefix("198.51.100.0/24"), 0, true});
         s.fib->push_back({prefix("192.0.2.78/32"), 0, true});
       }},
      {FindingId::kPlaceDisagrees, "192.0.2.10", [](Snapshot& s) { s.hosts[0].kernel = Place::kRemote; }},
      {FindingId::kGuardMissing, "table bridge untrombone", [](Snapshot& s) { s.guard = GuardFacts(); }},
      {FindingId::kGuardDrifted, "192.0.2.1 at dci0",
       [](Snapshot& s) { s.guard->guarded.erase(s.guard->guarded.begin()); }},
      {FindingId::kGuardDrifted, "hook forward",
       [](Snapshot& s) { s.guard->hooks.erase(s.guard->hooks.begin()); }},
      {FindingId::kGuardDormant, "table bridge untrombone", [](Snapshot& s) { s.guard->dormant = true; }},
      {FindingId::kGroupSplit, "shop",
       [](Snapshot& s) {
         s.groups = {{"shop", {ip("192.0.2.10"), ip("192.0.2.20"), ip("192.0.2.200")}}};
       }},
      {FindingId::kSourceMissing, "bgpd",
       [](Snapshot& s) {
         s.bgp.reset();
         s.missing = {{"bgpd", "Connection refused"}};
       }},
  };
}

}  // namespace

TEST_CASE("nothing is found where nothing is wrong") {
  for (const Finding& finding : compare(healthy())) {
    FAIL(kind_of(finding.id).name << " " << finding.subject << ": " << finding.observed);
  }
}

TEST_CASE("every planted fault is found with its subject, and nothing else is") {
  std::set<FindingId> planted;
  for (const Planted& fault : faults()) {
    Snapshot snapshot = healthy();
    fault.plant(snapshot);
    const std::vector<Finding> found = compare(snapshot);
    CAPTURE(kind_of(fault.id).name, fault.subject, found.size());
    for (const Finding& finding : found) UNSCOPED_INFO(kind_of(finding.id).name << " " << finding.subject);
    REQUIRE(found.size() == 1);
    CHECK(found.front().id == fault.id);
    CHECK(found.front().subject == fault.subject);
    CHECK_FALSE(found.front().expected.empty());
    CHECK_FALSE(found.front().observed.empty());
    CHECK_FALSE(found.front().hint.empty());
    planted.insert(fault.id);
  }
  for (const FindingKind& kind : finding_kinds()) {
    CAPTURE(kind.name);
    CHECK(planted.count(kind.id) == 1);
    CHECK(kind_of(kind.id).name == kind.name);
  }
}

TEST_CASE("all faults at once are all found") {
  // One after the other on fresh hosts, so that no cause hides another.
  Snapshot snapshot = healthy();
  snapshot.hosts.push_back(host("192.0.2.11", Place::kLocal));
  (*snapshot.bgp)[1].marked = false;
  snapshot.rib->push_back(route("203.0.113.7/32"));
  snapshot.guard = GuardFacts();
  std::vector<FindingId> ids;
  for (const Finding& finding : compare(snapshot)) ids.push_back(finding.id);
  CHECK(ids == std::vector<FindingId>{FindingId::kMissingRoute, FindingId::kOutsideSubnets,
                                      FindingId::kUnmarkedRoute, FindingId::kGuardMissing});
}

TEST_CASE("a host in transit and a route that lingers are left alone") {
  Snapshot snapshot = healthy();
  snapshot.hosts.push_back(host("192.0.2.11", Place::kLocal));
  snapshot.hosts.back().in_transit = true;
  snapshot.hosts[0].agent = snapshot.hosts[0].kernel = Place::kRemote;
  (*snapshot.rib)[0].tag = 4212;
  (*snapshot.rib)[0].selected = (*snapshot.rib)[0].installed = false;
  snapshot.fib->erase(snapshot.fib->begin());
  (*snapshot.bgp)[1] = claim("192.0.2.10/32");
  CHECK(compare(snapshot).empty());
}

TEST_CASE("another site's path that only lingers is no second claim") {
  Snapshot snapshot = healthy();
  (*snapshot.bgp)[1].others = 1;
  (*snapshot.bgp)[1].lingering_others = 1;
  CHECK(compare(snapshot).empty());
}

TEST_CASE("without an agent the kernel alone says where hosts are") {
  Snapshot snapshot = healthy();
  snapshot.agent = false;
  for (HostFact& each : snapshot.hosts) each.agent = Place::kUnknown;
  CHECK(compare(snapshot).empty());
  snapshot.hosts[0].kernel = Place::kRemote;
  const auto found = compare(snapshot);
  REQUIRE(found.size() == 1);
  CHECK(found[0].id == FindingId::kRemoteAnnounced);
}

TEST_CASE("without zebra's table only what does not need it is judged") {
  Snapshot snapshot = healthy();
  snapshot.rib.reset();
  snapshot.hosts.push_back(host("192.0.2.11", Place::kLocal));
  CHECK(compare(snapshot).empty());
}

TEST_CASE("docs/audit.md names every finding with its severity, and no other") {
  std::ifstream file(UNTROMBONE_SOURCE_DIR "/docs/audit.md");
  REQUIRE(file);
  std::set<std::string> documented;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `") || line.starts_with("| `--")) continue;
    const std::size_t end = line.find('`', 3);
    const std::size_t severity = end + 4;
    documented.insert(line.substr(3, end - 3) + " " +
                      line.substr(severity, line.find(' ', severity) - severity));
  }
  std::set<std::string> known;
  for (const FindingKind& kind : finding_kinds()) {
    known.insert(std::string(kind.name) + " " + std::string(to_string(kind.severity)));
  }
  CHECK(documented == known);
}

TEST_CASE("against an earlier report only what is new is new, and what is no more is told") {
  Snapshot snapshot = healthy();
  snapshot.guard = GuardFacts();
  const auto before = view_report(snapshot, compare(snapshot), "then");
  snapshot = healthy();
  snapshot.hosts.push_back(host("192.0.2.11", Place::kLocal));
  auto now = view_report(snapshot, compare(snapshot), "now");
  compare_reports(now, before);
  REQUIRE(now["findings"].size() == 1);
  CHECK(now["findings"][0]["new"] == true);
  REQUIRE(now["resolved"].size() == 1);
  CHECK(now["resolved"][0]["id"] == "guard-missing");
  auto again = view_report(snapshot, compare(snapshot), "later");
  compare_reports(again, now);
  CHECK(again["findings"][0]["new"] == false);
  CHECK(again["resolved"].empty());
}

TEST_CASE("groups are names with addresses, and anything else is refused by name") {
  std::string error;
  const auto groups = parse_groups(R"({"shop": ["192.0.2.10", "2001:db8:1::10"], "none": []})", error);
  REQUIRE(error.empty());
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].members.size() == 2);
  CHECK(parse_groups("[]", error).empty());
  CHECK(error.find("expected a JSON object") != std::string::npos);
  CHECK(parse_groups(R"({"shop": ["192.0.2"]})", error).empty());
  CHECK(error == R"(group "shop": "192.0.2" is not an address)");
  CHECK(parse_groups(R"({"shop": 7})", error).empty());
  CHECK(error == R"(group "shop": expected a list of addresses)");
}

TEST_CASE("the page holds every finding, escapes what it shows, and asks for nothing") {
  Snapshot snapshot = healthy();
  snapshot.site = "<dc & a>";
  snapshot.hosts.push_back(host("192.0.2.11", Place::kLocal));
  const std::string html = render_html(snapshot, view_report(snapshot, compare(snapshot), "now"));
  CHECK(html.find("&lt;dc &amp; a&gt;") != std::string::npos);
  CHECK(html.find("<dc") == std::string::npos);
  CHECK(html.find("missing-route") != std::string::npos);
  CHECK(html.find("class=\"error\" cx=") != std::string::npos);
  CHECK(html.find("http") == std::string::npos);
  CHECK(html.find("<script") == std::string::npos);
}

}  // namespace untrombone::audit
