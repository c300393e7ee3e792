// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/daemon/config.hpp"
#include "bgp/frr_config.hpp"
#include "bgp/frr_lint.hpp"

namespace untrombone::daemon {

/// What the command line adds to the configuration file.
struct FrrSetupOptions {
  std::optional<bgp::RoutingProtocol> protocol = {};  ///< default: the first of routes.protocols
  bgp::FrrRole role = bgp::FrrRole::kEdge;
  bgp::FrrVersion version;
  std::optional<std::uint32_t> asn;
  bool ibgp = false;
  std::string isis_area;
  std::vector<std::string> neighbors;
};

/// The release that `wanted` names; empty: the one of routes.frr-version, and with "auto" the one that zebra says.
[[nodiscard]] ConfigResult<bgp::FrrVersion> find_frr_version(const Config& config, const std::string& wanted);
[[nodiscard]] bgp::RouteMarks route_marks(const Config& config);
/// Does FRR know our routes by the table's number because of a protocol that this release redistributes no other way?
[[nodiscard]] bool needs_instance_for_protocols(const Config& config, bgp::FrrVersion version);
/// The VRFs of the segments, each with the families of its subnets, in the order of the file.
[[nodiscard]] std::vector<bgp::FrrVrf> frr_vrfs(const Config& config);
/// What is to be looked for in FRR's running configuration.
[[nodiscard]] bgp::FrrLintRequest frr_lint_request(const Config& config);
[[nodiscard]] bgp::FrrConfigRequest frr_request(const Config& config, const FrrSetupOptions& options);

}  // namespace untrombone::daemon
