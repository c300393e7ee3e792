// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/topology.hpp"

#include <array>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "tests/lab/guardian.hpp"

namespace untrombone::lab {
namespace {

constexpr int kDciQueue = 100'000;  // frames that may wait in the TAP for the relay

std::string wire(const Nodes& nodes) {
  std::string batch = fmt::format("link add eth0 netns {} type veth peer name client0 netns {}\n",
                                  nodes.client.name(), nodes.wan.name());
  for (const Site site : {Site::kA, Site::kB}) {
    batch += fmt::format("link add {} netns {} mtu 9000 type veth peer name {} netns {} mtu 9000\n", kUplink,
                         nodes[site].name(), wan_port(site), nodes.wan.name());
    batch += fmt::format("link add {} netns {} type veth peer name {} netns {}\n", kAccessPort,
                         nodes[site].name(), access_cable(site), nodes.fabric.name());
  }
  return batch;
}

std::string site_batch(Site site, const TopologyOptions& options) {
  std::string batch = fmt::format(
      "link set lo up\n"
      "link add {0} address {1} type bridge\n"
      "link set {2} master {0} up\n"
      "link set {0} up\n"
      "address add {3}/16 dev {0}\n"
      "link set {4} up\n"
      "address add {5}/30 dev {4}\n",
      kBridge, gateway_mac(site, options.gateway_style), kAccessPort, kGateway, kUplink,
      uplink_address(site));
  if (options.ipv6) {
    batch += fmt::format("address add {}/64 dev {} nodad\naddress add {}/64 dev {} nodad\n", kGateway6,
                         kBridge, uplink_address6(site), kUplink);
  }
  return batch;
}

std::string wan_batch(bool ipv6) {
  std::string batch =
      "link set lo up\n"
      "link set client0 up\n"
      "address add 198.51.100.1/24 dev client0\n";
  for (const Site site : {Site::kA, Site::kB}) {
    batch += fmt::format("link set {0} up\naddress add {1}/30 dev {0}\n", wan_port(site), wan_address(site));
    if (ipv6) {
      batch += fmt::format("address add {}/64 dev {} nodad\n", wan_address6(site), wan_port(site));
    }
  }
  if (ipv6) {
    batch += "address add 2001:db8:c::1/64 dev client0 nodad\n";
  }
  return batch;
}

std::string client_batch(bool ipv6) {
  std::string batch = fmt::format(
      "link set lo up\n"
      "link set eth0 up\n"
      "address add {}/24 dev eth0\n"
      "route add default via 198.51.100.1\n",
      kClientAddress);
  if (ipv6) {
    batch += fmt::format("address add {}/64 dev eth0 nodad\nroute add default via 2001:db8:c::1 dev eth0\n",
                         kClientAddress6);
  }
  return batch;
}

std::string fabric_batch() {
  std::string batch;
  for (const Site site : {Site::kA, Site::kB}) {
    batch += fmt::format(
        "link add {0} type bridge mcast_snooping 0\nlink set to-{1} master {0} up\nlink set {0} up\n",
        switch_name(site), wan_port(site));
  }
  return batch;
}

}  // namespace

std::string uplink_address(Site site) { return site == Site::kA ? "192.0.2.1" : "192.0.2.5"; }

std::string wan_address(Site site) { return site == Site::kA ? "192.0.2.2" : "192.0.2.6"; }

std::string access_cable(Site site) { return "to-" + wan_port(site); }
std::string uplink_address6(Site site) { return site == Site::kA ? "2001:db8:a::1" : "2001:db8:b::1"; }

std::string wan_address6(Site site) { return site == Site::kA ? "2001:db8:a::2" : "2001:db8:b::2"; }

std::string wan_port(Site site) { return site == Site::kA ? "site-a" : "site-b"; }

std::string switch_name(Site site) { return site == Site::kA ? "swA" : "swB"; }

std::string gateway_mac(Site site, GatewayStyle style) {
  if (style == GatewayStyle::kAnycast) {
    return "00:00:5e:00:01:0a";
  }
  return site == Site::kA ? "02:aa:00:00:00:01" : "02:bb:00:00:00:01";
}

const Netns& Nodes::operator[](Node node) const {
  switch (node) {
    case Node::kSiteA: return site_a;
    case Node::kSiteB: return site_b;
    case Node::kWan: return wan;
    case Node::kClient: return client;
    case Node::kFabric: return fabric;
  }
  std::abort();
}

void prepare_netns(const Netns& netns, bool ipv6) {
  run_in(netns, [ipv6] {
    const std::array<std::pair<const char*, const char*>, 20> settings{{
        {"net/ipv4/ip_forward", "1"},
        {"net/ipv4/conf/all/send_redirects", "0"},
        {"net/ipv4/conf/default/send_redirects", "0"},
        {"net/ipv4/conf/all/accept_redirects", "0"},
        {"net/ipv4/conf/default/accept_redirects", "0"},
        {"net/ipv4/conf/all/rp_filter", "0"},
        {"net/ipv4/conf/default/rp_filter", "0"},
        {"net/ipv4/icmp_ratelimit", "0"},
        {"net/ipv4/icmp_msgs_per_sec", "100000"},
        {"net/ipv4/icmp_msgs_burst", "10000"},
        {"net/bridge/bridge-nf-call-iptables", "0"},
        {"net/bridge/bridge-nf-call-ip6tables", "0"},
        {"net/bridge/bridge-nf-call-arptables", "0"},
        {"net/ipv6/conf/all/disable_ipv6", ipv6 ? "0" : "1"},
        {"net/ipv6/conf/default/disable_ipv6", ipv6 ? "0" : "1"},
        {"net/ipv6/conf/all/forwarding", ipv6 ? "1" : "0"},
        {"net/ipv6/conf/all/accept_dad", "0"},
        {"net/ipv6/conf/default/accept_dad", "0"},
        {"net/ipv6/conf/default/accept_ra", "0"},
        {"net/ipv6/conf/default/autoconf", "0"},
    }};
    for (const auto& [path, value] : settings) {
      try {
        write_file(fmt::format("/proc/sys/{}", path), value);
      } catch (const std::system_error&) {
        // This kernel has no such knob.
      }
    }
  });
}

Nodes build_topology(const std::string& lab_id, const TopologyOptions& options) {
  const auto create = [&](const char* what) {
    Netns netns = Netns::create(netns_name(lab_id, what));
    prepare_netns(netns, options.ipv6);
    return netns;
  };
  Nodes nodes{.site_a = create("a"),
              .site_b = create("b"),
              .wan = create("wan"),
              .client = create("client"),
              .fabric = create("fabric")};
  ip_batch(wire(nodes));
  nodes.fabric.ip(fabric_batch());
  nodes.wan.ip(wan_batch(options.ipv6));
  nodes.client.ip(client_batch(options.ipv6));
  for (const Site site : {Site::kA, Site::kB}) {
    nodes[site].ip(site_batch(site, options));
  }
  return nodes;
}

void plug_dci(const Nodes& nodes) {
  for (const Site site : {Site::kA, Site::kB}) {
    nodes[site].ip(fmt::format("link set {0} txqueuelen {1} master {2} up\n", kDciPort, kDciQueue, kBridge));
  }
}

void build_vxlan_dci(const Nodes& nodes) {
  for (const Site site : {Site::kA, Site::kB}) {
    nodes[site].ip(fmt::format("link add {} type vxlan id 10 local {} remote {} dstport 4789\n", kDciPort,
                               uplink_address(site), uplink_address(other(site))));
  }
}

void raise_neighbour_limits() {
  constexpr std::array<std::pair<const char*, long>, 3> kLimits{
      {{"gc_thresh3", 524'288}, {"gc_thresh2", 262'144}, {"gc_thresh1", 65'536}}};
  for (const char* family : {"ipv4", "ipv6"}) {
    for (const auto& [name, wanted] : kLimits) {
      const std::string path = fmt::format("/proc/sys/net/{}/neigh/default/{}", family, name);
      const std::string text = read_file(path);
      if (!text.empty() && std::strtol(text.c_str(), nullptr, 10) < wanted) {
        write_file(path, std::to_string(wanted));
      }
    }
  }
}

}  // namespace untrombone::lab
