// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/demo/demo.hpp"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/demo/around.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::demo {
namespace {

using lab::Node;
using lab::Site;

constexpr const char* kWanAddress = "198.51.100.1";

std::string milliseconds(std::chrono::nanoseconds time) {
  const double value = std::chrono::duration<double, std::milli>(time).count();
  return fmt::format("{:.{}f} ms", value, value < 10 ? 2 : 1);
}

std::string milliseconds(const std::optional<std::chrono::nanoseconds>& time) {
  return time ? milliseconds(*time) : "never";
}

std::string per_second(double rate) { return fmt::format("{:.0f} /s", rate); }

std::string lost(const lab::PingSummary& ping) { return fmt::format("{} of {}", ping.lost, ping.sent); }

std::string letter(Site site) { return site == Site::kA ? "A" : "B"; }

std::string label_of(const std::string& hop, const lab::Vm& vm) {
  if (hop == kWanAddress) return hop + " (wan)";
  if (hop == vm.address()) return hop + " (VM)";
  for (const Site site : {Site::kA, Site::kB}) {
    if (hop == lab::uplink_address(site)) return fmt::format("{} (site {})", hop, letter(site));
  }
  return hop;
}

std::string owner_of_gateway(const Path& path) {
  for (const Site site : {Site::kA, Site::kB}) {
    if (path.leaves_at(site)) return letter(site);
  }
  return "?";
}

std::string entry_of(const Path& path) {
  for (const Site site : {Site::kA, Site::kB}) {
    if (path.enters_at(site)) return letter(site);
  }
  return "?";
}

/// The sites on the way between the wan and a VM at `site`, from outside to inside.
std::string way_in(const Path& path, Site site) {
  const std::string entry = entry_of(path);
  return entry == letter(site) ? "wan > " + entry + " > VM"
                               : "wan > " + entry + " > DCI > " + letter(site) + " > VM";
}

std::string way_out(const Path& path, Site site) {
  const std::string exit = owner_of_gateway(path);
  return exit == letter(site) ? "VM > " + exit + " > wan"
                              : "VM > " + letter(site) + " > DCI > " + exit + " > wan";
}

std::string picture(const lab::Vm& vm, std::chrono::milliseconds delay) {
  const std::string wire = fmt::format("{} ms", delay.count());
  return fmt::format(
      "                  client {client}\n"
      "                           |\n"
      "                  wan {wan} (the remote router)\n"
      "                   /               \\\n"
      "        {a} /                 \\ {b}\n"
      "            site A ===== DCI ===== site B\n"
      "     gateway {gateway} {wire:^13} gateway {gateway}     one subnet, {subnet}\n"
      "               |                     :\n"
      "         VM {vm} - - moves - - >\n",
      fmt::arg("client", lab::kClientAddress), fmt::arg("wan", kWanAddress),
      fmt::arg("a", lab::uplink_address(Site::kA)), fmt::arg("b", lab::uplink_address(Site::kB)),
      fmt::arg("gateway", lab::kGateway), fmt::arg("wire", wire), fmt::arg("subnet", lab::kSubnet),
      fmt::arg("vm", vm.address()));
}

}  // namespace

Demo::Demo(const Options& options, const Terminal& terminal)
    : options_(options),
      terminal_(terminal),
      lab_({.protocol = options.protocol,
            .gateway_style = lab::GatewayStyle::kPerSite,
            .dci_delay = options.dci_delay}),
      vm_(lab_.start_vm("vm1", Site::kA)) {}

bool Demo::run() {
  show_lab();
  move_without_agents();
  start_agents();
  move_with_agents();
  explain();
  compare();
  const bool held = verdict();
  if (options_.keep) {
    show_around(terminal_, lab_, vm_);
    lab_.keep();
  }
  return held;
}

void Demo::show_lab() {
  terminal_.heading("0  The lab");
  terminal_.verbatim(picture(vm_, options_.dci_delay));
  terminal_.blank();
  terminal_.say(
      fmt::format("Real FRR on three routers, {}. The DCI is plain layer 2 and takes {} ms one way. Both "
                  "sites are the gateway {} "
                  "of the subnet, each with a MAC of its own; the world enters at A. The VM is at A.",
                  options_.protocol == lab::Protocol::kBgp ? "BGP between them" : "OSPF between them",
                  options_.dci_delay.count(), lab::kGateway));
  terminal_.blank();
  at_home_ = measure_path(lab_, vm_);
  show_path(at_home_);
  claim_straight(at_home_, Site::kA, "before anything moves");
}

void Demo::move_without_agents() {
  terminal_.heading("1  Without untrombone: the VM moves to B");
  terminal_.say(
      "The hypervisor re-plugs it and sends five RARPs in its name, as QEMU does. MAC and IP stay.");
  terminal_.blank();
  plain_move_ = measure_move(lab_, vm_, Site::kB, false);
  trombone_ = measure_path(lab_, vm_);
  show_losses(plain_move_);
  show_path(trombone_);
  const std::size_t failed_before = failed_.size();
  claim(trombone_.enters_at(Site::kA), "without agents the traffic enters at A");
  claim(trombone_.leaves_at(Site::kA), "without agents the guest keeps the gateway MAC of A");
  claim(trombone_.crosses_both_ways(), "without agents the pings cross the DCI in both directions");
  claim(trombone_.ping.median_rtt >= 2 * options_.dci_delay,
        "without agents the RTT holds the DCI's delay twice");
  if (failed_.size() > failed_before) return;
  terminal_.blank();
  terminal_.say(
      "The trombone, both ways: requests enter at A and cross the DCI to the VM; the VM still sends to A's "
      "gateway MAC, and the answers cross it back.");
}

void Demo::start_agents() {
  terminal_.heading("2  An agent starts at each site, and the VM goes back to A");
  lab::Pinger client(lab_.netns(Node::kClient), vm_.address());
  // Fresh routes settle after two seconds instead of thirty, so that the demo need not wait.
  for (const Site site : {Site::kA, Site::kB}) {
    lab_.start_agent(site, {.binary = UNTROMBONE_BIN, .settle = "2s"});
  }
  for (const Site site : {Site::kA, Site::kB}) wait_until_guarded(site);
  terminal_.say("Both are ready, and their guards keep the gateway's ARP off the DCI.");
  lab::RouteWatcher remote(lab_.netns(Node::kWan));
  const bool found = reached_at(remote, Site::kB);
  claim(found, "agent B finds the VM that was there before it, by its packets");
  if (found) {
    terminal_.say(
        "Agent B hears an IP packet of a MAC behind its local port, asks the guest whether it has that "
        "address, "
        "and announces it: the trombone is over although nothing moved.");
  }
  lab_.move(vm_, Site::kA);
  const bool returned = reached_at(remote, Site::kA) && settles(Site::kA);
  claim(returned, "the VM that goes back is routed to A again");
  if (returned) terminal_.say("The VM goes back, and the remote router follows it to A:");
  terminal_.blank();
  const std::string command =
      (options_.protocol == lab::Protocol::kBgp ? "show bgp ipv4 unicast " : "show ip route ") + vm_.prefix();
  terminal_.command(fmt::format("vtysh -c '{}'", command), lab_.vtysh(Node::kWan, command));
  const lab::CommandResult kernel =
      lab::run_command({.argv = {"ip", "-n", lab_.netns(Node::kWan).name(), "route", "show", vm_.prefix()}});
  terminal_.command("ip route show " + vm_.prefix(), kernel.output);
}

bool Demo::reached_at(lab::RouteWatcher& remote, Site site) {
  return remote.wait_present({.prefix = vm_.prefix(), .gateway = lab::uplink_address(site)}, kPatience);
}

bool Demo::settles(Site site) {
  return lab::wait_for(
      [&] {
        const nlohmann::json host = lab_.agent(site).json({"explain", vm_.address()});
        return host.contains("route") && host["route"].is_object() &&
               host["route"].value("class", "") == "settled";
      },
      kPatience);
}

bool Demo::becomes(Site site, const std::string& state) {
  return lab::wait_for(
      [&] {
        return lab_.agent(site).json({"explain", vm_.address()}).value("state", "") == state;
      },
      kPatience);
}

void Demo::wait_until_guarded(Site site) {
  const lab::Agent& agent = lab_.agent(site);
  if (!agent.wait_ready(kPatience)) {
    throw std::runtime_error(
        fmt::format("the agent of site {} does not get ready; UNTROMBONE_LAB_LOGS=DIR saves its agent.log",
                    letter(site)));
  }
  const auto guarded = [&] {
    const nlohmann::json status = agent.json({"status"});
    return status.value("healthy", false) && status["guard"].value("state", "") == "active";
  };
  if (!lab::wait_for(guarded, kPatience)) {
    throw std::runtime_error(
        fmt::format("the agent of site {} is not healthy:\n{}", letter(site), agent.cli({"status"}).output));
  }
}

void Demo::move_with_agents() {
  terminal_.heading("3  With untrombone: the same move");
  const Path before = measure_path(lab_, vm_);
  claim_straight(before, Site::kA, "with agents, before the move");
  move_ = measure_move(lab_, vm_, Site::kB, true);
  straight_ = measure_path(lab_, vm_);
  terminal_.row("RTT before the move", milliseconds(before.ping.median_rtt), "median");
  show_losses(move_);
  show_announcements(move_);
  terminal_.blank();
  show_path(straight_);
  claim_straight(straight_, Site::kB, "with agents, after the move");
  claim(move_.route.has_value(), "with agents the remote router gets the host route via B");
  claim(move_.greeting.has_value(), "with agents the guest is greeted by its new gateway");
}

void Demo::explain() {
  terminal_.heading("4  What the agents know, and why");
  claim(becomes(Site::kB, "local"), "agent B knows the VM as local");
  claim(becomes(Site::kA, "remote"), "agent A has given the VM up");
  for (const Site site : {Site::kB, Site::kA}) {
    terminal_.say(fmt::format("At site {}:", letter(site)));
    terminal_.command("untrombone explain " + vm_.address(),
                      lab_.agent_cli(site, {"explain", vm_.address()}).output);
    if (site == Site::kB) terminal_.blank();
  }
}

void Demo::compare() const {
  terminal_.heading("5  Before and after");
  terminal_.table({
      {"", "VM at A", "moved to B, without", "moved to B, with untrombone"},
      {"in", way_in(at_home_, Site::kA), way_in(trombone_, Site::kB), way_in(straight_, Site::kB)},
      {"out", way_out(at_home_, Site::kA), way_out(trombone_, Site::kB), way_out(straight_, Site::kB)},
      {"RTT, median", milliseconds(at_home_.ping.median_rtt), milliseconds(trombone_.ping.median_rtt),
       milliseconds(straight_.ping.median_rtt)},
      {"DCI, A to B", per_second(at_home_.a_to_b), per_second(trombone_.a_to_b),
       per_second(straight_.a_to_b)},
      {"DCI, B to A", per_second(at_home_.b_to_a), per_second(trombone_.b_to_a),
       per_second(straight_.b_to_a)},
      {"pings lost in the move", "-", lost(plain_move_.ping), lost(move_.ping)},
  });
  terminal_.blank();
  terminal_.say(fmt::format(
      "Lost are the pings that A still sends to the VM's old port: until the first RARP has crossed the DCI "
      "({} ms), or until the new route is there if that is sooner.",
      options_.dci_delay.count()));
}

bool Demo::verdict() const {
  terminal_.blank();
  for (const std::string& text : failed_) terminal_.bad("NOT SEEN: " + text);
  if (failed_.empty())
    terminal_.good("Seen: the trombone without untrombone, a straight path both ways with it.");
  return failed_.empty();
}

void Demo::show_path(const Path& path) const {
  std::string hops;
  for (const std::string& hop : path.hops) hops += (hops.empty() ? "" : " > ") + label_of(hop, vm_);
  terminal_.text("traceroute from the client", hops);
  terminal_.text("the guest's gateway",
                 fmt::format("{} (site {})", path.gateway_mac, owner_of_gateway(path)));
  terminal_.row("RTT", milliseconds(path.ping.median_rtt),
                fmt::format("median of {} pings, {} lost", path.ping.sent, path.ping.lost));
  terminal_.row("pings over the DCI, A to B", per_second(path.a_to_b), path.a_to_b > 0 ? "the requests" : "");
  terminal_.row("pings over the DCI, B to A", per_second(path.b_to_a), path.b_to_a > 0 ? "the answers" : "");
}

void Demo::show_losses(const Move& move) const {
  terminal_.row("pings lost in the move", fmt::format("{}", move.ping.lost),
                fmt::format("of {}", move.ping.sent));
  terminal_.row("longest gap", milliseconds(move.ping.longest_gap), "between two pings that were answered");
}

void Demo::show_announcements(const Move& move) const {
  terminal_.row("greeting on the wire", milliseconds(move.greeting),
                "after the VM's first frame at B's access port");
  terminal_.row("route in the remote kernel", milliseconds(move.route), "after the same frame");
}

void Demo::claim(bool holds, std::string text) {
  if (!holds) failed_.push_back(std::move(text));
}

void Demo::claim_straight(const Path& path, Site site, std::string_view when) {
  claim(path.enters_at(site), fmt::format("{}, the traffic enters at {}", when, letter(site)));
  claim(path.leaves_at(site), fmt::format("{}, the guest's gateway is the one of {}", when, letter(site)));
  claim(path.crosses_nowhere(), fmt::format("{}, no ping crosses the DCI", when));
  claim(path.ping.median_rtt < options_.dci_delay,
        fmt::format("{}, the RTT is free of the DCI's delay", when));
}

}  // namespace untrombone::demo
