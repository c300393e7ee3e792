// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/vty_codec.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "tests/unit/golden.hpp"

namespace untrombone::bgp {
namespace {

using testing::Bytes;
using State = VtyAnswerReader::State;

/// Reads `bytes` in parts of `size` octets and returns the text.
std::string read_in_parts(VtyAnswerReader& reader, const Bytes& bytes, std::size_t size) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    std::span<const std::byte> part = std::span(bytes).subspan(at, std::min(size, bytes.size() - at));
    text += reader.take(part);
    CHECK((part.empty() || reader.state() != State::kReading));
  }
  return text;
}

Bytes bytes_of(std::string_view text) {
  const auto octets = std::as_bytes(std::span(text));
  return {octets.begin(), octets.end()};
}

}  // namespace

TEST_CASE("answers of the real zebra are read, however they are cut", "[golden]") {
  const auto golden = testing::read_golden("vty/answers.hex");
  for (std::size_t size = 1; size < 20; ++size) {
    VtyAnswerReader enabled;
    CHECK(read_in_parts(enabled, golden.at("enable"), size).empty());
    CHECK(enabled.state() == State::kComplete);
    CHECK(enabled.status() == kVtySuccess);

    VtyAnswerReader configuration;
    const std::string text = read_in_parts(configuration, golden.at("configuration"), size);
    CHECK(text.starts_with("frr version 8.4.4\nfrr defaults traditional\n"));
    CHECK(text.ends_with("!\n"));
    CHECK(configuration.status() == kVtySuccess);

    VtyAnswerReader unknown;
    CHECK(read_in_parts(unknown, golden.at("unknown"), size) ==
          "% [ZEBRA] Unknown command: show the impossible\n");
    CHECK(unknown.state() == State::kComplete);
    CHECK(unknown.status() == 2);

    VtyAnswerReader incomplete;
    CHECK(read_in_parts(incomplete, golden.at("incomplete"), size) == "% Command incomplete.\n");
    CHECK(incomplete.status() == 4);
  }
}

TEST_CASE("what follows an answer stays in the stream", "[golden]") {
  const Bytes bytes = bytes_of({"one\0\0\0\1two", 10});
  std::span<const std::byte> stream(bytes);
  VtyAnswerReader reader;
  CHECK_FALSE(reader.has_begun());
  CHECK(reader.take(stream) == "one");
  CHECK(reader.has_begun());
  CHECK(reader.state() == State::kComplete);
  CHECK(reader.status() == kVtyWarning);
  CHECK(stream.size() == 3);
  CHECK(reader.take(stream).empty());
  CHECK(stream.size() == 3);
}

TEST_CASE("a zero octet that does not end the answer is no vty protocol", "[golden]") {
  const Bytes bytes = bytes_of({"one\0\0two", 8});
  std::span<const std::byte> stream(bytes);
  VtyAnswerReader reader;
  CHECK(reader.take(stream) == "one");
  CHECK(reader.state() == State::kBroken);
}

TEST_CASE("a command is a C string on one line", "[golden]") {
  Bytes out;
  CHECK(encode_vty_command(out, "show version"));
  CHECK(out == bytes_of({"show version\0", 13}));
  CHECK_FALSE(encode_vty_command(out, ""));
  CHECK_FALSE(encode_vty_command(out, {"show\0version", 12}));
  CHECK_FALSE(encode_vty_command(out, "show version\nconfigure"));
  CHECK(out.size() == 13);
}

}  // namespace untrombone::bgp
