// SPDX-License-Identifier: GPL-2.0-or-later
// The vocabulary of the lab.
#pragma once

#include <chrono>
#include <cstdint>

namespace untrombone::lab {

// CLOCK_REALTIME, the clock of the kernel's packet timestamps, so that all events of a lab can be compared.
using Clock = std::chrono::system_clock;
using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

inline Timestamp now() { return std::chrono::time_point_cast<std::chrono::nanoseconds>(Clock::now()); }

enum class Site : std::uint8_t { kA, kB };

constexpr Site other(Site site) { return site == Site::kA ? Site::kB : Site::kA; }

// A namespace of the lab that is not a VM.
enum class Node : std::uint8_t { kSiteA, kSiteB, kWan, kClient, kFabric };

constexpr Node node_of(Site site) { return site == Site::kA ? Node::kSiteA : Node::kSiteB; }

enum class Protocol : std::uint8_t { kBgp, kOspf };

// The MAC of the gateway 10.1.0.1: one of its own at each site, or the same at both.
enum class GatewayStyle : std::uint8_t { kPerSite, kAnycast };

// What joins the bridges of the two sites: TAPs and a relay with an adjustable delay, or a VXLAN over the WAN.
enum class DciKind : std::uint8_t { kRelay, kVxlan };

// What a hypervisor sends in the guest's name after a move.
enum class Announcement : std::uint8_t {
  kRarpQemu,    // RARP at 0, 50, 200, 450 and 800 ms
  kRarpVmware,  // RARP at 0, 300, 600 and 900 ms
  kGarp,        // one gratuitous ARP request
  kNa,          // one unsolicited neighbour advertisement; only with LabOptions::ipv6
  kNone
};

}  // namespace untrombone::lab
