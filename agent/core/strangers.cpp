// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/strangers.hpp"

#include <algorithm>

namespace untrombone::core {
namespace {

constexpr std::size_t kMost = 64;
/// A guest that sends nothing for so long will introduce itself by ARP when it does.
constexpr Duration kPatience = std::chrono::seconds(60);

}  // namespace

bool Strangers::add(SegmentId segment, const MacAddress& mac, Ifindex port, TimePoint now) {
  const auto known = std::find_if(list_.begin(), list_.end(), [&](const Stranger& stranger) {
    return stranger.segment == segment && stranger.mac == mac;
  });
  if (known != list_.end()) {
    const bool moved = known->port != port;
    known->port = port;
    known->until = now + kPatience;
    return moved;
  }
  if (list_.size() >= kMost) {
    ++turned_away_;
    return false;
  }
  list_.push_back({segment, mac, port, now + kPatience});
  return true;
}

bool Strangers::remove(SegmentId segment, const MacAddress& mac) {
  return std::erase_if(list_, [&](const Stranger& stranger) {
           return stranger.segment == segment && stranger.mac == mac;
         }) != 0;
}

bool Strangers::remove_port(Ifindex port) {
  return std::erase_if(list_, [&](const Stranger& stranger) { return stranger.port == port; }) != 0;
}

bool Strangers::expire(TimePoint now) {
  return std::erase_if(list_, [&](const Stranger& stranger) { return stranger.until <= now; }) != 0;
}

TimePoint Strangers::next_deadline() const {
  TimePoint next = TimePoint::max();
  for (const Stranger& stranger : list_) next = std::min(next, stranger.until);
  return next;
}

}  // namespace untrombone::core
