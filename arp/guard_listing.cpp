// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/guard_listing.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace untrombone::arp {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string as_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// `"dci0"`, `{"concat": ["dci0", 10, "192.0.2.1"]}`, or of a map `[key, value]`.
std::string element_of(const Json& value) {
  if (value.is_array() && value.size() == 2)
    return fmt::format("{} : {}", element_of(value[0]), element_of(value[1]));
  const auto parts = value.is_object() ? value.find("concat") : value.end();
  if (parts == value.end() || !parts->is_array()) return as_text(value);
  std::string text;
  for (const Json& part : *parts) text += fmt::format("{}{}", text.empty() ? "" : " . ", as_text(part));
  return text;
}

void read_set(const Json& set, GuardListing& listing) {
  const auto elements = set.find("elem");
  const std::string name = text_of(set, "name");
  if (elements == set.end() || !elements->is_array() || name == "virtual_macs") return;
  for (const Json& element : *elements) listing.sets[name].insert(element_of(element));
}

void read_object(const std::string& kind, const Json& object, GuardListing& listing) {
  if (kind == "table") listing.present = true;
  if (kind == "set" || kind == "map") read_set(object, listing);
  if (kind == "counter")
    listing.counters[text_of(object, "name")] = {number_of(object, "packets"), number_of(object, "bytes")};
  if (kind != "table" && kind != "chain" && kind != "rule") return;
  if (kind == "rule") ++listing.rules;
  Json bare = object;
  bare.erase("handle");
  listing.rules_text += bare.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string set_drift(const std::string& name, const std::set<std::string>& wanted,
                      const std::set<std::string>& found) {
  for (const std::string& element : wanted) {
    if (!found.contains(element)) return fmt::format("{} is missing in {}", element, name);
  }
  for (const std::string& element : found) {
    if (!wanted.contains(element)) return fmt::format("{} is not ours in {}", element, name);
  }
  return {};
}

}  // namespace

std::optional<GuardListing> parse_guard_listing(std::string_view json) {
  const Json document = Json::parse(json, nullptr, false);
  const auto objects = document.is_object() ? document.find("nftables") : document.end();
  if (objects == document.end() || !objects->is_array()) return std::nullopt;
  GuardListing listing;
  for (const Json& entry : *objects) {
    if (!entry.is_object()) continue;
    for (const auto& [kind, object] : entry.items()) {
      if (object.is_object()) read_object(kind, object, listing);
    }
  }
  return listing;
}

std::string find_drift(const GuardSets& wanted, std::string_view rules_text, const GuardListing& found) {
  if (!found.present) return "the table is gone";
  if (found.rules_text != rules_text) return "the rules are not ours";
  static const std::set<std::string> kNone;
  GuardSets names = wanted;
  names.insert(found.sets.begin(), found.sets.end());
  for (const auto& entry : names) {
    const auto ours = wanted.find(entry.first);
    const auto theirs = found.sets.find(entry.first);
    std::string drift = set_drift(entry.first, ours == wanted.end() ? kNone : ours->second,
                                  theirs == found.sets.end() ? kNone : theirs->second);
    if (!drift.empty()) return drift;
  }
  return {};
}

}  // namespace untrombone::arp
