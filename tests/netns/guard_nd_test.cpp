// SPDX-License-Identifier: GPL-2.0-or-later
// The guard's rules against the real kernel: what bites, in which direction, and what passes.
#include <chrono>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "arp/guard_rules.hpp"
#include "tests/lab/lab.hpp"

using namespace std::chrono_literals;
using namespace untrombone::lab;
namespace core = untrombone::core;

namespace {

constexpr auto kPatience = 5s;
constexpr MacAddress kLastMac{0x02, 0, 0, 0, 0, 0x99};

/// Two sites without routing, a VM at each, and the guard at A.
struct GuardedLab {
  Lab lab;
  Vm& at_a;
  Vm& at_b;
  MacAddress gateway_a = parse_mac(gateway_mac(Site::kA, GatewayStyle::kPerSite));
  MacAddress gateway_b = parse_mac(gateway_mac(Site::kB, GatewayStyle::kPerSite));
  FrameCapture far;    // what comes out of the DCI at B
  FrameCapture guest;  // what reaches the VM at A

  GuardedLab()
      : lab({.ipv6 = true, .frr = false}),
        at_a(lab.start_vm("vm1", Site::kA)),
        at_b(lab.start_vm("vm2", Site::kB)),
        far(lab.netns(Site::kB), kDciPort),
        guest(at_a.netns(), kGuestPort) {
    const auto address = [](const char* text) { return core::IpAddress::parse(text).value(); };
    load(untrombone::arp::render_guard(
        {{{kDciPort}, {address(kGateway), address(kGateway6), address("fe80::1")}}}));
  }

  void load(const std::string& rules) {
    const auto file = lab.directory(Node::kSiteA) / "guard.nft";
    std::filesystem::create_directories(file.parent_path());
    write_file(file, rules);
    const CommandResult result =
        run_command({.argv = {"nft", "-f", file.string()}, .netns = &lab.netns(Site::kA)});
    INFO(result.error);
    REQUIRE(result.status == 0);
  }

  std::uint64_t counter(const std::string& name) {
    const CommandResult result =
        run_command({.argv = {"nft", "-j", "list", "counter", "bridge", "untrombone", name},
                     .netns = &lab.netns(Site::kA)});
    for (const auto& item : nlohmann::json::parse(result.output)["nftables"]) {
      if (item.contains("counter")) return item["counter"]["packets"];
    }
    return 0;
  }

  /// Sends a frame of a MAC of its own behind the others and waits until it is there: the others had their chance.
  void settle(Vm& from, FrameCapture& seen) {
    const Timestamp since = now();
    from.send(make_unsolicited_na(kLastMac, parse_ipv6("2001:db8:1::99")));
    REQUIRE(seen.wait_first(kPatience, since, from_mac(kLastMac)));
  }
};

NdBody solicitation_of(const char* source, const char* target, const MacAddress& mac) {
  return {.type = kNeighborSolicitation,
          .source = parse_ipv6(source),
          .destination = parse_ipv6(target),
          .target = parse_ipv6(target),
          .link_address = mac};
}

}  // namespace

TEST_CASE("neighbour discovery of the gateway does not leave the site", "[netns]") {
  GuardedLab world;
  const MacAddress guest = world.at_a.mac();
  const Ipv6Address source = parse_ipv6(world.at_a.address6());
  for (const char* gateway : {kGateway6, "fe80::1"}) {
    world.at_a.send(make_solicitation(guest, source, parse_ipv6(gateway)));
    world.at_a.send(make_unsolicited_na(guest, parse_ipv6(gateway)));
    // The edge itself asking in the gateway's name.
    world.at_a.send(make_nd(world.at_b.mac(), guest, solicitation_of(gateway, "2001:db8:1::7", guest)));
  }
  world.settle(world.at_a, world.far);
  CHECK(world.far.count(is_nd_about(guest, kGateway6)) == 0);
  CHECK(world.far.count(is_nd_about(guest, "fe80::1")) == 0);
  CHECK(world.far.count(is_nd_about(guest, "2001:db8:1::7")) == 0);
  CHECK(world.counter("nd_target_to_dci") >= 4);
  CHECK(world.counter("nd_sender_to_dci") >= 2);
}

TEST_CASE("neighbour discovery of the other site's gateway does not come in", "[netns]") {
  GuardedLab world;
  const MacAddress guest = world.at_b.mac();
  for (const char* gateway : {kGateway6, "fe80::1"}) {
    world.at_b.send(make_solicitation(guest, parse_ipv6(world.at_b.address6()), parse_ipv6(gateway)));
    world.at_b.send(make_unsolicited_na(guest, parse_ipv6(gateway)));
    world.at_b.send(make_nd(world.at_a.mac(), guest, solicitation_of(gateway, "2001:db8:1::7", guest)));
  }
  world.settle(world.at_b, world.guest);
  CHECK(world.guest.count(is_nd_about(guest, kGateway6)) == 0);
  CHECK(world.guest.count(is_nd_about(guest, "fe80::1")) == 0);
  CHECK(world.guest.count(is_nd_about(guest, "2001:db8:1::7")) == 0);
  CHECK(world.counter("nd_target_from_dci") >= 4);
  CHECK(world.counter("nd_sender_from_dci") >= 2);
}

TEST_CASE("a VLAN-tagged solicitation of the gateway does not leave the site either", "[netns]") {
  GuardedLab world;
  Frame tagged =
      make_solicitation(world.at_a.mac(), parse_ipv6(world.at_a.address6()), parse_ipv6(kGateway6));
  const std::array<std::uint8_t, 4> tag{0x81, 0x00, 0x00, 0x64};
  tagged.insert(tagged.begin() + 12, tag.begin(), tag.end());
  const Timestamp since = now();
  world.at_a.send(tagged);
  world.settle(world.at_a, world.far);
  CHECK(world.far.count(from_mac(world.at_a.mac()), since) == 0);
  CHECK(world.counter("nd_target_to_dci") >= 1);
}

TEST_CASE("what guests say to each other passes the guard", "[netns]") {
  GuardedLab world;
  Pinger six(world.at_a.netns(), world.at_b.address6(), 10ms);
  Pinger four(world.at_a.netns(), world.at_b.address(), 10ms);
  CHECK(six.wait_answers(10, kPatience));
  CHECK(four.wait_answers(10, kPatience));
  CHECK(world.far.count(is_nd_about(world.at_a.mac(), world.at_b.address6())) >= 1);
}

TEST_CASE("with the guard each guest resolves its own site's gateway and no other", "[netns]") {
  GuardedLab world;
  Pinger six(world.at_a.netns(), kGateway6, 10ms);
  CHECK(six.wait_answers(10, kPatience));
  CHECK(world.guest.count(is_nd_about(world.gateway_a, kGateway6)) >= 1);
  CHECK(world.guest.count(is_nd_about(world.gateway_b, kGateway6)) == 0);
}
