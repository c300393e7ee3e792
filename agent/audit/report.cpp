// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/audit/report.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace untrombone::audit {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json size_of(const std::optional<std::vector<T>>& list) {
  return list ? Json(list->size()) : Json(nullptr);
}

Json view_sources(const Snapshot& snapshot) {
  return {{"agent", snapshot.agent},
          {"hosts", snapshot.hosts.size()},
          {"zebra_routes", size_of(snapshot.rib)},
          {"kernel_routes", size_of(snapshot.fib)},
          {"bgp_prefixes", size_of(snapshot.bgp)},
          {"guard", snapshot.guard ? Json(snapshot.guard->present) : Json(nullptr)}};
}

using Key = std::tuple<std::string, std::string, std::string>;

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Key key_of(const Json& finding) {
  return {text_at(finding, "id"), text_at(finding, "segment"), text_at(finding, "subject")};
}

const Json& findings_of(const Json& report) {
  static const Json kNone = Json::array();
  const auto found = report.find("findings");
  return found != report.end() && found->is_array() ? *found : kNone;
}

}  // namespace

Json view_report(const Snapshot& snapshot, const std::vector<Finding>& findings, const std::string& at) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    const FindingKind& kind = kind_of(finding.id);
    list.push_back({{"id", kind.name},
                    {"severity", to_string(kind.severity)},
                    {"segment", finding.segment.empty() ? Json(nullptr) : Json(finding.segment)},
                    {"subject", finding.subject},
                    {"expected", finding.expected},
                    {"observed", finding.observed},
                    {"hint", finding.hint}});
  }
  return {{"site", snapshot.site},
          {"at", at},
          {"sources", view_sources(snapshot)},
          {"findings", std::move(list)}};
}

void compare_reports(Json& report, const Json& earlier) {
  std::set<Key> before;
  for (const Json& finding : findings_of(earlier)) before.insert(key_of(finding));
  std::set<Key> now;
  for (Json& finding : report["findings"]) {
    now.insert(key_of(finding));
    finding["new"] = before.count(key_of(finding)) == 0;
  }
  Json resolved = Json::array();
  for (const Json& finding : findings_of(earlier)) {
    if (now.count(key_of(finding)) == 0) resolved.push_back(finding);
  }
  report["resolved"] = std::move(resolved);
}

std::vector<Group> parse_groups(const std::string& text, std::string& error) {
  error.clear();
  const Json root = Json::parse(text, nullptr, false);
  if (!root.is_object()) {
    error = R"(expected a JSON object, {"NAME": ["ADDRESS", ...]})";
    return {};
  }
  std::vector<Group> groups;
  for (const auto& [name, members] : root.items()) {
    Group group{name, {}};
    if (!members.is_array()) error = fmt::format(R"(group "{}": expected a list of addresses)", name);
    for (std::size_t i = 0; error.empty() && i < members.size(); ++i) {
      const auto ip =
          members[i].is_string() ? core::IpAddress::parse(members[i].get<std::string>()) : std::nullopt;
      if (ip) {
        group.members.push_back(*ip);
      } else {
        error = fmt::format(R"(group "{}": {} is not an address)", name, members[i].dump());
      }
    }
    if (!error.empty()) return {};
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace untrombone::audit
