// SPDX-License-Identifier: GPL-2.0-or-later
// How long one move takes, from the first frame at the new site to the remote router's kernel, beside the floor: the
// same route written to zebra by a client that already knew. Two labs, sampled in turn, so that noise hits both alike.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <stdexcept>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/bare_client.hpp"
#include "tests/lab/lab.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::bench {
namespace {

using namespace std::chrono_literals;
using lab::AgentOptions;
using lab::Announcement;
using lab::FrameCapture;
using lab::FrameView;
using lab::Lab;
using lab::Node;
using lab::now;
using lab::Pinger;
using lab::Protocol;
using lab::RouteWatcher;
using lab::Site;
using lab::Timestamp;
using lab::uplink_address;
using lab::Vm;
using lab::wait_for;

constexpr auto kPatience = 20s;
constexpr std::uint32_t kFreshTag = 4211;
constexpr std::uint32_t kSettledTag = 4210;

double milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

/// Samples of one quantity, in milliseconds.
class Samples {
 public:
  void add(double value) { values_.push_back(value); }
  /// Nearest rank, 0 < p <= 1.
  [[nodiscard]] double percentile(double p) const {
    std::vector<double> sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    const auto rank = static_cast<std::size_t>(std::max(0.0, p * static_cast<double>(sorted.size()) - 1e-9));
    return sorted.at(std::min(rank, sorted.size() - 1));
  }
  [[nodiscard]] std::string row(const std::string& name) const {
    return fmt::format("  {:<58} {:>9.3f} {:>9.3f} {:>9.3f}   n={}\n", name, percentile(0.5),
                       percentile(0.99), percentile(1), values_.size());
  }

 private:
  std::vector<double> values_;
};

/// A lab with agents and a VM that moves to and fro.
class Ours {
 public:
  explicit Ours(Protocol protocol)
      : lab_({.protocol = protocol, .dci_delay = 25ms}), remote_(lab_.netns(Node::kWan)) {
    for (const Site site : {Site::kA, Site::kB}) {
      AgentOptions options;
      options.binary = UNTROMBONE_BIN;
      options.settle = "1s";
      options.log_level = "info";
      options.extra_toml = {{"conflict", "max-moves = 0"}};  // to and fro is what is measured here
      require(lab_.start_agent(site, options).wait_ready(kPatience), "an agent is not ready");
      ports_.try_emplace(site, lab_.netns(site), lab::kAccessPort);
      require(wait_for([&] { return lab_.agent(site).json({"status"})["guard"]["state"] == "active"; },
                       kPatience),
              "no guard");
    }
    vm_ = &lab_.start_vm("vm1", Site::kA);
    settle(Site::kA);
    client_ = std::make_unique<Pinger>(lab_.netns(Node::kClient), vm_->address(), 10ms);
    require(client_->wait_answers(20, kPatience), "the client does not reach the VM");
  }

  /// One move to the other site.
  void sample() {
    const Site to = lab::other(vm_->site());
    FrameCapture& port = ports_.at(to);
    const Timestamp start = now();
    lab_.move(*vm_, to, Announcement::kRarpQemu);
    const auto first = port.wait_first(kPatience, start,
                                       [&](FrameView frame) { return lab::source_of(frame) == vm_->mac(); });
    require(first.has_value(), "no frame at the new site");
    const auto greeting =
        port.wait_first(kPatience, first->at, lab::is_greeting_to(vm_->mac(), lab::kGateway));
    require(greeting.has_value(), "no greeting");
    const auto route = remote_.wait_for_route({.prefix = vm_->prefix(), .gateway = uplink_address(to)},
                                              kPatience, first->at);
    require(route.has_value(), "the remote router did not follow");
    to_greeting.add(milliseconds(greeting->at - first->at));
    to_remote.add(milliseconds(route->at - first->at));
    const nlohmann::json latency = lab_.agent(to).json({"explain", vm_->address()})["route"]["latency_us"];
    to_socket.add(latency.at("sent").get<double>() / 1000);
    const Timestamp converged = now();
    settle(to);
    check_straight(converged);
    lost.add(static_cast<double>(client_->summary(start - 100ms, converged).lost));
    port.clear();
  }

  Samples to_socket;
  Samples to_greeting;
  Samples to_remote;
  Samples lost;
  std::uint64_t crossed = 0;  ///< ICMP frames over the DCI after convergence, both directions
  std::size_t straight = 0;   ///< pings answered after convergence

 private:
  /// Waits until the host is settled here and nothing of it is left at the other site.
  void settle(Site site) {
    const auto settled = [&] {
      const nlohmann::json route = lab_.agent(site).json({"explain", vm_->address()})["route"];
      return route.is_object() && route.value("class", "") == "settled" &&
             route.value("state", "") == "installed" &&
             lab_.agent(lab::other(site)).json({"routes"})["routes"].empty();
    };
    require(wait_for(settled, kPatience), "the host does not settle");
  }

  /// Half a second of pings: none may cross the DCI. The guest's own way out is straight once the greeting is answered.
  void check_straight(Timestamp since) {
    const Timestamp from = std::max(since + 200ms, now());
    const auto crossings = [&] {
      return lab_.dci().icmp_frames(Site::kA, lab::kClientAddress, vm_->address()) +
             lab_.dci().icmp_frames(Site::kB, lab::kClientAddress, vm_->address());
    };
    const std::uint64_t before = crossings();
    require(client_->wait_answers(50, kPatience, from), "the client lost the VM");
    crossed += crossings() - before;
    straight += 50;
  }

  Lab lab_;
  RouteWatcher remote_;
  std::map<Site, FrameCapture> ports_;
  Vm* vm_ = nullptr;
  std::unique_ptr<Pinger> client_;
};

/// The same lab without agents: the route is settled at A, and a client at B writes a fresh one.
class Floor {
 public:
  Floor(Protocol protocol, const bgp::zapi::Release& release)
      : lab_({.protocol = protocol, .dci_delay = 25ms}),
        remote_(lab_.netns(Node::kWan)),
        a_(client_of(Site::kA, release)),
        b_(client_of(Site::kB, release)) {
    a_.add(kPrefix, kSettledTag);
    require(remote_.wait_present({.prefix = kPrefix, .gateway = uplink_address(Site::kA)}, kPatience),
            "no route through A");
  }

  void sample() {
    const Timestamp start = b_.add(kPrefix, kFreshTag);
    const auto route =
        remote_.wait_for_route({.prefix = kPrefix, .gateway = uplink_address(Site::kB)}, kPatience, start);
    require(route.has_value(), "the remote router did not follow the bare client");
    to_remote.add(milliseconds(route->at - start));
    b_.remove(kPrefix);
    require(remote_.wait_present({.prefix = kPrefix, .gateway = uplink_address(Site::kA)}, kPatience),
            "no way back");
  }

  Samples to_remote;

 private:
  static constexpr const char* kPrefix = "10.1.0.11/32";

  BareClient client_of(Site site, const bgp::zapi::Release& release) {
    return {lab_.frr(site).zserv().string(), release, lab_.link(lab::node_of(site), lab::kBridge).ifindex};
  }

  Lab lab_;
  RouteWatcher remote_;
  BareClient a_;
  BareClient b_;
};

void run(Protocol protocol, const std::string& name, int moves, const bgp::zapi::Release& release) {
  Ours ours(protocol);
  Floor floor(protocol, release);
  for (int i = 0; i < moves; ++i) {
    floor.sample();
    ours.sample();
  }
  fmt::print("{}: {} moves, RARP announced, DCI 25 ms one way; milliseconds\n", name, moves);
  fmt::print("  {:<58} {:>9} {:>9} {:>9}\n", "", "median", "p99", "max");
  std::cout << ours.to_socket.row("(a) first frame -> route written to zebra's socket")
            << ours.to_greeting.row("(b) first frame -> greeting on the wire")
            << ours.to_remote.row("(c) first frame -> route in the remote router's kernel")
            << floor.to_remote.row("    floor: bare zebra client -> remote router's kernel")
            << ours.lost.row("packets lost per move, of 100 a second");
  fmt::print("  ratio (c) / floor: median {:.3f}, p99 {:.3f}\n",
             ours.to_remote.percentile(0.5) / floor.to_remote.percentile(0.5),
             ours.to_remote.percentile(0.99) / floor.to_remote.percentile(0.99));
  fmt::print("  after convergence: {} pings, {} crossed the DCI\n\n", ours.straight, ours.crossed);
}

}  // namespace
}  // namespace untrombone::bench

int main(int argc, char** argv) {
  CLI::App app("One move, measured beside the floor");
  int moves = 20;
  std::string protocol = "both";
  std::string version = "8.4";
  app.add_option("--moves", moves, "moves per protocol")->check(CLI::Range(1, 10000));
  app.add_option("--protocol", protocol, "bgp, ospf or both")->check(CLI::IsMember({"bgp", "ospf", "both"}));
  app.add_option("--frr", version, "the FRR release that is installed");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto* const release = untrombone::bgp::zapi::find_release(version);
    untrombone::bench::require(release != nullptr && !release->needs_table_instance,
                               "the bare client does not know FRR " + version);
    if (protocol != "ospf") untrombone::bench::run(untrombone::lab::Protocol::kBgp, "BGP", moves, *release);
    if (protocol != "bgp") untrombone::bench::run(untrombone::lab::Protocol::kOspf, "OSPF", moves, *release);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench-move: {}\n", error.what());
    return 1;
  }
  return 0;
}
