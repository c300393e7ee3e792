// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/host_hints.hpp"

#include <vector>

#include <fmt/format.h>

#include "agent/daemon/agent.hpp"
#include "agent/daemon/clock.hpp"
#include "agent/daemon/config_duration.hpp"
#include "agent/daemon/request.hpp"

namespace untrombone::daemon {
namespace {

using core::IpAddress;
using core::MacAddress;
using core::SegmentId;
using Json = nlohmann::ordered_json;

/// A claim that nobody ends is over after this, unless told otherwise.
constexpr core::Duration kClaimLasts = std::chrono::minutes(10);
constexpr core::Duration kLongestClaim = std::chrono::hours(24);

/// Segments of VRFs may share addresses: those that have it, or the one that was asked for.
std::vector<SegmentId> segments_for(const Agent& agent, const IpAddress& ip,
                                    const std::optional<std::string>& name) {
  std::vector<SegmentId> found;
  for (std::uint16_t i = 0; i < agent.config().segments.size(); ++i) {
    if (name && agent.config().segments[i].name != *name) continue;
    if (agent.config().core.segments[i].subnet_of(ip) != nullptr) found.push_back({i});
  }
  return found;
}

const core::Host* find_host(const Agent& agent, SegmentId segment, const IpAddress& ip) {
  const core::HostIndex index = agent.site().hosts().find(segment, ip);
  return index == core::kNoHost ? nullptr : &agent.site().hosts()[index];
}

/// Why it cannot be claimed for this site; empty when it can.
std::string why_not_claimed(const Agent& agent, SegmentId segment, const IpAddress& ip) {
  if (const auto why = why_no_host(agent, segment, ip)) return *why;
  const core::Host* const host = find_host(agent, segment, ip);
  if (host == nullptr) return {};
  if (host->is_here()) return fmt::format("it is here already: {}", to_string(host->reason));
  return host->is_frozen() ? "it is frozen: it moved too often" : "";
}

Json view_claim(const Agent& agent, SegmentId segment, const IpAddress& ip, const std::string& reason) {
  const core::Host* const host = find_host(agent, segment, ip);
  const bool claimed = reason.empty();
  const bool expected = claimed && host->is_expected();
  return {{"site", agent.config().site},
          {"ip", ip.to_string()},
          {"segment", agent.config().segments[segment.value].name},
          {"claimed", claimed},
          {"reason", reason},
          {"mac", claimed && host->has_mac() ? Json(host->mac.to_string()) : Json(nullptr)},
          {"expected_seconds",
           expected ? Json(to_seconds(host->expected_until - monotonic_now())) : Json(nullptr)},
          {"route_class", claimed ? to_string(host->route_class) : "none"}};
}

}  // namespace

std::optional<std::string> why_no_host(const Agent& agent, SegmentId id, const IpAddress& ip) {
  const core::SegmentSettings& segment = agent.config().core.segments[id.value];
  const core::IpPrefix* const subnet = segment.subnet_of(ip);
  if (subnet == nullptr) return std::nullopt;
  if (segment.is_gateway(ip)) return "it is a gateway of segment " + segment.name + ", never a host";
  if (subnet->is_reserved(ip)) return "it is the network or broadcast address of " + subnet->to_string();
  if (agent.site().is_own(id, ip)) return "it is an address of the edge itself";
  if (!segment.may_be_host(ip)) return "it is excluded in segment " + segment.name;
  return std::nullopt;
}

Json answer_host_claim(Agent& agent, const nlohmann::json& request) {
  const auto ip = address_of(request);
  if (!ip) return error_document("host-claim needs an IP address");
  std::optional<MacAddress> mac;
  if (const auto text = text_of(request, "mac")) {
    mac = MacAddress::parse(*text);
    if (!mac || mac->is_group() || mac->is_zero())
      return error_document(fmt::format("\"{}\" is not the MAC address of a host", *text));
  }
  const auto wanted = text_of(request, "for");
  const auto lasts = wanted ? parse_duration(*wanted) : kClaimLasts;
  if (!lasts || *lasts <= core::Duration::zero() || *lasts > kLongestClaim)
    return error_document(fmt::format("\"{}\" is not a duration of up to {}, e.g. \"10m\"", *wanted,
                                      format_duration(kLongestClaim)));
  const auto name = text_of(request, "segment");
  const std::vector<SegmentId> segments = segments_for(agent, *ip, name);
  if (segments.size() > 1) return error_document("it is in several segments: say which one");
  if (segments.empty()) {
    return {{"site", agent.config().site},
            {"ip", ip->to_string()},
            {"segment", nullptr},
            {"claimed", false},
            {"reason", name ? "it is in no subnet of a segment " + *name
                            : std::string("it is in none of the configured subnets")},
            {"mac", nullptr},
            {"expected_seconds", nullptr},
            {"route_class", "none"}};
  }
  const SegmentId segment = segments.front();
  std::string reason = why_not_claimed(agent, segment, *ip);
  if (reason.empty()) {
    agent.take_hint(core::HostExpected{segment, *ip, mac, *lasts});
    const core::Host* const host = find_host(agent, segment, *ip);
    // A virtual router's MAC, the edge's own one, or no room in the host table.
    if (host == nullptr || (!host->is_expected() && !host->is_here()))
      reason = "the MAC cannot be a host's, or there are too many hosts: see the alarms of the status";
  }
  return view_claim(agent, segment, *ip, reason);
}

Json answer_host_release(Agent& agent, const nlohmann::json& request) {
  const auto ip = address_of(request);
  if (!ip) return error_document("host-release needs an IP address");
  bool released = false;
  for (const SegmentId segment : segments_for(agent, *ip, text_of(request, "segment"))) {
    const core::Host* const host = find_host(agent, segment, *ip);
    if (host == nullptr || !host->is_expected()) continue;
    agent.take_hint(core::HostReleased{segment, *ip});
    released = true;
  }
  return {{"site", agent.config().site}, {"ip", ip->to_string()}, {"released", released}};
}

Json answer_host_clear(Agent& agent, const nlohmann::json& request) {
  const auto ip = address_of(request);
  if (!ip) return error_document("host-clear needs an IP address");
  bool cleared = false;
  for (std::uint16_t i = 0; i < agent.config().segments.size(); ++i) {
    const core::Host* const host = find_host(agent, {i}, *ip);
    if (host == nullptr || !host->is_frozen()) continue;
    agent.take_hint(core::FreezeCleared{{i}, *ip});
    cleared = true;
  }
  return {{"site", agent.config().site}, {"ip", ip->to_string()}, {"cleared", cleared}};
}

}  // namespace untrombone::daemon
