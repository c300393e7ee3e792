// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/frr_setup.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bgp/vty_client.hpp"

namespace untrombone::daemon {

ConfigResult<bgp::FrrVersion> find_frr_version(const Config& config, const std::string& wanted) {
  const std::string& text = wanted.empty() ? config.frr_version : wanted;
  if (const auto version = bgp::FrrVersion::parse(text)) return *version;
  if (text != "auto") {
    return ConfigError{
        fmt::format(R"("{}" is not a release of FRR; expected MAJOR.MINOR, e.g. "8.4")", text)};
  }
  const auto answer = bgp::ask_vty(bgp::vty_socket(config.vty_dir, "zebra"), "show version");
  if (answer.has_error()) {
    return ConfigError{
        fmt::format("which FRR? {}; expected --frr-version, e.g. 8.4", answer.error().message)};
  }
  if (const auto version = bgp::FrrVersion::from_show_version(answer->text)) return *version;
  return ConfigError{"which FRR? zebra did not say its release; expected --frr-version, e.g. 8.4"};
}

bgp::RouteMarks route_marks(const Config& config) { return {config.core.routes.tag, config.community_as}; }

bool needs_instance_for_protocols(const Config& config, bgp::FrrVersion version) {
  const bool isis = std::find(config.protocols.begin(), config.protocols.end(),
                              bgp::RoutingProtocol::kIsis) != config.protocols.end();
  return isis && bgp::isis_needs_table_number(version);
}

std::vector<bgp::FrrVrf> frr_vrfs(const Config& config) {
  std::vector<bgp::FrrVrf> vrfs;
  for (std::size_t i = 0; i < config.segments.size(); ++i) {
    const std::string name = config.segments[i].vrf.value_or("");
    auto vrf =
        std::find_if(vrfs.begin(), vrfs.end(), [&](const bgp::FrrVrf& each) { return each.name == name; });
    if (vrf == vrfs.end()) vrf = vrfs.insert(vrfs.end(), {name, false, false});
    for (const core::IpPrefix& subnet : config.core.segments[i].subnets) {
      (subnet.address().is_v4() ? vrf->ipv4 : vrf->ipv6) = true;
    }
  }
  return vrfs;
}

bgp::FrrLintRequest frr_lint_request(const Config& config) {
  FrrSetupOptions options;
  // Only where the text does not name its release.
  options.version = bgp::FrrVersion::parse(config.frr_version).value_or(bgp::FrrVersion{});
  bgp::FrrLintRequest request{
      .config = frr_request(config, options), .protocols = config.protocols, .subnets = {}};
  for (const core::SegmentSettings& segment : config.core.segments) {
    request.subnets.insert(request.subnets.end(), segment.subnets.begin(), segment.subnets.end());
  }
  return request;
}

bgp::FrrConfigRequest frr_request(const Config& config, const FrrSetupOptions& options) {
  bgp::FrrConfigRequest request;
  request.protocol = options.protocol.value_or(config.protocols.front());
  request.role = options.role;
  request.version = options.version;
  if (config.sink == SinkKind::kVtysh) request.origin = bgp::RouteOrigin::kStatic;
  if (config.sink == SinkKind::kKernelTable) request.origin = bgp::RouteOrigin::kKernelTable;
  request.marks = route_marks(config);
  request.leak_guard = config.leak_guard;
  request.table = config.table;
  request.with_instance = needs_instance_for_protocols(config, options.version);
  request.vrfs = frr_vrfs(config);
  request.external =
      std::any_of(config.core.segments.begin(), config.core.segments.end(),
                  [](const core::SegmentSettings& segment) { return segment.external_length != 0; });
  request.asn = options.asn;
  request.ibgp = options.ibgp || config.leak_guard == bgp::LeakGuard::kNoExport;  // which is for one AS
  request.isis_area = options.isis_area;
  request.neighbors = options.neighbors;
  return request;
}

}  // namespace untrombone::daemon
