// SPDX-License-Identifier: GPL-2.0-or-later
#include <nlohmann/json.hpp>

#include "agent/audit/collect.hpp"
#include "arp/guard_list.hpp"

namespace untrombone::audit {
namespace {

using Json = nlohmann::json;

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// `{"concat": ["dci0", "192.0.2.1"]}`, on a port of many VLANs `["dci0", 10, "192.0.2.1"]`, perhaps inside
/// `{"elem": {"val": ...}}`.
void take_element(const Json& element, GuardFacts& guard) {
  if (!element.is_object()) return;
  if (element.contains("elem") && element["elem"].is_object() && element["elem"].contains("val")) {
    return take_element(element["elem"]["val"], guard);
  }
  const auto concat = element.find("concat");
  if (concat == element.end() || !concat->is_array() || concat->size() < 2) return;
  if (concat->front().is_string() && concat->back().is_string())
    guard.guarded.emplace_back(concat->front(), concat->back());
}

}  // namespace

GuardFacts parse_guard(const std::string& listing) {
  GuardFacts guard;
  const Json root = Json::parse(listing, nullptr, false);
  if (!root.is_object() || !root.contains("nftables") || !root["nftables"].is_array()) return guard;
  for (const Json& entry : root["nftables"]) {
    if (!entry.is_object()) continue;
    if (entry.contains("table")) guard.present = true;
    if (entry.contains("chain") && entry["chain"].is_object()) {
      const std::string hook = text_at(entry["chain"], "hook");
      if (!hook.empty()) guard.hooks.push_back(hook);
    }
    if (!entry.contains("set") || !entry["set"].is_object() || !entry["set"].contains("elem")) continue;
    const Json& elements = entry["set"]["elem"];
    if (!elements.is_array()) continue;
    for (const Json& element : elements) take_element(element, guard);
  }
  return guard;
}

void collect_guard(Snapshot& snapshot) {
  const auto listed = arp::list_guard();
  if (!listed) return;
  snapshot.guard = parse_guard(listed->json);
  snapshot.guard->present = listed->present;
  snapshot.guard->dormant = listed->dormant;
}

}  // namespace untrombone::audit
