// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/e2e/world.hpp"

#include <stdexcept>

#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::e2e {
namespace {

bool guard_is_up(const lab::Agent& agent) {
  const nlohmann::json status = agent.json({"status"});
  return status.value("healthy", false) && status["guard"].value("state", "") == "active";
}

}  // namespace

World::World(const lab::LabOptions& options) : lab_(options), remote_(lab_.netns(lab::Node::kWan)) {}

void World::start_agents(const lab::AgentOptions& options) {
  for (const Site site : {Site::kA, Site::kB}) start_agent(site, options);
}

void World::start_agent(Site site, lab::AgentOptions options) {
  options.binary = UNTROMBONE_BIN;
  const bool guard = options.guard;
  const lab::Agent& agent = lab_.start_agent(site, std::move(options));
  if (!agent.wait_ready(kPatience))
    throw std::runtime_error("the agent is not ready: " + agent.log().string());
  if (guard && !lab::wait_for([&] { return guard_is_up(agent); }, kPatience)) {
    throw std::runtime_error("the guard is not up");
  }
}

bool World::reaches(const lab::Vm& vm, Site site, std::chrono::milliseconds timeout) {
  return remote_.wait_present({.prefix = vm.prefix(), .gateway = lab::uplink_address(site)}, timeout);
}

bool World::host_route_gone(const std::string& prefix) {
  return remote_.wait_absent({.prefix = prefix}, kPatience);
}

std::string World::verdict(Site site, const lab::Vm& vm) {
  return lab_.agent(site).json({"explain", vm.address()}).value("verdict", "");
}

bool World::becomes(Site site, const std::string& address, const std::string& state) {
  const lab::Agent& agent = lab_.agent(site);
  return lab::wait_for(
      [&] {
        return agent.json({"explain", address}).value("state", "") == state;
      },
      kPatience);
}

std::uint64_t World::crossings(const lab::Vm& vm) {
  return lab_.dci().icmp_frames(Site::kA, lab::kClientAddress, vm.address()) +
         lab_.dci().icmp_frames(Site::kB, lab::kClientAddress, vm.address());
}

}  // namespace untrombone::e2e
