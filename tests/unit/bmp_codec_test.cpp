// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/bmp_codec.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/golden.hpp"

namespace untrombone::bgp::bmp {
namespace {

using core::IpAddress;
using core::IpPrefix;
using testing::Bytes;

const testing::GoldenBytes& golden() {
  static const testing::GoldenBytes records = testing::read_golden("bmp/messages.hex");
  return records;
}

struct Monitored {
  Peer peer;
  Update update;
};

/// A whole route monitoring message.
Monitored monitored(const std::string& name) {
  std::span<const std::byte> stream(golden().at(name));
  Message message;
  REQUIRE(take_message(stream, message) == Framing::kComplete);
  CHECK(stream.empty());
  CHECK(message.type == Type::kRouteMonitoring);
  const auto peer = take_peer(message.body);
  REQUIRE(peer);
  const auto update = decode_update(message.body);
  REQUIRE(update);
  return {*peer, *update};
}

std::vector<IpPrefix> prefixes(const char* text) { return {IpPrefix::parse(text).value()}; }

constexpr std::uint32_t kFresh = 65000U << 16U | 4211U;
constexpr std::uint32_t kSettled = 65000U << 16U | 4210U;

}  // namespace

TEST_CASE("what the real bgpd tells of a peer's routes is read", "[golden]") {
  const Monitored fresh = monitored("fresh");
  CHECK(fresh.peer.is_accepted());
  CHECK(fresh.peer.type == 0);
  CHECK(fresh.update.announced == prefixes("10.1.0.11/32"));
  CHECK(fresh.update.withdrawn.empty());
  CHECK(fresh.update.med == 999);
  CHECK(fresh.update.communities == std::vector<std::uint32_t>{kFresh});
  CHECK(fresh.update.next_hop == IpAddress::v4({192, 0, 2, 2}));

  const Monitored settled = monitored("now-settled");
  CHECK(settled.peer == fresh.peer);
  CHECK(settled.update.med == 1000);
  CHECK(settled.update.communities == std::vector<std::uint32_t>{kSettled});
  CHECK(monitored("settled-summary").update.announced == prefixes("10.1.0.64/26"));
  CHECK(monitored("withdrawn").update.withdrawn == prefixes("10.1.0.11/32"));
  CHECK(monitored("withdrawn").update.announced.empty());
}

TEST_CASE("IPv6 routes come in multiprotocol attributes", "[golden]") {
  const Monitored fresh = monitored("fresh-v6");
  CHECK(fresh.update.announced == prefixes("2001:db8:1::11/128"));
  CHECK(fresh.update.med == 999);
  CHECK_FALSE(fresh.update.next_hop.is_v4());
  CHECK_FALSE(fresh.update.next_hop.is_unspecified());
  CHECK(monitored("withdrawn-v6").update.withdrawn == prefixes("2001:db8:1::11/128"));
}

TEST_CASE("bgpd tells its own routes too, without a next hop", "[golden]") {
  const Monitored own = monitored("own-route");
  CHECK(own.update.announced == prefixes("10.1.0.11/32"));
  CHECK(own.update.next_hop.is_unspecified());
}

TEST_CASE("the end of the first telling is an update of nothing", "[golden]") {
  CHECK(monitored("end-of-rib").update.announced.empty());
  CHECK(monitored("end-of-rib-v6").update.withdrawn.empty());
}

TEST_CASE("a peer that goes down is the one that came up", "[golden]") {
  const auto peer_of = [](const char* name, Type type) {
    std::span<const std::byte> stream(golden().at(name));
    Message message;
    REQUIRE(take_message(stream, message) == Framing::kComplete);
    CHECK(message.type == type);
    return take_peer(message.body).value();
  };
  const Peer up = peer_of("peer-up", Type::kPeerUp);
  const Peer down = peer_of("peer-down", Type::kPeerDown);
  CHECK(up.address == down.address);
  CHECK(up.address == monitored("fresh").peer.address);
}

TEST_CASE("a message that is cut short waits or is refused, and never read beyond", "[golden]") {
  for (const auto& [name, bytes] : golden()) {
    CAPTURE(name);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      std::span<const std::byte> stream(part);
      Message message;
      CHECK(take_message(stream, message) == Framing::kIncomplete);
    }
  }
  const Bytes update(golden().at("fresh").begin() + 48, golden().at("fresh").end());
  REQUIRE(decode_update(update));
  for (std::size_t size = 0; size < update.size(); ++size) {
    CHECK_FALSE(decode_update(Bytes(update.begin(), update.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

TEST_CASE("another version and impossible lengths are no BMP", "[golden]") {
  Message message;
  for (Bytes bytes :
       {Bytes{std::byte{2}, {}, {}, {}, std::byte{6}, {}}, Bytes{std::byte{3}, {}, {}, {}, std::byte{5}, {}},
        Bytes{std::byte{3}, std::byte{1}, {}, {}, {}, {}}}) {
    std::span<const std::byte> stream(bytes);
    CHECK(take_message(stream, message) == Framing::kBroken);
  }
}

}  // namespace untrombone::bgp::bmp
