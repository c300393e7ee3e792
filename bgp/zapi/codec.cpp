// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/zapi/codec.hpp"

#include <cstring>

namespace untrombone::bgp::zapi {
namespace {

// AF_INET and AF_INET6 of Linux: zebra puts its own C constants on the wire.
constexpr std::uint8_t kFamilyIpv4 = 2;
constexpr std::uint8_t kFamilyIpv6 = 10;

constexpr std::uint8_t kMarker = 254;
constexpr std::uint8_t kVersion = 6;

// ZAPI_MESSAGE_* bits, the same in every release.
constexpr std::uint32_t kHasNexthop = 0x01;
constexpr std::uint32_t kHasDistance = 0x02;
constexpr std::uint32_t kHasMetric = 0x04;
constexpr std::uint32_t kHasTag = 0x08;
constexpr std::uint32_t kHasTable = 0x100;  // from 8.0 on

constexpr std::uint8_t kNexthopIfindex = 1;
constexpr std::uint8_t kSafiUnicast = 1;
constexpr std::uint32_t kAfiIpv4 = 1;
constexpr std::uint32_t kAfiIpv6 = 2;

// CLIENT_CAPABILITIES codes.
constexpr std::uint32_t kGracefulRestart = 1;
constexpr std::uint32_t kUpdateComplete = 2;
constexpr std::uint32_t kUpdatePending = 3;

/// Appends big-endian integers; patches the length of the message it frames when it goes out of scope.
class Writer {
 public:
  Writer(std::vector<std::byte>& out, std::uint16_t command, core::VrfId vrf = {})
      : out_(out), start_(out.size()) {
    u16(0);
    u8(kMarker);
    u8(kVersion);
    u32(vrf.value);
    u16(command);
  }
  ~Writer() {
    const auto length = static_cast<std::uint16_t>(out_.size() - start_);
    out_[start_] = static_cast<std::byte>(length >> 8U);
    out_[start_ + 1] = static_cast<std::byte>(length & 0xffU);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void u8(std::uint8_t value) { out_.push_back(static_cast<std::byte>(value)); }
  void u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8U));
    u8(static_cast<std::uint8_t>(value & 0xffU));
  }
  void u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value >> 16U));
    u16(static_cast<std::uint16_t>(value & 0xffffU));
  }
  /// Only the octets that the length covers, as zebra reads them.
  void prefix(const core::IpPrefix& prefix) {
    u8(prefix.address().is_v4() ? kFamilyIpv4 : kFamilyIpv6);
    u8(static_cast<std::uint8_t>(prefix.length()));
    for (const std::uint8_t octet : prefix.address().octets().first((prefix.length() + 7) / 8)) u8(octet);
  }

 private:
  std::vector<std::byte>& out_;
  std::size_t start_;
};

/// type, instance, flags, message bits, SAFI, prefix: how ROUTE_ADD and ROUTE_DELETE begin.
void write_route_head(Writer& writer, const Release& release, const RouteSlot& slot, std::uint32_t message,
                      const core::IpPrefix& prefix) {
  writer.u8(release.route_type_table);
  writer.u16(slot.instance);
  writer.u32(0);  // ZEBRA_FLAG_*
  writer.u32(message | (slot.table != 0 ? kHasTable : 0));
  writer.u8(kSafiUnicast);
  writer.prefix(prefix);
}

std::uint16_t load16(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>((std::to_integer<unsigned>(bytes[at]) << 8U) |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}

std::uint32_t load32(std::span<const std::byte> bytes, std::size_t at) {
  return (static_cast<std::uint32_t>(load16(bytes, at)) << 16U) | load16(bytes, at + 2);
}

/// Notes and errors are sent as C integers of zebra's machine, which is ours.
std::uint32_t load_native32(std::span<const std::byte> bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::optional<core::RouteNote> note_of(std::uint32_t value) {
  switch (value) {  // enum zapi_route_notify_owner
    case 0: return core::RouteNote::kRejected;
    case 1: return core::RouteNote::kBetterWon;
    case 2: return core::RouteNote::kInstalled;
    case 3: return core::RouteNote::kRemoved;
    case 4: return core::RouteNote::kRejected;
    default: return std::nullopt;
  }
}

}  // namespace

Framing take_message(std::span<const std::byte>& stream, Message& message) {
  if (stream.size() < kHeaderSize) return Framing::kIncomplete;
  const std::size_t length = load16(stream, 0);
  const bool ours = std::to_integer<std::uint8_t>(stream[2]) == kMarker &&
                    std::to_integer<std::uint8_t>(stream[3]) == kVersion;
  if (!ours || length < kHeaderSize || length > kMaxMessage) return Framing::kBroken;
  if (stream.size() < length) return Framing::kIncomplete;
  message.vrf = {load32(stream, 4)};
  message.command = load16(stream, 8);
  message.body = stream.subspan(kHeaderSize, length - kHeaderSize);
  stream = stream.subspan(length);
  return Framing::kComplete;
}

void encode_unknown(std::vector<std::byte>& out) { const Writer writer(out, kUnknownCommand); }

void encode_hello(std::vector<std::byte>& out, std::uint16_t hello, std::uint8_t route_type,
                  std::uint16_t instance, bool with_notes_octet) {
  Writer writer(out, hello);
  writer.u8(route_type);
  writer.u16(instance);
  writer.u32(0);  // session: owner notes are only found for session 0
  if (with_notes_octet) writer.u8(1);
  writer.u8(0);  // asynchronous
}

void encode_notify_request(std::vector<std::byte>& out, const Release& release) {
  Writer writer(out, release.route_notify_request);
  writer.u8(1);
}

void encode_graceful_restart(std::vector<std::byte>& out, const Release& release, core::VrfId vrf,
                             std::uint32_t stale_seconds) {
  Writer writer(out, release.client_capabilities);
  writer.u32(kGracefulRestart);
  writer.u32(stale_seconds);
  writer.u32(vrf.value);
}

void encode_update_complete(std::vector<std::byte>& out, const Release& release, core::VrfId vrf) {
  // Both are announced as pending before either is complete, so that zebra waits for both.
  for (const std::uint32_t code : {kUpdatePending, kUpdateComplete}) {
    for (const std::uint32_t afi : {kAfiIpv4, kAfiIpv6}) {
      Writer writer(out, release.client_capabilities);
      writer.u32(code);
      writer.u32(afi);
      writer.u32(kSafiUnicast);
      writer.u32(vrf.value);
    }
  }
}

void encode_route_add(std::vector<std::byte>& out, const Release& release, const RouteSlot& slot,
                      const core::RouteKey& key, const core::Route& route) {
  Writer writer(out, release.route_add, key.vrf);
  write_route_head(writer, release, slot, kHasNexthop | kHasDistance | kHasMetric | kHasTag, key.prefix);
  writer.u16(1);  // next hops
  writer.u32(key.vrf.value);
  writer.u8(kNexthopIfindex);
  writer.u8(0);  // nexthop flags
  writer.u32(static_cast<std::uint32_t>(route.interface.value));
  writer.u8(route.distance);
  writer.u32(route.metric);
  writer.u32(route.tag);
  if (slot.table != 0) writer.u32(slot.table);
}

void encode_route_delete(std::vector<std::byte>& out, const Release& release, const RouteSlot& slot,
                         const core::RouteKey& key) {
  Writer writer(out, release.route_delete, key.vrf);
  write_route_head(writer, release, slot, 0, key.prefix);
  if (slot.table != 0) writer.u32(slot.table);
}

std::optional<OwnerNote> decode_owner_note(core::VrfId vrf, std::span<const std::byte> body) {
  // u32 note | u8 family | u8 length | address(4 or 16) | [u8 + address: source prefix, from 10.3] | u32 table |
  // [u8 afi, u8 safi: from 8.0]
  constexpr std::size_t kAddressAt = 6;
  if (body.size() < kAddressAt) return std::nullopt;
  const auto family = std::to_integer<int>(body[4]);
  const auto length = std::to_integer<unsigned>(body[5]);
  if (family != kFamilyIpv4 && family != kFamilyIpv6) return std::nullopt;
  const std::size_t address_size = family == kFamilyIpv4 ? 4 : 16;
  std::size_t table_at = kAddressAt + address_size;
  const std::size_t longest_without_source = table_at + sizeof(std::uint32_t) + 2;
  if (body.size() > longest_without_source) table_at += 1 + address_size;
  if (body.size() < table_at + sizeof(std::uint32_t) || length > address_size * 8) return std::nullopt;
  const auto note = note_of(load_native32(body));
  const auto address = core::IpAddress::from_bytes(body.subspan(kAddressAt, address_size));
  if (!note || !address) return std::nullopt;
  return OwnerNote{{{vrf, core::IpPrefix(*address, length)}, *note}, load32(body, table_at)};
}

}  // namespace untrombone::bgp::zapi
