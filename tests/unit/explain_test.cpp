// SPDX-License-Identifier: GPL-2.0-or-later
// What `untrombone explain` says in each situation, from the evidence to the text: the agent itself, on links and
// frames that are made up, observing, so that it touches nothing.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <regex>
#include <sstream>
#include <string>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "agent/cli/render_explain.hpp"
#include "agent/daemon/agent.hpp"
#include "agent/daemon/config.hpp"
#include "agent/daemon/log.hpp"
#include "agent/daemon/views.hpp"

namespace untrombone::daemon {
namespace {

using namespace std::chrono_literals;
using core::Ifindex;
using core::IpAddress;
using core::MacAddress;

// No machine has so many interfaces: the taps find none of them.
constexpr Ifindex kBridge{900'010};
constexpr Ifindex kAccess{900'011};
constexpr Ifindex kOther{900'012};
constexpr Ifindex kDci{900'014};

constexpr const char* kConfig = R"(
[site]
name = "dc-a"
[[segment]]
name = "vlan10"
bridge = "br-explain"
dci-ports = ["dci0"]
subnets = ["192.0.2.0/24", "2001:db8::/64"]
gateways = ["192.0.2.1", "2001:db8::1"]
exclude = ["192.0.2.240/28"]
[segment.detect]
probe-address = "192.0.2.2"
confirm = "50ms"
[segment.summarize]
linger = "1h"
[segment.guard]
enabled = false
[log]
level = "error"
)";

MacAddress mac(unsigned last) { return {{0x00, 0x00, 0x5e, 0x00, 0x53, static_cast<std::uint8_t>(last)}}; }
IpAddress ip(unsigned last) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(last)}); }

/// An agent that has been running for a while, and a way to be everything around it.
class Edge {
 public:
  Edge() {
    kernel().on_dump_started();
    link(kBridge, "br-explain", 0xfe, {});
    link(kAccess, "acc0", 0xa0, kBridge);
    link(kOther, "acc1", 0xa1, kBridge);
    link(kDci, "dci0", 0xd0, kBridge);
    kernel().on_kernel_idle();
    kernel().on_dump_finished();
    pass(200ms);  // the start is over: what comes now is new
  }

  void link(Ifindex index, const char* name, unsigned last, Ifindex master, bool up = true) {
    netlink::LinkMessage message;
    message.index = index;
    message.name = name;
    message.mac = mac(last);
    message.master = master;
    message.up = up;
    if (!master) message.kind = netlink::LinkKind::kBridge;
    kernel().on_kernel_message(message, false);
    kernel().on_kernel_idle();
  }
  void learn(Ifindex port, unsigned last) {
    netlink::FdbMessage entry;
    entry.port = port;
    entry.bridge = kBridge;
    entry.mac = mac(last);
    kernel().on_kernel_message(entry, false);
    kernel().on_kernel_idle();
  }
  void forget(Ifindex port, unsigned last) {
    netlink::FdbMessage entry;
    entry.port = port;
    entry.bridge = kBridge;
    entry.mac = mac(last);
    entry.removed = entry.aged = true;
    kernel().on_kernel_message(entry, false);
    kernel().on_kernel_idle();
  }
  void neighbour(unsigned last) {
    kernel().on_kernel_message(
        netlink::NeighbourMessage{.interface = kBridge, .ip = ip(last), .mac = mac(last), .state = 4}, false);
    kernel().on_kernel_idle();
  }
  /// Sends as `last`, of its own address unless another one is given.
  void arp(Ifindex port, unsigned last, unsigned address = 0) {
    arp::ArpFrame frame;
    frame.destination = MacAddress{{255, 255, 255, 255, 255, 255}};
    frame.source = frame.sender_mac = mac(last);
    frame.sender_ip = frame.target_ip = ip(address == 0 ? last : address);
    tap().on_frame({port, std::nullopt, std::chrono::system_clock::now()}, frame);
    tap().on_tap_idle();
  }
  void rarp(Ifindex port, unsigned last) {
    arp::ArpFrame frame;
    frame.protocol = arp::Protocol::kRarp;
    frame.source = frame.sender_mac = mac(last);
    tap().on_frame({port, std::nullopt, std::chrono::system_clock::now()}, frame);
    tap().on_tap_idle();
  }
  void pass(std::chrono::milliseconds time) { io_.run_for(time); }

  [[nodiscard]] std::string explain(const std::string& address) {
    const std::string answer =
        answer_request(agent_, R"({"command": "explain", "address": ")" + address + "\"}");
    return cli::render_explain(cli::Json::parse(answer), cli::Style{});
  }

 private:
  netlink::MonitorListener& kernel() { return agent_; }
  arp::TapListener& tap() { return agent_; }

  boost::asio::io_context io_;
  Config config_ = *parse_config(kConfig, "explain");
  Log log_{config_.log_level, config_.log_format};
  Agent agent_{io_, config_, log_, true};
};

/// Times are not the same twice.
std::string without_times(const std::string& text) {
  std::string plain = std::regex_replace(text, std::regex(R"(\d{4}-\d\d-\d\dT[0-9:.]+Z)"), "TIME");
  plain = std::regex_replace(plain, std::regex(R"(\d+(\.\d+)? (us|ms|s|m|h)\b)"), "AGE");
  plain = std::regex_replace(plain, std::regex(R"(([^\n ]) {2,}(?=\S))"), "$1  ");
  return std::regex_replace(plain, std::regex(R"(\n {2,}(?=\S))"), "\n  ");
}

struct Situation {
  const char* title;
  const char* address;
  std::function<void(Edge&)> happens;
};

const Situation kSituations[] = {
    {"a guest that said its address on a local port", "192.0.2.11",
     [](Edge& edge) { edge.arp(kAccess, 11); }},
    {"a MAC that came by RARP, its address remembered from behind the DCI", "192.0.2.12",
     [](Edge& edge) {
       edge.arp(kDci, 12);
       edge.rarp(kAccess, 12);
     }},
    {"a MAC that came silently, noticed by the bridge", "192.0.2.13",
     [](Edge& edge) {
       edge.arp(kDci, 13);
       edge.learn(kAccess, 13);
     }},
    {"a guest that came by RARP and does not answer", "192.0.2.14",
     [](Edge& edge) {
       edge.arp(kDci, 14);
       edge.rarp(kAccess, 14);
       edge.pass(400ms);
     }},
    {"a guest of another site", "192.0.2.15", [](Edge& edge) { edge.arp(kDci, 15); }},
    {"a guest that has left over the DCI", "192.0.2.16",
     [](Edge& edge) {
       edge.arp(kAccess, 16);
       edge.pass(100ms);
       edge.learn(kDci, 16);
     }},
    {"an address that the kernel knows, of a MAC that is nowhere", "192.0.2.17",
     [](Edge& edge) { edge.neighbour(17); }},
    {"an address that the kernel knows, of a MAC on a local port", "192.0.2.18",
     [](Edge& edge) {
       edge.learn(kAccess, 18);
       edge.neighbour(18);
     }},
    {"an address that two MACs fight for", "192.0.2.19",
     [](Edge& edge) {
       for (int round = 0; round < 3; ++round) {
         edge.arp(kAccess, 19);
         edge.arp(kOther, 99, 19);
       }
     }},
    {"a guest on a port that has just gone down", "192.0.2.20",
     [](Edge& edge) {
       edge.arp(kOther, 20);
       edge.link(kOther, "acc1", 0xa1, kBridge, false);
     }},
    {"a guest whose MAC the bridge has forgotten", "192.0.2.21",
     [](Edge& edge) {
       edge.arp(kAccess, 21);
       edge.forget(kAccess, 21);
     }},
    {"an address that moved to another MAC", "192.0.2.22",
     [](Edge& edge) {
       edge.arp(kAccess, 22);
       edge.arp(kOther, 98, 22);
     }},
    {"the gateway, which a guest claims", "192.0.2.1", [](Edge& edge) { edge.arp(kAccess, 23, 1); }},
    {"an address of the edge itself", "192.0.2.2", [](Edge& edge) { edge.arp(kAccess, 24, 2); }},
    {"an excluded address", "192.0.2.245", [](Edge& edge) { edge.arp(kAccess, 25, 245); }},
    {"the subnet's broadcast address", "192.0.2.255", [](Edge& /*edge*/) {}},
    {"an address in none of the subnets", "198.51.100.9", [](Edge& /*edge*/) {}},
    {"an address that nobody ever said", "192.0.2.77", [](Edge& /*edge*/) {}},
};

}  // namespace

TEST_CASE("explain names binding, port, class, evidence and reason in every situation") {
  std::string told;
  for (const Situation& situation : kSituations) {
    Edge edge;
    situation.happens(edge);
    told +=
        "==== " + std::string(situation.title) + "\n" + without_times(edge.explain(situation.address)) + "\n";
  }
  const std::string path = UNTROMBONE_SOURCE_DIR "/tests/golden/cli/explain-situations.golden";
  if (std::getenv("UNTROMBONE_WRITE_GOLDEN") != nullptr) std::ofstream(path) << told;
  std::ifstream file(path);
  std::stringstream golden;
  golden << file.rdbuf();
  CHECK(told == golden.str());
}

}  // namespace untrombone::daemon
