// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/lab.hpp"

#include <random>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace untrombone::lab {
namespace {

constexpr std::uint32_t kFirstVmAddress = 0x0a01000a;  // 10.1.0.10 + 1, 2, …

std::string random_id() {
  std::random_device random;
  return fmt::format("{:06x}", random() & 0xffffff);
}

const char* name_of(Node node) {
  switch (node) {
    case Node::kSiteA: return "a";
    case Node::kSiteB: return "b";
    case Node::kWan: return "wan";
    case Node::kClient: return "client";
    case Node::kFabric: return "fabric";
  }
  return "?";
}

}  // namespace

Lab::Lab(const LabOptions& options)
    : options_(options),
      id_(random_id()),
      guardian_(id_),
      nodes_(build_topology(id_, {.gateway_style = options.gateway_style, .ipv6 = options.ipv6})) {
  raise_neighbour_limits();
  connect_dci();
  if (options_.frr) {
    start_routing();
  }
}

Lab::~Lab() = default;

std::filesystem::path Lab::directory(Node node) const { return run_directory(id_) / name_of(node); }

void Lab::connect_dci() {
  if (options_.dci_kind == DciKind::kRelay) {
    relay_ =
        std::make_unique<Relay>(nodes_.site_a, nodes_.site_b, nodes_.fabric, kDciPort, options_.dci_delay);
  } else {
    build_vxlan_dci(nodes_);
  }
  plug_dci(nodes_);
}

void Lab::start_routing() {
  RouteWatcher wan(nodes_.wan);
  RouteWatcher site_a(nodes_.site_a);
  RouteWatcher site_b(nodes_.site_b);
  for (const Node node : {Node::kWan, Node::kSiteA, Node::kSiteB}) {
    frrs_.emplace(node, std::make_unique<Frr>(node, nodes_[node],
                                              FrrOptions{.protocol = options_.protocol,
                                                         .ipv6 = options_.ipv6,
                                                         .release = options_.frr_release,
                                                         .sink = options_.sink},
                                              directory(node)));
  }
  const auto deadline = std::chrono::steady_clock::now() + options_.converge_timeout;
  const auto left = [deadline] {
    return std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  };
  bool converged = site_a.wait_present({.prefix = "0.0.0.0/0"}, left()) &&
                   site_b.wait_present({.prefix = "0.0.0.0/0"}, left()) &&
                   wan.wait_present({.prefix = kSubnet, .gateway = uplink_address(Site::kA)}, left());
  if (options_.ipv6 && options_.protocol == Protocol::kBgp) {
    converged = converged && site_a.wait_present({.prefix = "::/0"}, left()) &&
                site_b.wait_present({.prefix = "::/0"}, left()) &&
                wan.wait_present({.prefix = kSubnet6, .oif = wan_port(Site::kA)}, left());
  }
  if (!converged) {
    throw std::runtime_error(fmt::format("lab {}: routing has not converged", id_));
  }
}

Vm& Lab::start_vm(const std::string& name, Site site, VmOptions options) {
  if (vms_.contains(name)) {
    throw std::invalid_argument("there is a VM " + name + " already");
  }
  const unsigned number = next_vm_++;
  if (options.address.empty()) {
    options.address = format_ipv4(kFirstVmAddress + number);
  }
  if (options.mac.empty()) {
    options.mac = fmt::format("52:54:00:00:{:02x}:{:02x}", number >> 8 & 0xff, number & 0xff);
  }
  auto vm = std::make_unique<Vm>(name, netns_name(id_, name), nodes_.fabric, site, options, options_.ipv6);
  return *vms_.emplace(name, std::move(vm)).first->second;
}

void Lab::shutdown_vm(Vm& vm) {
  vm.unplug();
  nodes_.fabric.ip(fmt::format("link delete {}\n", vm.name()));
  delete_netns(vm.netns().name());
  vms_.erase(std::string(vm.name()));
}

Timestamp Lab::move(Vm& vm, Site site, Announcement announcement) {
  vm.plug_into(site);
  return vm.announce(announcement);
}

Relay& Lab::dci() {
  if (!relay_) {
    throw std::logic_error("this lab's DCI is not a relay");
  }
  return *relay_;
}

nlohmann::json Lab::vtysh_json(Node node, const std::string& command) {
  return nlohmann::json::parse(vtysh(node, command));
}

Agent& Lab::start_agent(Site site, AgentOptions options) {
  agents_.erase(site);
  const Node node = node_of(site);
  auto agent = std::make_unique<Agent>(site == Site::kA ? "dc-a" : "dc-b", nodes_[site], frr(site),
                                       directory(node), options_.ipv6, std::move(options));
  return *agents_.emplace(site, std::move(agent)).first->second;
}

int Lab::stop_agent(Site site) { return agent(site).process().terminate(); }

CommandResult Lab::agent_cli(Site site, const std::vector<std::string>& arguments) {
  return agent(site).cli(arguments);
}

void Lab::keep() {
  guardian_.keep();
  if (relay_) {
    relay_->release();
  }
  for (auto& [node, frr] : frrs_) {
    frr->release();
  }
  for (auto& [site, agent] : agents_) {
    agent->process().release();
  }
}

}  // namespace untrombone::lab
