// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/guard_rules.hpp"

#include <catch2/catch.hpp>

namespace untrombone::arp {
namespace {

using core::IpAddress;

const IpAddress kGateway = IpAddress::v4({192, 0, 2, 1});
const IpAddress kGateway6 = IpAddress::parse("2001:db8::1").value();
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

TEST_CASE("the guard of an IPv6 segment, word for word") {
  CHECK(render_guard({{{"dci0"}, {kGateway6}}}) == R"(table bridge untrombone {}
delete table bridge untrombone
table bridge untrombone {
  set gateway_targets {
    typeof iifname . @th,64,128
    elements = { "dci0" . 0x20010db8000000000000000000000001 }
  }
  set gateway_sources {
    type ifname . ipv6_addr
    elements = { "dci0" . 2001:db8::1 }
  }
  counter nd_target_from_dci {}
  counter nd_sender_from_dci {}
  counter nd_target_to_dci {}
  counter nd_sender_to_dci {}
  chain from_dci {
    meta protocol ip6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } \
      iifname . @th,64,128 @gateway_targets counter name nd_target_from_dci drop
    meta protocol ip6 icmpv6 type nd-neighbor-solicit \
      iifname . ip6 saddr @gateway_sources counter name nd_sender_from_dci drop
  }
  chain to_dci {
    meta protocol ip6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } \
      oifname . @th,64,128 @gateway_targets counter name nd_target_to_dci drop
    meta protocol ip6 icmpv6 type nd-neighbor-solicit \
      oifname . ip6 saddr @gateway_sources counter name nd_sender_to_dci drop
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

TEST_CASE("each family has its own sets, and both share the chains") {
  const std::string both = render_guard({{{"dci1", "dci0"}, {kGateway6, kGateway}}});
  CHECK(has(both, R"(elements = { "dci0" . 192.0.2.1, "dci1" . 192.0.2.1 })"));
  CHECK(has(both, R"(elements = { "dci0" . 2001:db8::1, "dci1" . 2001:db8::1 })"));
  CHECK(has(both, "arp_sender_from_dci drop\n    meta protocol ip6"));
  CHECK(both.find("chain from_dci") == both.rfind("chain from_dci"));
}

TEST_CASE("the guard never touches a table that is not ours") {
  const std::string text = render_guard({{{"dci0"}, {kGateway}}});
  CHECK_FALSE(has(text, "flush ruleset"));
  CHECK(text.rfind(kRemoval, 0) == 0);
}

}  // namespace untrombone::arp
