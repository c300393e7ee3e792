// SPDX-License-Identifier: GPL-2.0-or-later
// Random histories of a few guests that move, change addresses, fall silent and speak, with evidence that is lost,
// doubled and delayed, against what must hold at every instant and what must be true when it is quiet again.
#include <chrono>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/site_driver.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;

constexpr unsigned kGuests = 5;
constexpr Ifindex kNowhere{0};

struct Faults {
  unsigned lost_percent = 0;
  unsigned delayed_percent = 0;
  bool doubled = false;  ///< every single event comes twice
};

/// A MAC, the addresses it holds, and where it is.
struct Guest {
  MacAddress address;
  std::set<IpAddress> ips;
  Ifindex port = kNowhere;
};

/// Guests on two local ports, on the DCI, or nowhere, and the site that watches them. Guests answer probes.
class World {
 public:
  World(unsigned seed, Faults faults) : random_(seed), faults_(faults), site_(SiteDriver::running()) {
    for (unsigned i = 0; i < kGuests; ++i) {
      guests_.push_back({mac(0x11 + i), {ip(11 + 2 * i), ip(12 + 2 * i)}, random_port()});
    }
  }

  /// One random thing happens; time passes.
  void step() {
    Guest& guest = guests_[below(kGuests)];
    switch (below(11)) {
      case 0: move(guest, random_port()); break;
      case 1: rebind(guest); break;
      case 2: tell_after_delay(FdbSeen{guest.port, guest.address}, guest.port); break;
      case 3: speak_strangely(guest); break;
      case 4: flush(guest); break;
      case 5: note_neighbour(guest); break;
      case 6: send_packet(guest); break;
      case 7: claim(guest); break;
      case 8: release(); break;
      default: speak(guest); break;
    }
    constexpr Duration kPauses[] = {0ms, 1ms, 30ms, 150ms, 700ms, 3s, 20s};
    pass(kPauses[below(std::size(kPauses))]);
  }

  /// No more faults; the kernel's table is read again, every guest that is anywhere says its addresses, and then
  /// it is quiet.
  void settle() {
    pass(6min);  // every freeze is over
    faults_.lost_percent = faults_.delayed_percent = 0;
    tell(DumpStarted{}, kPort1);
    for (const Guest& guest : guests_) tell(FdbSeen{guest.port, guest.address}, guest.port);
    tell(DumpFinished{}, kPort1);
    for (const Guest& guest : guests_) {
      for (const IpAddress& address : guest.ips) tell(arp(guest.port, guest.address, address), guest.port);
    }
    pass(5min);
  }

  void check_always() const {
    std::set<IpPrefix> wanted;
    site().hosts().for_each([&](HostIndex index) {
      const Host& host = site().hosts()[index];
      const bool ahead = host.is_expected() && !host.is_here();
      const bool announced = host.is_here() || host.state == HostState::kDeparting || ahead;
      if ((host.route_class != RouteClass::kNone) != announced)
        FAIL(describe(host) << ": state and route disagree");
      if (host.route_class == RouteClass::kNone) return;
      wanted.insert(IpPrefix::host(host.ip));
      if (!ever_local_.contains(host.ip) && (!ahead || host.state == HostState::kDeparting))
        FAIL(describe(host) << ": announced, but never seen on a local port");
      const bool lingers = host.state == HostState::kDeparting || ahead;
      if ((host.route_class == RouteClass::kLingering) != lingers) {
        FAIL(describe(host) << ": only what departs, or is claimed ahead, lingers");
      }
    });
    std::set<IpPrefix> programmed;
    for (const auto& [key, route] : driver().routes()) {
      programmed.insert(key.prefix);
      if (!driver().site().settings().segments.front().may_be_host(key.prefix.address())) {
        FAIL(key.prefix.to_string() << " is announced");
      }
    }
    if (programmed != wanted) FAIL("the routes are not those of the hosts");
    const TimePoint due = site().next_deadline();
    if (due <= driver().now()) FAIL("a deadline was missed");
  }

  void check_settled() const {
    for (const Guest& guest : guests_) {
      for (const IpAddress& address : guest.ips) {
        INFO(address.to_string() << " on port " << guest.port.value);
        if (is_local(guest.port)) {
          REQUIRE(driver().state(address) == HostState::kLocal);
          CHECK(driver().announced(address) == RouteClass::kSettled);
          CHECK(driver().host(address)->mac == guest.address);
        } else {
          const Host* const host = driver().host(address);
          if (host != nullptr) UNSCOPED_INFO(story(address));
          CHECK((host == nullptr || !host->is_here()));
          CHECK_FALSE(driver().announced(address));
          if (guest.port == kDciPort) CHECK(driver().state(address) == HostState::kRemote);
        }
      }
    }
  }

  [[nodiscard]] std::string story(const IpAddress& address) const {
    std::string text;
    for (const Transition& step : site().history().of(kSegment, address)) {
      text += std::to_string((driver().now() - step.when) / 1ms) + " ms ago: " + step.mac.to_string() + " " +
              std::string(to_string(step.to)) + ", " + std::string(to_string(step.reason)) + "\n";
    }
    return text;
  }

  using Row = std::tuple<IpAddress, MacAddress, HostState, RouteClass>;
  [[nodiscard]] std::set<Row> table() const {
    std::set<Row> rows;
    site().hosts().for_each([&](HostIndex index) {
      const Host& host = site().hosts()[index];
      rows.emplace(host.ip, host.mac, host.state, host.route_class);
    });
    return rows;
  }

 private:
  struct Pending {
    TimePoint at;
    Event event;
  };

  [[nodiscard]] const SiteDriver& driver() const { return site_; }
  [[nodiscard]] const Site& site() const { return site_.site(); }
  static bool is_local(Ifindex port) { return port && port != kDciPort; }
  static std::string describe(const Host& host) {
    return host.ip.to_string() + " " + std::string(to_string(host.state)) + " " +
           std::string(to_string(host.route_class));
  }

  unsigned below(std::size_t bound) { return static_cast<unsigned>(random_() % bound); }
  Ifindex random_port() {
    constexpr Ifindex kPlaces[] = {kPort1, kPort2, kDciPort, kDciPort, kNowhere};
    return kPlaces[below(std::size(kPlaces))];
  }

  void move(Guest& guest, Ifindex port) {
    guest.port = port;
    switch (below(4)) {  // hypervisors differ
      case 0: break;
      case 1:
        for (int i = 0; i < 3; ++i) tell_after_delay(rarp(port, guest.address), port);
        break;
      case 2: speak(guest); break;
      default: tell_after_delay(FdbSeen{port, guest.address}, port); break;
    }
  }
  void speak(const Guest& guest) {
    tell_after_delay(FdbSeen{guest.port, guest.address}, guest.port);
    for (const IpAddress& address : guest.ips) {
      tell_after_delay(arp(guest.port, guest.address, address), guest.port);
    }
  }
  /// An address changes its owner.
  void rebind(Guest& from) {
    if (from.ips.empty()) return;
    const IpAddress address = *from.ips.begin();
    from.ips.erase(from.ips.begin());
    Guest& to = guests_[below(kGuests)];
    to.ips.insert(address);
    tell_after_delay(arp(to.port, to.address, address), to.port);
  }
  /// Addresses and MACs that may never be hosts.
  void speak_strangely(const Guest& guest) {
    const IpAddress strange[] = {kGateway, ip(0), ip(255), ip(245), IpAddress::v4({198, 51, 100, 9})};
    tell_after_delay(arp(guest.port, guest.address, strange[below(std::size(strange))]), guest.port);
    tell_after_delay(arp(guest.port, kSviMac, ip(77)), guest.port);
  }
  void flush(const Guest& guest) {
    const bool aged = below(2) == 0;
    tell_after_delay(FdbGone{guest.port, guest.address, aged}, guest.port);
  }
  /// Only strangers' packets are heard, and a VM that forwards sends those of others.
  void send_packet(const Guest& guest) {
    for (const Stranger& stranger : site().strangers()) {
      if (stranger.mac != guest.address || stranger.port != guest.port) continue;
      const bool own = !guest.ips.empty() && below(4) != 0;
      tell_after_delay(SourceSeen{guest.port, guest.address, own ? *guest.ips.begin() : ip(11 + below(12))},
                       guest.port);
      return;
    }
  }
  /// An operator expects it, rightly or not, and knows its MAC or not; or what can be no host.
  void claim(const Guest& guest) {
    const IpAddress strange[] = {kGateway, ip(255), ip(245), IpAddress::v4({198, 51, 100, 9})};
    const bool sane = !guest.ips.empty() && below(8) != 0;
    const IpAddress address = sane ? *guest.ips.begin() : strange[below(std::size(strange))];
    HostExpected expected{kSegment, address, std::nullopt, std::chrono::seconds(1 + below(60))};
    if (sane && below(2) == 0) expected.mac = guest.address;
    tell(expected, kPort1);
  }
  void release() { tell(HostReleased{kSegment, ip(11 + below(12))}, kPort1); }
  void note_neighbour(const Guest& guest) {
    for (const IpAddress& address : guest.ips) {
      tell_after_delay(NeighbourSeen{kSegment, address, guest.address}, kPort1);
    }
  }

  void tell_after_delay(const Event& event, Ifindex port) {
    if (below(100) < faults_.lost_percent) return;
    if (below(100) < faults_.delayed_percent) {
      pending_.push_back({site_.now() + std::chrono::milliseconds(below(2000)), event});
      return;
    }
    tell(event, port);
  }
  /// Evidence from nowhere never arrives.
  void tell(const Event& event, Ifindex port) {
    if (!port) return;
    for (int times = faults_.doubled ? 2 : 1; times > 0; --times) {
      note_ever_local(event);
      const std::vector<ProbeRequest> probes = site_.feed(event).probes;
      check_always();
      answer(probes);
    }
  }
  /// Guests answer on their own port, if that is where the probe went.
  void answer(const std::vector<ProbeRequest>& probes) {
    for (const ProbeRequest& probe : probes) {
      for (const Guest& guest : guests_) {
        const bool reached = is_local(guest.port) && (!probe.port || probe.port == guest.port) &&
                             (!probe.mac || *probe.mac == guest.address);
        if (reached && guest.ips.contains(probe.ip))
          tell(arp_reply(guest.port, guest.address, probe.ip), guest.port);
      }
    }
  }
  void pass(Duration by) {
    const TimePoint until = site_.now() + by;
    while (true) {
      TimePoint next = std::min(until, site_.site().next_deadline());
      auto soonest = pending_.end();
      for (auto one = pending_.begin(); one != pending_.end(); ++one) {
        if (one->at <= next) {
          next = one->at;
          soonest = one;
        }
      }
      const std::vector<ProbeRequest> probes =
          site_.advance(std::max(next - site_.now(), Duration::zero())).probes;
      check_always();
      answer(probes);
      if (soonest != pending_.end()) {
        const Event event = soonest->event;
        pending_.erase(soonest);
        tell(event, kPort1);
      } else if (next >= until) {
        return;
      }
    }
  }
  /// Which addresses were ever bound to a MAC that was ever seen on a local port: more than the site may conclude.
  void note_ever_local(const Event& event) {
    if (const auto* frame = std::get_if<FrameSeen>(&event)) {
      if (frame->sender) bound_[frame->mac].insert(*frame->sender);
      if (is_local(frame->port)) local_macs_.insert(frame->mac);
    } else if (const auto* packet = std::get_if<SourceSeen>(&event)) {
      bound_[packet->mac].insert(packet->source);
      local_macs_.insert(packet->mac);
    } else if (const auto* entry = std::get_if<FdbSeen>(&event)) {
      if (is_local(entry->port)) local_macs_.insert(entry->mac);
    } else if (const auto* neighbour = std::get_if<NeighbourSeen>(&event)) {
      bound_[neighbour->mac].insert(neighbour->ip);
    } else if (const auto* expected = std::get_if<HostExpected>(&event); expected && expected->mac) {
      bound_[*expected->mac].insert(expected->ip);
    }
    for (const MacAddress& one : local_macs_) ever_local_.insert(bound_[one].begin(), bound_[one].end());
  }

  std::mt19937 random_;
  Faults faults_;
  SiteDriver site_;
  std::vector<Guest> guests_;
  std::vector<Pending> pending_;
  std::map<MacAddress, std::set<IpAddress>> bound_;
  std::set<MacAddress> local_macs_;
  std::set<IpAddress> ever_local_;
};

void run_history(unsigned seed, Faults faults) {
  INFO("seed " << seed);
  World world(seed, faults);
  for (int step = 0; step < 40; ++step) world.step();
  world.settle();
  world.check_settled();
}

}  // namespace

TEST_CASE("after any history every host is where its last evidence says") {
  for (unsigned seed = 0; seed < 2000; ++seed) run_history(seed, {});
}

TEST_CASE("after any history with lost and late evidence a resync sets everything right") {
  for (unsigned seed = 0; seed < 2000; ++seed) run_history(seed, {.lost_percent = 30, .delayed_percent = 30});
}

TEST_CASE("doubled evidence ends in the same host table") {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    INFO("seed " << seed);
    World once(seed, {.lost_percent = 20, .delayed_percent = 0, .doubled = false});
    World twice(seed, {.lost_percent = 20, .delayed_percent = 0, .doubled = true});
    for (int step = 0; step < 40; ++step) {
      once.step();
      twice.step();
    }
    REQUIRE(once.table() == twice.table());
    once.settle();
    twice.settle();
    REQUIRE(once.table() == twice.table());
  }
}

TEST_CASE("evidence from the DCI alone never announces anything") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    SiteDriver driver = SiteDriver::running();
    for (int step = 0; step < 200; ++step) {
      const auto which = static_cast<unsigned>(random() % 8);
      const auto who = static_cast<unsigned>(random() % 4);
      const Event events[] = {arp(kDciPort, mac(0x11 + who), ip(11 + which)),
                              arp_reply(kDciPort, mac(0x11 + who), ip(11 + which)),
                              arp_to_gateway(kDciPort, mac(0x11 + who), ip(11 + which)),
                              rarp(kDciPort, mac(0x11 + who)),
                              FdbSeen{kDciPort, mac(0x11 + who)},
                              FdbSeen{kPort1, mac(0x11 + who), true},
                              FdbGone{kDciPort, mac(0x11 + who), random() % 2 == 0},
                              NeighbourSeen{kSegment, ip(11 + which), mac(0x11 + who)},
                              DumpStarted{},
                              DumpFinished{}};
      driver.feed(events[random() % std::size(events)]);
      REQUIRE(driver.actions().routes.empty());
      driver.advance(std::chrono::milliseconds(random() % 1000));
      REQUIRE(driver.routes().empty());
    }
  }
}

}  // namespace untrombone::core
