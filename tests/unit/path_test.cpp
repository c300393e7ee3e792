// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/audit/path.hpp"

#include <catch2/catch.hpp>

namespace untrombone::audit {
namespace {

core::IpAddress ip(const char* text) { return *core::IpAddress::parse(text); }
core::IpPrefix prefix(const char* text) { return *core::IpPrefix::parse(text); }

/// 192.0.2.10 is here, 192.0.2.20 at another site, and both are announced where they are.
Snapshot snapshot_of_two() {
  static const core::SegmentSettings kSettings = [] {
    core::SegmentSettings made;
    made.subnets = {prefix("192.0.2.0/24")};
    made.gateways = {ip("192.0.2.1")};
    return made;
  }();
  Snapshot snapshot;
  SegmentFacts segment;
  segment.interface = "br0";
  segment.settings = &kSettings;
  segment.dci_ports = {"dci0"};
  snapshot.segments = {segment};
  HostFact here;
  here.ip = ip("192.0.2.10");
  here.kernel = Place::kLocal;
  HostFact there;
  there.ip = ip("192.0.2.20");
  there.kernel = Place::kRemote;
  snapshot.hosts = {here, there};
  snapshot.rib = {{prefix("192.0.2.10/32"), 4210, true, true}};
  snapshot.other_rib = {prefix("192.0.2.0/24"), prefix("192.0.2.20/32")};
  BgpEntry own;
  own.prefix = prefix("192.0.2.10/32");
  own.own = own.own_best = true;
  BgpEntry claim;
  claim.prefix = prefix("192.0.2.20/32");
  claim.others = 1;
  claim.best_peer = "198.51.100.1";
  snapshot.bgp = {own, claim};
  snapshot.guard = GuardFacts{true, false, {"forward", "input", "output"}, {{"dci0", "192.0.2.1"}}};
  return snapshot;
}

std::string text_of(const HostPath& path) {
  std::string text;
  for (const Hop& hop : path.hops) text += hop.step + " " + hop.where + (hop.detour ? "!; " : "; ");
  return text;
}

}  // namespace

TEST_CASE("a host that is announced where it is has no detour") {
  const HostPath here = trace_path(snapshot_of_two(), ip("192.0.2.10"));
  CHECK(text_of(here) == "enter here; route here; host here; leave here; ");
  CHECK(here.hops[1].why == "our 192.0.2.10/32 out of br0");
  CHECK_FALSE(here.is_trombone());
  CHECK(text_of(trace_path(snapshot_of_two(), ip("192.0.2.20"))) ==
        "enter another site; host another site; leave another site; ");
}

TEST_CASE("what enters at the wrong site crosses the DCI, from either side") {
  Snapshot snapshot = snapshot_of_two();
  snapshot.hosts[0].kernel = Place::kRemote;
  snapshot.hosts[1].kernel = Place::kLocal;
  CHECK(text_of(trace_path(snapshot, ip("192.0.2.10"))) ==
        "enter here; route here; cross the DCI!; host another site; leave another site; ");
  CHECK(text_of(trace_path(snapshot, ip("192.0.2.20"))) ==
        "enter another site; cross the DCI!; host here; leave here; ");
}

TEST_CASE("without a guard that bites the way out is anybody's") {
  Snapshot snapshot = snapshot_of_two();
  snapshot.guard->dormant = true;
  CHECK(trace_path(snapshot, ip("192.0.2.10")).hops.back().detour);
  snapshot.guard = GuardFacts();
  CHECK(trace_path(snapshot, ip("192.0.2.10")).hops.back().detour);
  snapshot = snapshot_of_two();
  snapshot.segments[0].dci_ports.push_back("dci1");
  CHECK(trace_path(snapshot, ip("192.0.2.10")).is_trombone());
}

TEST_CASE("what is not known is said, not guessed") {
  Snapshot snapshot = snapshot_of_two();
  snapshot.bgp.reset();
  snapshot.hosts.clear();
  CHECK(text_of(trace_path(snapshot, ip("192.0.2.10"))) == "enter unknown; host unknown; leave here; ");
  CHECK(trace_path(snapshot, ip("203.0.113.1")).hops.empty());
}

}  // namespace untrombone::audit
