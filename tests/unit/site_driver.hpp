// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "agent/core/site.hpp"

namespace untrombone::core::testing {

inline MacAddress mac(unsigned last) {
  return {{0x00, 0x00, 0x5e, 0x00, 0x53, static_cast<std::uint8_t>(last)}};
}
inline IpAddress ip(unsigned last) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(last)}); }

inline constexpr SegmentId kSegment{0};
inline constexpr Ifindex kSvi{10};
inline constexpr Ifindex kPort1{11};
inline constexpr Ifindex kPort2{12};
inline constexpr Ifindex kPeerPort{13};
inline constexpr Ifindex kDciPort{14};

inline const IpAddress kGateway = ip(1);
inline const MacAddress kSviMac = mac(0xfe);

/// 192.0.2.0/24 behind 192.0.2.1, timers as configured by default.
inline SiteSettings default_settings() {
  SegmentSettings segment;
  segment.name = "vlan10";
  segment.subnets = {IpPrefix(ip(0), 24)};
  segment.gateways = {kGateway};
  segment.gateway_macs = {MacAddress{{0x00, 0x00, 0x5e, 0x00, 0x53, 0xfd}}};
  segment.exclude = {IpPrefix(ip(240), 28)};
  segment.mode = SummaryMode::kOff;
  SiteSettings settings;
  settings.segments.push_back(std::move(segment));
  return settings;
}

/// One site on virtual time: feeds events, runs the deadlines, and keeps the routes as a sink would.
class SiteDriver {
 public:
  explicit SiteDriver(SiteSettings settings = default_settings()) : site_(std::move(settings)) {}

  /// A site whose interface and ports are up, before the first dump is over.
  static SiteDriver starting(SiteSettings settings = default_settings()) {
    SiteDriver driver(std::move(settings));
    driver.feed(InterfaceChanged{kSegment, kSvi, kSviMac, true});
    for (const auto& [port, port_class] :
         {std::pair{kPort1, PortClass::kLocal}, std::pair{kPort2, PortClass::kLocal},
          std::pair{kPeerPort, PortClass::kPeer}, std::pair{kDciPort, PortClass::kDci}}) {
      driver.feed(PortChanged{kSegment, port, port_class, true});
    }
    driver.feed(DumpStarted{});
    return driver;
  }
  /// The same after an empty dump and the start window.
  static SiteDriver running(SiteSettings settings = default_settings()) {
    SiteDriver driver = starting(std::move(settings));
    driver.feed(DumpFinished{});
    driver.advance(std::chrono::seconds(10));
    return driver;
  }

  /// The actions of this one event.
  const Actions& feed(const Event& event) {
    actions_.clear();
    site_.handle(event, now_, now_, actions_);
    program();
    return actions_;
  }
  /// The actions of all deadlines until then.
  const Actions& advance(Duration by) {
    actions_.clear();
    const TimePoint until = now_ + by;
    for (int steps = 0; site_.next_deadline() <= until; ++steps) {
      if (steps == 100'000) throw std::logic_error("the deadlines do not come to an end");
      now_ = std::max(now_, site_.next_deadline());
      site_.handle_time(now_, actions_);
    }
    now_ = until;
    program();
    return actions_;
  }

  [[nodiscard]] Site& site() { return site_; }
  [[nodiscard]] const Site& site() const { return site_; }
  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] const Actions& actions() const { return actions_; }
  [[nodiscard]] const std::map<RouteKey, Route>& routes() const { return routes_; }

  /// nullptr when nothing is known of it.
  [[nodiscard]] const Host* host(const IpAddress& address) const {
    const HostIndex index = site_.hosts().find(kSegment, address);
    return index == kNoHost ? nullptr : &site_.hosts()[index];
  }
  [[nodiscard]] std::optional<HostState> state(const IpAddress& address) const {
    const Host* const found = host(address);
    return found == nullptr ? std::nullopt : std::optional(found->state);
  }
  [[nodiscard]] std::optional<RouteClass> announced(const IpAddress& address, VrfId vrf = {}) const {
    const auto found = routes_.find({vrf, IpPrefix::host(address)});
    return found == routes_.end() ? std::nullopt : std::optional(found->second.route_class);
  }

 private:
  void program() {
    for (const RouteChange& change : actions_.routes) {
      if (change.route) {
        routes_[change.key] = *change.route;
      } else {
        routes_.erase(change.key);
      }
    }
  }

  Site site_;
  TimePoint now_{std::chrono::hours(1)};
  Actions actions_;
  std::map<RouteKey, Route> routes_;
};

inline FrameSeen arp(Ifindex port, const MacAddress& from, const IpAddress& sender) {
  return {port, FrameKind::kArpRequest, from, sender, false};
}
inline FrameSeen arp_reply(Ifindex port, const MacAddress& from, const IpAddress& sender) {
  return {port, FrameKind::kArpReply, from, sender, false};
}
/// The answer to a greeting: a reply to the gateway's own MAC.
inline FrameSeen arp_to_gateway(Ifindex port, const MacAddress& from, const IpAddress& sender) {
  return {port, FrameKind::kArpReply, from, sender, true};
}
/// An entry of a dump, not an event.
inline FdbSeen dumped(Ifindex port, const MacAddress& mac) { return {port, mac, false, {}, true}; }
inline FrameSeen rarp(Ifindex port, const MacAddress& from) {
  return {port, FrameKind::kRarp, from, std::nullopt, false};
}

}  // namespace untrombone::core::testing
