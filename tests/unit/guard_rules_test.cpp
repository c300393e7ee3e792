// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/guard_rules.hpp"

#include <catch2/catch.hpp>

namespace untrombone::arp {
namespace {

using core::IpAddress;

const IpAddress kGateway = IpAddress::v4({192, 0, 2, 1});
const IpAddress kOtherGateway = IpAddress::v4({198, 51, 100, 1});

constexpr const char* kRemoval = "table bridge untrombone {}\ndelete table bridge untrombone\n";

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the guard of one segment, word for word") {
  CHECK(render_guard({{{"dci0"}, {kGateway}}}) == R"(table bridge untrombone {}
delete table bridge untrombone
table bridge untrombone {
  set gateways {
    type ifname . ipv4_addr
    elements = { "dci0" . 192.0.2.1 }
  }
  counter arp_target_from_dci {}
  counter arp_sender_from_dci {}
  counter arp_target_to_dci {}
  counter arp_sender_to_dci {}
  chain from_dci {
    meta protocol arp iifname . arp daddr ip @gateways counter name arp_target_from_dci drop
    meta protocol arp iifname . arp saddr ip @gateways counter name arp_sender_from_dci drop
  }
  chain to_dci {
    meta protocol arp oifname . arp daddr ip @gateways counter name arp_target_to_dci drop
    meta protocol arp oifname . arp saddr ip @gateways counter name arp_sender_to_dci drop
  }
  chain bridged {
    type filter hook forward priority filter; policy accept;
    jump from_dci
    jump to_dci
  }
  chain received {
    type filter hook input priority filter; policy accept;
    jump from_dci
  }
  chain sent {
    type filter hook output priority filter; policy accept;
    jump to_dci
  }
}
)");
}

TEST_CASE("a gateway is kept off the DCI ports of its own segment only") {
  const std::string text = render_guard({{{"dci1", "dci0"}, {kGateway}}, {{"vx20"}, {kOtherGateway}}});
  CHECK(has(text, R"(elements = { "dci0" . 192.0.2.1, "dci1" . 192.0.2.1, "vx20" . 198.51.100.1 })"));
}

TEST_CASE("the same guard is the same text, however it is put") {
  CHECK(render_guard({{{"dci1", "dci0", "dci0"}, {kOtherGateway, kGateway}}}) ==
        render_guard({{{"dci0"}, {kGateway}}, {{"dci1"}, {kGateway}}, {{"dci0", "dci1"}, {kOtherGateway}}}));
}

TEST_CASE("a guard with nothing to guard is a removal") {
  CHECK(render_guard_removal() == kRemoval);
  CHECK(render_guard({}) == kRemoval);
  CHECK(render_guard({{{}, {kGateway}}}) == kRemoval);
  CHECK(render_guard({{{"dci0"}, {}}}) == kRemoval);
}

TEST_CASE("an IPv6 gateway is no business of the ARP guard") {
  const IpAddress gateway6 = IpAddress::parse("2001:db8::1").value();
  CHECK(render_guard({{{"dci0"}, {gateway6}}}) == kRemoval);
  CHECK(render_guard({{{"dci0"}, {gateway6, kGateway}}}) == render_guard({{{"dci0"}, {kGateway}}}));
}

TEST_CASE("the guard never touches a table that is not ours") {
  const std::string text = render_guard({{{"dci0"}, {kGateway}}});
  CHECK_FALSE(has(text, "flush ruleset"));
  CHECK(text.rfind(kRemoval, 0) == 0);
}

}  // namespace untrombone::arp
