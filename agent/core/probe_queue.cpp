// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/probe_queue.hpp"

#include <algorithm>

namespace untrombone::core {
namespace {

/// A twentieth of a second's probes may go at once. The refill is less by as much, so that no second has more than
/// `per_second`.
constexpr std::uint32_t kBurstShare = 20;

std::uint32_t burst_of(std::uint32_t per_second) { return std::max(1U, per_second / kBurstShare); }

std::uint32_t batch_of(std::uint32_t per_second) { return std::max(1U, burst_of(per_second) / 2); }

TokenBucket bucket_of(std::uint32_t per_second) {
  const std::uint32_t burst = burst_of(per_second);
  return {std::max(1U, per_second - burst), burst};
}

std::uint8_t bit_of(Urgency urgency) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(urgency));
}

}  // namespace

ProbeQueue::ProbeQueue(std::uint32_t per_second)
    : batch_(batch_of(per_second)), tokens_(bucket_of(per_second)) {}

void ProbeQueue::set_rate(std::uint32_t per_second) {
  batch_ = batch_of(per_second);
  tokens_ = bucket_of(per_second);
}

bool ProbeQueue::pass(Urgency urgency, TimePoint now) {
  const auto rank = static_cast<std::size_t>(urgency);
  for (std::size_t queue = 0; queue <= rank; ++queue) {
    if (!queues_[queue].empty()) return false;
  }
  return tokens_.take(now);
}

void ProbeQueue::wait(HostIndex host, Urgency urgency) {
  if (waits_.size() <= host) waits_.resize(std::max<std::size_t>(host + 1, waits_.size() * 2));
  const std::uint8_t bit = bit_of(urgency);
  if ((waits_[host] & bit) != 0) return;
  waits_[host] = static_cast<std::uint8_t>(waits_[host] | bit);
  queues_[static_cast<std::size_t>(urgency)].push_back(host);
}

std::optional<ProbeQueue::Turn> ProbeQueue::next(TimePoint now) {
  if (!tokens_.has_token(now)) return std::nullopt;
  for (const Urgency urgency : {Urgency::kChallenge, Urgency::kRefresh}) {
    std::deque<HostIndex>& queue = queues_[static_cast<std::size_t>(urgency)];
    if (queue.empty()) continue;
    const HostIndex host = queue.front();
    queue.pop_front();
    waits_[host] = static_cast<std::uint8_t>(waits_[host] & ~bit_of(urgency));
    return Turn{host, urgency};
  }
  return std::nullopt;
}

}  // namespace untrombone::core
