// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/announcer.hpp"

#include <algorithm>
#include <utility>

namespace untrombone::core {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);
/// Fresh routes that wait are released in this many portions a second.
constexpr int kPortions = 20;

/// The interface's connected route shadows the subnet itself in the routing daemon, so its halves are announced.
std::array<IpPrefix, 2> halves_of(const IpPrefix& subnet) {
  const unsigned length = std::min(subnet.length() + 1U, subnet.address().bits());
  return {IpPrefix(subnet.address(), length), IpPrefix(subnet.last(), length)};
}

}  // namespace

Announcer::Announcer(const SiteSettings& settings)
    : settings_(settings), segments_(settings.segments.size()), external_(settings.segments.size()) {
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    if (settings.segments[i].external_length != 0)
      external_[i] = std::make_unique<ExternalBlocks>(settings.segments[i], SegmentId{i});
    if (!summarises({i})) continue;
    auto& [v4, v6] = segments_[i];
    v4 = std::make_unique<SegmentRoutes>(settings.segments[i], SegmentId{i}, Family::kIpv4);
    v6 = std::make_unique<SegmentRoutes>(settings.segments[i], SegmentId{i}, Family::kIpv6);
  }
}

SegmentRoutes* Announcer::find(SegmentId segment, const IpAddress& ip) {
  return segments_[segment.value][ip.is_v4() ? 0 : 1].get();
}

const SegmentRoutes* Announcer::routes_of(SegmentId segment, Family family) const {
  return segments_[segment.value][family == Family::kIpv4 ? 0 : 1].get();
}

void Announcer::set_host(SegmentId segment, const HostFact& fact, TimePoint now, Announcements& out) {
  if (external_[segment.value]) external_[segment.value]->set_host(fact, now);
  if (!summarises(segment)) return;
  const bool many = fact.route_class == RouteClass::kFresh && count_arrival(now);
  if (!find(segment, fact.ip)->set_host(fact, many, now, out)) return;
  waiting_.push_back({segment, fact.ip});
  release_at_ = std::min(release_at_, now + kSecond / kPortions);
}

/// True when this second, or the one before, had more than `mass-threshold`.
bool Announcer::count_arrival(TimePoint now) {
  if (now - second_began_ >= kSecond) {
    arrivals_before_ = now - second_began_ < 2 * kSecond ? arrivals_ : 0;
    arrivals_ = 0;
    second_began_ = now;
  }
  ++arrivals_;
  return std::max(arrivals_, arrivals_before_) > settings_.routes.mass_threshold;
}

void Announcer::release_waiting(TimePoint now, Announcements& out) {
  std::size_t portion = std::max<std::size_t>(settings_.routes.mass_threshold / kPortions, 1);
  for (; portion > 0 && !waiting_.empty(); waiting_.pop_front(), --portion) {
    const Waiting& next = waiting_.front();
    SegmentRoutes* const routes = find(next.segment, next.ip);
    if (routes != nullptr) routes->release_fresh(next.ip, now, out);
  }
  release_at_ = waiting_.empty() ? kNever : now + kSecond / kPortions;
}

void Announcer::set_claimed(SegmentId segment, const IpPrefix& prefix, bool claimed, TimePoint now,
                            Announcements& out) {
  if (external_[segment.value]) external_[segment.value]->set_claimed(prefix, claimed, now);
  if (SegmentRoutes* const routes = find(segment, prefix.address()))
    routes->set_claimed(prefix, claimed, now, out);
}

void Announcer::note(SegmentId segment, const IpPrefix& prefix, RouteNote note, TimePoint now,
                     Announcements& out) {
  if (SegmentRoutes* const routes = find(segment, prefix.address())) routes->note(prefix, note, now, out);
}

void Announcer::adopt(SegmentId segment, const IpPrefix& prefix, TimePoint now, Announcements& out) {
  if (external_[segment.value]) external_[segment.value]->adopt(prefix, now, out);
  if (SegmentRoutes* const routes = find(segment, prefix.address())) return routes->adopt(prefix, now, out);
  if (prefix.is_host() || !settings_.segments[segment.value].is_inside(prefix)) return;
  leftovers_.push_back({segment, prefix, kNever});
  out.push_back({segment, prefix, RouteClass::kSettled, now});
}

void Announcer::start_complete(TimePoint now, Announcements& out) {
  for (const Families& families : segments_) {
    for (const auto& routes : families) {
      if (routes) routes->start_complete(now, out);
    }
  }
  for (const auto& external : external_) {
    if (external) external->start_complete(now);
  }
  for (Leftover& leftover : leftovers_) {
    if (leftover.until == kNever)
      leftover.until = now + settings_.segments[leftover.segment.value].break_delay;
  }
}

void Announcer::repeat_all(SegmentId segment, TimePoint now, Announcements& out) {
  const SegmentSettings& settings = settings_.segments[segment.value];
  for (const Leftover& leftover : leftovers_) {
    if (leftover.segment == segment) out.push_back({segment, leftover.prefix, RouteClass::kSettled, now});
  }
  if (settings.announce_subnet) {
    for (const IpPrefix& subnet : settings.subnets) {
      for (const IpPrefix& half : halves_of(subnet)) out.push_back({segment, half, RouteClass::kBackup, now});
    }
  }
  for (const auto& routes : segments_[segment.value]) {  // last: a summary may be as long as a half
    if (routes) routes->repeat_all(now, out);
  }
  if (external_[segment.value]) external_[segment.value]->repeat_all(now, out);
}

std::vector<SegmentId> Announcer::reconfigure(const SiteSettings& settings, TimePoint now,
                                              Announcements& out) {
  const SiteSettings old = std::exchange(settings_, settings);
  segments_.resize(settings_.segments.size());
  external_.resize(settings_.segments.size());
  std::vector<SegmentId> changed;
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    const bool known = i < old.segments.size();
    if (known && old.segments[i] == settings_.segments[i]) continue;
    changed.push_back({i});
    if (known && old.segments[i].announce_subnet) {
      for (const IpPrefix& subnet : old.segments[i].subnets) {
        for (const IpPrefix& half : halves_of(subnet)) out.push_back({{i}, half, RouteClass::kNone, now});
      }
    }
    rebuild({i}, now, out);
    rebuild_external({i}, now, out);
  }
  return changed;
}

void Announcer::rebuild_external(SegmentId segment, TimePoint now, Announcements& out) {
  const SegmentSettings& settings = settings_.segments[segment.value];
  auto& external = external_[segment.value];
  const auto old = std::exchange(external, nullptr);
  auto next = std::make_unique<ExternalBlocks>(settings, segment);
  const std::size_t first = out.size();
  if (old) next->take_over(*old, now, out);
  fall_back(segment, first, out);
  if (settings.external_length != 0) external = std::move(next);
}

/// A segment's routes with its new settings; what was announced is taken over.
void Announcer::rebuild(SegmentId segment, TimePoint now, Announcements& out) {
  const SegmentSettings& settings = settings_.segments[segment.value];
  if (settings.announce_subnet) {
    for (const IpPrefix& subnet : settings.subnets) {
      for (const IpPrefix& half : halves_of(subnet)) out.push_back({segment, half, RouteClass::kBackup, now});
    }
  }
  Families old = std::exchange(segments_[segment.value], {});
  for (std::size_t i = 0; i < old.size(); ++i) {
    const Family family = i == 0 ? Family::kIpv4 : Family::kIpv6;
    auto& routes = segments_[segment.value][i];
    if (summarises(segment)) {
      routes = std::make_unique<SegmentRoutes>(settings, segment, family);
      routes->for_each_summary([&](const IpPrefix& block) {
        out.push_back({segment, block, RouteClass::kSettled, now});
      });
    }
    if (!old[i]) continue;
    if (routes) routes->take_over(*old[i], now, out);
    old[i]->for_each_summary([&](const IpPrefix& prefix) {
      if (!routes || !settings.is_inside(prefix))
        leftovers_.push_back({segment, prefix, now + settings.break_delay});
    });
  }
}

/// What is no block for the outside any more may be something else, inside: those of `out` from `first` on.
void Announcer::fall_back(SegmentId segment, std::size_t first, Announcements& out) const {
  for (std::size_t i = first; i < out.size(); ++i) {
    if (out[i].route_class == RouteClass::kNone) out[i].route_class = class_inside(segment, out[i].prefix);
  }
}

RouteClass Announcer::class_inside(SegmentId segment, const IpPrefix& prefix) const {
  const SegmentRoutes* const routes = routes_of(segment, prefix.address().family());
  const bool left = std::any_of(leftovers_.begin(), leftovers_.end(), [&](const Leftover& leftover) {
    return leftover.segment == segment && leftover.prefix == prefix;
  });
  if (left || (routes != nullptr && routes->announces(prefix))) return RouteClass::kSettled;
  return settings_.segments[segment.value].is_announced_half(prefix) ? RouteClass::kBackup
                                                                     : RouteClass::kNone;
}

RouteClass Announcer::class_of(const Announcement& announcement) const {
  const ExternalBlocks* const external = external_of(announcement.segment);
  const RouteClass outside =
      external == nullptr ? RouteClass::kNone : external->class_of(announcement.prefix);
  return outside == RouteClass::kNone ? announcement.route_class : outside;
}

TimePoint Announcer::next_deadline() const {
  TimePoint next = release_at_;
  for (const auto& external : external_) {
    if (external) next = std::min(next, external->next_deadline());
  }
  for (const Families& families : segments_) {
    for (const auto& routes : families) {
      if (routes) next = std::min(next, routes->next_deadline());
    }
  }
  for (const Leftover& leftover : leftovers_) next = std::min(next, leftover.until);
  return next;
}

void Announcer::handle_time(TimePoint now, Announcements& out) {
  if (release_at_ <= now) release_waiting(now, out);
  for (const Families& families : segments_) {
    for (const auto& routes : families) {
      if (routes && routes->next_deadline() <= now) routes->handle_time(now, out);
    }
  }
  for (std::uint16_t i = 0; i < external_.size(); ++i) {
    if (!external_[i] || external_[i]->next_deadline() > now) continue;
    const std::size_t first = out.size();
    external_[i]->handle_time(now, out);
    fall_back({i}, first, out);
  }
  std::erase_if(leftovers_, [&](const Leftover& leftover) {
    if (leftover.until > now) return false;
    out.push_back({leftover.segment, leftover.prefix, RouteClass::kNone, now});
    return true;
  });
}

}  // namespace untrombone::core
