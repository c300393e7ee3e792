// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::core {

/// A MAC on a local port of which no address is known: a RARP or an FDB event told of it, and neither carries one.
struct Stranger {
  SegmentId segment;
  MacAddress mac;
  Ifindex port;
  TimePoint until;
  bool operator==(const Stranger&) const = default;
};

/// The strangers whose IP packets are listened to, because the source address of one is a binding. Bounded in number
/// and in time, so that a flood of MACs costs nothing: who is not on the list is found by its next ARP frame.
class Strangers {
 public:
  /// All of these return whether the list changed.
  bool add(SegmentId segment, const MacAddress& mac, Ifindex port, TimePoint now);
  bool remove(SegmentId segment, const MacAddress& mac);
  bool remove_port(Ifindex port);
  bool expire(TimePoint now);

  [[nodiscard]] std::span<const Stranger> list() const { return list_; }
  /// When expire() has something to do; TimePoint::max() when never.
  [[nodiscard]] TimePoint next_deadline() const;
  /// How many were turned away because the list was full.
  [[nodiscard]] std::uint64_t turned_away() const { return turned_away_; }

 private:
  std::vector<Stranger> list_;
  std::uint64_t turned_away_ = 0;
};

}  // namespace untrombone::core
