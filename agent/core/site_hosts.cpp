// SPDX-License-Identifier: GPL-2.0-or-later
// The life of one host: arrival, confirmation, departure, and the deadlines of each.
#include <algorithm>

#include "agent/core/site.hpp"

namespace untrombone::core {
namespace {

constexpr Duration kFirstGreetingInterval = std::chrono::milliseconds(50);

}  // namespace

void Site::arrive(HostIndex index, const Sighting& sighting, bool confirmed, Actions& out) {
  Host& host = hosts_[index];
  const SegmentSettings& settings = settings_of(host);
  // A MAC with several addresses does not vouch for each of them.
  if (confirmed || !host.is_here()) heard(host, sighting.now);
  if (host.is_here()) {
    if (confirmed || host.state == HostState::kLocal) {
      answered(index);
      if (!confirmed) ask_again(index, sighting.now, out);
    } else {
      challenge(index, false, sighting.now, out);  // if that did not happen yet, for its port was down
    }
    if (confirmed) take_contested_answer(host, sighting.port, sighting.now, out);
    if (confirmed && host.state == HostState::kProvisional) {
      set_state(host, HostState::kLocal, sighting.reason, sighting.port, sighting.now, out);
    }
    return;
  }
  if (host.is_frozen()) return stand_by_frozen(host, sighting.now, out);
  const bool from_elsewhere = host.state == HostState::kRemote || host.state == HostState::kDeparting;
  host.linger_until = host.forget_at = kNever;
  host.cause = sighting.when;
  const bool news = is_news(host, sighting.now);
  host.settle_at = news ? sighting.now + settings_.routes.settle : kNever;
  set_state(host, confirmed ? HostState::kLocal : HostState::kProvisional, sighting.reason, sighting.port,
            sighting.now, out);
  set_route(host, news ? RouteClass::kFresh : RouteClass::kSettled, sighting.when, sighting.now, out);
  if (confirmed) {
    host.probe_at = next_refresh(host);
  } else {
    challenge(index, false, sighting.now, out);
  }
  if (news && settings.greet) {
    host.greetings_left = static_cast<std::uint8_t>(std::min(settings.greet_tries, 255U));
    host.greetings_sent = 0;
    host.greeting_answered = false;
    const TimePoint turn = greeting_pace_.take_turn(sighting.now);
    if (turn > sighting.now) {
      host.greet_at = turn;
    } else {
      greet(host, sighting.now, out);
    }
  }
  if (from_elsewhere) count_move(host, sighting.port, sighting.now, out);
  schedule(index);
}

void Site::depart(HostIndex index, Reason reason, Ifindex port, TimePoint now, Actions& out) {
  Host& host = hosts_[index];
  if (!host.is_here()) return;
  const bool place_is_lost = reason == Reason::kPortDown;
  const bool unanswered = reason == Reason::kNoAnswerOnLocalPort || reason == Reason::kClaimUnanswered;
  const bool is_gone = place_is_lost || reason == Reason::kSilent || unanswered;
  if (host.is_frozen() && !is_gone) return;
  if (!place_is_lost && host.answer_by > now && host.answer_by != kNever)
    return;  // it has been asked already
  const Duration confirm = settings_of(host).confirm;
  const bool just_arrived = now - host.since < confirm && !unanswered;
  if (!place_is_lost && just_arrived) {
    // A frame sent before the move may come out of the DCI after it: ask before believing it.
    challenge(index, true, now, out);
    return;
  }
  if (!is_gone) count_move(host, port, now, out);
  host.settle_at = host.answer_by = host.probe_at = host.greet_at = kNever;
  host.contest = RouteClass::kNone;
  host.disputed = false;
  set_state(host, HostState::kDeparting, reason, port, now, out);
  const Duration linger = settings_of(host).linger;
  if (linger <= Duration::zero() || host.route_class == RouteClass::kNone) {
    withdraw(index, state_elsewhere(host), reason, now, out);
    return;
  }
  set_route(host, RouteClass::kLingering, now, now, out);
  host.linger_until = now + linger;
  schedule(index);
}

/// One more move. The one that makes it too many is still made; from then on the host stays where it is: announced if
/// it is here, and if it is not, then at most as a last resort, whatever is seen of it, until the freeze is over or
/// cleared.
void Site::count_move(Host& host, Ifindex port, TimePoint now, Actions& out) {
  const ConflictSettings& conflict = settings_.conflict;
  if (now - host.moves_since > conflict.move_window) {
    host.moves_since = now;
    host.moves = 0;
  }
  if (host.is_frozen() || conflict.max_moves == 0 || ++host.moves < conflict.max_moves) return;
  host.frozen_until = now + conflict.freeze_time;
  out.alarms.push_back({AlarmKind::kHostFrozen, host.segment, host.ip, host.mac, port});
  set_state(host, host.state, Reason::kMovedTooOften, port, now, out);
}

/// Believes the evidence again, beginning with what was seen last.
void Site::thaw(HostIndex index, TimePoint now, Actions& out) {
  Host& host = hosts_[index];
  host.frozen_until = kNever;
  host.moves = 0;
  host.moves_since = now;
  set_state(host, host.state, Reason::kThawed, {}, now, out);
  const Station* station = hosts_.find_station(host.segment, host.mac);
  if (station != nullptr && station->is_local() && !host.is_here()) {
    const Sighting sighting{.segment = host.segment,
                            .mac = host.mac,
                            .port = station->port,
                            .port_class = station->port_class,
                            .evidence = station->evidence,
                            .remote_vtep = false,
                            .ip = std::nullopt,
                            .reason = Reason::kMacIsLocal,
                            .when = now,
                            .now = now};
    arrive(index, sighting, false, out);
  } else if (host.is_here()) {
    challenge(index, false, now, out);
  }
  stop_last_resort(host, now, out);
  schedule(index);
}

void Site::withdraw(HostIndex index, HostState state, Reason reason, TimePoint now, Actions& out) {
  Host& host = hosts_[index];
  host.settle_at = host.answer_by = host.probe_at = host.greet_at = host.linger_until = kNever;
  host.heard = now;
  host.forget_at = host.is_standby() ? kNever : now + kBindingMemory;
  host.contest = RouteClass::kNone;
  host.disputed = false;
  set_state(host, state, reason, {}, now, out);
  set_route(host, class_while_absent(host), now, now, out);
  schedule(index);
}

void Site::run_host_timers(HostIndex index, TimePoint now, Actions& out) {
  Host& host = hosts_[index];
  if (host.frozen_until <= now) thaw(index, now, out);
  if (host.linger_until <= now) withdraw(index, state_elsewhere(host), Reason::kLingerOver, now, out);
  if (host.expected_until <= now) end_expectation(index, Reason::kNeverCame, now, out);
  if (host.answer_by <= now) {
    host.answer_by = kNever;
    if (host.state == HostState::kProvisional) {
      withdraw(index, state_elsewhere(host), Reason::kNoAnswerOnLocalPort, now, out);
    } else {
      const bool contested = host.contest != RouteClass::kNone;
      depart(index, contested ? Reason::kClaimUnanswered : Reason::kNoAnswerOnLocalPort, {}, now, out);
    }
  }
  if (host.settle_at <= now) {
    host.settle_at = kNever;
    set_route(host, RouteClass::kSettled, now, now, out);
  }
  if (host.probe_at <= now) run_probe_timer(index, now, out);
  if (host.greet_at <= now) greet(host, now, out);
  if (host.forget_at <= now && host.heard + kBindingMemory > now)
    host.forget_at = host.heard + kBindingMemory;
  if (host.forget_at <= now) {
    --segments_[host.segment.value].hosts;
    host.state = HostState::kUnknown;
    tell_announcer(host, now, now, out);
    hosts_.remove(index);
    return;
  }
  schedule(index);
}

void Site::set_state(Host& host, HostState state, Reason reason, Ifindex port, TimePoint now, Actions& out) {
  const Transition transition{now, host.segment, host.ip, host.mac, host.state, state, reason, port};
  std::size_t& announced = segments_[host.segment.value].announced;
  if (host.is_announced()) --announced;
  host.state = state;
  if (host.is_announced()) ++announced;
  if (state == HostState::kLocal) stop_expecting(host);
  host.reason = reason;
  host.since = now;
  history_.add(transition);
  out.transitions.push_back(transition);
  // What has a route, or gets one, is told by set_route().
  const bool keeps_route = host.is_standby() && (host.route_class == RouteClass::kLingering ||
                                                 host.route_class == RouteClass::kBackup);
  const bool place_only = (host.route_class == RouteClass::kNone || keeps_route) &&
                          (state == HostState::kRemote || state == HostState::kUnknown);
  if (place_only) tell_announcer(host, now, now, out);
}

void Site::set_route(Host& host, RouteClass route_class, TimePoint cause, TimePoint now, Actions& out) {
  if (host.route_class == route_class) return;
  if (host.route_class == RouteClass::kNone) {
    if (routes_ >= settings_.routes.max_routes) {
      out.alarms.push_back({AlarmKind::kTooManyRoutes, host.segment, host.ip, host.mac, {}});
      return;
    }
    ++routes_;
  }
  if (route_class == RouteClass::kNone) --routes_;
  if (route_class == RouteClass::kFresh) host.bid = outbid(host);
  host.route_class = route_class;
  if (!announcer_.summarises(host.segment)) emit_route(host, cause, out);
  tell_announcer(host, cause, now, out);
}

/// Repeats with growing distance until the guest answered or the tries are used up.
void Site::greet(Host& host, TimePoint now, Actions& out) {
  host.greet_at = kNever;
  const Station& station = hosts_.station(host.segment, host.mac);
  if (!host.is_here() || host.greetings_left == 0 || !station.is_local()) return;
  const SegmentSettings& settings = settings_of(host);
  const IpPrefix* subnet = settings.subnet_of(host.ip);
  const bool blind6 = host.ip.is_v4() && !has_ipv6_host(station);
  for (const IpAddress& gateway : settings.gateways) {
    const bool serves = subnet->contains(gateway) || (gateway.is_link_local() && !host.ip.is_v4());
    if (!serves && !(blind6 && !gateway.is_v4())) continue;
    out.greetings.push_back({host.segment, station.port, host.ip, host.mac, gateway, host.cause});
  }
  --host.greetings_left;
  if (host.greetings_left != 0)
    host.greet_at = now + kFirstGreetingInterval * (1 << std::min<int>(host.greetings_sent, 8));
  ++host.greetings_sent;
}

/// A guest rarely says its IPv6 addresses to all, so another site may know none of them when it arrives there.
bool Site::has_ipv6_host(const Station& station) const {
  bool found = false;
  hosts_.for_each_of(station, [&](HostIndex index) { found = found || !hosts_[index].ip.is_v4(); });
  return found;
}

void Site::schedule(HostIndex index) {
  Host& host = hosts_[index];
  const TimePoint due = host.due();
  if (due >= host.queued_for) return;
  host.queued_for = due;
  timers_.push({due, index});
}

/// Where a host that is not here is believed to be.
HostState Site::state_elsewhere(const Host& host) const {
  const Station* station = hosts_.find_station(host.segment, host.mac);
  return station != nullptr && station->is_remote() ? HostState::kRemote : HostState::kUnknown;
}

}  // namespace untrombone::core
