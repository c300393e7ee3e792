// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/demo/around.hpp"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "tests/lab/topology.hpp"

namespace untrombone::demo {
namespace {

namespace fs = std::filesystem;
using lab::Node;
using lab::Site;

std::string vtysh(const lab::Lab& lab, Node node, std::string_view command) {
  return fmt::format("vtysh --vty_socket {} -c '{}'", lab.directory(node).string(), command);
}

std::string agent(lab::Lab& lab, Site site, std::string_view question) {
  return fmt::format("{} --socket {} {}", short_path(UNTROMBONE_BIN), lab.agent(site).socket().string(),
                     question);
}

std::string in(const lab::Netns& netns, std::string_view command) {
  return fmt::format("ip netns exec {} {}", netns.name(), command);
}

void show_commands(const Terminal& terminal, std::string_view what, const std::vector<std::string>& lines) {
  terminal.blank();
  terminal.say(what);
  for (const std::string& line : lines) terminal.command(line);
}

}  // namespace

std::string short_path(const std::string& path) {
  std::error_code error;
  const std::string relative = fs::proximate(path, error).string();
  if (error || relative.size() >= path.size()) return path;
  return relative.find('/') == std::string::npos ? "./" + relative : relative;
}

void show_around(const Terminal& terminal, lab::Lab& lab, const lab::Vm& vm) {
  const bool bgp = lab.options().protocol == lab::Protocol::kBgp;
  terminal.heading(fmt::format("The lab {} stays", lab.id()));
  terminal.say(
      "Its namespaces: a and b (the sites), wan (the remote router), client, fabric (the access switches) "
      "and the guest. All commands as root.");
  terminal.command(fmt::format("ip netns list | grep utl-{}", lab.id()));

  show_commands(
      terminal, "Ask the agents (site A, site B):",
      {agent(lab, Site::kA, "explain " + vm.address()), agent(lab, Site::kB, "explain " + vm.address()),
       agent(lab, Site::kB, "status"), agent(lab, Site::kB, "routes")});
  const std::string show_route = "show ip route " + vm.prefix();
  show_commands(terminal, "See what the routers know (site A, site B, the remote router):",
                {vtysh(lab, Node::kSiteA, show_route), vtysh(lab, Node::kSiteB, show_route),
                 vtysh(lab, Node::kWan, bgp ? "show bgp ipv4 unicast " + vm.prefix() : show_route)});
  show_commands(terminal, "Be the remote client:",
                {in(lab.netns(Node::kClient), "ping " + vm.address()),
                 in(lab.netns(Node::kClient), "traceroute -n -I " + vm.address())});
  show_commands(terminal, "Move the VM back to A by hand: its cable first, then let it say something.",
                {fmt::format("ip -n {} link set {} master {}", lab.netns(Node::kFabric).name(), vm.name(),
                             lab::switch_name(Site::kA)),
                 in(vm.netns(), fmt::format("ping -c 1 {}", lab::kClientAddress))});
  terminal.say(fmt::format("To B: the same with master {}.", lab::switch_name(Site::kB)));
  show_commands(terminal, "Logs and configuration:", {"ls " + lab.directory(Node::kSiteB).string()});
  show_commands(terminal, "Remove it all:",
                {fmt::format("{} --remove {}", short_path(fs::read_symlink("/proc/self/exe")), lab.id())});
}

}  // namespace untrombone::demo
