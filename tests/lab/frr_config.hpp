// SPDX-License-Identifier: GPL-2.0-or-later
// The FRR configuration of the lab's three routers, as text.
//
// The sites redistribute untrombone's routes by tag (4211 fresh, 4210 settled, 4212 lingering): in BGP with
// weight 0, a local preference and a class community that every receiver turns back into the local preference;
// in OSPF with a metric. Both announce the subnet, A better than B: without agents the world enters at A.
#pragma once

#include <string>

#include "tests/lab/frr.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

struct FrrSetup {
  int version;  // 8.4 is 804
  bool ipv6;
  Sink sink;
};

// What bgpd is told to redistribute.
std::string bgp_origin(const FrrSetup& setup, bool ipv6);
// `router` is kSiteA, kSiteB or kWan.
std::string zebra_config(Node router, const FrrSetup& setup);
std::string bgpd_config(Node router, const FrrSetup& setup);
std::string ospfd_config(Node router, const FrrSetup& setup);

}  // namespace untrombone::lab
