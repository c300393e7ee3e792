// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::arp {

/// The nftables tables that hold the guard, one of the bridge family and, while frames are handed over, one of the
/// netdev family; ours alone.
inline constexpr const char* kGuardTable = "untrombone";

/// A port of a segment. `vlan`: only the frames that carry this tag on it are the segment's, with 0 only those without
/// one; none: all are.
struct GuardPort {
  std::string name;
  std::optional<std::uint16_t> vlan = std::nullopt;
  auto operator<=>(const GuardPort&) const = default;
};

/// Frames that local guests send to `from` go to `to` instead.
struct MacRewrite {
  core::MacAddress from;
  core::MacAddress to;
  auto operator<=>(const MacRewrite&) const = default;
};

/// IP packets that local guests send to `mac` leave by this DCI port instead, unchanged.
struct HandOver {
  core::MacAddress mac;
  std::string dci_port;
  auto operator<=>(const HandOver&) const = default;
};

/// What the guard does at one segment's ports.
struct GuardedSegment {
  std::vector<GuardPort> dci_ports;
  std::vector<GuardPort> local_ports = {};
  std::vector<core::IpAddress> gateways = {};        ///< their ARP and ND stay off the DCI
  bool ra = false;                                   ///< so do router discovery and redirects
  bool fhrp = false;                                 ///< and the hellos of first-hop redundancy protocols
  bool dhcp = false;                                 ///< and DHCP to everybody
  bool strict = false;                               ///< and what comes from a virtual router's MAC
  std::vector<core::MacAddress> strict_macs = {};    ///< or from one of these
  std::vector<MacRewrite> rewrites = {};             ///< at the local ports
  std::optional<HandOver> hand_over = std::nullopt;  ///< at the local ports
  bool operator==(const GuardedSegment&) const = default;
};

/// The elements of the guard's sets and maps, by name: `dci0 . 192.0.2.1`, `acc0 . 02:00:5e:00:53:01 :
/// 02:00:5e:00:53:02`, written as nft lists them but for the quotes.
using GuardSets = std::map<std::string, std::set<std::string>, std::less<>>;

/// Can nft's language name this interface? Not, if it would end the string or be a pattern.
[[nodiscard]] bool can_guard(std::string_view port_name);

/// Every set of the guard with its elements; ports that cannot be named are left out. Segments may share ports.
[[nodiscard]] GuardSets guard_sets(const std::vector<GuardedSegment>& segments);

/// The whole guard as nft(8) text that replaces the table in one transaction (design 6).
///
/// The rules are always the same few, whatever the number of segments and ports; the sets say what they apply to.
/// What comes from the DCI is looked at before the bridge has it, as it was on the wire, marked, and dropped where the
/// bridge would forward it or take it in: so the FDB still learns from it and each frame is counted once. What goes to
/// the DCI, forwarded or the edge's own, is dropped in the form that it would have on the wire. Every rule names the
/// protocol: without it a VLAN-tagged frame passes.
[[nodiscard]] std::string render_guard(const GuardSets& sets);

/// nft text that turns a loaded `before` into `after` by elements alone, so that counters live on; empty if equal.
[[nodiscard]] std::string render_guard_changes(const GuardSets& before, const GuardSets& after);

/// nft text that replaces the table of hand-overs; its removal when there are none.
[[nodiscard]] std::string render_hand_overs(const std::vector<GuardedSegment>& segments);

/// Text that removes the guard, whether it is there or not.
[[nodiscard]] std::string render_guard_removal();

/// The counters of the guard, in the order in which people read them.
[[nodiscard]] const std::vector<std::string>& guard_counters();

}  // namespace untrombone::arp
