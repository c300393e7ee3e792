// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/netlink.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace untrombone::netlink {

/// Reads a trivially copyable kernel structure at the front of `bytes`; nullopt when they are too few.
template <typename T>
[[nodiscard]] std::optional<T> read_struct(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

/// Rounds up to netlink's alignment of four (NLA_ALIGN without its signed arithmetic).
[[nodiscard]] constexpr std::size_t aligned(std::size_t length) { return (length + 3U) & ~std::size_t{3}; }

/// Calls `visit(message)` for each message of a datagram; a malformed header ends it.
template <typename Visit>
void for_each_message(std::span<const std::byte> datagram, Visit visit) {
  while (const auto header = read_struct<nlmsghdr>(datagram)) {
    if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) return;
    visit(datagram.first(header->nlmsg_len));
    datagram = datagram.subspan(std::min(aligned(header->nlmsg_len), datagram.size()));
  }
}

struct Attribute {
  std::uint16_t type = 0;  ///< without NLA_F_NESTED and NLA_F_NET_BYTEORDER
  std::span<const std::byte> value;

  /// The value as T; nullopt unless its length is exactly T's.
  template <typename T>
  [[nodiscard]] std::optional<T> as() const {
    return value.size() == sizeof(T) ? read_struct<T>(value) : std::nullopt;
  }
};

/// Walks a run of struct nlattr with bounds checks.
class AttributeCursor {
 public:
  explicit AttributeCursor(std::span<const std::byte> bytes) : rest_(bytes) {}

  /// The next attribute; nullopt at the end or at a malformed one (see malformed()).
  [[nodiscard]] std::optional<Attribute> next() {
    if (rest_.empty()) return std::nullopt;
    const auto header = read_struct<nlattr>(rest_);
    if (!header || header->nla_len < sizeof(nlattr) || header->nla_len > rest_.size()) {
      malformed_ = true;
      return std::nullopt;
    }
    const Attribute attribute{static_cast<std::uint16_t>(header->nla_type & NLA_TYPE_MASK),
                              rest_.subspan(sizeof(nlattr), header->nla_len - sizeof(nlattr))};
    rest_ = rest_.subspan(std::min(aligned(header->nla_len), rest_.size()));
    return attribute;
  }
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  std::span<const std::byte> rest_;
  bool malformed_ = false;
};

}  // namespace untrombone::netlink
