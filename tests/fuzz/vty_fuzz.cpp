// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <random>

#include "bgp/vty_codec.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace untrombone::fuzz {
namespace {

using Reader = bgp::VtyAnswerReader;

struct Answer {
  std::string text;
  Reader::State state = Reader::State::kReading;
  bgp::VtyStatus status = 0;
  std::size_t taken = 0;
  bool operator==(const Answer&) const = default;
};

/// `next_size()` says how many octets the next part has.
template <typename NextSize>
Answer read(std::span<const std::byte> stream, NextSize next_size) {
  Reader reader;
  Answer answer;
  const std::size_t all = stream.size();
  while (!stream.empty() && reader.state() == Reader::State::kReading) {
    const std::size_t size = std::min<std::size_t>(next_size(), stream.size());
    const std::vector<std::byte> part = copy_of(stream.first(size));
    std::span<const std::byte> rest(part);
    answer.text += reader.take(rest);
    require(rest.empty() || reader.state() != Reader::State::kReading,
            "only the end of an answer stops the reader");
    stream = stream.subspan(size - rest.size());
  }
  answer.state = reader.state();
  answer.status = reader.status();
  answer.taken = all - stream.size();
  return answer;
}

}  // namespace

/// The input is what comes from a vty socket.
void run(std::span<const std::byte> input) {
  const Answer whole = read(input, [&] { return input.size(); });
  require(read(input, [] { return 1; }) == whole, "octet by octet gives the same answer");
  std::minstd_rand random(static_cast<unsigned>(input.size()) + 1);
  require(read(input, [&] { return 1 + random() % 9; }) == whole, "any parts give the same answer");
  require(whole.text.find('\0') == std::string::npos, "text has no zero octet");
  require(text_of(input).starts_with(whole.text), "the text is the stream's, from its beginning");
  if (whole.state == Reader::State::kComplete)
    require(whole.taken == whole.text.size() + 4, "an answer is its text and four octets");
}

}  // namespace untrombone::fuzz
