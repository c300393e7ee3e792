// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <cstring>
#include <string>

#include <catch2/catch.hpp>

#include "bgp/zapi/codec.hpp"
#include "tests/unit/golden.hpp"

namespace untrombone::bgp::zapi {
namespace {

using core::IpAddress;
using core::IpPrefix;
using core::Route;
using core::RouteClass;
using core::RouteNote;
using testing::Bytes;
using testing::hex;

constexpr core::Ifindex kInterface{10};

const testing::GoldenBytes& requests() {
  static const testing::GoldenBytes records = testing::read_golden("zapi/requests.hex");
  return records;
}

const testing::GoldenBytes& answers() {
  static const testing::GoldenBytes records = testing::read_golden("zapi/answers.hex");
  return records;
}

const Release& release(std::string_view version) {
  const Release* const found = find_release(version);
  REQUIRE(found != nullptr);
  return *found;
}

IpPrefix prefix(const char* text) { return IpPrefix::parse(text).value(); }
core::RouteKey route(const char* text) { return {{}, prefix(text)}; }

template <typename Encode>
std::string encoded(Encode encode) {
  Bytes bytes;
  encode(bytes);
  return hex(bytes);
}

/// The body of a message that is known to be whole.
std::span<const std::byte> body_of(const Bytes& message) {
  std::span<const std::byte> stream(message);
  Message taken;
  REQUIRE(take_message(stream, taken) == Framing::kComplete);
  REQUIRE(stream.empty());
  return taken.body;
}

/// An owner note as each release sends it. `source`: what 10.3 added, `families`: what 8.0 added.
Bytes owner_note(std::uint32_t note, const IpPrefix& about, bool source, bool families) {
  Bytes bytes(sizeof note);
  std::memcpy(bytes.data(), &note, sizeof note);
  const auto append = [&](std::initializer_list<unsigned> octets) {
    for (const unsigned octet : octets) bytes.push_back(static_cast<std::byte>(octet));
  };
  const auto octets = std::as_bytes(about.address().octets());
  append({about.address().is_v4() ? 2U : 10U, about.length()});
  bytes.insert(bytes.end(), octets.begin(), octets.end());
  if (source) bytes.resize(bytes.size() + 1 + octets.size());
  append({0, 0, 0, 254});
  if (families) append({about.address().is_v4() ? 1U : 2U, 1});
  return bytes;
}

}  // namespace

// ---- what we send, against what another client sends ------------------------------------------------------------

TEST_CASE("every release gets its own requests, octet by octet") {
  const auto [version, instance] = GENERATE(
      table<std::string, int>({{"7.5", 0}, {"8.4", 0}, {"9.1", 0}, {"10.0", 0}, {"10.2", 0}, {"10.7", 201}}));
  INFO(version);
  const Release& row = release(version);
  const auto number = static_cast<std::uint16_t>(instance);
  const RouteSlot slot{number, 0};
  const auto expected = [&v = version](const char* what) { return hex(requests().at(what + ("-" + v))); };

  CHECK(encoded([&row, number](Bytes& out) {
          encode_hello(out, row.hello, row.route_type_table, number, row.hello_asks_for_notes());
        }) == expected("hello"));
  if (!row.hello_asks_for_notes()) {
    CHECK(encoded([&row](Bytes& out) { encode_notify_request(out, row); }) == expected("notify"));
  }
  CHECK(encoded([&row](Bytes& out) { encode_graceful_restart(out, row, {}, 120); }) ==
        expected("graceful-restart"));
  CHECK(encoded([&row](Bytes& out) { encode_update_complete(out, row, {}); }) == expected("update-complete"));
  CHECK(encoded([&row, slot](Bytes& out) {
          encode_route_add(out, row, slot, route("192.0.2.11/32"),
                           {kInterface, RouteClass::kFresh, 5, 999, 4211});
        }) == expected("route-add"));
  CHECK(encoded([&row, slot](Bytes& out) { encode_route_delete(out, row, slot, route("192.0.2.11/32")); }) ==
        expected("route-delete"));
}

TEST_CASE("IPv6 and shorter prefixes are written with as many octets as their length covers") {
  const Release& row = release("8.4");
  CHECK(encoded([&](Bytes& out) {
          const Route wanted{kInterface, RouteClass::kLingering, 250, 2000, 4212};
          encode_route_add(out, row, {}, route("2001:db8::11/128"), wanted);
        }) == hex(requests().at("route-add-v6-8.4")));
  CHECK(encoded([&](Bytes& out) {
          const Route wanted{kInterface, RouteClass::kSettled, 5, 1000, 4210};
          encode_route_add(out, row, {}, route("192.0.2.128/25"), wanted);
        }) == hex(requests().at("route-add-block-8.4")));
  CHECK(encoded([&](Bytes& out) { encode_route_delete(out, row, {}, route("192.0.0.0/20")); }) ==
        hex(requests().at("route-delete-short-8.4")));
}

TEST_CASE("a route in a VRF names it in its header and its next hop") {
  const Route wanted{kInterface, RouteClass::kSettled, 5, 1000, 4210};
  Bytes in_default;
  encode_route_add(in_default, release("8.4"), {}, route("192.0.2.11/32"), wanted);
  Bytes in_vrf;
  encode_route_add(in_vrf, release("8.4"), {}, {{0x01020304}, prefix("192.0.2.11/32")}, wanted);
  REQUIRE(in_vrf.size() == in_default.size());
  constexpr std::size_t kHeaderVrf = 4;
  const std::size_t next_hop_vrf =
      in_vrf.size() - 19;  // u32 VRF, u8 type, u8 flags, u32 ifindex; u8, u32, u32
  for (std::size_t i = 0; i < in_vrf.size(); ++i) {
    INFO(i);
    const bool of_header = i >= kHeaderVrf && i < kHeaderVrf + 4;
    const bool of_next_hop = i >= next_hop_vrf && i < next_hop_vrf + 4;
    const std::size_t at = i - (of_header ? kHeaderVrf : next_hop_vrf);
    CHECK(in_vrf[i] == (of_header || of_next_hop ? static_cast<std::byte>(at + 1) : in_default[i]));
  }
}

TEST_CASE("the question that tells releases apart is an empty message no release knows") {
  CHECK(encoded(encode_unknown) == "00 0a fe 06 00 00 00 00 ff ff ");
}

TEST_CASE("messages are appended to what is in the buffer already") {
  Bytes both;
  encode_unknown(both);
  const Bytes first = both;
  encode_unknown(both);
  CHECK(both.size() == 2 * first.size());
  CHECK(std::equal(first.begin(), first.end(), both.begin() + static_cast<std::ptrdiff_t>(first.size())));
}

// ---- framing ---------------------------------------------------------------------------------------------------

TEST_CASE("messages are taken one by one however they are glued together") {
  Bytes glued;
  for (const auto& [name, message] : answers()) glued.insert(glued.end(), message.begin(), message.end());
  std::span<const std::byte> stream(glued);
  Message taken;
  for (const auto& [name, message] : answers()) {
    INFO(name);
    REQUIRE(take_message(stream, taken) == Framing::kComplete);
    CHECK(taken.body.size() + kHeaderSize == message.size());
    CHECK(taken.vrf == core::VrfId{});
  }
  CHECK(stream.empty());
  CHECK(take_message(stream, taken) == Framing::kIncomplete);
}

TEST_CASE("a message that is not all there yet stays in the stream") {
  const Bytes& message = answers().at("note-installed");
  for (std::size_t length = 0; length < message.size(); ++length) {
    INFO("cut to " << length);
    std::span<const std::byte> stream = std::span(message).first(length);
    Message taken;
    CHECK(take_message(stream, taken) == Framing::kIncomplete);
    CHECK(stream.size() == length);
  }
}

TEST_CASE("a wrong marker, version or length breaks the stream") {
  const std::pair<std::size_t, unsigned> changes[] = {{2, 255}, {3, 5}, {3, 7}, {1, 9}, {0, 0x41}};
  for (const auto& [offset, value] : changes) {
    INFO("octet " << offset << " is " << value);
    Bytes message = answers().at("error");
    message[offset] = static_cast<std::byte>(value);
    std::span<const std::byte> stream(message);
    Message taken;
    CHECK(take_message(stream, taken) == Framing::kBroken);
  }
}

TEST_CASE("command and VRF are read from the header") {
  Bytes message = answers().at("error");
  message[7] = std::byte{42};
  std::span<const std::byte> stream(message);
  Message taken;
  REQUIRE(take_message(stream, taken) == Framing::kComplete);
  CHECK(taken.command == 118);
  CHECK(taken.vrf == core::VrfId{42});
}

// ---- what zebra answers -------------------------------------------------------------------------------------------

TEST_CASE("zebra's owner notes are understood") {
  const IpPrefix host = prefix("192.0.2.11/32");
  const std::tuple<const char*, IpPrefix, RouteNote> notes[] = {
      {"note-installed", host, RouteNote::kInstalled},
      {"note-installed-v6", prefix("2001:db8::11/128"), RouteNote::kInstalled},
      {"note-better-won", host, RouteNote::kBetterWon},
      {"note-installed-again", host, RouteNote::kInstalled},
      {"note-removed", host, RouteNote::kRemoved},
  };
  for (const auto& [name, about, note] : notes) {
    INFO(name);
    const auto decoded = decode_owner_note({}, body_of(answers().at(name)));
    REQUIRE(decoded);
    CHECK(decoded->route.key.prefix == about);
    CHECK(decoded->route.note == note);
  }
}

TEST_CASE("zebra's first answers name its release") {
  std::span<const std::byte> stream(answers().at("error"));
  Message error;
  REQUIRE(take_message(stream, error) == Framing::kComplete);
  CHECK(is_error_command(error.command));
  stream = answers().at("capabilities");
  Message capabilities;
  REQUIRE(take_message(stream, capabilities) == Framing::kComplete);
  const auto hello = static_cast<std::uint16_t>(capabilities.command - 1);
  CHECK(find_release(error.command, hello, capabilities.body.size()) == find_release("8.4.4"));
}

TEST_CASE("an owner note is understood in every layout any release sends") {
  const IpPrefix v4 = prefix("192.0.2.11/32");
  const IpPrefix v6 = prefix("2001:db8::11/128");
  const std::tuple<IpPrefix, bool, bool, std::size_t> layouts[] = {
      {v4, false, false, 14}, {v4, false, true, 16}, {v4, true, true, 21},
      {v6, false, false, 26}, {v6, false, true, 28}, {v6, true, true, 45},
  };
  for (const auto& [about, source, families, size] : layouts) {
    INFO(size);
    const Bytes body = owner_note(2, about, source, families);
    REQUIRE(body.size() == size);
    const auto decoded = decode_owner_note({}, body);
    REQUIRE(decoded);
    CHECK(decoded->route.key.prefix == about);
    CHECK(decoded->route.note == RouteNote::kInstalled);
    CHECK(decoded->table == 254);
  }
}

TEST_CASE("a layout made by hand is the real one") {
  CHECK(hex(owner_note(2, prefix("192.0.2.11/32"), false, true)) ==
        hex(body_of(answers().at("note-installed"))));
  CHECK(hex(owner_note(2, prefix("2001:db8::11/128"), false, true)) ==
        hex(body_of(answers().at("note-installed-v6"))));
}

TEST_CASE("each of zebra's five notes has its meaning, a sixth has none") {
  const IpPrefix host = prefix("192.0.2.11/32");
  const RouteNote meanings[] = {RouteNote::kRejected, RouteNote::kBetterWon, RouteNote::kInstalled,
                                RouteNote::kRemoved, RouteNote::kRejected};
  for (std::uint32_t note = 0; note < std::size(meanings); ++note) {
    CHECK(decode_owner_note({}, owner_note(note, host, false, true))->route.note == meanings[note]);
  }
  CHECK_FALSE(decode_owner_note({}, owner_note(5, host, false, true)));
}

TEST_CASE("an owner note that is cut off or names a wrong family or length is refused") {
  const Bytes body = owner_note(2, prefix("2001:db8::11/128"), false, true);
  constexpr std::size_t kAddressEnd = 22;
  for (std::size_t length = 0; length < kAddressEnd; ++length) {
    INFO("cut to " << length);
    CHECK_FALSE(decode_owner_note({}, std::span(body).first(length)));
  }
  Bytes changed = body;
  changed[4] = std::byte{7};
  CHECK_FALSE(decode_owner_note({}, changed));
  changed = body;
  changed[5] = std::byte{129};
  CHECK_FALSE(decode_owner_note({}, changed));
}

}  // namespace untrombone::bgp::zapi
