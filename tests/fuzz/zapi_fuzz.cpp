// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <random>

#include "bgp/zapi/codec.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace untrombone::fuzz {
namespace {

using bgp::zapi::Framing;

struct Received {
  std::uint16_t command = 0;
  core::VrfId vrf;
  std::vector<std::byte> body;
  bool operator==(const Received&) const = default;
};

/// Reads a stream that arrives in parts, as bgp::ZapiSink does.
class Receiver {
 public:
  void take(std::span<const std::byte> part) {
    if (broken_) return;
    waiting_.insert(waiting_.end(), part.begin(), part.end());
    const std::vector<std::byte> exact = copy_of(waiting_);
    std::span<const std::byte> stream(exact);
    while (take_one(stream)) continue;
    waiting_.erase(waiting_.begin(), waiting_.end() - static_cast<std::ptrdiff_t>(stream.size()));
    require(waiting_.size() < bgp::zapi::kMaxMessage || broken_,
            "a message of the longest kind is taken when it is here");
  }
  [[nodiscard]] const std::vector<Received>& messages() const { return messages_; }
  /// What was not taken cannot be compared once the stream is broken: nobody reads on.
  bool operator==(const Receiver& other) const {
    return messages_ == other.messages_ && broken_ == other.broken_ &&
           (broken_ || waiting_ == other.waiting_);
  }

 private:
  bool take_one(std::span<const std::byte>& stream) {
    const auto before = stream;
    bgp::zapi::Message message;
    const Framing framing = bgp::zapi::take_message(stream, message);
    broken_ = framing == Framing::kBroken;
    if (framing != Framing::kComplete) {
      require(stream.data() == before.data() && stream.size() == before.size(), "what is not complete stays");
      return false;
    }
    const std::size_t length = bgp::zapi::kHeaderSize + message.body.size();
    require(length <= bgp::zapi::kMaxMessage && length == before.size() - stream.size(),
            "a message is taken whole");
    require(message.body.data() + message.body.size() == stream.data(), "the stream goes on behind the body");
    messages_.push_back({message.command, message.vrf, copy_of(message.body)});
    return true;
  }

  std::vector<std::byte> waiting_;
  std::vector<Received> messages_;
  bool broken_ = false;
};

/// `next_size()` says how many octets the next part has.
template <typename NextSize>
Receiver receive(std::span<const std::byte> stream, NextSize next_size) {
  Receiver receiver;
  while (!stream.empty()) {
    const std::size_t size = std::min<std::size_t>(next_size(), stream.size());
    receiver.take(stream.first(size));
    stream = stream.subspan(size);
  }
  return receiver;
}

void check_owner_note(core::VrfId vrf, std::span<const std::byte> body) {
  constexpr std::size_t kFamilyAt = 4;
  constexpr std::size_t kLengthAt = 5;
  constexpr std::size_t kAddressAt = 6;
  const auto noted = bgp::zapi::decode_owner_note(vrf, copy_of(body));
  if (!noted) return;
  const core::IpPrefix& prefix = noted->route.key.prefix;
  require(noted->route.key.vrf == vrf, "a note is about its header's VRF");
  const std::size_t end = kAddressAt + prefix.address().octets().size();
  require(body.size() >= end, "a note that is too short is refused");
  require(prefix.address().is_v4() == (body[kFamilyAt] == std::byte{2}), "a note's prefix is of its family");
  require(prefix.length() == std::to_integer<unsigned>(body[kLengthAt]),
          "a note's prefix is as long as zebra says");
  const auto address = core::IpAddress::from_bytes(body.subspan(kAddressAt, end - kAddressAt));
  require(address && prefix.contains(*address), "a note's prefix holds the address that zebra sent");
  require(!bgp::zapi::decode_owner_note(vrf, copy_of(body.first(end - 1))), "an octet less is too short");
}

}  // namespace

/// The input is what comes from zebra's socket.
void run(std::span<const std::byte> input) {
  constexpr std::size_t kSingleOctets = 256;  // the time it takes grows with the square
  constexpr std::size_t kLargestPart = 40;
  const Receiver whole = receive(input, [&] { return input.size(); });
  const auto single = [&, taken = std::size_t{0}]() mutable {
    return taken++ < kSingleOctets ? 1 : input.size();
  };
  require(receive(input, single) == whole, "octet by octet gives the same messages");
  std::minstd_rand random(static_cast<unsigned>(input.size()) + 1);
  const auto parts = [&] { return 1 + random() % kLargestPart; };
  require(receive(input, parts) == whole, "any parts give the same messages");

  for (const Received& message : whole.messages()) check_owner_note(message.vrf, message.body);
  check_owner_note({}, input);
}

}  // namespace untrombone::fuzz
