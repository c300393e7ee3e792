// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/uplink_watch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agent/daemon/clock.hpp"
#include "agent/daemon/log_events.hpp"

namespace untrombone::daemon {

using core::Family;
using core::IpPrefix;
using core::SegmentId;
using core::TimePoint;

UplinkWatch::UplinkWatch(boost::asio::io_context& io, const Config& config, const Topology& topology,
                         const Log& log)
    : config_(config),
      topology_(topology),
      log_(log),
      watch_(io, [this](std::uint32_t table, const IpPrefix& prefix,
                        bool present) { take(table, prefix, present); }),
      timer_(io) {}

boost::system::error_code UplinkWatch::start() {
  update();
  return watch_.start();
}

void UplinkWatch::update() {
  if (config_.track != prefixes_ || config_.track_hold != hold_) tracked_.clear();
  prefixes_ = config_.track;
  hold_ = config_.track_hold;
  std::map<std::uint32_t, std::vector<IpPrefix>> wanted;
  for (std::uint16_t i = 0; i < config_.segments.size(); ++i) {
    if (topology_.segment({i}).interface) wanted[topology_.segment({i}).table] = prefixes_;
  }
  std::erase_if(tracked_, [&](const auto& entry) { return !wanted.contains(entry.first.first); });
  if (prefixes_.empty()) wanted.clear();
  watch_.follow(std::move(wanted));
  tell_segments();
}

bool UplinkWatch::is_isolated(SegmentId id, Family family) const { return isolated_.contains({id, family}); }

std::vector<std::string> UplinkWatch::absent() const {
  std::vector<std::string> list;
  for (const auto& [key, tracked] : tracked_) {
    for (const auto& [prefix, present] : tracked.present)
      if (!present) list.push_back(fmt::format("{} in table {}", prefix.to_string(), key.first));
  }
  return list;
}

/// A family is connected as long as any of its tracked routes is there.
void UplinkWatch::take(std::uint32_t table, const IpPrefix& prefix, bool present) {
  const Key key{table, prefix.address().family()};
  const auto found =
      tracked_.try_emplace(key, Tracked{core::Uplink(hold_, config_.track_expected), {}}).first;
  Tracked& tracked = found->second;
  tracked.present[prefix] = present;
  const bool any = std::any_of(tracked.present.begin(), tracked.present.end(),
                               [](const auto& entry) { return entry.second; });
  tracked.uplink.see(any, monotonic_now());
  run();
}

void UplinkWatch::run() {
  const TimePoint now = monotonic_now();
  bool changed = false;
  for (auto& [key, tracked] : tracked_) {
    if (!tracked.uplink.run(now)) continue;
    changed = true;
    const bool isolated = tracked.uplink.isolated();
    log_.event(
        isolated ? LogLevel::kError : LogLevel::kInfo,
        isolated ? log_events::kUplinkLost : log_events::kUplinkBack,
        isolated ? "no tracked route is left: nothing is announced, the guard is open"
                 : "the tracked route is back",
        {{"family", key.second == Family::kIpv4 ? "ipv4" : "ipv6"}, {"table", std::to_string(key.first)}});
  }
  if (changed) tell_segments();
  arm();
}

void UplinkWatch::tell_segments() {
  for (std::uint16_t i = 0; i < config_.segments.size(); ++i) {
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      const auto found = tracked_.find({topology_.segment({i}).table, family});
      const bool isolated = found != tracked_.end() && found->second.uplink.isolated();
      const auto key = std::pair(SegmentId{i}, family);
      if (isolated == isolated_.contains(key)) continue;
      isolated ? void(isolated_.insert(key)) : void(isolated_.erase(key));
      if (changed_) changed_({{i}, family, !isolated});
    }
  }
}

void UplinkWatch::arm() {
  TimePoint next = TimePoint::max();
  for (const auto& [key, tracked] : tracked_) next = std::min(next, tracked.uplink.next_deadline());
  if (next == TimePoint::max()) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(std::chrono::steady_clock::time_point(next.time_since_epoch()));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) run();
  });
}

}  // namespace untrombone::daemon
