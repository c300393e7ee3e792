// SPDX-License-Identifier: GPL-2.0-or-later
// What zebra does not say by itself: that it reads, that a route has not won, that the routing daemons keep ghosts.
#include <algorithm>

#include "bgp/interface_names.hpp"
#include "bgp/zapi_sink.hpp"
#include "bgp/zebra_rib.hpp"

namespace untrombone::bgp {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;

constexpr milliseconds kWatchInterval{500};
/// zebra's note for what it has read comes within some 10 ms; a burst of 100,000 takes it seconds.
constexpr milliseconds kNotePatience{1000};
constexpr milliseconds kStuckAfter{5000};
/// bgpd holds what it has heard for 50 ms before it tells zebra, and zebra for 10 ms before it decides.
constexpr milliseconds kParkedFor{250};
constexpr milliseconds kOvertakenFor{1000};
constexpr milliseconds kParkedAtMost{15000};
constexpr milliseconds kFirstRetry{1000};
constexpr milliseconds kLongestRetry{60000};
constexpr std::size_t kMostQuestions = 16;
constexpr std::uint8_t kGhostDistance = 5;

}  // namespace

bool ZapiSink::has_any_in(std::initializer_list<RouteState> states) const {
  return std::any_of(routes_.begin(), routes_.end(), [&](const auto& entry) {
    return std::find(states.begin(), states.end(), entry.second.state) != states.end();
  });
}

bool ZapiSink::has_unanswered() const {
  return has_any_in({RouteState::kQueued, RouteState::kSent, RouteState::kRemoving});
}

void ZapiSink::watch() {
  if (watching_) return;
  watching_ = true;
  watch_timer_.expires_after(parked_.empty() ? kWatchInterval : kParkedFor);
  watch_timer_.async_wait([this](const error_code& error) {
    watching_ = false;
    if (!error) on_watch();
  });
}

void ZapiSink::on_watch() {
  if (!connection_.ready()) return;
  remove_parked();
  try_again();
  if (!echo_ && !has_unanswered()) {
    if (!rejected_.empty()) watch();
    return finish_stop_if_done();
  }
  if (echo_ && !stuck_ && now_() - *echo_ >= kStuckAfter) {
    stuck_ = true;
    listener_.on_sink_status();
  }
  send_echo();
  watch();
}

void ZapiSink::send_echo() {
  if (echo_) return;
  echo_ = now_();
  zapi::encode_unknown(connection_.out());
  connection_.write();
  watch();
}

/// zebra has read all that was written before the echo was asked for.
void ZapiSink::take_echo() {
  if (!echo_) return;
  const core::TimePoint asked = *echo_;
  echo_.reset();
  if (stuck_) {
    stuck_ = false;
    listener_.on_sink_status();
  }
  if (queue_.empty()) {
    give_up_removals(asked - kNotePatience);
    verify(asked - kNotePatience);
    pump();
  }
  finish_stop_if_done();
}

/// zebra sends no note for the removal of what it does not have.
void ZapiSink::give_up_removals(core::TimePoint before) {
  for (auto entry = routes_.begin(); entry != routes_.end();) {
    auto& [key, route] = *entry;
    const bool parked = parked_.contains(key);
    if (route.state != RouteState::kRemoving || route.queued || parked || route.changed > before) {
      ++entry;
    } else if (route.wanted) {
      queue(key, route);
      ++entry;
    } else {
      // A zebra that was restarted has nothing to remove, and that is why the routing daemons were not told.
      if (!awaits_daemons_) ghosts_.erase(key);
      routes_.erase(entry++);
    }
  }
}

/// Zebra takes the kernel's answers in the order of its questions: when it has none left to give us, it has told the
/// daemons what won before.
void ZapiSink::remove_parked() {
  if (parked_.empty()) return;
  const bool busy = has_any_in({RouteState::kQueued, RouteState::kSent});
  const core::TimePoint now = now_();
  const core::Duration overtaken = busy ? kParkedAtMost : kOvertakenFor;
  for (auto entry = parked_.begin(); entry != parked_.end();) {
    if (now - entry->second.since < (entry->second.overtaken ? overtaken : core::Duration(kParkedFor))) {
      ++entry;
      continue;
    }
    const auto route = routes_.find(entry->first);
    if (route != routes_.end() && !route->second.wanted) {
      route->second.changed = now;
      queue(route->first, route->second);
    }
    parked_.erase(entry++);
  }
  pump();
}

/// Looks up some of the routes that zebra was told about and said nothing of.
void ZapiSink::verify(core::TimePoint before) {
  for (const auto& [key, route] : routes_) {
    if (questions_ >= kMostQuestions) return;
    if (route.state == RouteState::kSent && route.changed <= before) ask_about(key);
  }
}

void ZapiSink::ask_about(const core::RouteKey& key) {
  ++questions_;
  ++counters_.verified;
  vty_.ask(rib_question(key.prefix, vrf_name(key.vrf)), [this, key](const VtyResult& answer) {
    --questions_;
    take_view(key, answer);
  });
}

void ZapiSink::take_view(const core::RouteKey& key, const VtyResult& answer) {
  const auto found = routes_.find(key);
  if (!answer || !connection_.ready() || found == routes_.end()) return;
  SinkRoute& route = found->second;
  if (route.state != RouteState::kSent) return;
  const RibView view = read_rib(answer->text, key.prefix, {"table", connection_.instance()});
  switch (view.state) {
    case RibView::State::kUnreadable: return;
    case RibView::State::kAbsent: queue(key, route); return pump();
    case RibView::State::kUnselected: return lose(key, route, RouteState::kLost, view.reason());
    case RibView::State::kSelected: return lose(key, route, RouteState::kRejected, view.reason());
    case RibView::State::kInstalled:
      if (clearing_.contains(key)) return end_ghost(key, route);
      win(key, route);
      return listener_.on_route_noted({key, core::RouteNote::kInstalled});
  }
}

void ZapiSink::note_rejection(const core::RouteKey& key) {
  Retry& retry = rejected_[key];
  const core::Duration next =
      retry.pause == core::Duration::zero() ? core::Duration(kFirstRetry) : retry.pause * 2;
  retry.pause = std::min<core::Duration>(next, kLongestRetry);
  retry.at = now_() + retry.pause;
  watch();
}

void ZapiSink::try_again() {
  for (auto entry = rejected_.begin(); entry != rejected_.end();) {
    const auto& [key, retry] = *entry;
    const auto found = routes_.find(key);
    const bool over = found == routes_.end() || !found->second.wanted ||
                      found->second.state == RouteState::kInstalled ||
                      found->second.state == RouteState::kLost;
    if (over) {
      rejected_.erase(entry++);
      continue;
    }
    if (found->second.state == RouteState::kRejected && retry.at <= now_()) queue(key, found->second);
    ++entry;
  }
  pump();
}

// ---- ghosts ------------------------------------------------------------------------------------------------------

/// A zebra that was restarted knows nothing of what was withdrawn meanwhile, and bgpd and ospfd keep what they were
/// once told until they are told otherwise. They connect to the new zebra within 10 s.
void ZapiSink::await_daemons() {
  awaits_daemons_ = true;
  ghost_timer_.expires_after(options_.daemons_return);
  ghost_timer_.async_wait([this](const error_code& error) {
    if (!error && connection_.ready()) clear_ghosts();
  });
}

/// Only an addition and a removal make a ghost go. Lingering, so that no other site's claim loses meanwhile, but with a
/// distance that wins, or the daemons would not be told.
void ZapiSink::clear_ghosts() {
  awaits_daemons_ = false;
  for (const auto& [key, last] : std::exchange(ghosts_, {})) {
    if (routes_.contains(key)) continue;
    core::Route route = last;
    if (route.route_class == core::RouteClass::kFresh) {
      route.tag += 1;
      route.metric += 1;
    } else if (route.route_class == core::RouteClass::kSettled) {
      route.tag += 2;
    } else if (route.route_class == core::RouteClass::kExternal) {
      route.tag += 1;
    }
    route.route_class = core::RouteClass::kLingering;
    route.distance = kGhostDistance;
    ++counters_.ghosts;
    SinkRoute& ghost = routes_[key];
    ghost.wanted = route;
    ghost.changed = now_();
    clearing_.insert(key);
    queue(key, ghost);
  }
  pump();
}

/// zebra has it, so it has told the daemons: now they can be told that it is gone.
void ZapiSink::end_ghost(const core::RouteKey& key, SinkRoute& route) {
  clearing_.erase(key);
  route.wanted.reset();
  route.changed = now_();
  queue(key, route);
  pump();
}

}  // namespace untrombone::bgp
