// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/strangers.hpp"

#include <algorithm>

namespace untrombone::core {
namespace {

constexpr std::size_t kMost = 64;
/// A guest that sends nothing for so long will introduce itself by ARP when it does.
constexpr Duration kPatience = std::chrono::seconds(60);
/// While others wait for their turn.
constexpr Duration kShortPatience = std::chrono::seconds(5);
constexpr Duration kQuestionInterval = std::chrono::milliseconds(50);

}  // namespace

bool Strangers::add(SegmentId segment, const MacAddress& mac, Ifindex port, TimePoint now) {
  const auto known = std::find_if(list_.begin(), list_.end(), [&](const Stranger& stranger) {
    return stranger.segment == segment && stranger.mac == mac;
  });
  if (known != list_.end()) {
    const bool moved = known->port != port;
    known->port = port;
    known->until = now + kPatience;
    known->ask_again = now;
    return moved;
  }
  if (list_.size() >= kMost) {
    ++turned_away_;
    missed_ = true;
    return false;
  }
  list_.push_back({segment, mac, port, now + (missed_ ? kShortPatience : kPatience), now});
  return true;
}

bool Strangers::remove(SegmentId segment, const MacAddress& mac) {
  return std::erase_if(list_, [&](const Stranger& stranger) {
           return stranger.segment == segment && stranger.mac == mac;
         }) != 0;
}

bool Strangers::remove_port(SegmentId segment, Ifindex port) {
  return std::erase_if(list_, [&](const Stranger& stranger) {
           return stranger.segment == segment && stranger.port == port;
         }) != 0;
}

bool Strangers::expire(TimePoint now) {
  return std::erase_if(list_, [&](const Stranger& stranger) { return stranger.until <= now; }) != 0;
}

bool Strangers::may_ask(SegmentId segment, const MacAddress& mac, TimePoint now) {
  for (Stranger& stranger : list_) {
    if (stranger.segment != segment || stranger.mac != mac) continue;
    if (stranger.ask_again > now) return false;
    stranger.ask_again = now + kQuestionInterval;
    return true;
  }
  return false;
}

bool Strangers::has_missed() const { return missed_ && list_.size() < kMost; }

TimePoint Strangers::next_deadline() const {
  TimePoint next = TimePoint::max();
  for (const Stranger& stranger : list_) next = std::min(next, stranger.until);
  return next;
}

}  // namespace untrombone::core
