// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/audit/collect.hpp"

namespace untrombone::audit {

Snapshot collect(const daemon::Config& config, const AskAgent& ask_agent) {
  Snapshot snapshot;
  snapshot.site = config.site;
  snapshot.routes = config.core.routes;
  snapshot.community_as = config.community_as;
  if (config.sink == daemon::SinkKind::kKernelTable) snapshot.kernel_table = config.table;
  for (std::size_t i = 0; i < config.segments.size(); ++i) {
    SegmentFacts segment;
    segment.name = config.segments[i].name;
    segment.interface = config.segments[i].interface;
    segment.settings = &config.core.segments[i];
    segment.guard = config.segments[i].guard.enabled;
    snapshot.segments.push_back(std::move(segment));
  }
  collect_agent(ask_agent, snapshot);
  collect_kernel(config, snapshot);
  collect_frr(config, snapshot);
  collect_guard(snapshot);
  return snapshot;
}

}  // namespace untrombone::audit
