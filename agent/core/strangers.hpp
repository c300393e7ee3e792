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
  TimePoint ask_again;
  bool operator==(const Stranger&) const = default;
};

/// The strangers whose IP packets are listened to: the source address of one is worth a question. Bounded in number and
/// in time, so that a flood of MACs costs little; who was turned away gets its turn when there is room.
class Strangers {
 public:
  /// All of these return whether the list changed.
  bool add(SegmentId segment, const MacAddress& mac, Ifindex port, TimePoint now);
  bool remove(SegmentId segment, const MacAddress& mac);
  bool remove_port(SegmentId segment, Ifindex port);
  bool expire(TimePoint now);

  /// May its packet cause a question now? At most one per stranger and kQuestionInterval.
  bool may_ask(SegmentId segment, const MacAddress& mac, TimePoint now);
  /// Somebody was turned away since the last call of forget_missed(), and there is room now.
  [[nodiscard]] bool has_missed() const;
  void forget_missed() { missed_ = false; }

  [[nodiscard]] std::span<const Stranger> list() const { return list_; }
  /// When expire() has something to do; TimePoint::max() when never.
  [[nodiscard]] TimePoint next_deadline() const;
  /// How many were turned away because the list was full.
  [[nodiscard]] std::uint64_t turned_away() const { return turned_away_; }

 private:
  std::vector<Stranger> list_;
  bool missed_ = false;
  std::uint64_t turned_away_ = 0;
};

}  // namespace untrombone::core
