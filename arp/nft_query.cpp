// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/nft_query.hpp"

#include <arpa/inet.h>
#include <endian.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace untrombone::arp {
namespace {

constexpr std::size_t kAlignment = 4;
constexpr std::size_t kLongestAnswer = std::size_t{32} * 1024;
constexpr std::size_t kBodyAt = sizeof(nlmsghdr) + sizeof(nfgenmsg);

constexpr std::size_t aligned(std::size_t size) { return (size + kAlignment - 1) & ~(kAlignment - 1); }

template <typename T>
T load(std::span<const std::byte> bytes, std::size_t offset = 0) {
  T value{};
  if (bytes.size() >= offset + sizeof value) std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// A request under construction; attributes are appended in order.
class Request {
 public:
  Request(std::uint16_t message, std::uint16_t flags, std::uint8_t family, std::uint32_t sequence) {
    bytes_.resize(kBodyAt);
    const nlmsghdr header{0, static_cast<std::uint16_t>((NFNL_SUBSYS_NFTABLES << 8U) | message),
                          static_cast<std::uint16_t>(NLM_F_REQUEST | flags), sequence, 0};
    const nfgenmsg body{family, NFNETLINK_V0, 0};
    std::memcpy(bytes_.data(), &header, sizeof header);
    std::memcpy(bytes_.data() + sizeof header, &body, sizeof body);
  }
  void add(std::uint16_t type, std::span<const std::byte> value) {
    const nlattr attribute{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
    const std::size_t at = bytes_.size();
    bytes_.resize(at + aligned(sizeof attribute + value.size()));
    std::memcpy(bytes_.data() + at, &attribute, sizeof attribute);
    std::memcpy(bytes_.data() + at + sizeof attribute, value.data(), value.size());
  }
  [[nodiscard]] std::span<const std::byte> finish() {
    const auto size = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &size, sizeof size);
    return bytes_;
  }

 private:
  std::vector<std::byte> bytes_;
};

/// Calls visit(type, payload) for each attribute that is whole.
template <typename Visit>
void for_each_attribute(std::span<const std::byte> bytes, Visit visit) {
  while (bytes.size() >= sizeof(nlattr)) {
    const auto attribute = load<nlattr>(bytes);
    if (attribute.nla_len < sizeof(nlattr) || attribute.nla_len > bytes.size()) return;
    visit(static_cast<std::uint16_t>(attribute.nla_type & NLA_TYPE_MASK),
          bytes.subspan(sizeof(nlattr), attribute.nla_len - sizeof(nlattr)));
    bytes = bytes.subspan(std::min(aligned(attribute.nla_len), bytes.size()));
  }
}

std::uint64_t big_endian(std::span<const std::byte> bytes) { return be64toh(load<std::uint64_t>(bytes)); }

void read_counter(std::span<const std::byte> attributes, GuardCounts& counters) {
  std::string name;
  GuardCount count;
  for_each_attribute(attributes, [&](std::uint16_t type, std::span<const std::byte> value) {
    if (type == NFTA_OBJ_NAME) {
      name.assign(reinterpret_cast<const char*>(value.data()), value.size());
      name.resize(std::min(name.find('\0'), name.size()));
    } else if (type == NFTA_OBJ_DATA) {
      for_each_attribute(value, [&](std::uint16_t inner, std::span<const std::byte> number) {
        if (inner == NFTA_COUNTER_BYTES) count.bytes = big_endian(number);
        if (inner == NFTA_COUNTER_PACKETS) count.packets = big_endian(number);
      });
    }
  });
  counters[name] = count;
}

/// Sends, and calls visit(message, attributes) for each answer to it until the last. False: no answer, or an error.
template <typename Visit>
bool ask(int fd, std::span<const std::byte> request, bool dump, Visit visit) {
  const auto sequence = load<nlmsghdr>(request).nlmsg_seq;
  if (::send(fd, request.data(), request.size(), 0) != static_cast<ssize_t>(request.size())) return false;
  std::vector<std::byte> buffer(kLongestAnswer);
  for (;;) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size <= 0) return false;
    auto rest = std::span<const std::byte>(buffer).first(static_cast<std::size_t>(size));
    while (rest.size() >= sizeof(nlmsghdr)) {
      const auto header = load<nlmsghdr>(rest);
      if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > rest.size()) return false;
      const auto message = rest.first(header.nlmsg_len);
      rest = rest.subspan(std::min(aligned(header.nlmsg_len), rest.size()));
      if (header.nlmsg_seq != sequence) continue;
      if (header.nlmsg_type == NLMSG_DONE) return true;
      if (header.nlmsg_type == NLMSG_ERROR) return load<std::int32_t>(message, sizeof(nlmsghdr)) == 0;
      if (message.size() >= kBodyAt) visit(header.nlmsg_type & 0xffU, message.subspan(kBodyAt));
      if (!dump) return true;
    }
  }
}

}  // namespace

NftQuery::NftQuery() : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)) {
  const timeval patience{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

NftQuery::~NftQuery() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<std::uint32_t> NftQuery::generation() {
  Request request(NFT_MSG_GETGEN, 0, NFPROTO_UNSPEC, ++sequence_);
  std::optional<std::uint32_t> id;
  ask(fd_, request.finish(), false, [&](unsigned message, std::span<const std::byte> attributes) {
    if (message != NFT_MSG_NEWGEN) return;
    for_each_attribute(attributes, [&](std::uint16_t type, std::span<const std::byte> value) {
      if (type == NFTA_GEN_ID) id = ntohl(load<std::uint32_t>(value));
    });
  });
  return id;
}

GuardCounts NftQuery::counters() {
  Request request(NFT_MSG_GETOBJ, NLM_F_DUMP, NFPROTO_BRIDGE, ++sequence_);
  const std::string_view table(kGuardTable);
  request.add(NFTA_OBJ_TABLE, std::as_bytes(std::span(table.data(), table.size() + 1)));
  const std::uint32_t type = htonl(NFT_OBJECT_COUNTER);
  request.add(NFTA_OBJ_TYPE, std::as_bytes(std::span(&type, 1)));
  GuardCounts counters;
  ask(fd_, request.finish(), true, [&](unsigned message, std::span<const std::byte> attributes) {
    if (message == NFT_MSG_NEWOBJ) read_counter(attributes, counters);
  });
  return counters;
}

}  // namespace untrombone::arp
