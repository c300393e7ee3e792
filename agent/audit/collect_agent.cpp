// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "agent/audit/collect.hpp"
#include "agent/audit/record_reader.hpp"

namespace untrombone::audit {
namespace {

Place place_of(const std::string& verdict) {
  if (verdict == "local") return Place::kLocal;
  return verdict == "remote" ? Place::kRemote : Place::kUnknown;
}

}  // namespace

void collect_agent(const AskAgent& ask_agent, Snapshot& snapshot) {
  const RecordShape hosts{3, {"segment", "ip", "mac", "verdict", "state"}};
  const bool answered = ask_agent("hosts", [&](std::istream& answer) {
    (void)read_records(answer, hosts, [&](const std::string& /*key*/, Fields fields) {
      const auto segment =
          std::find_if(snapshot.segments.begin(), snapshot.segments.end(),
                       [&](const SegmentFacts& candidate) { return candidate.name == fields[0]; });
      const auto ip = core::IpAddress::parse(fields[1]);
      const auto mac = core::MacAddress::parse(fields[2]);
      if (segment == snapshot.segments.end() || !ip || !mac) return;
      HostFact host;
      host.ip = *ip;
      host.mac = *mac;
      host.segment = static_cast<std::uint16_t>(segment - snapshot.segments.begin());
      host.agent = place_of(fields[3]);
      host.known_to_agent = true;
      host.in_transit = fields[4] == "provisional" || fields[4] == "departing" || fields[4] == "frozen";
      snapshot.hosts.push_back(host);
    });
  });
  // The guard outlives the agent: without one, the configuration says what should be there.
  snapshot.guard_expected = !answered;
  if (!answered) return;
  snapshot.agent = true;
  const RecordShape guard{2, {"state"}};
  (void)ask_agent("status", [&](std::istream& answer) {
    (void)read_records(answer, guard, [&](const std::string& key, Fields fields) {
      if (key == "guard") snapshot.guard_expected = fields[0] == "active" || fields[0] == "failed";
    });
  });
}

}  // namespace untrombone::audit
