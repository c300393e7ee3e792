// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::core {

// ---- What happens: facts from the adapters. None of them is a conclusion. ----------------------------------

/// The SVI of a segment appeared, changed or went (ifindex 0). `up`: it has carrier and can hold routes. They go into
/// the table of its VRF.
struct InterfaceChanged {
  SegmentId segment;
  Ifindex interface;
  MacAddress mac;
  bool up = false;
  VrfId vrf{};
};

/// A port of a segment's bridge appeared, changed or went (`up` = false). On a VLAN-aware bridge it belongs to one
/// segment per VLAN, and every event that names a port names the VLAN, too.
struct PortChanged {
  SegmentId segment;
  Ifindex port;
  PortClass port_class = PortClass::kLocal;
  bool up = false;
  VlanId vlan{};
};

enum class FrameKind : std::uint8_t {
  kArpRequest,
  kArpReply,
  kRarp,
  kNeighbourSolicitation,
  kNeighbourAdvertisement,
};

/// A frame that came in on a port. `sender` is the address that it binds to `mac`; absent for RARP, for ARP probes
/// (RFC 5227: sender 0.0.0.0) and for duplicate address detection (RFC 4862).
struct FrameSeen {
  Ifindex port;
  FrameKind kind = FrameKind::kArpRequest;
  MacAddress mac;
  std::optional<IpAddress> sender;
  bool to_gateway_mac = false;  ///< the frame's destination was the local gateway's own MAC
  VlanId vlan{};
};

/// An IP packet from a stranger (see Strangers) came in on a port; `source` is its source address.
struct SourceSeen {
  Ifindex port;
  MacAddress mac;
  IpAddress source;
  VlanId vlan{};
};

/// The bridge learned, or lists, a MAC on a port. `remote_vtep`: an entry with a remote VTEP or
/// NTF_EXT_LEARNED; it is behind the DCI whatever the port's class says. `dumped`: a dump says so, which was made up
/// somewhere between DumpStarted and now, so that anything else heard since DumpStarted is newer.
struct FdbSeen {
  Ifindex port;
  MacAddress mac;
  bool remote_vtep = false;
  VlanId vlan{};
  bool dumped = false;
};

/// The bridge forgot a MAC: aged out (NUD_STALE) or flushed.
struct FdbGone {
  Ifindex port;
  MacAddress mac;
  bool aged = false;
  VlanId vlan{};
};

/// The kernel's neighbour table names a MAC for an address. Says nothing about place.
struct NeighbourSeen {
  SegmentId segment;
  IpAddress ip;
  MacAddress mac;
};

/// An address that the edge itself has in the segment, or has no longer.
struct OwnAddress {
  SegmentId segment;
  IpAddress ip;
  bool present = true;
};

/// A MAC of the edge itself in the segment (its bridge's, its ports', that of its probes), or not any longer.
struct OwnMac {
  SegmentId segment;
  MacAddress mac;
  bool present = true;
};

/// After how much silence the segment's bridge forgets a MAC.
struct BridgeAgeing {
  SegmentId segment;
  Duration ageing{};
};

/// Frames of the segment came faster than they were read, and some are lost.
struct FramesLost {
  SegmentId segment;
};

/// The classes of route; all but the backup have a tag each. A backup is the subnet's own route, for hosts without a
/// better one, or that of a frozen host: it has the lingering tag, so it loses everywhere, but our distance. A block
/// for the outside ranks as settled, one in reserve as lingering; neither has the marker that keeps routes inside.
enum class RouteClass : std::uint8_t { kNone, kFresh, kSettled, kLingering, kBackup, kExternal, kReserve };

/// One list of claims that the shell reads somewhere. Each is filled, and swept, for itself.
struct ClaimList {
  std::uint8_t value = 0;
  auto operator<=>(const ClaimList&) const = default;
};

/// A list shows that another site announces `key`.
struct ClaimSeen {
  ClaimList list;
  RouteKey key;
  RouteClass route_class = RouteClass::kSettled;
  std::optional<std::uint32_t> metric;  ///< only if it can be compared with ours
  IpAddress from;                       ///< its next hop
};

/// A list does not show it any more.
struct ClaimGone {
  ClaimList list;
  RouteKey key;
};

/// A list is read anew; what it has not shown when ClaimsListed comes is gone.
struct ClaimsBegun {
  ClaimList list;
};
struct ClaimsListed {
  ClaimList list;
};

/// The segment's site has lost the way to the rest of the world, or got it back.
struct UplinkChanged {
  SegmentId segment;
  Family family = Family::kIpv4;
  bool up = true;
};

/// A host route of ours that an earlier run of the agent left in the kernel.
struct PriorRoute {
  SegmentId segment;
  IpAddress ip;
};

/// A summary of ours that an earlier run of the agent left in the kernel.
struct PriorSummary {
  SegmentId segment;
  IpPrefix prefix;
};

/// An operator says that the conflict about a frozen host is over.
struct FreezeCleared {
  SegmentId segment;
  IpAddress ip;
};

/// An operator says that the host is about to come here: it is announced ahead, at the worst metric. That is no
/// evidence of where it is. `mac`, if it is known, lets the MAC's arrival count as the address's.
struct HostExpected {
  SegmentId segment;
  IpAddress ip;
  std::optional<MacAddress> mac;
  Duration lasts{};  ///< unless it has arrived
};

/// It is not about to come here any more.
struct HostReleased {
  SegmentId segment;
  IpAddress ip;
};

/// An FDB dump begins, and is over. A dump of a bridge can miss entries that are there all the time, and the kernel
/// does not say so: what it did not list is looked up one by one (FdbLookup).
struct DumpStarted {};
struct DumpFinished {};

enum class RouteNote : std::uint8_t { kInstalled, kRemoved, kBetterWon, kRejected };

/// The sink's answer for a route.
struct RouteNoted {
  RouteKey key;
  RouteNote note = RouteNote::kInstalled;
};

using Event = std::variant<InterfaceChanged, PortChanged, FrameSeen, SourceSeen, FdbSeen, FdbGone,
                           NeighbourSeen, OwnAddress, OwnMac, BridgeAgeing, FramesLost, PriorRoute,
                           PriorSummary, DumpStarted, DumpFinished, RouteNoted, FreezeCleared, ClaimSeen,
                           ClaimGone, ClaimsBegun, ClaimsListed, UplinkChanged, HostExpected, HostReleased>;

// ---- What we conclude. ---------------------------------------------------------------------------------------

enum class HostState : std::uint8_t { kUnknown, kRemote, kProvisional, kLocal, kDeparting };
enum class Verdict : std::uint8_t { kUnknown, kLocal, kRemote };

/// Why a host is in its state.
enum class Reason : std::uint8_t {
  kNone,
  kBindingLearned,
  kArpOnLocalPort,
  kRarpOnLocalPort,
  kNdOnLocalPort,
  kFdbOnLocalPort,
  kMacIsLocal,
  kArpOnDci,
  kRarpOnDci,
  kNdOnDci,
  kFdbOnDci,
  kRemoteVtep,
  kReboundToOtherMac,
  kPortDown,
  kSegmentDown,
  kNoAnswerOnLocalPort,
  kSilent,
  kClaimUnanswered,
  kConfigured,
  kClaimedElsewhere,
  kLingerOver,
  kMovedTooOften,
  kThawed,
  kOwnAddress,
  kMadeRoom,
  kForgotten,
  kExpected,
  kReleased,
  kNeverCame,
};

[[nodiscard]] std::string_view to_string(HostState state);
[[nodiscard]] std::string_view to_string(Verdict verdict);
[[nodiscard]] std::string_view to_string(RouteClass route_class);
[[nodiscard]] std::string_view to_string(RouteNote note);
[[nodiscard]] std::string_view to_string(FrameKind kind);
/// A sentence a person can read, e.g. "an ARP frame came in on a local port".
[[nodiscard]] std::string_view to_string(Reason reason);

/// A host changed state.
struct Transition {
  TimePoint when;
  SegmentId segment;
  IpAddress ip;
  MacAddress mac;
  HostState from = HostState::kUnknown;
  HostState to = HostState::kUnknown;
  Reason reason = Reason::kNone;
  Ifindex port;
  bool operator==(const Transition&) const = default;
};

// ---- What is to be done. ---------------------------------------------------------------------------------------

struct Route {
  Ifindex interface;
  RouteClass route_class = RouteClass::kSettled;
  std::uint8_t distance = 0;
  std::uint32_t metric = 0;
  std::uint32_t tag = 0;
  bool operator==(const Route&) const = default;
};

/// Announce `key` as `route`, or withdraw it. `cause` is the time of the evidence behind it.
struct RouteChange {
  RouteKey key;
  std::optional<Route> route;
  TimePoint cause;
};

/// Ask `ip` for a sign of life, out of local ports only: `port`, or all of the segment's when it is 0.
struct ProbeRequest {
  SegmentId segment;
  Ifindex port;
  IpAddress ip;
  std::optional<MacAddress> mac;
};

/// Ask the bridge whether it still has `mac` on `port`: the answer is an FdbSeen or an FdbGone.
struct FdbLookup {
  SegmentId segment;
  Ifindex port;
  MacAddress mac;
};

/// Tell the guest at `port` that `gateway` has the local gateway's MAC. A `gateway` of IPv6 for an `ip` of IPv4: no
/// IPv6 address of the guest is known, so it can be told but not asked.
struct GreetRequest {
  SegmentId segment;
  Ifindex port;
  IpAddress ip;
  MacAddress mac;
  IpAddress gateway;
  TimePoint cause;
};

enum class AlarmKind : std::uint8_t {
  kGatewayClaimed,
  kOwnAddressClaimed,
  kTooManyHosts,
  kTooManyIpsOnMac,
  kTooManyNewHosts,
  kTooManyRoutes,
  kHostFrozen,
  kOverBudget,
  kClaimedTwice,
};
[[nodiscard]] std::string_view to_string(AlarmKind kind);

/// A bound was crossed, or somebody lies. Repeats; the shell rate-limits.
struct Alarm {
  AlarmKind kind = AlarmKind::kGatewayClaimed;
  SegmentId segment;
  IpAddress ip;
  MacAddress mac;
  Ifindex port;
};

/// Reused between calls, so that the steady path does not allocate.
struct Actions {
  std::vector<RouteChange> routes;
  std::vector<ProbeRequest> probes;
  std::vector<FdbLookup> lookups;
  std::vector<GreetRequest> greetings;
  std::vector<Transition> transitions;
  std::vector<Alarm> alarms;
  /// Set once, when everything that an earlier run may have announced had its chance to answer.
  bool start_complete = false;
  /// Site::strangers() is different now.
  bool strangers_changed = false;

  void clear();
  [[nodiscard]] bool empty() const;
};

}  // namespace untrombone::core
