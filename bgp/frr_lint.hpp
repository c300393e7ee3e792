// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/core/types.hpp"
#include "bgp/frr_config.hpp"

namespace untrombone::bgp {

/// Something in FRR's running configuration that keeps our routes from being announced, ranked or contained. Ids are
/// stable: frr-no-router, frr-not-redistributed, frr-no-route-map, frr-redistributes-everything, frr-class-missing,
/// frr-no-marker, frr-external-marked, frr-not-ranked, frr-narrow-metrics, frr-border-open, frr-no-export-in-fabric.
struct FrrFinding {
  std::string_view id;
  bool error = true;    ///< false: a warning
  std::string subject;  ///< "router bgp 65001, ipv4", "neighbor 198.51.100.1"
  std::string problem;
  std::string hint;

  bool operator==(const FrrFinding&) const = default;
};

struct FrrLintRequest {
  /// As for render_frr_config(); `protocol` is ignored, the release is the one that the text names, if it does.
  FrrConfigRequest config;
  std::vector<RoutingProtocol> protocols;
  std::vector<core::IpPrefix> subnets;  ///< of all segments: what must not leave the domain
};

/// Judges `show running-config`, vtysh's or the daemons' one after the other. A session leaves the domain when its AS
/// is neither ours nor a private one (RFC 6996). Pure.
[[nodiscard]] std::vector<FrrFinding> lint_frr(const FrrLintRequest& request,
                                               std::string_view running_config);

}  // namespace untrombone::bgp
