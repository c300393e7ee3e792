// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/core/settings.hpp"
#include "tests/scenario/sim/routing.hpp"

namespace untrombone::sim {

/// What a hypervisor sends when a guest arrives: what QEMU and VMware do, what Hyper-V and Linux do, or nothing at all.
enum class Announcement : std::uint8_t { kRarp, kGarp, kNothing };

enum class StepKind : std::uint8_t {
  kMove,        ///< guest, to a site and a port
  kMoveAll,     ///< every guest of one site, to another, in random order within seconds
  kPowerOff,    ///< guest
  kAgentCrash,  ///< site
  kAgentStart,  ///< site
  kEventsLost,  ///< site: the kernel's events, until kResync
  kResync,      ///< site
  kZebraLost,   ///< site
  kZebraBack,   ///< site
  kUplinkLost,  ///< site
  kUplinkBack,  ///< site
  kDciCut,
  kDciHealed,
};

/// One thing that happens, `after` the one before it.
struct Step {
  core::Duration after{};
  StepKind kind = StepKind::kMove;
  std::size_t guest = 0;
  SiteIndex site = 0;
  SiteIndex to = 0;
  unsigned port = 0;
  Announcement announcement = Announcement::kRarp;
};
[[nodiscard]] std::string to_string(const Step& step);

/// Everything a run depends on: the same History always runs the same.
struct History {
  std::uint64_t seed = 0;  ///< of the delays and habits within it
  std::size_t sites = 2;
  std::size_t guests = 8;
  core::SiteSettings
      settings;  ///< of every site, but for the home blocks: the first is the first site's, and so on
  RoutingDelays routing;
  bool sites_hear_claims = true;
  bool one_home_a_block = true;  ///< else every site names all of them
  std::vector<Step> steps;
};
[[nodiscard]] std::string to_string(const History& history);

struct Faults {
  unsigned percent = 25;  ///< of the steps are faults (each is mended again)
};

/// A random history of that many steps with the settings given.
[[nodiscard]] History random_history(std::uint64_t seed, std::size_t steps, core::SiteSettings settings,
                                     Faults faults);

}  // namespace untrombone::sim
