// SPDX-License-Identifier: GPL-2.0-or-later
// Other settings for a site that runs.
#include <algorithm>
#include <utility>

#include "agent/core/site.hpp"

namespace untrombone::core {
namespace {

/// In a segment that was added the first dump finds hosts that were there all along.
constexpr Duration kFirstLook = std::chrono::seconds(2);

}  // namespace

void Site::reconfigure(SiteSettings settings, TimePoint now, Actions& out) {
  const std::size_t known = settings_.segments.size();
  settings_ = std::move(settings);
  for (std::size_t i = segments_.size(); i < settings_.segments.size(); ++i)
    segments_.emplace_back(settings_.segments[i]);
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const bool is_new = i >= known || segments_[i].subnets == 0;
    if (is_new) segments_[i].fresh_from = now + kFirstLook;
    segments_[i].configure(settings_.segments[i]);
  }
  over_budget_.resize(settings_.segments.size());
  std::vector<HostIndex> unwanted;
  hosts_.for_each([&](HostIndex index) {
    Host& host = hosts_[index];
    if (!settings_of(host).may_be_host(host.ip)) {
      unwanted.push_back(index);
    } else if (host.state == HostState::kLocal && host.answer_by == kNever) {
      host.probe_at = std::min(host.probe_at, std::max(now, next_refresh(host)));
      schedule(index);
    }
  });
  // While the announcer still has the subnets that they are in.
  for (const HostIndex index : unwanted) give_up(index, now, out);
  const std::vector<SegmentId> changed = announcer_.reconfigure(settings_, now, announcements_);
  program(out);
  for (const SegmentId segment : changed) tell_all(segment, now, out);
  if (!changed.empty()) tell_claims(now, out);
  if (started_) announcer_.start_complete(now, announcements_);
  program(out);
}

/// The hosts of a segment whose settings have changed, again.
void Site::tell_all(SegmentId segment, TimePoint now, Actions& out) {
  hosts_.for_each([&](HostIndex index) {
    const Host& host = hosts_[index];
    if (host.segment != segment) return;
    tell_announcer(host, now, now, out);
    if (!announcer_.summarises(segment) && host.route_class != RouteClass::kNone) emit_route(host, now, out);
  });
}

/// What other sites announce, again: a segment may follow it that did not.
void Site::tell_claims(TimePoint now, Actions& out) {
  std::vector<RouteKey> keys;
  claims_.for_each([&](const RouteKey& key, const Claims::Entry& /*entry*/) {
    if (keys.empty() || keys.back() != key) keys.push_back(key);  // several lists show it
  });
  for (const RouteKey& key : keys) sync_claim(key, now, out);
}

/// It is no host any more: its route goes at once, and nothing is remembered.
void Site::give_up(HostIndex index, TimePoint now, Actions& out) {
  stop_expecting(hosts_[index]);
  stop_last_resort(hosts_[index], now, out);
  withdraw(index, HostState::kUnknown, Reason::kConfigured, now, out);
  Host& host = hosts_[index];
  host.queued_for = kNever;  // its entries of the timer queue are void
  --segments_[host.segment.value].hosts;
  hosts_.remove(index);
}

}  // namespace untrombone::core
