// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/event.hpp"

namespace untrombone::core {

std::string_view to_string(HostState state) {
  switch (state) {
    case HostState::kUnknown: return "unknown";
    case HostState::kRemote: return "remote";
    case HostState::kProvisional: return "provisional";
    case HostState::kLocal: return "local";
    case HostState::kDeparting: return "departing";
  }
  return "?";
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kUnknown: return "unknown";
    case Verdict::kLocal: return "local";
    case Verdict::kRemote: return "remote";
  }
  return "?";
}

std::string_view to_string(RouteClass route_class) {
  switch (route_class) {
    case RouteClass::kNone: return "none";
    case RouteClass::kFresh: return "fresh";
    case RouteClass::kSettled: return "settled";
    case RouteClass::kLingering: return "lingering";
    case RouteClass::kBackup: return "backup";
    case RouteClass::kExternal: return "external";
    case RouteClass::kReserve: return "reserve";
  }
  return "?";
}

std::string_view to_string(RouteNote note) {
  switch (note) {
    case RouteNote::kInstalled: return "installed";
    case RouteNote::kRemoved: return "removed";
    case RouteNote::kBetterWon: return "better-won";
    case RouteNote::kRejected: return "rejected";
  }
  return "?";
}

std::string_view to_string(FrameKind kind) {
  switch (kind) {
    case FrameKind::kArpRequest: return "arp-request";
    case FrameKind::kArpReply: return "arp-reply";
    case FrameKind::kRarp: return "rarp";
    case FrameKind::kNeighbourSolicitation: return "neighbour-solicitation";
    case FrameKind::kNeighbourAdvertisement: return "neighbour-advertisement";
  }
  return "?";
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::kNone: return "none";
    case Reason::kBindingLearned: return "its binding was learned";
    case Reason::kArpOnLocalPort: return "an ARP frame of it came in on a local port";
    case Reason::kRarpOnLocalPort: return "a RARP frame of its MAC came in on a local port";
    case Reason::kNdOnLocalPort: return "a neighbour discovery frame of it came in on a local port";
    case Reason::kFdbOnLocalPort: return "the bridge learned its MAC on a local port";
    case Reason::kMacIsLocal: return "its MAC is known on a local port";
    case Reason::kArpOnDci: return "an ARP frame of its MAC came in over the DCI";
    case Reason::kRarpOnDci: return "a RARP frame of its MAC came in over the DCI";
    case Reason::kNdOnDci: return "a neighbour discovery frame of its MAC came in over the DCI";
    case Reason::kFdbOnDci: return "the bridge learned its MAC on a DCI port";
    case Reason::kRemoteVtep: return "the FDB entry of its MAC names a remote VTEP";
    case Reason::kReboundToOtherMac: return "its address moved to another MAC";
    case Reason::kPortDown: return "its port went down or left the bridge";
    case Reason::kSegmentDown: return "the segment's interface is down";
    case Reason::kNoAnswerOnLocalPort: return "it did not answer a probe on a local port";
    case Reason::kSilent: return "it was silent for too long";
    case Reason::kClaimUnanswered:
      return "another site claims it, and it did not answer a probe on a local port";
    case Reason::kConfigured: return "the configuration does not have it any more";
    case Reason::kClaimedElsewhere: return "another site's better route won";
    case Reason::kLingerOver: return "it left and its linger time ran out";
    case Reason::kMovedTooOften: return "it moved too often and is frozen where it is";
    case Reason::kThawed: return "its freeze is over";
    case Reason::kOwnAddress: return "it is an address of the edge itself";
    case Reason::kMadeRoom: return "it was forgotten to make room for a host of this site";
    case Reason::kForgotten: return "nothing was heard of it for an hour";
    case Reason::kExpected: return "an operator claims it for this site ahead of its move";
    case Reason::kReleased: return "an operator released it";
    case Reason::kNeverCame: return "it was claimed for this site and did not come in time";
  }
  return "?";
}

std::string_view to_string(AlarmKind kind) {
  switch (kind) {
    case AlarmKind::kGatewayClaimed: return "gateway-claimed";
    case AlarmKind::kOwnAddressClaimed: return "own-address-claimed";
    case AlarmKind::kTooManyHosts: return "max-hosts";
    case AlarmKind::kTooManyIpsOnMac: return "max-ips-per-mac";
    case AlarmKind::kTooManyNewHosts: return "new-host-rate";
    case AlarmKind::kTooManyRoutes: return "max-routes";
    case AlarmKind::kHostFrozen: return "host-frozen";
    case AlarmKind::kOverBudget: return "over-budget";
    case AlarmKind::kClaimedTwice: return "claimed-twice";
  }
  return "?";
}

void Actions::clear() {
  routes.clear();
  probes.clear();
  lookups.clear();
  greetings.clear();
  transitions.clear();
  alarms.clear();
  start_complete = strangers_changed = false;
}

bool Actions::empty() const {
  return routes.empty() && probes.empty() && lookups.empty() && greetings.empty() && transitions.empty() &&
         alarms.empty() && !start_complete && !strangers_changed;
}

}  // namespace untrombone::core
