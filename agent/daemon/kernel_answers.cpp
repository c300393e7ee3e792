// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/kernel_answers.hpp"

#include "agent/daemon/log_events.hpp"

namespace untrombone::daemon {

KernelAnswers::KernelAnswers(boost::asio::io_context& io, const Config& config, const Topology& topology,
                             const core::Site& site, const Log& log)
    : config_(config),
      topology_(topology),
      site_(site),
      log_(log),
      tap_(io, [this](core::Ifindex interface, const core::IpAddress& target) { answer(interface, target); }),
      heard_(config.segments.size()) {}

void KernelAnswers::follow() {
  heard_.resize(config_.segments.size());  // a reload may have added some
  for (std::uint16_t i = 0; i < heard_.size(); ++i) {
    const core::Ifindex interface = topology_.segment({i}).interface;
    if (heard_[i] == interface || !config_.segments[i].guard.enabled) continue;
    if (heard_[i]) tap_.close(heard_[i]);
    heard_[i] = interface;
    if (!interface) continue;
    if (const auto error = tap_.open(interface)) {
      log_.event(LogLevel::kError, log_events::kTapFailed, "the kernel's questions cannot be heard",
                 {{"port", topology_.name_of(interface)}, {"error", error.message()}});
    }
  }
}

void KernelAnswers::answer(core::Ifindex interface, const core::IpAddress& target) {
  const auto segment = topology_.segment_of_interface(interface);
  if (!segment) return;
  const core::HostIndex index = site_.hosts().find(*segment, target);
  if (index == core::kNoHost) return;
  const core::Host& host = site_.hosts()[index];
  const core::Station* const station = site_.hosts().find_station(*segment, host.mac);
  if (station != nullptr && station->is_remote()) writer_.tell(interface, target, host.mac);
}

}  // namespace untrombone::daemon
