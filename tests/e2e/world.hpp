// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/lab/lab.hpp"

namespace untrombone::e2e {

using namespace std::chrono_literals;
using lab::Site;

inline constexpr auto kPatience = 15s;

/// A lab with an agent at each site and the eyes that the tests need.
class World {
 public:
  explicit World(const lab::LabOptions& options = {.dci_delay = 5ms});

  lab::Lab& lab() { return lab_; }
  /// Starts both agents and waits until they are ready and their guards are up.
  void start_agents(const lab::AgentOptions& options = {});
  /// The same for one of them.
  void start_agent(Site site, lab::AgentOptions options = {});

  /// The remote router's kernel sends the host to this site by its own host route.
  bool reaches(const lab::Vm& vm, Site site, std::chrono::milliseconds timeout = kPatience);
  bool host_route_gone(const std::string& prefix);
  lab::RouteWatcher& remote() { return remote_; }

  /// What the site's agent says of the host; "" when it does not know it.
  std::string verdict(Site site, const lab::Vm& vm);
  /// Waits until the site's agent has the address in this state.
  bool becomes(Site site, const std::string& address, const std::string& state);
  bool becomes(Site site, const lab::Vm& vm, const std::string& state) {
    return becomes(site, vm.address(), state);
  }

  /// ICMP between the client and the host that crossed the DCI, both directions.
  std::uint64_t crossings(const lab::Vm& vm);
  /// Makes the guest talk to the client, as any application would.
  lab::Pinger ping_from(const lab::Vm& vm) { return lab::Pinger(vm.netns(), lab::kClientAddress, 20ms); }

 private:
  lab::Lab lab_;
  lab::RouteWatcher remote_;
};

}  // namespace untrombone::e2e
