// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of hosts when links come, go, change and return, and when guests have many addresses: the agent,
// observing, against the real kernel. Needs root.
#include "agent/daemon/agent.hpp"

#include <chrono>
#include <set>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/netns/bridge_netns.hpp"
#include "tests/unit/config_texts.hpp"

namespace untrombone::daemon {
namespace {

using core::HostState;
using core::Ifindex;
using core::PortClass;
using core::Verdict;
using testing::BridgeNetns;
using testing::kAccessPort;
using testing::kBridge;
using testing::kPatience;

constexpr core::SegmentId kSegment{0};
const lab::MacAddress kGuestMac = lab::parse_mac("00:00:5e:00:53:11");
const core::IpAddress kGuest = core::IpAddress::v4({192, 0, 2, 11});

constexpr const char* kConfig = R"(
[site]
name = "dc-a"
[[segment]]
name = "lab"
bridge = "br0"
dci-ports = ["dci*"]
peer-ports = ["peer*"]
subnets = ["192.0.2.0/24", "2001:db8:1::/64"]
gateways = ["192.0.2.1", "2001:db8:1::1"]
[segment.detect]
confirm = "200ms"
[segment.summarize]
linger = "100ms"
)";

/// An agent in the namespace of a bridge.
class Watched {
 public:
  Watched()
      : config_(testing::parsed(kConfig)),
        log_("error", LogFormat::kText),
        agent_(io_, config_, log_, true) {}

  void start() {
    REQUIRE(lab::run_in(bridge_.netns(), [this] { return agent_.start().has_value(); }));
    REQUIRE(until([this] { return agent_.site().started(); }));
  }
  /// Runs the agent, in its namespace, until the condition holds; false when it still does not.
  template <typename Condition>
  bool until(Condition condition) {
    return lab::run_in(bridge_.netns(), [&] { return testing::run_until(io_, condition); });
  }
  /// The guest speaks at `interface` until the agent has the verdict: a bridge port that has just come up may not
  /// forward yet, and the tap of a new port opens a moment after the port.
  bool speaks_and_is(const char* interface, Verdict verdict) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    auto again = std::chrono::steady_clock::time_point{};
    return until([&] {
      if (std::chrono::steady_clock::now() >= again && again < give_up) {
        bridge_.send(interface, lab::make_garp(kGuestMac, lab::parse_ipv4("192.0.2.11")));
        again = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
      }
      return this->verdict() == verdict;
    });
  }

  [[nodiscard]] const core::Host* host() const {
    const core::HostIndex index = agent_.site().hosts().find(kSegment, kGuest);
    return index == core::kNoHost ? nullptr : &agent_.site().hosts()[index];
  }
  [[nodiscard]] Verdict verdict() const {
    return host() == nullptr ? Verdict::kUnknown : agent_.site().verdict(*host());
  }
  [[nodiscard]] const core::Station* station() const {
    return host() == nullptr ? nullptr : agent_.site().hosts().find_station(kSegment, host()->mac);
  }
  [[nodiscard]] const SegmentView& view() const { return agent_.topology().segment(kSegment); }
  [[nodiscard]] const BridgeNetns& bridge() const { return bridge_; }
  [[nodiscard]] Agent& agent() { return agent_; }

 private:
  BridgeNetns bridge_;
  boost::asio::io_context io_;
  Config config_;
  Log log_;
  Agent agent_;
};

}  // namespace

TEST_CASE("a bridge that is made after the agent is found, with its ports and hosts", "[netns]") {
  Watched watched;
  watched.bridge().ip("link delete br0\n");
  watched.start();
  CHECK(watched.view().missing == "bridge br0 does not exist");
  watched.bridge().ip(
      "link add name br0 type bridge mcast_snooping 0\nlink set acc0 master br0\nlink set br0 up\n"
      "address add 192.0.2.1/24 dev br0\n");
  REQUIRE(watched.until([&] { return watched.view().missing.empty(); }));
  CHECK(watched.speaks_and_is("guest0", Verdict::kLocal));
  CHECK(watched.bridge().output({"bridge", "fdb", "show", "br", "br0"}).find("02:75:74") !=
        std::string::npos);
}

TEST_CASE("a bridge that is deleted and made again under the same ifindex gets everything again", "[netns]") {
  Watched watched;
  watched.start();
  REQUIRE(watched.speaks_and_is("guest0", Verdict::kLocal));
  watched.bridge().ip(
      "link delete br0\nlink add index 10 name br0 type bridge mcast_snooping 0\n"
      "link set acc0 master br0\nlink set br0 up\n");
  CHECK(watched.until([&] { return watched.verdict() != Verdict::kLocal; }));
  CHECK(watched.speaks_and_is("guest0", Verdict::kLocal));
  CHECK(watched.until([&] {
    return watched.bridge().output({"bridge", "fdb", "show", "br", "br0"}).find("02:75:74") !=
           std::string::npos;
  }));
}

TEST_CASE("a port that is released takes its hosts with it, and brings them back", "[netns]") {
  Watched watched;
  watched.start();
  REQUIRE(watched.speaks_and_is("guest0", Verdict::kLocal));
  watched.bridge().ip("link set acc0 nomaster\n");
  REQUIRE(watched.until([&] { return watched.verdict() == Verdict::kUnknown; }));
  CHECK_FALSE(watched.view().ports.contains(kAccessPort));
  watched.bridge().ip("link set acc0 master br0\n");
  CHECK(watched.speaks_and_is("guest0", Verdict::kLocal));
}

TEST_CASE("a device that takes the ifindex of a deleted port is heard like a new one", "[netns]") {
  Watched watched;
  watched.start();
  REQUIRE(watched.speaks_and_is("guest0", Verdict::kLocal));
  // One batch, so that the agent may learn of the end and of the new beginning in one go.
  watched.bridge().ip(
      "link delete acc0\nlink add index 11 name acc0 type veth peer name guest0\n"
      "link set acc0 master br0\nlink set acc0 up\nlink set guest0 up\n");
  REQUIRE(watched.until([&] { return watched.verdict() != Verdict::kLocal; }));
  CHECK(watched.speaks_and_is("guest0", Verdict::kLocal));
  // By the tap: the FDB alone makes it provisional.
  CHECK(watched.until([&] { return watched.host()->state == HostState::kLocal; }));
}

TEST_CASE("a port that is renamed to one of the DCI's takes its hosts to the DCI", "[netns]") {
  Watched watched;
  watched.start();
  REQUIRE(watched.speaks_and_is("guest0", Verdict::kLocal));
  watched.bridge().ip("link set acc0 down\nlink set acc0 name dci1\nlink set dci1 up\n");
  REQUIRE(watched.until([&] { return watched.verdict() != Verdict::kLocal; }));
  CHECK(watched.speaks_and_is("guest0", Verdict::kRemote));
  CHECK(watched.view().ports.at(kAccessPort).port_class == PortClass::kDci);
}

TEST_CASE("a port with a lower MAC changes the gateway's, and no host is lost by it", "[netns]") {
  Watched watched;
  // A bridge without an address of its own takes the lowest of its ports'.
  watched.bridge().ip(
      "link delete br0\nlink add index 10 name br0 type bridge mcast_snooping 0\nlink set acc0 master br0\n"
      "link set br0 up\naddress add 192.0.2.1/24 dev br0\n");
  watched.start();
  REQUIRE(watched.speaks_and_is("guest0", Verdict::kLocal));
  const core::MacAddress before = watched.view().interface_mac;
  watched.bridge().ip(
      "link add low0 address 00:00:5e:00:53:01 type veth peer name other0\nlink set low0 master br0\n");
  REQUIRE(watched.until([&] { return watched.view().interface_mac != before; }));
  CHECK(watched.view().interface_mac.to_string() == "00:00:5e:00:53:01");
  CHECK(watched.verdict() == Verdict::kLocal);
  CHECK(watched.host()->since < watched.host()->heard + std::chrono::seconds(1));
  // The new MAC is the gateway's and no host's; the old one is a port's, and none either.
  watched.bridge().send("guest0",
                        lab::make_garp(lab::parse_mac("00:00:5e:00:53:01"), lab::parse_ipv4("192.0.2.66")));
  CHECK(watched.speaks_and_is("guest0", Verdict::kLocal));
  CHECK(watched.agent().site().hosts().find(kSegment, core::IpAddress::v4({192, 0, 2, 66})) == core::kNoHost);
}

TEST_CASE("a host behind the MLAG peer link is local", "[netns]") {
  Watched watched;
  watched.bridge().ip(
      "link add peer0 type veth peer name mate0\nlink set peer0 master br0\nlink set peer0 up\nlink set "
      "mate0 up\n");
  watched.start();
  CHECK(watched.speaks_and_is("mate0", Verdict::kLocal));
  CHECK(watched.station()->port_class == PortClass::kPeer);
}

TEST_CASE("a MAC that another program has learned elsewhere is remote, whatever its port", "[netns]") {
  Watched watched;
  watched.start();
  REQUIRE(watched.speaks_and_is("guest0", Verdict::kLocal));
  watched.bridge().run(
      {"bridge", "fdb", "replace", lab::format_mac(kGuestMac), "dev", "acc0", "master", "extern_learn"});
  CHECK(watched.until([&] { return watched.verdict() == Verdict::kRemote; }));
  CHECK(watched.station()->remote_vtep);
}

TEST_CASE("what comes in by a VXLAN port is remote, though the configuration does not name the port",
          "[netns]") {
  Watched watched;
  // The other end of the tunnel is a namespace behind far0.
  const lab::Netns remote = lab::Netns::create(watched.bridge().netns().name() + "r");
  watched.bridge().ip(
      "link set dci0 nomaster\naddress add 198.51.100.1/24 dev dci0\n"
      "link set far0 netns " +
      remote.name() +
      "\n"
      "link add vx0 type vxlan id 10 local 198.51.100.1 remote 198.51.100.2 dstport 4789\n"
      "link set vx0 master br0\nlink set vx0 up\n");
  remote.ip(
      "link set far0 up\naddress add 198.51.100.2/24 dev far0\n"
      "link add vx0 type vxlan id 10 local 198.51.100.2 remote 198.51.100.1 dstport 4789\nlink set vx0 up\n");
  watched.start();
  REQUIRE(watched.speaks_and_is("guest0", Verdict::kLocal));
  // VXLAN tells of the same MAC twice: first about itself, with the VTEP, then as the bridge's port.
  const auto far_away = lab::FrameSender(remote, "vx0");
  far_away.send(lab::make_rarp(kGuestMac));
  CHECK(watched.until([&] { return watched.verdict() == Verdict::kRemote; }));
  CHECK(watched.station()->port != kAccessPort);
  CHECK(watched.speaks_and_is("guest0",
                              Verdict::kLocal));  // back, while VXLAN's own entry still says otherwise
  lab::delete_netns(remote.name());
}

TEST_CASE("each global IPv6 address of a guest is a host, private ones too, and its link-local one is none",
          "[netns]") {
  Watched watched;
  const lab::Netns guest = lab::Netns::create(watched.bridge().netns().name() + "g");
  watched.bridge().ip("link set guest0 netns " + guest.name() + "\n");
  // With duplicate address detection, and each address announced when it is found to be unique.
  for (const char* knob :
       {"disable_ipv6=0", "accept_dad=1", "dad_transmits=1", "ndisc_notify=1", "use_tempaddr=2"}) {
    const std::string text = knob;
    const auto equals = text.find('=');
    for (const char* which : {"default/", "guest0/"}) {
      REQUIRE(guest.set_sysctl("net/ipv6/conf/" + std::string(which) + text.substr(0, equals),
                               text.substr(equals + 1)));
    }
  }
  watched.start();
  // mngtmpaddr: the kernel makes a private address (RFC 8981) beside it.
  guest.ip(
      "link set guest0 up\naddress add 2001:db8:1::11/64 dev guest0 mngtmpaddr\n"
      "address add 2001:db8:1::12/128 dev guest0\n");
  const auto addresses_of_guest = [&] {
    std::set<std::string> found;
    const auto shown = lab::run_command(
        {.argv = {"ip", "-json", "-6", "address", "show", "dev", "guest0"}, .netns = &guest});
    for (const auto& link : nlohmann::json::parse(shown.output)) {
      for (const auto& one : link.value("addr_info", nlohmann::json::array())) {
        if (one.value("scope", "") == "global") found.insert(one["local"].get<std::string>());
      }
    }
    return found;
  };
  const auto hosts = [&] {
    std::set<std::string> found;
    watched.agent().site().hosts().for_each([&](core::HostIndex index) {
      const core::Host& host = watched.agent().site().hosts()[index];
      if (watched.agent().site().verdict(host) == Verdict::kLocal) found.insert(host.ip.to_string());
    });
    return found;
  };
  CHECK(watched.until([&] { return hosts().size() >= 3; }));
  CHECK(addresses_of_guest().size() == 3);
  CHECK(hosts() == addresses_of_guest());
  CHECK(watched.agent().site().hosts().size() == 3);  // nothing of fe80:: and of the detection itself
  for (const auto& [key, route] : watched.agent().sink().routes()) CHECK(key.prefix.length() == 128);
  lab::delete_netns(guest.name());
}

}  // namespace untrombone::daemon
