// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/kernel/route_codec.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace untrombone::bgp::kernel {
namespace {

// Of sys/socket.h, which is no codec's business.
constexpr std::uint8_t kFamilyIpv4 = 2;
constexpr std::uint8_t kFamilyIpv6 = 10;

constexpr std::size_t aligned(std::size_t length) { return (length + 3U) & ~std::size_t{3}; }

/// Appends one message; patches its length when it goes out of scope.
class Message {
 public:
  Message(std::vector<std::byte>& out, std::uint16_t type, std::uint16_t flags, std::uint32_t sequence)
      : out_(out), start_(out.size()) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header.nlmsg_seq = sequence;
    append(&header, sizeof header);
  }
  ~Message() {
    const auto length = static_cast<std::uint32_t>(out_.size() - start_);
    std::memcpy(out_.data() + start_, &length, sizeof length);
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  /// `data` is followed by zeros up to netlink's alignment.
  void append(const void* data, std::size_t size) {
    const auto* const bytes = static_cast<const std::byte*>(data);
    out_.insert(out_.end(), bytes, bytes + size);
    out_.resize(out_.size() + aligned(size) - size);
  }
  void attribute(std::uint16_t type, const void* data, std::size_t size) {
    rtattr header{};
    header.rta_len = static_cast<std::uint16_t>(sizeof header + size);
    header.rta_type = type;
    append(&header, sizeof header);
    append(data, size);
  }

 private:
  std::vector<std::byte>& out_;
  std::size_t start_;
};

/// Numbers that the header has no room for, those of most VRFs, are in an attribute.
bool needs_attribute(std::uint32_t table) { return table > std::numeric_limits<unsigned char>::max(); }

rtmsg header_of(std::uint32_t table, core::Family family) {
  rtmsg header{};
  header.rtm_family = family == core::Family::kIpv4 ? kFamilyIpv4 : kFamilyIpv6;
  header.rtm_table = static_cast<unsigned char>(needs_attribute(table) ? RT_TABLE_COMPAT : table);
  header.rtm_protocol = kRouteProtocol;
  return header;
}

void encode_change(std::vector<std::byte>& out, std::uint16_t type, std::uint16_t flags,
                   std::uint32_t sequence, std::uint32_t table, const KernelRoute& route) {
  Message message(out, type, static_cast<std::uint16_t>(NLM_F_ACK | flags), sequence);
  rtmsg header = header_of(table, route.prefix.address().family());
  header.rtm_dst_len = static_cast<unsigned char>(route.prefix.length());
  header.rtm_type = RTN_UNICAST;
  header.rtm_scope = route.prefix.address().is_v4() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  message.append(&header, sizeof header);
  const auto octets = route.prefix.address().octets();
  message.attribute(RTA_DST, octets.data(), octets.size());
  message.attribute(RTA_OIF, &route.interface.value, sizeof route.interface.value);
  message.attribute(RTA_PRIORITY, &route.priority, sizeof route.priority);
  if (needs_attribute(table)) message.attribute(RTA_TABLE, &table, sizeof table);
}

template <typename T>
std::optional<T> read(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

/// What the attributes of a route say, as far as ours have it.
struct Attributes {
  std::optional<core::IpAddress> destination;
  core::Ifindex interface;
  std::uint32_t priority = 0;
  std::optional<std::uint32_t> table;
  bool malformed = false;
};

Attributes read_attributes(std::span<const std::byte> bytes) {
  Attributes found;
  while (!bytes.empty()) {
    const auto header = read<rtattr>(bytes);
    if (!header || header->rta_len < sizeof(rtattr) || header->rta_len > bytes.size()) {
      found.malformed = true;
      return found;
    }
    const auto value = bytes.subspan(sizeof(rtattr), header->rta_len - sizeof(rtattr));
    switch (header->rta_type) {
      case RTA_DST: found.destination = core::IpAddress::from_bytes(value); break;
      case RTA_OIF: found.interface = {read<int>(value).value_or(0)}; break;
      case RTA_PRIORITY: found.priority = read<std::uint32_t>(value).value_or(0); break;
      case RTA_TABLE: found.table = read<std::uint32_t>(value); break;
      default: break;
    }
    bytes = bytes.subspan(std::min(aligned(header->rta_len), bytes.size()));
  }
  return found;
}

std::optional<Answer> read_route(std::span<const std::byte> body, std::uint32_t table) {
  const auto header = read<rtmsg>(body);
  if (!header || header->rtm_protocol != kRouteProtocol) return std::nullopt;
  const Attributes found = read_attributes(body.subspan(std::min(aligned(sizeof(rtmsg)), body.size())));
  const bool family_known = header->rtm_family == kFamilyIpv4 || header->rtm_family == kFamilyIpv6;
  if (found.malformed || !family_known || !found.destination || !found.interface) return std::nullopt;
  if (found.table.value_or(header->rtm_table) != table) return std::nullopt;
  if (found.destination->is_v4() != (header->rtm_family == kFamilyIpv4)) return std::nullopt;
  if (header->rtm_dst_len > found.destination->bits()) return std::nullopt;
  return KernelRoute{{*found.destination, header->rtm_dst_len}, found.interface, found.priority};
}

std::optional<Answer> read_error(const nlmsghdr& header, std::span<const std::byte> body) {
  const auto error = read<int>(body);  // struct nlmsgerr begins with it: a negative errno, or 0
  if (!error) return std::nullopt;
  return Acknowledgement{header.nlmsg_seq, -*error};
}

}  // namespace

void encode_add(std::vector<std::byte>& out, std::uint32_t sequence, std::uint32_t table,
                const KernelRoute& route) {
  encode_change(out, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sequence, table, route);
}

void encode_remove(std::vector<std::byte>& out, std::uint32_t sequence, std::uint32_t table,
                   const KernelRoute& route) {
  encode_change(out, RTM_DELROUTE, 0, sequence, table, route);
}

void encode_dump(std::vector<std::byte>& out, std::uint32_t sequence, std::uint32_t table,
                 core::Family family) {
  Message message(out, RTM_GETROUTE, NLM_F_DUMP, sequence);
  const rtmsg header = header_of(table, family);
  message.append(&header, sizeof header);
  if (needs_attribute(table)) message.attribute(RTA_TABLE, &table, sizeof table);
}

std::optional<Answer> take_answer(std::span<const std::byte>& datagram, std::uint32_t table) {
  const auto header = read<nlmsghdr>(datagram);
  if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) {
    datagram = {};
    return std::nullopt;
  }
  const auto body = datagram.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
  datagram = datagram.subspan(std::min(aligned(header->nlmsg_len), datagram.size()));
  switch (header->nlmsg_type) {
    case NLMSG_ERROR: return read_error(*header, body);
    case NLMSG_DONE: return DumpEnd{(header->nlmsg_flags & NLM_F_DUMP_INTR) != 0};
    case RTM_NEWROUTE: return read_route(body, table);
    default: return std::nullopt;
  }
}

}  // namespace untrombone::bgp::kernel
