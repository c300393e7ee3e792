// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/audit_command.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <sstream>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "agent/audit/collect.hpp"
#include "agent/audit/compare.hpp"
#include "agent/audit/path.hpp"
#include "agent/audit/report.hpp"
#include "agent/cli/client.hpp"

namespace untrombone::cli {
namespace {

constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(10);

std::optional<std::string> read_file(const std::string& path) {
  const std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string now_as_text() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

/// Only findings of one segment, and those of none.
void keep_segment(std::vector<audit::Finding>& findings, const std::string& segment) {
  if (segment.empty()) return;
  std::erase_if(findings, [&](const audit::Finding& finding) {
    return !finding.segment.empty() && finding.segment != segment;
  });
}

bool knows_segment(const daemon::Config& config, const std::string& name) {
  return name.empty() ||
         std::any_of(config.segments.begin(), config.segments.end(),
                     [&](const daemon::SegmentConfig& segment) { return segment.name == name; });
}

/// Reads every source, the agent's verdicts included.
audit::Snapshot collect_all(const daemon::Config& config, const std::string& socket) {
  return audit::collect(config, [&socket](const std::string& command, const auto& take) {
    return stream_agent(socket, Json{{"command", command}}, kPatience, take);
  });
}

AuditAnswer failure(std::string why) { return {Json::object(), std::move(why)}; }

/// Reads what the options name before anything else is done.
struct Inputs {
  std::vector<audit::Group> groups;
  std::optional<Json> earlier;
  std::string error;
};

Inputs read_inputs(const AuditOptions& options) {
  Inputs inputs;
  if (!options.groups.empty()) {
    const auto text = read_file(options.groups);
    if (!text) return {{}, {}, fmt::format("cannot read {}", options.groups)};
    inputs.groups = audit::parse_groups(*text, inputs.error);
    if (!inputs.error.empty()) return {{}, {}, fmt::format("{}: {}", options.groups, inputs.error)};
  }
  if (!options.against.empty()) {
    const auto text = read_file(options.against);
    if (!text) return {{}, {}, fmt::format("cannot read {}", options.against)};
    inputs.earlier = Json::parse(*text, nullptr, false);
    if (!inputs.earlier->is_object() || !inputs.earlier->contains("findings")) {
      return {{}, {}, fmt::format("{} is no report of `untrombone audit --json`", options.against)};
    }
  }
  return inputs;
}

}  // namespace

AuditAnswer run_audit(const AuditOptions& options) {
  const auto config = daemon::load_config(options.config);
  if (!config.has_value()) return failure(config.error().message);
  if (!knows_segment(*config, options.segment)) {
    return failure(fmt::format("there is no segment \"{}\" in {}", options.segment, options.config));
  }
  Inputs inputs = read_inputs(options);
  if (!inputs.error.empty()) return failure(inputs.error);

  audit::Snapshot snapshot = collect_all(*config, options.socket);
  snapshot.groups = std::move(inputs.groups);
  std::vector<audit::Finding> findings = audit::compare(snapshot);
  keep_segment(findings, options.segment);
  Json report = audit::view_report(snapshot, findings, now_as_text());
  if (inputs.earlier) audit::compare_reports(report, *inputs.earlier);
  if (!options.html.empty()) {
    std::ofstream page(options.html);
    page << audit::render_html(snapshot, report) << std::flush;
    if (!page.good()) return failure(fmt::format("cannot write {}", options.html));
  }
  return {std::move(report), {}};
}

AuditAnswer run_path(const AuditOptions& options, const std::string& address) {
  const auto config = daemon::load_config(options.config);
  if (!config.has_value()) return failure(config.error().message);
  const auto ip = core::IpAddress::parse(address);
  if (!ip) return failure(fmt::format("\"{}\" is not an IP address", address));
  const audit::HostPath path = audit::trace_path(collect_all(*config, options.socket), *ip);
  Json hops = Json::array();
  for (const audit::Hop& hop : path.hops) {
    hops.push_back({{"step", hop.step}, {"where", hop.where}, {"why", hop.why}, {"detour", hop.detour}});
  }
  return {{{"site", config->site},
           {"ip", address},
           {"place", audit::to_string(path.place)},
           {"hops", std::move(hops)},
           {"trombone", path.is_trombone()}},
          {}};
}

}  // namespace untrombone::cli
