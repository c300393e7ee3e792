// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/vlan_tag.hpp"

#include <catch2/catch.hpp>

#include "arp/frames.hpp"
#include "tests/unit/golden.hpp"

namespace untrombone::arp {

TEST_CASE("a tag goes behind the addresses and changes nothing else") {
  const testing::Bytes frame = testing::read_golden("arp/frames.hex").at("kernel-request");
  const auto tagged = with_tag(frame, {0x8100, {10}});
  REQUIRE(tagged.size() == frame.size() + 4);
  CHECK(testing::hex(std::span(tagged).first(12)) == testing::hex(std::span(frame).first(12)));
  CHECK(testing::hex(std::span(tagged).subspan(12, 4)) == "81 00 00 0a ");
  CHECK(testing::hex(std::span(tagged).subspan(16)) == testing::hex(std::span(frame).subspan(12)));
  CHECK_FALSE(decode(tagged));  // what is decoded has no tag any more
}

TEST_CASE("a tag has twelve bits of VLAN and any protocol") {
  const auto tag_octets = [](const VlanTag& tag) {
    const auto tagged = with_tag(testing::Bytes(60), tag);
    return testing::hex(std::span(tagged).subspan(12, 4));
  };
  CHECK(tag_octets({0x88a8, {4094}}) == "88 a8 0f fe ");
  CHECK(tag_octets({0x8100, {0xf00a}}) == "81 00 00 0a ");
}

TEST_CASE("a frame without addresses gets no tag") {
  CHECK(with_tag(testing::Bytes(11), {0x8100, {10}}) == testing::Bytes(11));
  CHECK(with_tag({}, {0x8100, {10}}).empty());
}

}  // namespace untrombone::arp
