// SPDX-License-Identifier: GPL-2.0-or-later
// 100,000 random histories. Guests move, fall silent, change addresses and share them; ports flap; VTEPs and other
// sites claim; the evidence of all that is lost, doubled, delayed and reordered. Then the tables are dumped again, with
// entries missing as a bridge's dump may miss them, and everybody says its addresses once: the host table and the
// routes must be those of the guests, whatever the history was.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/site_driver.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;

constexpr unsigned kGuests = 6;
constexpr unsigned kSteps = 24;
constexpr Ifindex kNowhere{0};
constexpr Ifindex kVtepPort{15};  // a port that counts as local, but its FDB entries name a remote VTEP
const IpAddress kOwn = ip(2);

/// What happens to the evidence, in percent.
struct Faults {
  unsigned lost = 0;
  unsigned doubled = 0;
  unsigned delayed = 0;  ///< by up to three seconds, so that it is overtaken
};

struct Guest {
  MacAddress mac;
  std::set<IpAddress> ips;
  Ifindex port = kNowhere;
};

SiteSettings history_settings() {
  SiteSettings settings = default_settings();
  SegmentSettings& segment = settings.segments.front();
  segment.subnets.push_back(IpPrefix::parse("2001:db8::/64").value());
  segment.gateways.push_back(IpAddress::parse("2001:db8::1").value());
  segment.probe_rate = 20;  // so low that everything has to wait for its turn at times
  segment.max_ips_per_mac = 8;
  return settings;
}

IpAddress ip6(unsigned last) {
  std::array<std::uint8_t, 16> octets{0x20, 0x01, 0x0d, 0xb8};
  octets[15] = static_cast<std::uint8_t>(last);
  return IpAddress::v6(octets);
}

/// The guests, the bridge's table as the kernel has it, and the site that hears of it through faulty sockets.
class World {
 public:
  World(unsigned seed, Faults faults)
      : random_(seed), faults_(faults), driver_(SiteDriver::running(history_settings())) {
    driver_.feed(PortChanged{kSegment, kVtepPort, PortClass::kLocal, true});
    driver_.feed(OwnAddress{kSegment, kOwn});
    for (unsigned i = 0; i < kGuests; ++i) {
      guests_.push_back({mac(0x11 + i), {ip(11 + 2 * i), ip(12 + 2 * i), ip6(11 + i)}, random_place()});
    }
  }

  void step() {
    Guest& guest = guests_[below(kGuests)];
    switch (below(18)) {
      case 0:
      case 1: move(guest); break;
      case 2: give_address(guest); break;
      case 3: age_out(guest); break;
      case 4: flap(random_port()); break;
      case 5: take_down(random_port()); break;
      case 6: bring_all_up(); break;
      case 7: dump(); break;
      case 8: note_neighbours(guest); break;
      case 9: speak_strangely(guest); break;
      case 10: tell(RouteNoted{{{}, IpPrefix::host(any_ip())}, RouteNote::kBetterWon}); break;
      case 11: tell(FreezeCleared{kSegment, any_ip()}); break;
      case 12: flap_interface(); break;
      case 13:
        tell(HostExpected{kSegment, any_ip(), std::nullopt, std::chrono::seconds(1 + below(60))});
        break;
      case 14: tell(HostReleased{kSegment, any_ip()}); break;
      default: speak(guest); break;
    }
    constexpr Duration kPauses[] = {0ms, 1ms, 40ms, 300ms, 1500ms, 4s, 30s};
    pass(kPauses[below(std::size(kPauses))]);
    check_always();
  }

  void settle() {
    faults_ = {};
    bring_all_up();
    pass(6min);  // every freeze is over, all that was delayed has come
    dump();
    for (const Guest& guest : guests_) speak(guest);
    pass(4min);
    check_always();
  }

  void check_settled() const {
    std::set<IpPrefix> expected;
    for (const Guest& guest : guests_) {
      for (const IpAddress& address : guest.ips) {
        if (is_here(guest.port)) {
          expected.insert(IpPrefix::host(address));
          if (driver_.state(address) != HostState::kLocal || driver_.host(address)->mac != guest.mac)
            FAIL(address.to_string() << " is not local on the MAC that has it\n" << describe());
        } else if (guest.port == kDciPort && driver_.state(address) != HostState::kRemote) {
          FAIL(address.to_string() << " is behind the DCI, and not remote\n" << describe());
        }
      }
    }
    std::set<IpPrefix> announced;
    for (const auto& [key, route] : driver_.routes()) {
      announced.insert(key.prefix);
      if (route.route_class != RouteClass::kSettled) FAIL(key.prefix.to_string() << " is not settled");
    }
    if (announced != expected) FAIL("the routes are not those of the guests that are here\n" << describe());
  }

  /// The guests, and what the site knows of them.
  [[nodiscard]] std::string describe() const {
    std::string text;
    for (const Guest& guest : guests_) {
      text += guest.mac.to_string() + " on port " + std::to_string(guest.port.value) + "\n";
      for (const IpAddress& address : guest.ips) {
        const Host* const host = driver_.host(address);
        text += "  " + address.to_string() + ": ";
        if (host == nullptr) {
          text += "not known\n";
          continue;
        }
        text += std::string(to_string(host->state)) + " on " + host->mac.to_string() + ": " +
                std::string(to_string(host->reason)) + (host->is_frozen() ? ", frozen\n" : "\n");
      }
    }
    return text;
  }

 private:
  struct Pending {
    TimePoint at;
    Event event;
  };

  unsigned below(std::size_t bound) { return static_cast<unsigned>(random_() % bound); }
  static bool is_here(Ifindex port) { return port && port != kDciPort && port != kVtepPort; }
  IpAddress any_ip() { return ip(11 + below(2 * kGuests)); }
  Ifindex random_port() {
    constexpr Ifindex kPorts[] = {kPort1, kPort2, kPeerPort, kDciPort, kVtepPort};
    return kPorts[below(std::size(kPorts))];
  }
  Ifindex random_place() { return below(6) == 0 ? kNowhere : random_port(); }

  // What guests and operators do.

  void move(Guest& guest) {
    guest.port = random_place();
    switch (below(4)) {  // hypervisors differ
      case 0: break;
      case 1:
        for (int i = 0; i < 3; ++i) emit(guest, rarp(guest.port, guest.mac));
        break;
      default: speak(guest); break;
    }
  }
  void speak(const Guest& guest) {
    for (const IpAddress& address : guest.ips) emit(guest, frame(guest, address));
  }
  void give_address(Guest& from) {
    if (from.ips.empty()) return;
    Guest& to = guests_[below(kGuests)];
    if (to.ips.size() > 6) return;
    const IpAddress address = *from.ips.begin();
    from.ips.erase(from.ips.begin());
    to.ips.insert(address);
    emit(to, frame(to, address));
  }
  void speak_strangely(const Guest& guest) {
    const IpAddress strange[] = {kGateway, kOwn, ip(0), ip(255), ip(245), IpAddress::v4({198, 51, 100, 9})};
    emit(guest, arp(guest.port, guest.mac, strange[below(std::size(strange))]));
    emit(guest, arp(guest.port, kSviMac, any_ip()), false);
  }
  void note_neighbours(const Guest& guest) {
    for (const IpAddress& address : guest.ips) tell(NeighbourSeen{kSegment, address, guest.mac});
  }

  // What the kernel does.

  static FrameSeen frame(const Guest& guest, const IpAddress& address) {
    FrameSeen seen = arp(guest.port, guest.mac, address);
    if (!address.is_v4()) seen.kind = FrameKind::kNeighbourAdvertisement;
    return seen;
  }
  [[nodiscard]] bool is_up(Ifindex port) const { return port && !down_.contains(port); }
  /// A frame comes in: the bridge learns, and both the tap and the FDB tell. A VXLAN device is not tapped by place:
  /// only its FDB entry says that the sender is remote, so that is told last, as the kernel does.
  void emit(const Guest& guest, const FrameSeen& seen, bool learn = true) {
    if (!is_up(guest.port)) return;
    if (guest.port != kVtepPort) tell(seen);
    if (!learn) return;
    const bool is_news = fdb_.count(guest.mac) == 0 || fdb_[guest.mac] != guest.port;
    fdb_[guest.mac] = guest.port;
    if (is_news || guest.port == kVtepPort) tell(fdb_entry(guest.mac, false));
  }
  [[nodiscard]] FdbSeen fdb_entry(const MacAddress& one, bool dumped) const {
    const Ifindex port = fdb_.at(one);
    return {port, one, port == kVtepPort, {}, dumped};
  }
  void age_out(const Guest& guest) {
    const auto entry = fdb_.find(guest.mac);
    if (entry == fdb_.end()) return;
    tell(FdbGone{entry->second, guest.mac, below(3) != 0});
    fdb_.erase(entry);
  }
  void flush(Ifindex port) {
    for (auto entry = fdb_.begin(); entry != fdb_.end();) {
      if (entry->second != port) {
        ++entry;
        continue;
      }
      tell(FdbGone{port, entry->first, false});
      entry = fdb_.erase(entry);
    }
  }
  [[nodiscard]] static PortChanged port_event(Ifindex port, bool up) {
    PortClass port_class = PortClass::kLocal;
    if (port == kPeerPort) port_class = PortClass::kPeer;
    if (port == kDciPort) port_class = PortClass::kDci;
    return {kSegment, port, port_class, up};
  }
  void take_down(Ifindex port) {
    if (!down_.insert(port).second) return;
    flush(port);
    feed(port_event(port,
                    false));  // link events are healed by the links' own dump, which is not under test here
  }
  void flap(Ifindex port) {
    take_down(port);
    pass(std::chrono::milliseconds(below(5000)));
    if (down_.erase(port) != 0) feed(port_event(port, true));
  }
  void bring_all_up() {
    for (const Ifindex port : std::exchange(down_, {})) feed(port_event(port, true));
  }
  void flap_interface() {
    feed(InterfaceChanged{kSegment, kSvi, kSviMac, false});
    pass(20ms);
    feed(InterfaceChanged{kSegment, kSvi, kSviMac, true});
  }
  /// Every fifth entry is missing although it is there, and events go on meanwhile.
  void dump() {
    feed(DumpStarted{});
    const std::map<MacAddress, Ifindex> listed = fdb_;
    if (below(2) == 0) speak(guests_[below(kGuests)]);
    for (const auto& [one, port] : listed) {
      if (below(5) != 0) feed(FdbSeen{port, one, port == kVtepPort, {}, true});
    }
    const std::vector<FdbLookup> lookups = feed(DumpFinished{});
    for (const FdbLookup& lookup : lookups) {
      const auto entry = fdb_.find(lookup.mac);
      const bool found = entry != fdb_.end() && entry->second == lookup.port;
      if (found) {
        feed(fdb_entry(lookup.mac, false));
      } else {
        feed(FdbGone{lookup.port, lookup.mac, false});
      }
    }
  }

  // How the site hears of it.

  void tell(const Event& event) {
    if (below(100) < faults_.lost) return;
    for (int times = below(100) < faults_.doubled ? 2 : 1; times > 0; --times) {
      if (below(100) < faults_.delayed) {
        pending_.push_back({driver_.now() + std::chrono::milliseconds(below(3000)), event});
      } else {
        feed(event);
      }
    }
  }
  std::vector<FdbLookup> feed(const Event& event) {
    note_ever_local(event);
    const Actions& actions = driver_.feed(event);
    const std::vector<FdbLookup> lookups = actions.lookups;
    answer(actions.probes);
    return lookups;
  }
  /// Probes go out of local ports that are up; whoever has the address there answers.
  void answer(std::vector<ProbeRequest> probes) {
    for (const ProbeRequest& probe : probes) {
      for (const Guest& guest : guests_) {
        const bool reached = is_here(guest.port) && is_up(guest.port) &&
                             (!probe.port || probe.port == guest.port) &&
                             (!probe.mac || *probe.mac == guest.mac) && guest.ips.contains(probe.ip);
        if (reached) emit(guest, frame(guest, probe.ip));
      }
    }
  }
  void pass(Duration by) {
    const TimePoint until = driver_.now() + by;
    while (true) {
      const TimePoint next = std::min({until, driver_.site().next_deadline(), next_pending()});
      answer(driver_.advance(std::max(next - driver_.now(), Duration::zero())).probes);
      if (next_pending() <= next) {
        deliver_next();
      } else if (next >= until) {
        return;
      }
    }
  }
  [[nodiscard]] TimePoint next_pending() const {
    TimePoint next = kNever;
    for (const Pending& one : pending_) next = std::min(next, one.at);
    return next;
  }
  void deliver_next() {
    const auto soonest =
        std::min_element(pending_.begin(), pending_.end(),
                         [](const Pending& one, const Pending& other) { return one.at < other.at; });
    const Event event = soonest->event;
    pending_.erase(soonest);
    feed(event);
  }

  // What must hold at every instant.

  void check_always() const {
    const SegmentSettings& settings = driver_.site().settings().segments.front();
    for (const auto& [key, route] : driver_.routes()) {
      const IpPrefix& prefix = key.prefix;
      const IpAddress& address = prefix.address();
      if (!settings.may_be_host(address) || address == kOwn)
        FAIL(prefix.to_string() << " is announced, and may not be a host");
      const Host* const host = driver_.host(address);
      const bool ahead = host != nullptr && host->is_expected();
      if (!ahead && !ever_local_.contains(address))
        FAIL(prefix.to_string() << " is announced, but no MAC that had it was ever on a local port");
      if (host == nullptr) FAIL(prefix.to_string() << " is announced, and not in the table");
      const bool lingers = route.route_class == RouteClass::kLingering;
      if (host != nullptr && (lingers ? host->state != HostState::kDeparting && !ahead : !host->is_here()))
        FAIL(prefix.to_string() << " is announced as " << to_string(route.route_class) << ", and is "
                                << to_string(host->state));
    }
    if (driver_.site().next_deadline() <= driver_.now()) FAIL("a deadline was missed");
  }
  /// Which addresses were ever bound to a MAC that was ever on a local port: more than the site may conclude.
  void note_ever_local(const Event& event) {
    if (const auto* seen = std::get_if<FrameSeen>(&event)) {
      if (seen->sender) bound_[seen->mac].insert(*seen->sender);
      if (is_here(seen->port)) local_macs_.insert(seen->mac);
    } else if (const auto* entry = std::get_if<FdbSeen>(&event)) {
      if (is_here(entry->port)) local_macs_.insert(entry->mac);
    } else if (const auto* neighbour = std::get_if<NeighbourSeen>(&event)) {
      bound_[neighbour->mac].insert(neighbour->ip);
    } else {
      return;
    }
    for (const MacAddress& one : local_macs_) ever_local_.insert(bound_[one].begin(), bound_[one].end());
  }

  std::mt19937 random_;
  Faults faults_;
  SiteDriver driver_;
  std::vector<Guest> guests_;
  std::map<MacAddress, Ifindex> fdb_;
  std::set<Ifindex> down_;
  std::vector<Pending> pending_;
  std::map<MacAddress, std::set<IpAddress>> bound_;
  std::set<MacAddress> local_macs_;
  std::set<IpAddress> ever_local_;
};

/// UNTROMBONE_HISTORIES multiplies the number of histories, for a night's run.
unsigned times() {
  const char* const text = std::getenv("UNTROMBONE_HISTORIES");
  return text == nullptr ? 1U : static_cast<unsigned>(std::max(1, std::atoi(text)));
}

void run_histories(unsigned first_seed, unsigned count, Faults faults) {
  for (unsigned seed = first_seed; seed < first_seed + count * times(); ++seed) {
    INFO("seed " << seed);
    World world(seed, faults);
    for (unsigned step = 0; step < kSteps; ++step) world.step();
    world.settle();
    world.check_settled();
  }
}

}  // namespace

TEST_CASE("25,000 histories as they happened end in the truth") { run_histories(1, 25000, {}); }

TEST_CASE("25,000 histories with doubled and reordered evidence end in the truth") {
  run_histories(1'000'000, 25000, {.lost = 0, .doubled = 30, .delayed = 40});
}

TEST_CASE("25,000 histories with lost evidence end in the truth after a resync") {
  run_histories(2'000'000, 25000, {.lost = 50, .doubled = 0, .delayed = 0});
}

TEST_CASE("25,000 histories with evidence lost, doubled and reordered end in the truth after a resync") {
  run_histories(3'000'000, 25000, {.lost = 30, .doubled = 20, .delayed = 30});
}

}  // namespace untrombone::core
