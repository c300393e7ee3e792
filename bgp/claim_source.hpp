// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/event.hpp"

namespace untrombone::bgp {

/// A VRF with stretched subnets: what claims are looked for in.
struct ClaimScope {
  core::VrfId vrf;
  std::string vrf_name;  ///< empty for the default one
  std::vector<core::IpPrefix> subnets;
  bool operator==(const ClaimScope&) const = default;
};

/// The lists that the sources fill. Each is read, and swept, for itself.
inline constexpr core::ClaimList kBgpFreshList{0};    ///< bgpd's table, fresh routes
inline constexpr core::ClaimList kBgpSettledList{1};  ///< bgpd's table, settled routes
inline constexpr core::ClaimList kIgpList{2};         ///< zebra's table, what OSPF and IS-IS gave it
inline constexpr core::ClaimList kBmpList{3};         ///< what bgpd accepted, as BMP tells it
inline constexpr std::size_t kClaimLists = 4;
[[nodiscard]] std::string_view name_of(core::ClaimList list);

/// How one list is doing.
struct ClaimListStatus {
  core::ClaimList list;
  bool working = false;
  std::string detail;        ///< why not; "" when it works
  core::Duration latency{};  ///< of the last complete reading
  std::uint64_t readings = 0;
  std::uint64_t failures = 0;
};

/// Receives ClaimSeen, ClaimGone, ClaimsBegun and ClaimsListed, on the io_context's thread.
class ClaimListener {
 public:
  virtual ~ClaimListener() = default;
  virtual void on_claim_event(const core::Event& event) = 0;
  /// After a batch of events.
  virtual void on_claims_idle() = 0;
};

/// Something that shows what other sites announce.
class ClaimSource {
 public:
  virtual ~ClaimSource() = default;
  /// Looks in these VRFs from now on.
  virtual void follow(const std::vector<ClaimScope>& scopes) = 0;
  virtual void stop() = 0;
  [[nodiscard]] virtual std::vector<ClaimListStatus> status() const = 0;
};

}  // namespace untrombone::bgp
