// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/lab/agent.hpp"
#include "tests/lab/capture.hpp"
#include "tests/lab/frames.hpp"
#include "tests/lab/frr.hpp"
#include "tests/lab/guardian.hpp"
#include "tests/lab/netns.hpp"
#include "tests/lab/pinger.hpp"
#include "tests/lab/process.hpp"
#include "tests/lab/relay.hpp"
#include "tests/lab/route_watcher.hpp"
#include "tests/lab/rtnetlink.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/traceroute.hpp"
#include "tests/lab/types.hpp"
#include "tests/lab/vm.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::lab {

struct LabOptions {
  Protocol protocol = Protocol::kBgp;
  GatewayStyle gateway_style = GatewayStyle::kPerSite;
  DciKind dci_kind = DciKind::kRelay;
  std::chrono::microseconds dci_delay{0};  // one way; kRelay only
  bool ipv6 = false;  // 2001:db8:1::/64 on the segment, and BGP routes it (OSPF does not)
  bool frr = true;    // false: an L2 lab without routing
  std::string frr_release = default_frr_release();  // FrrOptions::release of all three routers
  Sink sink = default_sink();                       // of the agents
  std::chrono::milliseconds converge_timeout = std::chrono::seconds(30);
};

// Two sites that share a stretched L2 domain, a WAN router and a client (see topology.hpp). Needs root, FRR and
// iproute2; any number of labs may run side by side. Everything throws on failure. When the object or its process
// goes, however it goes, nothing is left behind, unless keep() was called.
class Lab {
 public:
  // Returns when routing has converged: the world reaches the subnet at A, and each site has its default route.
  explicit Lab(const LabOptions& options = {});
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;
  ~Lab();

  const std::string& id() const { return id_; }
  const LabOptions& options() const { return options_; }
  const Netns& netns(Node node) const { return nodes_[node]; }
  const Netns& netns(Site site) const { return nodes_[site]; }
  // Logs, configuration and sockets of a node.
  std::filesystem::path directory(Node node) const;

  // Starts a guest; it has its address and has announced it when this returns.
  Vm& start_vm(const std::string& name, Site site, VmOptions options = {});
  Vm& vm(const std::string& name) { return *vms_.at(name); }
  // The guest vanishes; the access port of its site stays up.
  void shutdown_vm(Vm& vm);
  // Re-plugs the guest's cable; the guest's carrier and the access ports stay up. Returns the time at which the
  // first frame of the announcement was sent (with kNone: at which the cable was in); the rest follows by itself.
  Timestamp move(Vm& vm, Site site, Announcement announcement = Announcement::kRarpQemu);

  // Throws std::logic_error without a relay (DciKind::kVxlan).
  Relay& dci();

  // Throws std::out_of_range for nodes that are no routers.
  Frr& frr(Node node) { return *frrs_.at(node); }
  Frr& frr(Site site) { return frr(node_of(site)); }
  std::string vtysh(Node node, const std::string& command) { return frr(node).vtysh({command}); }
  nlohmann::json vtysh_json(Node node, const std::string& command);

  // Starts, or restarts, the site's agent; does not wait for it.
  Agent& start_agent(Site site, AgentOptions options = {});
  Agent& agent(Site site) { return *agents_.at(site); }
  // SIGTERM; returns the exit status.
  int stop_agent(Site site);
  CommandResult agent_cli(Site site, const std::vector<std::string>& arguments);

  // What the counters of an interface say.
  LinkInfo link(Node node, const std::string& ifname) const { return link_info(nodes_[node], ifname); }

  // Leaves the lab, with all its processes, running when this object goes. remove_lab(id()) ends it.
  void keep();

 private:
  void connect_dci();
  void start_routing();

  LabOptions options_;
  std::string id_;
  Guardian guardian_;
  Nodes nodes_;
  std::unique_ptr<Relay> relay_;
  std::map<Node, std::unique_ptr<Frr>> frrs_;
  std::map<std::string, std::unique_ptr<Vm>> vms_;
  std::map<Site, std::unique_ptr<Agent>> agents_;
  unsigned next_vm_ = 1;
};

}  // namespace untrombone::lab
