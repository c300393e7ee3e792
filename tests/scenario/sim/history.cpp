// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenario/sim/history.hpp"

#include <string_view>

#include <fmt/format.h>

namespace untrombone::sim {
namespace {

using namespace std::chrono_literals;

std::string_view to_string(Announcement announcement) {
  switch (announcement) {
    case Announcement::kRarp: return "RARP";
    case Announcement::kGarp: return "gratuitous ARP";
    case Announcement::kNothing: return "no announcement";
  }
  return "?";
}

std::string describe(const Step& step) {
  switch (step.kind) {
    case StepKind::kMove:
      return fmt::format("guest {} moves to site {}, port {}, {}", step.guest, step.to, step.port,
                         to_string(step.announcement));
    case StepKind::kMoveAll:
      return fmt::format("all guests of site {} move to site {}, {}", step.site, step.to,
                         to_string(step.announcement));
    case StepKind::kPowerOff: return fmt::format("guest {} is switched off", step.guest);
    case StepKind::kAgentCrash: return fmt::format("the agent of site {} crashes", step.site);
    case StepKind::kAgentStart: return fmt::format("the agent of site {} starts", step.site);
    case StepKind::kEventsLost: return fmt::format("site {} loses the kernel's events", step.site);
    case StepKind::kResync: return fmt::format("site {} reads the kernel's tables again", step.site);
    case StepKind::kZebraLost: return fmt::format("zebra of site {} is gone", step.site);
    case StepKind::kZebraBack: return fmt::format("zebra of site {} is back", step.site);
    case StepKind::kUplinkLost: return fmt::format("site {} loses its uplink", step.site);
    case StepKind::kUplinkBack: return fmt::format("site {} has its uplink back", step.site);
    case StepKind::kDciCut: return "the DCI is cut";
    case StepKind::kDciHealed: return "the DCI is healed";
  }
  return "?";
}

/// Faults come in pairs.
struct FaultPair {
  StepKind begins;
  StepKind ends;
};
constexpr FaultPair kFaults[] = {
    {StepKind::kAgentCrash, StepKind::kAgentStart}, {StepKind::kEventsLost, StepKind::kResync},
    {StepKind::kZebraLost, StepKind::kZebraBack},   {StepKind::kUplinkLost, StepKind::kUplinkBack},
    {StepKind::kDciCut, StepKind::kDciHealed},
};

}  // namespace

std::string to_string(const Step& step) {
  const std::chrono::duration<double> after = step.after;
  return fmt::format("+{:.3f} s  {}", after.count(), describe(step));
}

std::string to_string(const History& history) {
  std::string text =
      fmt::format("seed {}, {} sites, {} guests\n", history.seed, history.sites, history.guests);
  for (const Step& step : history.steps) text += fmt::format("  {}\n", to_string(step));
  return text;
}

History random_history(std::uint64_t seed, std::size_t steps, core::SiteSettings settings, Faults faults) {
  Random random(seed * 2 + 1);
  History history;
  history.seed = seed;
  history.sites = 2 + random.below(2);
  history.guests = 3 + random.below(14);
  history.settings = std::move(settings);
  history.routing.longest = random.chance(50) ? 120ms : 1000ms;
  constexpr Duration kPauses[] = {0ms, 20ms, 300ms, 1s, 3s, 8s, 20s, 45s};
  std::vector<Step> pending;  // the ends of the faults that have begun
  while (history.steps.size() < steps) {
    Step step;
    step.after = random.between(0ms, kPauses[random.below(std::size(kPauses))] + 1ms);
    step.guest = random.below(history.guests);
    step.site = random.below(history.sites);
    step.to = random.below(history.sites);
    step.port = random.below(2);
    step.announcement = static_cast<Announcement>(random.below(3));
    if (!pending.empty() && random.chance(30)) {
      const auto which = pending.begin() + random.below(pending.size());
      step.kind = which->kind;
      step.site = which->site;
      pending.erase(which);
    } else if (random.chance(faults.percent)) {
      const FaultPair& fault = kFaults[random.below(std::size(kFaults))];
      step.kind = fault.begins;
      Step end = step;
      end.kind = fault.ends;
      pending.push_back(end);
    } else if (random.chance(4)) {
      step.kind = StepKind::kMoveAll;
    } else if (random.chance(8)) {
      step.kind = StepKind::kPowerOff;
    }
    history.steps.push_back(step);
  }
  return history;
}

}  // namespace untrombone::sim
