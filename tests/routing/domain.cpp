// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/routing/domain.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <stdexcept>

#include <fmt/format.h>

#include "tests/lab/core_time.hpp"
#include "tests/lab/topology.hpp"

namespace untrombone::routing {
namespace {

using bgp::RoutingProtocol;
using core::RouteClass;

constexpr core::Ifindex kBridge{10};
constexpr const char* kEdge = "wan0";
constexpr const char* kIsisArea = "CORE";

std::string random_id() {
  if (::geteuid() != 0) {
    std::puts("skipped: network namespaces need root");
    std::exit(77);
  }
  std::random_device random;
  return fmt::format("{:06x}", random() & 0xffffffU);
}

// The two ends of a site's uplink.
struct Uplink {
  std::string edge4;
  std::string remote4;
  std::string edge6;
  std::string remote6;
  std::string net4;
  std::string net6;
};

Uplink uplink(Site site) {
  const int number = site == Site::kA ? 1 : 2;
  return {fmt::format("192.0.2.{}", 4 * number + 2), fmt::format("192.0.2.{}", 4 * number + 1),
          fmt::format("2001:db8:f:{}::2", number),   fmt::format("2001:db8:f:{}::1", number),
          fmt::format("192.0.2.{}/30", 4 * number),  fmt::format("2001:db8:f:{}::/64", number)};
}

const char* name_of(Site site) { return site == Site::kA ? "a" : "b"; }

std::vector<std::string> daemons_of(Layout layout) {
  switch (layout) {
    case Layout::kOspf: return {"ospfd", "ospf6d"};
    case Layout::kIsis: return {"isisd"};
    default: return {"bgpd"};
  }
}

int as_of(Layout layout, const std::string& name) {
  if (layout == Layout::kOneAs || name == "r") return 65000;
  return name == "a" ? 65001 : 65002;
}

// Only the edges connect: two ends that try once a second, in step, refuse each other's connections for minutes.
std::string bgp_neighbor(const std::string& address, int as, bool passive) {
  return fmt::format(
      " neighbor {0} remote-as {1}\n neighbor {0} timers 1 3\n neighbor {0} timers connect 1\n{2}", address,
      as, passive ? fmt::format(" neighbor {} passive\n", address) : "");
}

struct Session {
  std::string address4;
  std::string address6;
  int as;
};

// IPv4 over the IPv4 session and IPv6 over the IPv6 one, as most people run it.
std::string bgp_base(const std::string& router_id, int as, const std::vector<Session>& sessions, bool remote,
                     bool reflect) {
  std::string text =
      fmt::format("router bgp {}\n bgp router-id {}\n no bgp ebgp-requires-policy\n", as, router_id);
  for (const Session& session : sessions) {
    text += bgp_neighbor(session.address4, session.as, remote) +
            bgp_neighbor(session.address6, session.as, remote);
  }
  for (const bool ipv6 : {false, true}) {
    text += fmt::format(" address-family {} unicast\n", ipv6 ? "ipv6" : "ipv4");
    for (const Session& session : sessions) {
      const std::string& used = ipv6 ? session.address6 : session.address4;
      text += fmt::format("  neighbor {} activate\n  no neighbor {} activate\n", used,
                          ipv6 ? session.address4 : session.address6);
      if (reflect) text += fmt::format("  neighbor {} route-reflector-client\n", used);
    }
    text += " exit-address-family\n";
  }
  return text + "exit\n";
}

std::string ospf_interface(const std::string& name, bool area_at_interface) {
  return fmt::format(
      "interface {0}\n ip ospf area 0\n ip ospf network point-to-point\n ip ospf hello-interval 1\n"
      " ip ospf dead-interval 4\n ipv6 ospf6 network point-to-point\n ipv6 ospf6 hello-interval 1\n"
      " ipv6 ospf6 dead-interval 4\n{1}exit\n",
      name, area_at_interface ? " ipv6 ospf6 area 0.0.0.0\n" : "");
}

std::string isis_interface(const std::string& name) {
  return fmt::format(
      "interface {0}\n ip router isis {1}\n ipv6 router isis {1}\n isis network point-to-point\n"
      " isis hello-interval 1\n isis hello-multiplier 3\nexit\n",
      name, kIsisArea);
}

}  // namespace

std::string rendered(const bgp::FrrConfigRequest& request) {
  auto text = bgp::render_frr_config(request);
  if (text.has_error()) throw std::runtime_error(text.error().message);
  return *text;
}

std::string port_to(Site site) { return fmt::format("to-{}", name_of(site)); }

Announcer::Announcer(boost::asio::io_context& io, const std::string& socket, bool isis)
    : sink_(io, *this,
            {.socket = socket,
             .vty_dir = std::filesystem::path(socket).parent_path().string(),
             .isis = isis,
             .retain = false},
            lab::core_now) {
  sink_.start();
}

void Announcer::announce(const std::string& prefix, RouteClass route_class) {
  core::Route route{kBridge, route_class, 5, 1000, 4210};
  if (route_class == RouteClass::kFresh) route = {kBridge, route_class, 5, 999, 4211};
  if (route_class == RouteClass::kLingering) route = {kBridge, route_class, 250, 2000, 4212};
  sink_.apply({{{}, core::IpPrefix::parse(prefix).value()}, route, lab::core_now()});
  sink_.flush();
}

void Announcer::withdraw(const std::string& prefix) {
  sink_.apply({{{}, core::IpPrefix::parse(prefix).value()}, std::nullopt, lab::core_now()});
  sink_.flush();
}

std::optional<bgp::RouteState> Announcer::state(const std::string& prefix) const {
  const auto found = sink_.routes().find({{}, core::IpPrefix::parse(prefix).value()});
  return found == sink_.routes().end() ? std::nullopt : std::optional(found->second.state);
}

Domain::Domain(Layout layout, bgp::LeakGuard leak_guard)
    : layout_(layout), leak_guard_(leak_guard), id_(random_id()), guardian_(id_) {
  remote_ = std::make_unique<Router>(add_netns("r"), directory("r"), daemons_of(layout));
  for (const Site site : {Site::kA, Site::kB}) {
    const std::string name = name_of(site);
    edges_.emplace(site, std::make_unique<Router>(add_netns(name), directory(name), daemons_of(layout)));
    wire(site);
  }
  for (Router* router : {remote_.get(), &edge(Site::kA), &edge(Site::kB)}) router->start();
  configure_remote();
  for (const Site site : {Site::kA, Site::kB}) configure(site);
  for (const Site site : {Site::kA, Site::kB}) {
    announcers_.emplace(site, std::make_unique<Announcer>(io_, edge(site).zserv(), layout == Layout::kIsis));
  }
  wait_adjacent();
}

const lab::Netns& Domain::add_netns(const std::string& name) {
  const auto [place, added] = namespaces_.emplace(name, lab::Netns::create(lab::netns_name(id_, name)));
  lab::prepare_netns(place->second, true);
  place->second.ip("link set lo up\n");
  return place->second;
}

std::filesystem::path Domain::directory(const std::string& name) const {
  return lab::run_directory(id_) / name;
}

void Domain::wire(Site site) {
  const Uplink ends = uplink(site);
  const lab::Netns& edge = namespaces_.at(name_of(site));
  edge.ip(fmt::format("link add {} type veth peer name {} netns {}\n", kEdge, port_to(site),
                      namespaces_.at("r").name()));
  edge.ip(
      fmt::format("address add {0}/30 dev {1}\naddress add {2}/64 dev {1} nodad\nlink set {1} up\n"
                  "link add index {3} name br0 type bridge\nlink add acc0 type veth peer name guest0\n"
                  "link set acc0 master br0\nlink set acc0 up\nlink set guest0 up\nlink set br0 up\n"
                  "address add 10.1.0.1/16 dev br0\naddress add 2001:db8:1::1/64 dev br0 nodad\n",
                  ends.edge4, kEdge, ends.edge6, kBridge.value));
  namespaces_.at("r").ip(
      fmt::format("address add {0}/30 dev {1}\naddress add {2}/64 dev {1} nodad\nlink set {1} up\n",
                  ends.remote4, port_to(site), ends.remote6));
  if (layout_ != Layout::kOneAs) return;
  // Inside one AS the next hop is the other edge: something has to know the way, an IGP or this.
  const Uplink other = uplink(lab::other(site));
  edge.ip(fmt::format("route add {} via {}\nroute add {} via {}\n", other.net4, ends.remote4, other.net6,
                      ends.remote6));
}

std::string Domain::base(const std::string& name) const {
  const bool remote = name == "r";
  std::vector<std::string> interfaces{kEdge};
  if (remote) interfaces = {port_to(Site::kA), port_to(Site::kB)};
  const std::string router_id =
      remote ? uplink(Site::kA).remote4 : uplink(name == "a" ? Site::kA : Site::kB).edge4;
  std::string text;
  switch (layout_) {
    case Layout::kOspf: {
      const bool old = remote_->version() < bgp::FrrVersion{8, 0};
      for (const std::string& each : interfaces) text += ospf_interface(each, !old);
      text += fmt::format("router ospf\n ospf router-id {0}\n timers lsa min-arrival 50\nexit\n", router_id);
      text += fmt::format("router ospf6\n ospf6 router-id {0}\n timers lsa min-arrival 50\n", router_id);
      for (const std::string& each : interfaces) {
        if (old) text += fmt::format(" interface {} area 0.0.0.0\n", each);
      }
      return text + "exit\n";
    }
    case Layout::kIsis: {
      for (const std::string& each : interfaces) text += isis_interface(each);
      const int number = remote ? 3 : name == "a" ? 1 : 2;
      return text + fmt::format(
                        "router isis {}\n net 49.0001.0000.0000.000{}.00\n is-type level-2-only\n"
                        " lsp-gen-interval 1\n spf-interval 1\nexit\n",
                        kIsisArea, number);
    }
    default: break;
  }
  std::vector<Session> sessions;
  for (const Site site : {Site::kA, Site::kB}) {
    const Uplink ends = uplink(site);
    if (remote) sessions.push_back({ends.edge4, ends.edge6, as_of(layout_, name_of(site))});
    if (name == name_of(site)) sessions.push_back({ends.remote4, ends.remote6, as_of(layout_, "r")});
  }
  return bgp_base(router_id, as_of(layout_, name), sessions, remote, remote && layout_ == Layout::kOneAs);
}

bgp::FrrConfigRequest Domain::request(RoutingProtocol protocol) {
  bgp::FrrConfigRequest request;
  request.protocol = protocol;
  request.leak_guard = leak_guard_;
  request.version = remote_->version();
  request.with_instance = layout_ == Layout::kIsis && bgp::isis_needs_table_number(request.version);
  request.ibgp = layout_ == Layout::kOneAs;
  request.vrfs = {{"", true, true}};
  request.isis_area = kIsisArea;
  return request;
}

void Domain::configure(Site site) {
  edge(site).load(base(name_of(site)));
  std::string text;
  const auto add = [&](bgp::FrrConfigRequest request) {
    if (layout_ == Layout::kAcrossAses) request.neighbors = {uplink(site).remote4, uplink(site).remote6};
    text += rendered(request);
  };
  if (layout_ == Layout::kOspf) {
    add(request(RoutingProtocol::kOspf));
    if (!bgp::needs_table_number(remote_->version())) add(request(RoutingProtocol::kOspf6));
  } else {
    add(request(layout_ == Layout::kIsis ? RoutingProtocol::kIsis : RoutingProtocol::kBgp));
  }
  if (const std::string complaint = edge(site).feed(text); !complaint.empty()) {
    throw std::runtime_error("FRR complains:\n" + complaint + text);
  }
}

void Domain::configure_remote() {
  remote().load(base("r"));
  if (layout_ == Layout::kAcrossAses) {
    bgp::FrrConfigRequest receiver = request(RoutingProtocol::kBgp);
    receiver.role = bgp::FrrRole::kReceiver;
    for (const Site site : {Site::kA, Site::kB}) {
      receiver.neighbors.push_back(uplink(site).edge4);
      receiver.neighbors.push_back(uplink(site).edge6);
    }
    const std::string text = rendered(receiver);
    if (const std::string complaint = remote().feed(text); !complaint.empty()) {
      throw std::runtime_error("FRR complains:\n" + complaint + text);
    }
  }
}

void Domain::wait_adjacent() {
  const auto count = [this](const std::string& command, const std::string& word) {
    const std::string text = remote().vtysh(command);
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += word.size()) ++found;
    return found;
  };
  const bool adjacent = becomes([&] {
    switch (layout_) {
      case Layout::kOspf:
        return count("show ip ospf neighbor", "Full/") >= 2 &&
               count("show ipv6 ospf6 neighbor", "Full/") >= 2;
      case Layout::kIsis: return count("show isis neighbor", " Up ") >= 2;
      default: return count("show bgp summary json", "Established") >= 4;
    }
  });
  if (!adjacent) throw std::runtime_error("the routers do not become neighbours");
}

bool Domain::becomes(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    io_.restart();
    io_.run_for(std::chrono::milliseconds(20));
  }
  return true;
}

bool Domain::reaches(const std::string& prefix, Site site) {
  return becomes([&] { return remote().route_device(prefix) == port_to(site); });
}

bool Domain::lost_to_better(Site site, const std::string& prefix) {
  return becomes([&] { return announcer(site).state(prefix) == bgp::RouteState::kLost; });
}

}  // namespace untrombone::routing
