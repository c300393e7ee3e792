// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/claim_sources.hpp"

#include <algorithm>

#include "agent/daemon/config_values.hpp"
#include "agent/daemon/frr_setup.hpp"
#include "bgp/bmp_claims.hpp"

namespace untrombone::daemon {

ClaimSources::ClaimSources(boost::asio::io_context& io, bgp::ClaimListener& listener, const Config& config,
                           const Topology& topology)
    : config_(config), topology_(topology) {
  const bgp::RouteMarks marks = route_marks(config);
  bgp::VtyClaimsOptions options;
  options.vty_dir = config.vty_dir;
  options.fresh_community = marks.fresh();
  options.settled_community = marks.settled();
  options.tag = config.core.routes.tag;
  options.settle = config.core.routes.settle;
  options.same_site = config.same_site;
  auto vty = std::make_unique<bgp::VtyClaims>(io, listener, std::move(options));
  vty_ = vty.get();
  sources_.push_back(std::move(vty));
  const auto listen = parse_listen(config.bmp_listen);
  if (!listen) return;
  const auto community = [&](std::uint32_t tag) { return std::uint32_t{marks.community_as} << 16U | tag; };
  bgp::BmpClaimsOptions bmp;
  bmp.address = core::IpAddress::parse(listen->address).value();
  bmp.port = listen->port;
  bmp.fresh_community = community(marks.fresh_tag());
  bmp.settled_community = community(marks.settled_tag());
  bmp.lingering_community = community(marks.lingering_tag());
  bmp.same_site = config.same_site;
  sources_.push_back(std::make_unique<bgp::BmpClaims>(io, listener, std::move(bmp)));
}

void ClaimSources::update() {
  const std::vector<bgp::ClaimScope> wanted = scopes();
  vty_->set_settle(config_.core.routes.settle);
  for (const auto& source : sources_) source->follow(wanted);
}

void ClaimSources::stop() {
  for (const auto& source : sources_) source->stop();
}

std::vector<bgp::ClaimListStatus> ClaimSources::status() const {
  std::vector<bgp::ClaimListStatus> all;
  for (const auto& source : sources_) {
    const auto lists = source->status();
    all.insert(all.end(), lists.begin(), lists.end());
  }
  return all;
}

std::vector<bgp::ClaimScope> ClaimSources::scopes() const {
  std::vector<bgp::ClaimScope> scopes;
  for (std::uint16_t i = 0; i < config_.segments.size(); ++i) {
    const SegmentView& view = topology_.segment({i});
    const auto known = std::find_if(scopes.begin(), scopes.end(),
                                    [&](const bgp::ClaimScope& scope) { return scope.vrf == view.vrf; });
    bgp::ClaimScope& scope = known == scopes.end() ? scopes.emplace_back() : *known;
    scope.vrf = view.vrf;
    scope.vrf_name = view.vrf_name;
    const auto& subnets = config_.core.segments[i].subnets;
    scope.subnets.insert(scope.subnets.end(), subnets.begin(), subnets.end());
  }
  return scopes;
}

}  // namespace untrombone::daemon
