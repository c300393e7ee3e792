// SPDX-License-Identifier: GPL-2.0-or-later
// The monitor against the real kernel. Needs root.
#include "netlink/monitor.hpp"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/lab/crowd.hpp"
#include "tests/netns/bridge_netns.hpp"

namespace untrombone::netlink {
namespace {

using core::IpAddress;
using core::IpPrefix;
using core::MacAddress;
using testing::BridgeNetns;
using testing::kAccessPort;
using testing::kBridge;
using testing::kDciPort;
using testing::run_until;

constexpr const char* kGuestMac = "00:00:5e:00:53:11";
const MacAddress kGuest = MacAddress::parse(kGuestMac).value();

class Recorder final : public MonitorListener {
 public:
  void on_kernel_message(const Message& message, bool dumped) override {
    messages.push_back(message);
    from_dump.push_back(dumped);
  }
  void on_dump_started() override { ++dumps_started; }
  void on_dump_finished() override { ++dumps_finished; }
  void on_kernel_idle() override { ++idle; }
  DumpScope dump_scope() override { return {{kBridge}, {{kBridge, RT_TABLE_MAIN}}}; }
  void on_kernel_failure(const boost::system::error_code& error, std::string_view what) override {
    FAIL(what << ": " << error.message());
  }

  /// The first message of type T, not before number `since`, for which wanted(message) holds.
  template <typename T, typename Wanted>
  std::optional<T> find(Wanted wanted, std::size_t since = 0) const {
    for (std::size_t i = since; i < messages.size(); ++i) {
      const T* const message = std::get_if<T>(&messages[i]);
      if (message != nullptr && wanted(*message)) return *message;
    }
    return std::nullopt;
  }

  std::vector<Message> messages;
  std::vector<bool> from_dump;  ///< of each message
  int dumps_started = 0;
  int dumps_finished = 0;
  int idle = 0;
};

/// A monitor inside a bridge's namespace.
struct Watched {
  explicit Watched(MonitorOptions options = {}) : monitor(io, recorder, options) {}

  void start() {
    REQUIRE_FALSE(lab::run_in(bridge.netns(), [this] { return monitor.start(); }));
    REQUIRE(run_until(io, [this] { return recorder.dumps_finished == 1; }));
    since = recorder.messages.size();
  }
  /// Waits for an event after the last one that was waited for began.
  template <typename T, typename Wanted>
  std::optional<T> wait(Wanted wanted) {
    std::optional<T> found;
    run_until(io, [&] { return (found = recorder.template find<T>(wanted, since)).has_value(); });
    since = recorder.messages.size();
    return found;
  }
  void speak(const char* interface) const {
    bridge.send(interface, lab::make_rarp(lab::parse_mac(kGuestMac)));
  }

  BridgeNetns bridge;
  boost::asio::io_context io;
  Recorder recorder;
  Monitor monitor;
  std::size_t since = 0;
};

bool is_guest(const FdbMessage& entry) { return entry.mac == kGuest; }

}  // namespace

TEST_CASE("a dump tells links, FDB, neighbours and routes of an earlier run, in this order", "[netns]") {
  Watched watched;
  watched.speak("guest0");
  watched.bridge.ip(
      "neigh add 192.0.2.11 lladdr 00:00:5e:00:53:11 dev br0 nud stale\n"
      "route add 192.0.2.11/32 dev br0 proto zebra\n"
      "route add 192.0.2.12/32 dev br0 proto static\n");
  watched.start();
  const auto& messages = watched.recorder.messages;
  CHECK(std::is_sorted(messages.begin(), messages.end(),
                       [](const Message& one, const Message& other) { return one.index() < other.index(); }));
  const auto port =
      watched.recorder.find<LinkMessage>([](const LinkMessage& link) { return link.index == kAccessPort; });
  REQUIRE(port);
  CHECK(port->name == "acc0");
  CHECK(port->master == kBridge);
  CHECK(port->up);
  CHECK(watched.recorder.find<FdbMessage>(is_guest) ==
        FdbMessage{kAccessPort, kBridge, kGuest, {}, false, false, false});
  const IpAddress address = IpAddress::v4({192, 0, 2, 11});
  CHECK(watched.recorder.find<NeighbourMessage>([&](const NeighbourMessage& one) {
    return one.ip == address;
  }) == NeighbourMessage{kBridge, address, kGuest, NUD_STALE});
  const auto any = [](const RouteMessage&) { return true; };
  CHECK(watched.recorder.find<RouteMessage>(any) ==
        RouteMessage{IpPrefix::host(address), kBridge, RTPROT_ZEBRA});
  const auto is_route = [](const Message& message) { return std::holds_alternative<RouteMessage>(message); };
  CHECK(std::count_if(messages.begin(), messages.end(), is_route) == 1);
  const auto& from_dump = watched.recorder.from_dump;
  CHECK(std::count(from_dump.begin(), from_dump.end(), false) == 0);
  CHECK(watched.recorder.dumps_started == 1);
  CHECK(watched.recorder.idle >= 1);
  CHECK(watched.monitor.counters().malformed == 0);
}

TEST_CASE("a MAC is followed from port to port and into the flush", "[netns]") {
  Watched watched;
  watched.start();
  watched.speak("guest0");
  FdbMessage expected{kAccessPort, kBridge, kGuest, {}, false, false, false};
  CHECK(watched.wait<FdbMessage>(is_guest) == expected);
  watched.speak("far0");
  expected.port = kDciPort;
  CHECK(watched.wait<FdbMessage>(is_guest) == expected);
  watched.bridge.ip("link set far0 down\n");
  expected.removed = true;
  CHECK(watched.wait<FdbMessage>(is_guest) == expected);
}

TEST_CASE("a port that loses its carrier is down, one that gets it is up", "[netns]") {
  Watched watched;
  watched.start();
  const auto state = [](bool up) {
    return [up](const LinkMessage& link) { return link.index == kAccessPort && link.up == up; };
  };
  watched.bridge.ip("link set guest0 down\n");
  CHECK(watched.wait<LinkMessage>(state(false)));
  watched.bridge.ip("link set guest0 up\n");
  CHECK(watched.wait<LinkMessage>(state(true)));
}

TEST_CASE("a port that comes and goes is told with its master", "[netns]") {
  Watched watched;
  watched.start();
  const auto is_new = [](const LinkMessage& link) { return link.name == "new0" && link.master == kBridge; };
  watched.bridge.ip(
      "link add index 31 name new0 type veth peer index 32 name other0\nlink set new0 master br0\n");
  CHECK(watched.wait<LinkMessage>(is_new));
  watched.bridge.ip("link set new0 nomaster\n");
  CHECK(
      watched.wait<LinkMessage>([](const LinkMessage& link) { return link.name == "new0" && !link.master; }));
  watched.bridge.ip("link delete new0\n");
  CHECK(
      watched.wait<LinkMessage>([](const LinkMessage& link) { return link.name == "new0" && link.removed; }));
}

TEST_CASE("a neighbour that speaks to the gateway is told", "[netns]") {
  Watched watched;
  watched.start();
  const auto mac = lab::parse_mac(kGuestMac);
  watched.bridge.send("guest0", lab::make_arp(lab::kBroadcastMac, mac,
                                              {.operation = lab::kArpRequest,
                                               .sender_mac = mac,
                                               .sender_ip = lab::parse_ipv4("192.0.2.11"),
                                               .target_mac = {},
                                               .target_ip = lab::parse_ipv4("192.0.2.1")}));
  const auto neighbour = watched.wait<NeighbourMessage>([](const NeighbourMessage&) { return true; });
  REQUIRE(neighbour);
  CHECK(neighbour->ip == IpAddress::v4({192, 0, 2, 11}));
  CHECK(neighbour->mac == kGuest);
  CHECK(neighbour->interface == kBridge);
}

TEST_CASE("the edge's own addresses are told, in the dump and when they come and go", "[netns]") {
  Watched watched;
  watched.start();
  const auto is = [](const char* text, bool removed) {
    return [ip = IpAddress::parse(text).value(), removed](const AddressMessage& one) {
      return one == AddressMessage{kBridge, ip, removed};
    };
  };
  CHECK(watched.recorder.find<AddressMessage>(is("192.0.2.1", false)));
  watched.bridge.ip("address add 192.0.2.7/24 dev br0\n");
  CHECK(watched.wait<AddressMessage>(is("192.0.2.7", false)));
  watched.bridge.ip("address del 192.0.2.7/24 dev br0\n");
  CHECK(watched.wait<AddressMessage>(is("192.0.2.7", true)));
  CHECK(watched.monitor.counters().malformed == 0);
}

TEST_CASE("a resync dumps everything once more, and asking twice is asking once", "[netns]") {
  Watched watched;
  watched.start();
  watched.speak("guest0");
  REQUIRE(watched.wait<FdbMessage>(is_guest));
  watched.monitor.resync();
  watched.monitor.resync();
  REQUIRE(run_until(watched.io, [&] { return watched.recorder.dumps_finished == 2; }));
  CHECK(watched.recorder.find<FdbMessage>(is_guest, watched.since));
  CHECK(watched.recorder.dumps_started == 2);
  CHECK(watched.monitor.counters().dumps == 2);
  watched.since = watched.recorder.messages.size();
  watched.speak("far0");
  CHECK(watched.wait<FdbMessage>(is_guest));
}

TEST_CASE("an address of the bridge's own can be added and taken back", "[netns]") {
  Watched watched;
  watched.start();
  const auto listed = [&] {
    return watched.bridge.output({"bridge", "fdb", "show", "br", "br0"}).find(kGuestMac) != std::string::npos;
  };
  watched.monitor.change_own_mac(kBridge, {}, kGuest, true);
  CHECK(listed());
  watched.monitor.change_own_mac(kBridge, {}, kGuest, true);
  watched.monitor.change_own_mac(kBridge, {}, kGuest, false);
  CHECK_FALSE(listed());
  CHECK_FALSE(watched.recorder.find<FdbMessage>(is_guest));
  CHECK(watched.monitor.counters().request_errors == 0);
}

TEST_CASE("an entry that is looked up is told, and one that is not there is told to be gone", "[netns]") {
  Watched watched;
  watched.start();
  watched.speak("far0");
  REQUIRE(watched.wait<FdbMessage>(is_guest));
  const MacAddress stranger = MacAddress::parse("00:00:5e:00:53:77").value();
  // The port that is asked about is where the MAC was; the answer tells where it is.
  watched.monitor.look_up(kBridge, {}, kAccessPort, kGuest);
  watched.monitor.look_up(kBridge, {}, kAccessPort, stranger);
  FdbMessage expected{.port = kDciPort, .bridge = kBridge, .mac = kGuest, .vlan = {}};
  CHECK(watched.wait<FdbMessage>(is_guest) == expected);
  const auto gone = [&](const FdbMessage& entry) { return entry.mac == stranger; };
  REQUIRE(run_until(watched.io, [&] { return watched.recorder.find<FdbMessage>(gone).has_value(); }));
  expected = {.port = kAccessPort, .bridge = kBridge, .mac = stranger, .vlan = {}};
  expected.removed = true;
  CHECK(watched.recorder.find<FdbMessage>(gone) == expected);
  CHECK(watched.monitor.counters().lookups == 2);
  CHECK(watched.monitor.counters().request_errors == 0);
}

TEST_CASE("a thousand look-ups are all answered", "[netns]") {
  Watched watched;
  watched.start();
  for (unsigned i = 0; i < 1000; ++i) {
    watched.monitor.look_up(
        kBridge, {}, kAccessPort,
        {{0, 0, 0x5e, 1, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)}});
  }
  const auto answers = [&] {
    return std::count_if(watched.recorder.messages.begin(), watched.recorder.messages.end(),
                         [](const Message& message) {
                           const auto* const entry = std::get_if<FdbMessage>(&message);
                           return entry != nullptr && entry->removed;
                         });
  };
  CHECK(run_until(watched.io, [&] { return answers() == 1000; }));
}

namespace {

MacAddress crowd_mac(std::uint32_t guest) { return {lab::Crowd::mac_of(guest)}; }

/// Where the last message about each MAC says that it is; gone ones are left out.
std::map<MacAddress, core::Ifindex> places(const Recorder& recorder) {
  std::map<MacAddress, core::Ifindex> found;
  for (const Message& message : recorder.messages) {
    const auto* const entry = std::get_if<FdbMessage>(&message);
    if (entry == nullptr) continue;
    if (entry->removed) {
      found.erase(entry->mac);
    } else {
      found[entry->mac] = entry->port;
    }
  }
  return found;
}

}  // namespace

TEST_CASE("events that overrun a small buffer are noticed, and a dump has what they would have told",
          "[netns]") {
  constexpr std::uint32_t kGuests = 5000;
  Watched watched({.event_buffer = 4096});
  watched.start();
  lab::Crowd crowd(watched.bridge.netns(), "guest0", lab::parse_ipv4("10.1.0.1"), kGuests);
  crowd.introduce();  // nobody reads meanwhile
  REQUIRE(run_until(watched.io, [&] {
    return watched.recorder.dumps_finished >= 2 && places(watched.recorder).size() >= kGuests;
  }));
  CHECK(watched.monitor.counters().overruns > 0);
  const auto found = places(watched.recorder);
  for (std::uint32_t guest = 0; guest < kGuests; ++guest) {
    if (found.count(crowd_mac(guest)) == 0) FAIL("guest " << guest << " is missing");
  }
  // It follows again.
  watched.since = watched.recorder.messages.size();
  watched.speak("far0");
  CHECK(watched.wait<FdbMessage>(is_guest));
}

TEST_CASE("a dump that the kernel interrupts is asked for again", "[netns]") {
  Watched watched({.pause = std::chrono::milliseconds(1)});
  // So many addresses that the kernel tells them in several pieces, and changes between them.
  std::string many;
  for (int i = 0; i < 3000; ++i)
    many +=
        "address add 10.9." + std::to_string(i / 250) + "." + std::to_string(i % 250) + "/32 dev guest0\n";
  watched.bridge.ip(many);
  watched.start();
  std::string changes;
  for (int i = 0; i < 100; ++i)
    changes += "address add 192.0.2.99/24 dev br0\naddress del 192.0.2.99/24 dev br0\n";
  std::atomic<bool> stop{false};
  std::thread changer([&] {
    while (!stop) watched.bridge.ip(changes);
  });
  const bool interrupted = run_until(watched.io, [&] {
    watched.monitor.resync();
    return watched.monitor.counters().interrupted > 0;
  });
  stop = true;
  changer.join();
  CHECK(interrupted);
  const int before = watched.recorder.dumps_finished;
  watched.monitor.resync();
  CHECK(run_until(watched.io, [&] { return watched.recorder.dumps_finished > before; }));
}

TEST_CASE("survivors of a dump that entries were deleted under are found by looking them up", "[netns]") {
  constexpr std::uint32_t kGuests = 4000;
  constexpr std::uint32_t kFirstSurvivor = 2000;
  Watched watched({.pause = std::chrono::milliseconds(0)});
  lab::Crowd crowd(watched.bridge.netns(), "guest0", lab::parse_ipv4("10.1.0.1"), kGuests);
  crowd.introduce();
  watched.start();
  std::string deletions;
  for (std::uint32_t guest = 0; guest < kFirstSurvivor; ++guest)
    deletions += "fdb del " + lab::format_mac(lab::Crowd::mac_of(guest)) + " dev acc0 master\n";
  watched.since = watched.recorder.messages.size();
  const auto batch = std::filesystem::temp_directory_path() / ("fdb-" + std::to_string(::getpid()));
  std::ofstream(batch) << deletions;
  std::thread deleter([&] { watched.bridge.run({"bridge", "-batch", batch.string()}); });
  std::set<MacAddress> missed;
  for (int dump = 2; dump < 42; ++dump) {
    const std::size_t first = watched.recorder.messages.size();
    watched.monitor.resync();
    CHECK(run_until(watched.io, [&] { return watched.recorder.dumps_finished == dump; }));
    std::set<MacAddress> listed;
    for (std::size_t i = first; i < watched.recorder.messages.size(); ++i) {
      const auto* const entry = std::get_if<FdbMessage>(&watched.recorder.messages[i]);
      if (entry != nullptr && watched.recorder.from_dump[i]) listed.insert(entry->mac);
    }
    for (std::uint32_t guest = kFirstSurvivor; guest < kGuests; ++guest) {
      if (listed.count(crowd_mac(guest)) == 0) missed.insert(crowd_mac(guest));
    }
  }
  deleter.join();
  std::filesystem::remove(batch);
  WARN(missed.size() << " survivors were missing from a dump");
  const std::size_t first = watched.recorder.messages.size();
  for (const MacAddress& mac : missed) watched.monitor.look_up(kBridge, {}, kAccessPort, mac);
  for (const MacAddress& mac : missed) {
    const auto found = [&](const FdbMessage& entry) { return entry.mac == mac && !entry.removed; };
    CHECK(run_until(watched.io, [&] { return watched.recorder.find<FdbMessage>(found, first).has_value(); }));
  }
}

TEST_CASE("tables are dumped again from time to time without any reason", "[netns]") {
  Watched watched({.reconcile = std::chrono::milliseconds(50)});
  watched.start();
  CHECK(run_until(watched.io, [&] { return watched.recorder.dumps_finished >= 3; }));
}

TEST_CASE("a request that the kernel refuses is counted and harms nothing", "[netns]") {
  Watched watched;
  watched.start();
  watched.monitor.change_own_mac({99}, {}, kGuest, true);
  CHECK(run_until(watched.io, [&] { return watched.monitor.counters().request_errors == 1; }));
  watched.speak("guest0");
  CHECK(watched.wait<FdbMessage>(is_guest));
}

}  // namespace untrombone::netlink
