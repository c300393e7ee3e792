// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/bmp_codec.hpp"

#include <algorithm>

namespace untrombone::bgp::bmp {
namespace {

using core::Family;
using core::IpAddress;
using core::IpPrefix;
using Bytes = std::span<const std::byte>;

constexpr std::uint8_t kVersion = 3;
constexpr std::size_t kPeerSize = 42;
constexpr std::size_t kBgpHeaderSize = 19;  // marker 16, u16 length, u8 type
constexpr std::uint8_t kUpdate = 2;
constexpr std::uint8_t kExtendedLength = 0x10;
constexpr std::uint8_t kUnicast = 1;

enum Attribute : std::uint8_t { kNextHop = 3, kMed = 4, kCommunities = 8, kMpReach = 14, kMpUnreach = 15 };

/// Takes unsigned integers and runs of octets off the front; nullopt when there are too few.
class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  template <typename T>
  std::optional<T> number() {
    const auto octets = take(sizeof(T));
    if (!octets) return std::nullopt;
    std::uint64_t value = 0;
    for (const std::byte octet : *octets) value = value << 8U | std::to_integer<std::uint64_t>(octet);
    return static_cast<T>(value);
  }
  std::optional<Bytes> take(std::size_t size) {
    if (size > bytes_.size()) return std::nullopt;
    const Bytes taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] Bytes rest() const { return bytes_; }

 private:
  Bytes bytes_;
};

/// Prefixes as BGP packs them: u8 length in bits, then as many octets as that needs.
bool read_prefixes(Bytes bytes, Family family, std::vector<IpPrefix>& prefixes) {
  const std::size_t size = family == Family::kIpv4 ? 4 : 16;
  Reader reader(bytes);
  while (!reader.empty()) {
    const auto length = reader.number<std::uint8_t>();
    if (!length || *length > size * 8) return false;
    const auto octets = reader.take((*length + 7U) / 8U);
    if (!octets) return false;
    std::array<std::byte, 16> address{};
    std::copy(octets->begin(), octets->end(), address.begin());
    prefixes.emplace_back(*IpAddress::from_bytes(Bytes(address).first(size)), *length);
  }
  return true;
}

std::optional<Family> family_of(std::uint16_t afi, std::uint8_t safi) {
  if (safi != kUnicast || (afi != 1 && afi != 2)) return std::nullopt;
  return afi == 1 ? Family::kIpv4 : Family::kIpv6;
}

bool read_mp_reach(Bytes value, Update& update) {
  Reader reader(value);
  const auto afi = reader.number<std::uint16_t>();
  const auto safi = reader.number<std::uint8_t>();
  const auto size = reader.number<std::uint8_t>();
  if (!afi || !safi || !size) return false;
  const auto next_hop = reader.take(*size);
  if (!next_hop || !reader.number<std::uint8_t>()) return false;  // and a reserved octet
  const auto family = family_of(*afi, *safi);
  if (!family) return true;
  // An IPv6 one may be followed by its link-local address.
  const auto address = IpAddress::from_bytes(next_hop->first(std::min<std::size_t>(next_hop->size(), 16)));
  if (address) update.next_hop = *address;
  return read_prefixes(reader.rest(), *family, update.announced);
}

bool read_mp_unreach(Bytes value, Update& update) {
  Reader reader(value);
  const auto afi = reader.number<std::uint16_t>();
  const auto safi = reader.number<std::uint8_t>();
  if (!afi || !safi) return false;
  const auto family = family_of(*afi, *safi);
  return !family || read_prefixes(reader.rest(), *family, update.withdrawn);
}

bool read_communities(Bytes value, Update& update) {
  Reader reader(value);
  while (!reader.empty()) {
    const auto community = reader.number<std::uint32_t>();
    if (!community) return false;
    update.communities.push_back(*community);
  }
  return true;
}

bool read_attribute(std::uint8_t type, Bytes value, Update& update) {
  switch (type) {
    case kNextHop: {
      const auto address = IpAddress::from_bytes(value);
      if (!address || !address->is_v4()) return false;
      update.next_hop = *address;
      return true;
    }
    case kMed:
      update.med = Reader(value).number<std::uint32_t>();
      return value.size() == sizeof(std::uint32_t);
    case kCommunities: return read_communities(value, update);
    case kMpReach: return read_mp_reach(value, update);
    case kMpUnreach: return read_mp_unreach(value, update);
    default: return true;
  }
}

bool read_attributes(Bytes bytes, Update& update) {
  Reader reader(bytes);
  while (!reader.empty()) {
    const auto flags = reader.number<std::uint8_t>();
    const auto type = reader.number<std::uint8_t>();
    if (!flags || !type) return false;
    std::optional<std::size_t> length = reader.number<std::uint8_t>();
    if (length && (*flags & kExtendedLength) != 0) {
      const auto low = reader.number<std::uint8_t>();
      length = low ? std::optional<std::size_t>(*length << 8U | *low) : std::nullopt;
    }
    const auto value = length ? reader.take(*length) : std::nullopt;
    if (!value || !read_attribute(*type, *value, update)) return false;
  }
  return true;
}

}  // namespace

Framing take_message(Bytes& stream, Message& message) {
  Reader reader(stream);
  const auto version = reader.number<std::uint8_t>();
  if (version && *version != kVersion) return Framing::kBroken;
  const auto length = reader.number<std::uint32_t>();
  const auto type = reader.number<std::uint8_t>();
  if (!length || !type) return Framing::kIncomplete;
  if (*length < kHeaderSize || *length > kMaxMessage) return Framing::kBroken;
  if (stream.size() < *length) return Framing::kIncomplete;
  message = {static_cast<Type>(*type), stream.subspan(kHeaderSize, *length - kHeaderSize)};
  stream = stream.subspan(*length);
  return Framing::kComplete;
}

std::optional<Peer> take_peer(Bytes& body) {
  if (body.size() < kPeerSize) return std::nullopt;
  Peer peer;
  const auto octet = [&](std::size_t at) { return std::to_integer<std::uint8_t>(body[at]); };
  peer.type = octet(0);
  peer.flags = octet(1);
  for (std::size_t i = 0; i < peer.distinguisher.size(); ++i) peer.distinguisher[i] = octet(2 + i);
  for (std::size_t i = 0; i < peer.address.size(); ++i) peer.address[i] = octet(10 + i);
  body = body.subspan(kPeerSize);
  return peer;
}

std::optional<Update> decode_update(Bytes message) {
  Reader reader(message);
  constexpr std::size_t kMarker = 16;
  if (!reader.take(kMarker)) return std::nullopt;
  const auto length = reader.number<std::uint16_t>();
  const auto type = reader.number<std::uint8_t>();
  if (!length || !type || *type != kUpdate || *length < kBgpHeaderSize || *length > message.size())
    return std::nullopt;
  Reader body(message.subspan(kBgpHeaderSize, *length - kBgpHeaderSize));
  Update update;
  const auto withdrawn_size = body.number<std::uint16_t>();
  const auto withdrawn = withdrawn_size ? body.take(*withdrawn_size) : std::nullopt;
  if (!withdrawn || !read_prefixes(*withdrawn, Family::kIpv4, update.withdrawn)) return std::nullopt;
  const auto attributes_size = body.number<std::uint16_t>();
  const auto attributes = attributes_size ? body.take(*attributes_size) : std::nullopt;
  if (!attributes || !read_attributes(*attributes, update)) return std::nullopt;
  if (!read_prefixes(body.rest(), Family::kIpv4, update.announced)) return std::nullopt;
  return update;
}

}  // namespace untrombone::bgp::bmp
