// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/failover/failover.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "tests/failover/remote_table.hpp"
#include "tests/lab/crowd.hpp"
#include "tests/lab/fan_pinger.hpp"
#include "tests/lab/lab.hpp"
#include "tests/lab/topology.hpp"

namespace untrombone::failover {
namespace {

using namespace lab;
using namespace std::chrono_literals;

constexpr std::uint32_t kLabSubnet = 0x0a010000;  // 10.1.0.0/16
constexpr unsigned kSubnetLength = 16;
constexpr auto kPatience = 120s;

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("failover: " + what);
}

template <class Condition>
void await(Condition condition, const std::string& what) {
  require(wait_until(condition, std::chrono::steady_clock::now() + kPatience, 50ms),
          what + " within two minutes");
}

/// The order of the defaults, at another pace.
AgentOptions agent_options(const Options& options, Site site) {
  const char* const home = site == Site::kA ? "10.1.0.0/17" : "10.1.128.0/17";
  const std::string blocks = options.mode == "home" ? fmt::format("home-blocks = [\"{}\"]\n", home) : "";
  AgentOptions agent;
  agent.binary = options.binary;
  agent.log_level = "warning";
  agent.settle = fmt::format("{}s", options.settle.count());
  agent.greet = false;
  agent.track = "[\"0.0.0.0/0\"]";
  agent.extra_toml = {
      {"routes", "track-hold = \"1s\""},
      {"conflict", "max-moves = 0"},
      {"segment.summarize",
       fmt::format("mode = \"{}\"\n{}hold = \"{}s\"\nbreak-delay = \"{}ms\"\nlinger = \"2s\"\n", options.mode,
                   blocks, options.settle.count(), options.settle.count() * 500)},
      {"segment.detect", "new-host-rate = 0\nrefresh = \"10m\"\nsilent-after = \"30m\""}};
  return agent;
}

class Failover {
 public:
  explicit Failover(const Options& options)
      : options_(options),
        addresses_(tenants(options.hosts)),
        remote_(lab_.netns(Node::kWan)),
        crowds_{std::make_unique<Crowd>(lab_.netns(Node::kFabric), access_cable(Site::kA), addresses_),
                std::make_unique<Crowd>(lab_.netns(Node::kFabric), access_cable(Site::kB), addresses_)} {}

  Report run() {
    begin();
    Report report;
    report.routes_before = table().routes();
    lose();
    report.away = cross(Site::kA, Site::kB);
    restore();
    report.back = cross(Site::kB, Site::kA);
    return report;
  }

 private:
  Crowd& crowd(Site site) { return *crowds_[site == Site::kA ? 0 : 1]; }

  void start_agent(Site site) {
    const Agent& agent = lab_.start_agent(site, agent_options(options_, site));
    require(agent.wait_ready(kPatience), "the agent is ready");
    await([&] { return agent.json({"status"}).value("healthy", false); }, "a healthy agent");
  }

  /// Everybody is at A, and has settled.
  void begin() {
    // The world knows the hosts by their agents alone: no route to the subnet hides what those do.
    for (const Site site : {Site::kA, Site::kB}) {
      const int as = site == Site::kA ? 65001 : 65002;
      lab_.frr(site).vtysh({"configure terminal", fmt::format("router bgp {}", as),
                            "address-family ipv4 unicast", fmt::format("no network {}", kSubnet)});
    }
    require(remote_.wait_absent({.prefix = kSubnet}, kPatience), "the subnet's route goes");
    for (std::uint32_t guest = 0; guest < options_.hosts; ++guest) crowd(Site::kB).leave(guest);
    for (const Site site : {Site::kA, Site::kB}) {
      crowd(site).answer();
      start_agent(site);
    }
    crowd(Site::kA).introduce();
    await_routes(Site::kA);
    calm();
  }

  void lose() {
    if (options_.loss == Loss::kEdge) {
      for (std::uint32_t guest = 0; guest < options_.hosts; ++guest) crowd(Site::kA).leave(guest);
      lab_.agent(Site::kA).process().kill9();
      for (const char* const daemon : {"bgpd", "zebra"}) lab_.frr(Site::kA).daemon(daemon).kill9();
    } else {
      shut_uplink(true);
    }
    await([&] { return reachable_by(Site::kA) == 0; }, "the routes to A to go");
    // Last: the kernel tells nobody which routes it removes with a link.
    if (options_.loss == Loss::kEdge) set_edge_links("down");
  }

  void restore() {
    if (options_.loss == Loss::kEdge) {
      set_edge_links("up");
      for (const char* const daemon : {"zebra", "bgpd"}) lab_.frr(Site::kA).start_daemon(daemon);
      start_agent(Site::kA);
    } else {
      shut_uplink(false);
    }
    RouteWatcher site(lab_.netns(Site::kA));
    require(site.wait_present({.prefix = "0.0.0.0/0"}, kPatience), "A's way out is back");
    await([&] { return lab_.agent(Site::kA).json({"status"}).value("healthy", false); },
          "A's agent is healthy");
    calm();
  }

  void set_edge_links(const char* state) {
    lab_.netns(Site::kA).ip(fmt::format("link set {1} {0}\nlink set {2} {0}\nlink set {3} {0}\n", state,
                                        kUplink, kBridge, kDciPort));
  }
  /// What A's uplink means to the routing, at its far end.
  void shut_uplink(bool shut) {
    lab_.frr(Node::kWan)
        .vtysh({"configure terminal", "router bgp 65000",
                fmt::format("{}neighbor {} shutdown", shut ? "" : "no ", uplink_address(Site::kA))});
  }

  /// Everybody goes from one site to the other, in random order.
  Crossing cross(Site from, Site to) {
    RemoteTable before = table();
    remote_.clear_events();
    std::vector<std::uint32_t> order(options_.hosts);
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), random_);
    std::vector<std::uint32_t> sample;
    std::sample(addresses_.begin(), addresses_.end(), std::back_inserter(sample), options_.sampled, random_);
    FanPinger pinger(lab_.netns(Node::kClient), sample, options_.interval);

    std::vector<Timestamp> spoke(options_.hosts);
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::this_thread::sleep_until(start + options_.arrivals * i / order.size());
      crowd(from).leave(order[i]);
      spoke[order[i]] = crowd(to).arrive(order[i]);
    }
    await_routes(to);
    calm();
    pinger.stop();
    Crossing crossing = follow(before, uplink_address(to), spoke);
    count_losses(pinger, spoke, crossing);
    return crossing;
  }

  /// Replays what the remote router's table went through.
  Crossing follow(RemoteTable& table, const std::string& gateway, const std::vector<Timestamp>& spoke) {
    const auto [first, last] = std::minmax_element(spoke.begin(), spoke.end());
    const auto after = [start = *first](Timestamp at) { return Seconds(at - start); };
    std::vector<Timestamp> reached(spoke.size(), Timestamp::max());
    std::vector<bool> dark(spoke.size());
    for (std::size_t host = 0; host < spoke.size(); ++host) {
      if (table.gateway_of(host) == gateway) reached[host] = *first;
    }
    Crossing crossing;
    crossing.routes_most = table.routes();
    crossing.routes_over_time.emplace_back(0, table.routes());
    for (const RouteEvent& event : remote_.events()) {
      table.apply(event, [&](std::size_t host, const std::string& found) {
        if (found == gateway) {
          reached[host] = std::min(reached[host], event.at);
        } else if (found.empty() && reached[host] != Timestamp::max()) {
          dark[host] = true;
        }
      });
      crossing.routes_most = std::max(crossing.routes_most, table.routes());
      if (after(event.at) - crossing.routes_over_time.back().first >= 250ms)
        crossing.routes_over_time.emplace_back(after(event.at), table.routes());
      ++crossing.changes;
    }
    std::vector<Seconds> delays;
    for (std::size_t host = 0; host < spoke.size(); ++host) {
      if (table.gateway_of(host) != gateway) {
        ++crossing.never;
        continue;
      }
      delays.push_back(std::max(Seconds(0), Seconds(reached[host] - spoke[host])));
      crossing.all_reachable = std::max(crossing.all_reachable, after(reached[host]));
    }
    std::sort(delays.begin(), delays.end());
    if (!delays.empty()) {
      crossing.delay_median = delays[delays.size() / 2];
      crossing.delay_p99 = delays[delays.size() * 99 / 100];
      crossing.delay_worst = delays.back();
    }
    crossing.spoken = after(*last);
    crossing.dark = static_cast<std::size_t>(std::count(dark.begin(), dark.end(), true));
    crossing.routes_end = table.routes();
    crossing.overruns = remote_.overruns();
    return crossing;
  }

  void count_losses(FanPinger& pinger, const std::vector<Timestamp>& spoke, Crossing& crossing) {
    const auto probes = pinger.probes();
    for (std::size_t i = 0; i < probes.size(); ++i) {
      const auto host = static_cast<std::size_t>(
          std::lower_bound(addresses_.begin(), addresses_.end(), pinger.destinations()[i]) -
          addresses_.begin());
      std::size_t lost = 0;
      for (const FanPinger::Probe& probe : probes[i]) {
        if (probe.sent < spoke[host]) continue;
        ++crossing.probes;
        lost += probe.answered ? std::size_t{0} : std::size_t{1};
      }
      crossing.lost += lost;
      crossing.lost_worst = std::max(crossing.lost_worst, lost);
    }
  }

  /// What the remote router has now.
  RemoteTable table() {
    RemoteTable table(addresses_, kLabSubnet, kSubnetLength);
    for (const RouteEvent& event : remote_.table()) table.apply(event);
    return table;
  }
  std::size_t reachable_by(Site site) {
    const RemoteTable now = table();
    std::size_t hosts = 0;
    for (std::size_t host = 0; host < addresses_.size(); ++host)
      hosts += now.gateway_of(host) == uplink_address(site) ? std::size_t{1} : std::size_t{0};
    return hosts;
  }

  /// Waits until the remote router sends to every host by the site.
  void await_routes(Site site) {
    const auto by_site = [&] { return reachable_by(site) == options_.hosts; };
    if (wait_until(by_site, std::chrono::steady_clock::now() + kPatience, 50ms)) return;
    const RemoteTable now = table();
    std::size_t host = 0;
    while (host + 1 < addresses_.size() && now.gateway_of(host) == uplink_address(site)) ++host;
    require(false,
            fmt::format("only {} of {} hosts are reached by {}; {} goes by '{}'\n{}", reachable_by(site),
                        options_.hosts, uplink_address(site), format_ipv4(addresses_[host]),
                        now.gateway_of(host), what_they_say_of(format_ipv4(addresses_[host]))));
  }
  std::string what_they_say_of(const std::string& address) {
    std::string text;
    for (const Site site : {Site::kA, Site::kB}) {
      for (const char* const daemon : {"zebra", "bgpd"}) {
        if (!lab_.frr(site).daemon(daemon).running()) text += fmt::format("{} has died\n", daemon);
      }
      text += lab_.agent(site).cli({"explain", address}).output;
    }
    return text;
  }

  /// Waits until the remote router's table has not changed for longer than the agents' waits.
  void calm() {
    const auto quiet = options_.settle * 2;
    std::size_t events = remote_.events().size();
    auto since = std::chrono::steady_clock::now();
    await(
        [&] {
          const std::size_t more = remote_.events().size();
          if (std::exchange(events, more) != more) since = std::chrono::steady_clock::now();
          return std::chrono::steady_clock::now() - since > quiet;
        },
        "the remote router's table to be quiet");
  }

  Options options_;
  std::vector<std::uint32_t> addresses_;
  std::mt19937 random_{1};
  Lab lab_;
  RouteWatcher remote_;
  std::array<std::unique_ptr<Crowd>, 2> crowds_;
};

}  // namespace

std::vector<std::uint32_t> tenants(std::uint32_t hosts) {
  constexpr std::uint32_t kFirst = 0x0a010100;  // 10.1.1.0
  constexpr std::uint32_t kEnd = 0x0a018000;    // 10.1.128.0
  std::mt19937 random(7);
  std::vector<std::uint32_t> addresses;
  for (std::uint32_t at = kFirst; addresses.size() < hosts;) {
    const auto size = static_cast<std::uint32_t>(8 + random() % 505);
    const bool here = random() % 10 < 6;
    if (at + size > kEnd) throw std::invalid_argument("so many hosts do not fit into 10.1.0.0/17");
    for (std::uint32_t i = 0; i < size && here && addresses.size() < hosts; ++i) addresses.push_back(at + i);
    at += size;
  }
  return addresses;
}

Report run(const Options& options) { return Failover(options).run(); }

}  // namespace untrombone::failover
