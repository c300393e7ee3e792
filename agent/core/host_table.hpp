// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "agent/core/event.hpp"

namespace untrombone::core {

/// Index of a host in the table; stable while the host exists.
using HostIndex = std::uint32_t;
inline constexpr HostIndex kNoHost = std::numeric_limits<HostIndex>::max();

/// "Will be asked": an answer is due some time after its turn in the probe queue.
inline constexpr TimePoint kUnasked = kNever - Duration(1);

/// How long the binding of a host that is not here is remembered. Longer than any sane ARP cache keeps it.
inline constexpr Duration kBindingMemory = std::chrono::hours(1);

/// One (segment, address): its binding, its verdict and the deadlines that concern it.
struct Host {
  IpAddress ip;
  SegmentId segment;
  MacAddress mac;
  HostState state = HostState::kUnknown;
  Reason reason = Reason::kNone;
  RouteClass route_class = RouteClass::kNone;
  std::uint8_t greetings_left = 0;
  std::uint8_t greetings_sent = 0;
  bool greeting_answered = false;
  bool brief_challenge = false;            ///< the answer is due soon: newer evidence contradicts
  RouteClass contest = RouteClass::kNone;  ///< of another site's claim that it has to answer to
  bool last_resort = false;                ///< frozen as being elsewhere, and seen here since
  bool disputed = false;         ///< another site's settled claim stays: if it answers, it is news again
  std::uint8_t asked = 0;        ///< probes since the last sign of life
  std::uint8_t moves = 0;        ///< within the conflict window that began at moves_since
  std::uint32_t bid = 0;         ///< metric of its fresh route
  TimePoint since;               ///< when the state was entered
  TimePoint cause;               ///< the evidence behind the last arrival
  TimePoint heard;               ///< last sign of life on a local port, or of the binding for a remote host
  TimePoint settle_at = kNever;  ///< fresh becomes settled
  TimePoint answer_by = kNever;  ///< an answer on a local port is due; kUnasked while it waits to be asked
  TimePoint probe_at = kNever;
  TimePoint greet_at = kNever;
  TimePoint linger_until = kNever;
  TimePoint forget_at = kNever;
  TimePoint frozen_until = kNever;    ///< kNever: not frozen
  TimePoint expected_until = kNever;  ///< kNever: nobody said that it would come here
  TimePoint moves_since;
  TimePoint queued_for = kNever;  ///< the earliest entry of the timer queue for this host
  HostIndex next_of_mac = kNoHost;

  /// Earliest of the deadlines.
  [[nodiscard]] TimePoint due() const;
  [[nodiscard]] bool is_frozen() const { return frozen_until != kNever; }
  /// It may have a route for when nobody else has one, although this site does not say that it is here.
  [[nodiscard]] bool is_standby() const { return is_expected() || last_resort; }
  /// An operator claims it for this site; it has not arrived.
  [[nodiscard]] bool is_expected() const { return expected_until != kNever; }
  /// False: claimed by its address alone, and nothing was heard of it.
  [[nodiscard]] bool has_mac() const { return !mac.is_zero(); }
  /// Is this site's route for it wanted, or lingering?
  [[nodiscard]] bool is_announced() const { return is_here() || state == HostState::kDeparting; }
  /// Does this site announce it as being here?
  [[nodiscard]] bool is_here() const {
    return state == HostState::kProvisional || state == HostState::kLocal;
  }
};

enum class Evidence : std::uint8_t { kNone, kFdb, kArp, kRarp, kNd };
[[nodiscard]] std::string_view to_string(Evidence evidence);

/// Where a MAC of a segment is, by the latest evidence.
struct Station {
  Ifindex port;  ///< 0: nowhere known
  PortClass port_class = PortClass::kLocal;
  Evidence evidence = Evidence::kNone;
  bool remote_vtep = false;
  bool listened_to = false;      ///< had its turn as a stranger
  bool listed = true;            ///< false: the bridge has forgotten it; the port is where it was last
  std::uint32_t generation = 0;  ///< of the FDB dump since whose start it was heard, listed or forgotten
  TimePoint when;
  HostIndex first_host = kNoHost;
  std::uint32_t hosts = 0;

  [[nodiscard]] bool is_local() const { return bool(port) && port_class != PortClass::kDci && !remote_vtep; }
  [[nodiscard]] bool is_remote() const { return bool(port) && !is_local(); }
};

struct StationKey {
  SegmentId segment;
  MacAddress mac;
  bool operator==(const StationKey&) const = default;
};

struct HostKey {
  SegmentId segment;
  IpAddress ip;
  bool operator==(const HostKey&) const = default;
};

[[nodiscard]] std::size_t hash_value(const StationKey& key);
[[nodiscard]] std::size_t hash_value(const HostKey& key);

/// Hosts by address, stations by MAC, and the list of hosts of each station. Holds the data, decides nothing.
class HostTable {
 public:
  [[nodiscard]] HostIndex find(SegmentId segment, const IpAddress& ip) const;
  [[nodiscard]] Host& operator[](HostIndex index) { return hosts_[index]; }
  [[nodiscard]] const Host& operator[](HostIndex index) const { return hosts_[index]; }
  [[nodiscard]] std::size_t size() const { return by_ip_.size(); }
  /// Indices below this may be hosts; one that is not has an unspecified address.
  [[nodiscard]] HostIndex slots() const { return static_cast<HostIndex>(hosts_.size()); }

  /// The station of `mac`, made when new. References live until the next call that makes one.
  Station& station(SegmentId segment, const MacAddress& mac) { return stations_[{segment, mac}]; }
  [[nodiscard]] const Station* find_station(SegmentId segment, const MacAddress& mac) const;

  /// Adds a host in state unknown and links it to its station; the address must be new.
  HostIndex add(SegmentId segment, const IpAddress& ip, const MacAddress& mac);
  /// Links the host to another MAC.
  void rebind(HostIndex index, const MacAddress& mac);
  void remove(HostIndex index);
  /// Forgets the station if it is nobody's, and nowhere or not listed by the bridge.
  void prune(const StationKey& key);

  /// Calls `visit(HostIndex)` for each host of the station; `visit` may change hosts but not add, rebind or remove.
  template <typename Visit>
  void for_each_of(const Station& station, Visit visit) const {
    for (HostIndex index = station.first_host; index != kNoHost;) {
      const HostIndex next = hosts_[index].next_of_mac;
      visit(index);
      index = next;
    }
  }

  /// Calls `visit(HostIndex)` for each host, in no particular order, under the same rule.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& entry : by_ip_) visit(entry.second);
  }

  /// Calls `visit(StationKey, Station&)` for each station.
  template <typename Visit>
  void for_each_station(Visit visit) {
    for (auto& entry : stations_) visit(entry.first, entry.second);
  }

 private:
  void link(HostIndex index);
  void unlink(HostIndex index);

  std::vector<Host> hosts_;
  std::vector<HostIndex> free_;
  boost::unordered_flat_map<HostKey, HostIndex> by_ip_;
  boost::unordered_flat_map<StationKey, Station> stations_;
};

}  // namespace untrombone::core
