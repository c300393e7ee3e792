// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/view_summaries.hpp"

#include <fmt/format.h>

#include "agent/daemon/clock.hpp"

namespace untrombone::daemon {
namespace {

using core::IpPrefix;
using core::Obstacle;
using core::SegmentRoutes;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostHosts = 16;

std::string why_that_length(const SegmentRoutes& routes, const IpPrefix& prefix) {
  const Obstacle obstacle = routes.what_stops(prefix);
  const std::string what =
      obstacle.prefix.is_host() ? obstacle.prefix.address().to_string() : obstacle.prefix.to_string();
  switch (obstacle.kind) {
    case Obstacle::Kind::kHome: return "it is a home block of this site";
    case Obstacle::Kind::kLimit: return "no shorter prefix is allowed in this subnet";
    case Obstacle::Kind::kUnknown:
      return fmt::format("a bit shorter, it would cover {}, which is no local host", what);
    case Obstacle::Kind::kRemote:
      return fmt::format("a bit shorter, it would cover {}, which is at another site", what);
    case Obstacle::Kind::kClaimed:
      return fmt::format("a bit shorter, it would contain {}, which another site announces", what);
    case Obstacle::Kind::kRefused:
      return fmt::format("a bit shorter, it would contain {}, which the routing daemon refused", what);
    case Obstacle::Kind::kInside: return fmt::format("not all of {} may be covered", what);
  }
  return {};
}

std::string what_would_split(const SegmentRoutes& routes, const core::SummaryView& view) {
  if (view.is_home) return "nothing: a home block is announced as it is, always";
  if (view.state == core::SummaryView::State::kLeaving) return "it is being split";
  if (routes.ideal().mode() == core::SummaryMode::kCover)
    return "one of its addresses is seen at another site, or another site announces a part of it";
  return "one of its hosts leaves, or another site announces a part of it";
}

/// The routes that know `prefix` as a summary.
const SegmentRoutes* routes_for(const Agent& agent, std::optional<core::SegmentId> segment,
                                const IpPrefix& prefix) {
  return segment ? agent.site().announcer().routes_of(*segment, prefix.address().family()) : nullptr;
}

Json view_summary(const SegmentRoutes& routes, const IpPrefix& prefix) {
  const auto view = routes.view_of(prefix);
  if (!view) return nullptr;
  const auto left = view->due - monotonic_now();
  return {{"state", to_string(view->state)},
          {"due_seconds", view->due == core::kNever ? Json(nullptr) : Json(std::max(to_seconds(left), 0.0))},
          {"splits", view->splits},
          {"why", why_that_length(routes, prefix)},
          {"splits_when", what_would_split(routes, *view)}};
}

}  // namespace

void add_hosts_of(const Agent& agent, std::optional<core::SegmentId> segment, const IpPrefix& prefix,
                  Json& route) {
  Json list = Json::array();
  std::size_t count = 0;
  const SegmentRoutes* const routes = routes_for(agent, segment, prefix);
  if (prefix.is_host()) {
    list.push_back(prefix.address().to_string());
    count = 1;
  } else if (routes != nullptr) {
    routes->ideal().for_each_local(prefix, [&](const core::IpAddress& ip) {
      if (++count <= kMostHosts) list.push_back(ip.to_string());
    });
  }
  route["host_count"] = count;
  route["hosts"] = list;
  const bool summary = !prefix.is_host() && routes != nullptr;
  route["summary"] = summary ? view_summary(*routes, prefix) : Json(nullptr);
}

Json view_external(const Agent& agent, core::SegmentId segment, const core::IpAddress& ip) {
  const core::ExternalBlocks* const external = agent.site().announcer().external_of(segment);
  const auto view = external == nullptr ? std::nullopt : external->view_of(ip);
  if (!view) return nullptr;
  return {{"prefix", view->prefix.to_string()},
          {"class", to_string(view->route_class)},
          {"here", view->here},
          {"elsewhere", view->elsewhere},
          {"next_class", view->due == core::kNever ? Json(nullptr) : Json(to_string(view->wanted))},
          {"due_seconds", view->due == core::kNever
                              ? Json(nullptr)
                              : Json(std::max(to_seconds(view->due - monotonic_now()), 0.0))}};
}

std::optional<IpPrefix> summary_of(const Agent& agent, const core::Host& host) {
  const SegmentRoutes* const routes = agent.site().announcer().routes_of(host.segment, host.ip.family());
  return routes == nullptr || !host.is_here() ? std::nullopt : routes->covering(host.ip);
}

}  // namespace untrombone::daemon
