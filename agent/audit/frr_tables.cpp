// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/audit/frr_tables.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "agent/audit/record_reader.hpp"
#include "bgp/frr_policy.hpp"

namespace untrombone::audit {
namespace {

using core::IpPrefix;

bool is_inside(const Snapshot& snapshot, const IpPrefix& prefix) {
  return std::any_of(snapshot.segments.begin(), snapshot.segments.end(), [&](const SegmentFacts& segment) {
    const IpPrefix* const subnet = segment.settings->subnet_of(prefix.address());
    return subnet != nullptr && subnet->contains(prefix);
  });
}

std::uint32_t number_in(const std::string& text) {
  std::uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool is_own(const std::string& peer) { return peer == "(unspec)" || peer == "0.0.0.0" || peer == "::"; }

}  // namespace

bool read_rib(std::istream& document, const Snapshot& snapshot, RibTables& tables) {
  const RecordShape shape{3, {"protocol", "tag", "selected", "installed"}};
  const std::uint32_t tag = snapshot.routes.tag;
  return read_records(document, shape, [&](const std::string& key, Fields fields) {
    const auto prefix = IpPrefix::parse(key);
    if (!prefix) return;
    RibRoute route{*prefix, number_in(fields[1]), fields[2] == "true", fields[3] == "true"};
    if (fields[0].starts_with("table") || (route.tag >= tag && route.tag - tag < bgp::RouteMarks::kTags)) {
      tables.ours.push_back(route);
      return;
    }
    if (fields[0] == "static") tables.statics.push_back(*prefix);
    if (is_inside(snapshot, *prefix)) tables.others.push_back(*prefix);
  });
}

bool read_bgp(std::istream& document, const Snapshot& snapshot, BgpTable& table) {
  const RecordShape shape{4, {"peerId", "bestpath", "valid"}};
  return read_records(document, shape, [&](const std::string& key, Fields fields) {
    const auto prefix = IpPrefix::parse(key);
    if (!prefix || fields[2] != "true" || !is_inside(snapshot, *prefix)) return;
    BgpEntry& entry = table[*prefix];
    entry.prefix = *prefix;
    const bool own = is_own(fields[0]);
    const bool best = fields[1] == "true";
    if (own) {
      entry.own = true;
      entry.own_best = entry.own_best || best;
    } else {
      ++entry.others;
      if (best) entry.best_peer = fields[0];
    }
  });
}

bool read_marked(std::istream& document, BgpTable& table) {
  const RecordShape shape{4, {"peerId"}};
  return read_records(document, shape, [&](const std::string& key, Fields fields) {
    const auto prefix = IpPrefix::parse(key);
    if (!prefix || !is_own(fields[0])) return;
    const auto found = table.find(*prefix);
    if (found != table.end()) found->second.marked = true;
  });
}

std::uint16_t count_paths_with(std::istream& document, const std::string& community) {
  using Json = nlohmann::json;
  const Json root = Json::parse(document, nullptr, false);
  std::uint16_t count = 0;
  if (!root.is_object() || !root.contains("paths") || !root["paths"].is_array()) return count;
  for (const Json& path : root["paths"]) {
    if (!path.is_object() || path.value("sourced", false)) continue;
    const Json list = path.value("community", Json::object());
    const Json communities = list.is_object() ? list.value("list", Json::array()) : Json::array();
    if (std::find(communities.begin(), communities.end(), community) != communities.end()) ++count;
  }
  return count;
}

}  // namespace untrombone::audit
