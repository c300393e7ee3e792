// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/config_reload.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "agent/daemon/config_keys.hpp"

namespace untrombone::daemon {
namespace {

/// Keys that are applied while the agent runs: (table, key), "*" for all of the table. What is not listed needs a
/// restart, which is always right; a key is added here once its owner can change it under way.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kLive{{
    {"routes", "settle"},
    {"routes", "mass-threshold"},
    {"routes", "max-routes"},
    {"routes", "track"},
    {"routes", "track-hold"},
    {"segment", "*"},
    {"segment.detect", "*"},
    {"segment.summarize", "*"},
    {"segment.guard", "*"},
    {"conflict", "*"},
    {"log", "level"},
}};

bool is_live(std::string_view table, std::string_view key) {
  return std::any_of(kLive.begin(), kLive.end(), [&](const auto& live) {
    return live.first == table && (live.second == "*" || live.second == key);
  });
}

bool same(const toml::node* a, const toml::node* b) {
  if (a == nullptr || b == nullptr) return a == b;
  std::ostringstream texts[2];
  texts[0] << toml::node_view<const toml::node>(a);
  texts[1] << toml::node_view<const toml::node>(b);
  return texts[0].str() == texts[1].str();
}

/// Makes one table of the new file effective: notes what differs, and puts back what only a restart changes.
class Merger {
 public:
  explicit Merger(ReloadPlan& plan) : plan_(plan) {}

  /// `label`: what the keys are called by, as in complaints.
  void merge(const toml::table& before, toml::table& after, std::string_view table,
             const std::string& label) {
    for (const ConfigKey& key : config_keys()) {
      if (key.table != table) continue;
      const toml::node* const old_value = before.get(key.name);
      if (same(old_value, after.get(key.name))) continue;
      const bool live = is_live(table, key.name);
      (live ? plan_.changed : plan_.needs_restart).push_back(fmt::format("{}{}", label, key.name));
      if (live) continue;
      after.erase(key.name);
      if (old_value != nullptr) after.insert(key.name, *old_value);
    }
  }

  /// The same of a table within another.
  void merge_child(const toml::table& before, toml::table& after, std::string_view name,
                   std::string_view table, const std::string& label) {
    static const toml::table kEmpty;
    const toml::table* const old_child = before.get(name) == nullptr ? nullptr : before.get(name)->as_table();
    if (after.get(name) == nullptr) after.insert(name, toml::table{});
    toml::table* const new_child = after.get(name)->as_table();
    if (new_child != nullptr) merge(old_child == nullptr ? kEmpty : *old_child, *new_child, table, label);
    if (new_child != nullptr && new_child->empty()) after.erase(name);
  }

 private:
  ReloadPlan& plan_;
};

const toml::table* find_segment(const toml::table& root, const std::string& name) {
  const toml::array* const list = root.get("segment") == nullptr ? nullptr : root.get("segment")->as_array();
  if (list == nullptr) return nullptr;
  for (const toml::node& element : *list) {
    const toml::table* const segment = element.as_table();
    if (segment != nullptr && segment->get("name") != nullptr &&
        segment->get("name")->value_or(std::string()) == name)
      return segment;
  }
  return nullptr;
}

void merge_segments(Merger& merger, ReloadPlan& plan, const toml::table& before, toml::table& after) {
  for (toml::node& element : *after.get("segment")->as_array()) {
    toml::table& segment = *element.as_table();
    const std::string name = segment.get("name")->value_or(std::string());
    const toml::table* const old = find_segment(before, name);
    const std::string label = fmt::format("segment \"{}\": ", name);
    if (old == nullptr) {
      plan.changed.push_back(label + "added");
      continue;
    }
    merger.merge(*old, segment, "segment", label);
    for (const ConfigTable& table : config_tables()) {
      constexpr std::string_view kPrefix = "segment.";
      if (!table.name.starts_with(kPrefix)) continue;
      const std::string_view child = table.name.substr(kPrefix.size());
      merger.merge_child(*old, segment, child, table.name, fmt::format("{}{}.", label, child));
    }
  }
}

/// Puts the segments where the running ones are.
void keep_positions(const Config& running, ReloadPlan& plan) {
  Config& config = plan.config;
  std::vector<SegmentConfig> segments;
  std::vector<core::SegmentSettings> settings;
  std::vector<bool> taken(config.segments.size());
  for (const SegmentConfig& old : running.segments) {
    const auto found = std::find_if(config.segments.begin(), config.segments.end(),
                                    [&](const SegmentConfig& segment) { return segment.name == old.name; });
    if (found == config.segments.end()) {
      if (!old.removed) plan.changed.push_back(fmt::format("segment \"{}\": removed", old.name));
      segments.emplace_back();
      segments.back().name = old.name;
      segments.back().removed = true;
      segments.back().guard.enabled = false;
      settings.emplace_back().name = old.name;
      continue;
    }
    const auto index = static_cast<std::size_t>(found - config.segments.begin());
    taken[index] = true;
    segments.push_back(*found);
    settings.push_back(config.core.segments[index]);
  }
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (taken[i]) continue;
    segments.push_back(config.segments[i]);
    settings.push_back(config.core.segments[i]);
  }
  config.segments = std::move(segments);
  config.core.segments = std::move(settings);
}

}  // namespace

ConfigResult<ReloadPlan> plan_reload(const Config& running, const Config& wanted) {
  const toml::table before = toml::parse(running.source);
  toml::table after = toml::parse(wanted.source);
  ReloadPlan plan;
  Merger merger(plan);
  for (const ConfigTable& table : config_tables()) {
    if (table.name == "segment" || table.name.find('.') != std::string_view::npos) continue;
    merger.merge_child(before, after, table.name, table.name, fmt::format("{}.", table.name));
  }
  merge_segments(merger, plan, before, after);
  std::ostringstream text;
  text << after;
  auto merged = parse_config(text.str(), "the new configuration with what only a restart changes");
  if (merged.has_error()) return merged.error();
  plan.config = std::move(*merged);
  keep_positions(running, plan);
  return plan;
}

}  // namespace untrombone::daemon
