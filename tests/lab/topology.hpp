// SPDX-License-Identifier: GPL-2.0-or-later
// Names, addresses and wiring of the lab.
//
//   client --- wan (FRR) --- site A (FRR, br0) ==dci0==dci0== site B (FRR, br0)
//                   \______________________________________________/
//   VM eth0 --- fabric: bridge swA or swB --- acc0 of that site's br0
#pragma once

#include <string>

#include "tests/lab/netns.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

inline constexpr const char* kSubnet = "10.1.0.0/16";
inline constexpr const char* kGateway = "10.1.0.1";         // on br0 at both sites
inline constexpr const char* kSubnet6 = "2001:db8:1::/64";  // only with LabOptions::ipv6
inline constexpr const char* kGateway6 = "2001:db8:1::1";
inline constexpr const char* kClientSubnet = "198.51.100.0/24";
inline constexpr const char* kClientAddress = "198.51.100.10";
inline constexpr const char* kClientSubnet6 = "2001:db8:c::/64";
inline constexpr const char* kClientAddress6 = "2001:db8:c::10";
inline constexpr const char* kBridge = "br0";
inline constexpr const char* kAccessPort = "acc0";
inline constexpr const char* kDciPort = "dci0";
inline constexpr const char* kUplink = "wan0";  // of a site
inline constexpr const char* kGuestPort = "eth0";

// The site's end of its uplink, and the WAN router's: the gateway of routes to the site in the WAN's table.
std::string uplink_address(Site site);
std::string wan_address(Site site);
std::string uplink_address6(Site site);
std::string wan_address6(Site site);
// The WAN router's interface towards the site.
std::string wan_port(Site site);
std::string gateway_mac(Site site, GatewayStyle style);
// The fabric's end of the cable to the site's access port.
std::string access_cable(Site site);
// The bridge of the fabric that is the site's access switch.
std::string switch_name(Site site);

// The five fixed namespaces.
struct Nodes {
  Netns site_a;
  Netns site_b;
  Netns wan;
  Netns client;
  Netns fabric;

  const Netns& operator[](Node node) const;
  const Netns& operator[](Site site) const { return (*this)[node_of(site)]; }
};

struct TopologyOptions {
  GatewayStyle gateway_style;
  bool ipv6;
};

// Creates and wires the namespaces of a lab, except the DCI.
Nodes build_topology(const std::string& lab_id, const TopologyOptions& options);
// Enslaves the existing device dci0 at both sites and brings it up.
void plug_dci(const Nodes& nodes);
// Makes dci0 a VXLAN device at both sites.
void build_vxlan_dci(const Nodes& nodes);

// Sysctls of any lab namespace.
void prepare_netns(const Netns& netns, bool ipv6);

// The neighbour table's limits exist once per machine and default to 1024 entries. Raises them, never lowers.
void raise_neighbour_limits();

}  // namespace untrombone::lab
