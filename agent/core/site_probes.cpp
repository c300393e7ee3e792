// SPDX-License-Identifier: GPL-2.0-or-later
// Who is asked for a sign of life, and when. Design 3.4 and 3.6.
#include <algorithm>
#include <utility>

#include "agent/core/site.hpp"

namespace untrombone::core {
namespace {

constexpr Duration kShortestProbeInterval = std::chrono::milliseconds(50);
/// A challenge after contradicting evidence has this part of `confirm`.
constexpr int kChallengeShare = 5;
/// Deadlines of refreshes fall on multiples of this, so that many hosts cost few wake-ups.
constexpr Duration kRefreshTick = std::chrono::milliseconds(50);
/// Questions and answers get lost: so many are asked before silence counts, if others want their turn meanwhile.
constexpr std::uint8_t kFewestTries = 3;
/// Between two looks at who waits to be asked.
constexpr Duration kShortestPause = std::chrono::milliseconds(1);
constexpr Duration kPriorPause = std::chrono::milliseconds(25);
/// Known addresses that a sweep passes by in one go.
constexpr int kSweepBudget = 4096;

TimePoint on_tick(TimePoint at) {
  const Duration over = at.time_since_epoch() % kRefreshTick;
  return over == Duration::zero() ? at : at + (kRefreshTick - over);
}

}  // namespace

/// The host must answer on a local port within `confirm` of being asked, or a part of it when `brief`.
void Site::challenge(HostIndex index, bool brief, TimePoint now, Actions& out) {
  Host& host = hosts_[index];
  if (host.answer_by != kNever) return;
  const Station* const station = hosts_.find_station(host.segment, host.mac);
  if (station != nullptr && is_held(host.segment, station->port)) return;  // when the port is back
  host.answer_by = kUnasked;
  host.brief_challenge = brief;
  host.probe_at = kNever;
  ask(index, Urgency::kChallenge, now, out);
}

/// The host has been silent: a question without a deadline.
void Site::refresh(HostIndex index, TimePoint now, Actions& out) {
  hosts_[index].probe_at = kNever;
  ask(index, Urgency::kRefresh, now, out);
}

/// The MAC of a host is heard that was asked for in vain: perhaps it is back, and silence is soon to count.
void Site::ask_again(HostIndex index, TimePoint now, Actions& out) {
  const Host& host = hosts_[index];
  if (host.asked == 0 || host.probe_at == kNever) return;
  const Duration pause = segments_[host.segment.value].refresh / 4;
  const bool just_asked = now + pause < host.probe_at + settings_of(host).confirm;
  if (!just_asked) refresh(index, now, out);
}

void Site::ask(HostIndex index, Urgency urgency, TimePoint now, Actions& out) {
  ProbeQueue& queue = segments_[hosts_[index].segment.value].probes;
  if (queue.pass(urgency, now)) return ask_now(index, urgency, now, out);
  queue.wait(index, urgency);
  wake_for_probes(queue.ready_at(), now);
}

void Site::ask_now(HostIndex index, Urgency urgency, TimePoint now, Actions& out) {
  Host& host = hosts_[index];
  const SegmentSettings& settings = settings_of(host);
  emit_probe(host, out);
  if (host.asked < 255) ++host.asked;
  if (urgency == Urgency::kChallenge) {
    const Duration window = host.brief_challenge ? settings.confirm / kChallengeShare : settings.confirm;
    host.answer_by = now + window;
    host.probe_at = now + std::max(window / 2, kShortestProbeInterval);
  } else {
    const TimePoint again = now + segments_[host.segment.value].refresh / 4;
    host.probe_at =
        on_tick(std::max(std::min(again, host.heard + settings.silent_after), now + settings.confirm));
  }
  schedule(index);
}

/// False when the host is no longer to be asked: it was heard while it waited, or left.
bool Site::ask_in_turn(SegmentId segment, const ProbeQueue::Turn& turn, TimePoint now, Actions& out) {
  Host& host = hosts_[turn.host];
  if (host.segment != segment) return false;
  if (turn.urgency == Urgency::kChallenge) {
    if (host.answer_by != kUnasked) return false;
  } else {
    if (!host.is_here() || host.answer_by != kNever || host.probe_at != kNever) return false;
    if (now - host.heard < segments_[segment.value].refresh / 2) {
      host.probe_at = next_refresh(host);
      schedule(turn.host);
      return false;
    }
  }
  ask_now(turn.host, turn.urgency, now, out);
  return true;
}

/// A sign of life.
void Site::heard(Host& host, TimePoint now) {
  host.heard = now;
  host.asked = 0;
}

/// A challenge is met, or called off. Who waited for a turn, or for a port that was down, has its refresh again.
void Site::answered(HostIndex index) {
  Host& host = hosts_[index];
  host.answer_by = kNever;
  if (host.probe_at != kNever) return;
  host.probe_at = next_refresh(host);
  schedule(index);
}

void Site::run_probe_timer(HostIndex index, TimePoint now, Actions& out) {
  Host& host = hosts_[index];
  host.probe_at = kNever;
  const Station* const station = hosts_.find_station(host.segment, host.mac);
  if (station != nullptr && is_held(host.segment, station->port)) return;  // when the port is back
  Segment& segment = segments_[host.segment.value];
  if (host.answer_by != kNever) {
    if (segment.probes.pass(Urgency::kChallenge, now)) {
      emit_probe(host, out);
      if (host.asked < 255) ++host.asked;
    } else if (host.asked < kFewestTries) {
      // Behind those who were not asked at all.
      host.answer_by = kUnasked;
      ask(index, Urgency::kChallenge, now, out);
      return;
    }
    host.probe_at = now + std::max((host.answer_by - now) / 2, kShortestProbeInterval);
    return;
  }
  const Duration quiet = now - host.heard;
  if (quiet < segment.refresh) {
    host.probe_at = next_refresh(host);
  } else if (quiet >= settings_of(host).silent_after && host.asked != 0) {
    depart(index, Reason::kSilent, {}, now, out);
  } else {
    refresh(index, now, out);
  }
}

/// Those who wait have their turn, then those of whom nothing is known, as far as the tokens reach.
void Site::run_probe_queues(TimePoint now, Actions& out) {
  probes_at_ = kNever;
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    ProbeQueue& queue = segments_[i].probes;
    while (const auto turn = queue.next(now)) {
      if (ask_in_turn({i}, *turn, now, out)) queue.spend(now);
    }
    run_sweep({i}, now, out);
    if (queue.waiting() != 0) wake_for_probes(queue.ready_at(), now);
    const Sweeper& sweeper = segments_[i].sweeper;
    if (sweeper.walks()) wake_for_probes(std::max(sweeper.ready_at(), queue.ready_at()), now);
  }
}

void Site::run_sweep(SegmentId id, TimePoint now, Actions& out) {
  Segment& segment = segments_[id.value];
  if (!segment.sweeper.walks()) return;
  for (int budget = kSweepBudget; budget > 0 && segment.probes.is_idle(now); --budget) {
    if (!segment.sweeper.has_token(now)) return;
    const auto ip = segment.sweeper.next();
    if (!ip) break;
    if (!is_worth_sweeping(id, *ip)) continue;
    segment.sweeper.spend(now);
    segment.probes.spend(now);
    out.probes.push_back({id, {}, *ip, std::nullopt});
  }
  if (!segment.sweeper.walks()) sweep_after_loss(id, now);
}

void Site::sweep_unknown(TimePoint now) {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (!settings_.segments[i].sweep) continue;
    segments_[i].sweeper.start();
    wake_for_probes(now, now);
  }
}

/// What was lost may have been somebody's only word, or the answer to a walk that is over: another one asks again.
void Site::sweep_after_loss(SegmentId id, TimePoint now) {
  Segment& segment = segments_[id.value];
  if (segment.sweeper.walks() || !std::exchange(segment.frames_lost, false)) return;
  if (!has_lonely_station(id)) return;
  segment.sweeper.start();
  wake_for_probes(now, now);
}

bool Site::is_worth_sweeping(SegmentId segment, const IpAddress& ip) const {
  if (!settings_.segments[segment.value].may_be_host(ip) || is_own(segment, ip)) return false;
  const HostIndex known = hosts_.find(segment, ip);
  return known == kNoHost || hosts_[known].state == HostState::kUnknown;
}

void Site::wake_for_probes(TimePoint at, TimePoint now) {
  probes_at_ = std::min(probes_at_, std::max(at, now + kShortestPause));
}

/// Spread over half of the period, so that hosts learned together are not probed together for ever.
TimePoint Site::next_refresh(const Host& host) const {
  const Duration refresh = segments_[host.segment.value].refresh;
  const auto share = static_cast<std::int64_t>(hash_value(host.ip) % 1024U);
  return on_tick(host.heard + refresh + Duration(share * (refresh.count() / 2048)));
}

/// On the port where it is believed to be; if it did not answer there, on all local ones: it may have been moved to
/// another one without a word.
void Site::emit_probe(const Host& host, Actions& out) {
  const Station* const station = hosts_.find_station(host.segment, host.mac);
  const bool placed = station != nullptr && station->is_local() && host.asked == 0;
  out.probes.push_back({host.segment, placed ? station->port : Ifindex{}, host.ip, host.mac});
}

/// Hosts that an earlier run announced are asked whether they are still here, on local ports only, in rounds. The start
/// is not complete before the first round is over and everybody had a confirm window to answer.
void Site::probe_prior_routes(TimePoint now, Actions& out) {
  const auto is_found = [&](const PriorRoute& route) {
    const HostIndex index = hosts_.find(route.segment, route.ip);
    return index != kNoHost && hosts_[index].is_here();
  };
  if (prior_next_ == 0) std::erase_if(prior_routes_, is_found);
  for (; prior_next_ < prior_routes_.size(); ++prior_next_) {
    const PriorRoute& route = prior_routes_[prior_next_];
    if (is_found(route)) continue;
    if (!segments_[route.segment.value].probes.pass(Urgency::kRefresh, now)) {
      prior_probe_at_ = now + kPriorPause;
      return;
    }
    out.probes.push_back({route.segment, {}, route.ip, std::nullopt});
  }
  prior_next_ = 0;
  if (!std::exchange(prior_round_over_, true)) {
    Duration window{};
    for (const SegmentSettings& segment : settings_.segments) window = std::max(window, segment.confirm);
    start_at_ = now + window;
  }
  const Duration left = start_at_ - now;
  const bool again = !prior_routes_.empty() && left > kShortestProbeInterval;
  prior_probe_at_ = again ? now + left / 2 : kNever;
}

/// Who did not answer is not here: an earlier run's route for it goes.
void Site::withdraw_prior_routes(TimePoint now, Actions& out) {
  for (const PriorRoute& route : prior_routes_) {
    const HostIndex index = hosts_.find(route.segment, route.ip);
    const bool announced = index != kNoHost && hosts_[index].route_class != RouteClass::kNone;
    if (!announced)
      out.routes.push_back({key_of(route.segment, IpPrefix::host(route.ip)), std::nullopt, now});
  }
  prior_routes_.clear();
}

}  // namespace untrombone::core
