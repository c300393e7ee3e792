// SPDX-License-Identifier: GPL-2.0-or-later
// Other sites' claims, and isolation: what they change about the hosts that are here.
#include <algorithm>
#include <utility>

#include "agent/core/site.hpp"

namespace untrombone::core {
namespace {

/// Claims are read every few seconds: one that is seen so soon after an arrival may be what the host has left behind.
/// It is a reason to ask, but no conflict.
constexpr Duration kClaimLag = std::chrono::seconds(10);

}  // namespace

/// Only what is claimed inside our subnets concerns us. A whole subnet is every site's route of last resort, no claim.
bool Site::concerns_us(const RouteKey& key) const {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].vrf != key.vrf) continue;
    const IpPrefix* const subnet = settings_.segments[i].subnet_of(key.prefix.address());
    if (subnet != nullptr && subnet->length() < key.prefix.length()) return true;
  }
  return false;
}

void Site::on(const ClaimSeen& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  if (!concerns_us(event.key)) return;
  const bool news = claims_.see(event, now);
  sync_claim(event.key, now, out);
  if (!event.key.prefix.is_host()) announce_expected(now, out);
  if (news) meet_claim(event, now, out);
}

void Site::on(const ClaimGone& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  claims_.forget(event);
  sync_claim(event.key, now, out);
  if (!event.key.prefix.is_host()) announce_expected(now, out);
}

void Site::on(const ClaimsBegun& event, TimePoint /*when*/, TimePoint /*now*/, Actions& /*out*/) {
  claims_.begin(event.list);
}

void Site::on(const ClaimsListed& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  const std::uint64_t before = claims_.version();
  claims_.sweep(event.list);
  if (claims_.version() == before) return;
  sync_claims(now, out);
  announce_expected(now, out);
}

/// A claim that was not there before. A host that is here is asked whether it still is, unless it arrived so lately
/// that the claim must be the older one. A host that left, and lingers, has found its new site.
void Site::meet_claim(const ClaimSeen& claim, TimePoint now, Actions& out) {
  if (!claim.key.prefix.is_host() || claim.route_class == RouteClass::kLingering) return;
  for (std::uint16_t segment = 0; segment < segments_.size(); ++segment) {
    if (segments_[segment].vrf != claim.key.vrf) continue;
    const HostIndex index = hosts_.find({segment}, claim.key.prefix.address());
    if (index == kNoHost) continue;
    Host& host = hosts_[index];
    if (host.state == HostState::kDeparting) {
      withdraw(index, state_elsewhere(host), Reason::kClaimedElsewhere, now, out);
      continue;
    }
    const bool older = host.route_class == RouteClass::kFresh && claim.route_class != RouteClass::kFresh;
    if (!host.is_here() || host.is_frozen() || older) continue;
    const TimePoint arrived =
        host.settle_at == kNever ? TimePoint{} : host.settle_at - settings_.routes.settle;
    if (now - arrived >= kClaimLag) host.contest = claim.route_class;
    host.disputed = claim.route_class == RouteClass::kSettled && host.route_class == RouteClass::kSettled;
    challenge(index, false, now, out);
  }
}

/// A host that another site claims has answered here: two sites have it. Each fresh claim counts as a move, so that the
/// two do not take turns for ever. A settled claim ties with our own settled route, and wins over a summary: the other
/// site has not noticed, and is told by a fresh route.
void Site::take_contested_answer(Host& host, Ifindex port, TimePoint now, Actions& out) {
  if (std::exchange(host.disputed, false) && host.route_class == RouteClass::kSettled) {
    host.settle_at = now + settings_.routes.settle;
    set_route(host, RouteClass::kFresh, now, now, out);
  }
  if (host.contest == RouteClass::kNone) return;
  const bool fresh = host.contest == RouteClass::kFresh;
  host.contest = RouteClass::kNone;
  ++conflicts_;
  out.alarms.push_back({AlarmKind::kClaimedTwice, host.segment, host.ip, host.mac, port});
  if (fresh) count_move(host, port, now, out);
}

/// One better than the best competing claim, and than our own settled routes.
std::uint32_t Site::outbid(const Host& host) const {
  const auto best = claims_.best_metric(segments_[host.segment.value].vrf, host.ip);
  const std::uint32_t metric = std::min(settings_.routes.metric, best.value_or(settings_.routes.metric));
  return metric == 0 ? 0 : metric - 1;
}

void Site::on(const UplinkChanged& event, TimePoint /*when*/, TimePoint now, Actions& out) {
  bool& isolated = segments_[event.segment.value].isolated[event.family == Family::kIpv4 ? 0 : 1];
  if (isolated == !event.up) return;
  isolated = !event.up;
  announcer_.repeat_all(event.segment, now, announcements_);
  program(out);
  if (announcer_.summarises(event.segment)) return;
  hosts_.for_each([&](HostIndex index) {
    const Host& host = hosts_[index];
    if (host.segment == event.segment && host.ip.family() == event.family &&
        host.route_class != RouteClass::kNone)
      emit_route(host, now, out);
  });
}

}  // namespace untrombone::core
