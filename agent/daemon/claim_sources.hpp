// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "agent/daemon/config.hpp"
#include "agent/daemon/topology.hpp"
#include "bgp/vty_claims.hpp"

namespace untrombone::daemon {

/// Everything that shows what other sites announce, as the configuration wants it.
class ClaimSources {
 public:
  ClaimSources(boost::asio::io_context& io, bgp::ClaimListener& listener, const Config& config,
               const Topology& topology);

  /// Call when the interfaces of `topology`, or the subnets of the configuration, changed.
  void update();
  void stop();
  [[nodiscard]] std::vector<bgp::ClaimListStatus> status() const;

 private:
  [[nodiscard]] std::vector<bgp::ClaimScope> scopes() const;

  const Config& config_;
  const Topology& topology_;
  std::vector<std::unique_ptr<bgp::ClaimSource>> sources_;
  bgp::VtyClaims* vty_ = nullptr;  ///< one of them
};

}  // namespace untrombone::daemon
