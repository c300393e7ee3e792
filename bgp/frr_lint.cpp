// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/frr_lint.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bgp/frr_running.hpp"

namespace untrombone::bgp {
namespace {

constexpr std::string_view kRegenerate = "feed FRR what `untrombone frr-config` prints";

bool has_word(const FrrWords& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// The word behind `name`; empty: none.
std::string word_after(const FrrWords& words, std::string_view name) {
  const auto found = std::find(words.begin(), words.end(), name);
  return found == words.end() || found + 1 == words.end() ? std::string() : *(found + 1);
}

const FrrWords* find_line(const std::vector<FrrWords>& lines, std::string_view first) {
  const auto found = std::find_if(lines.begin(), lines.end(),
                                  [&](const FrrWords& words) { return !words.empty() && words[0] == first; });
  return found == lines.end() ? nullptr : &*found;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// RFC 6996.
bool is_private_as(std::uint32_t as) {
  return (as >= 64512 && as <= 65534) || (as >= 4200000000U && as <= 4294967294U);
}

/// How a class is ranked by a clause: higher is preferred.
struct Rank {
  std::int64_t value = 0;
  bool present = false;
};

class Lint {
 public:
  Lint(const FrrLintRequest& request, std::string_view text)
      : request_(request), config_(request.config), running_(parse_frr_running(text)) {
    if (running_.version) config_.version = *running_.version;
    // As daemon::needs_instance_for_protocols(), which did not know the release.
    if (has_protocol(RoutingProtocol::kIsis) && isis_needs_table_number(config_.version)) {
      config_.with_instance = true;
    }
  }

  std::vector<FrrFinding> run() {
    for (const RoutingProtocol protocol : request_.protocols) {
      config_.protocol = protocol;
      for (const FrrVrf& vrf : config_.vrfs) check_vrf(vrf);
    }
    if (has_protocol(RoutingProtocol::kBgp)) check_sessions();
    return std::move(findings_);
  }

 private:
  [[nodiscard]] bool has_protocol(RoutingProtocol protocol) const {
    return std::find(request_.protocols.begin(), request_.protocols.end(), protocol) !=
           request_.protocols.end();
  }

  void add(std::string_view id, std::string subject, std::string problem, std::string hint,
           bool error = true) {
    FrrFinding finding{id, error, std::move(subject), std::move(problem), std::move(hint)};
    if (std::find(findings_.begin(), findings_.end(), finding) == findings_.end()) {
      findings_.push_back(std::move(finding));
    }
  }

  void check_vrf(const FrrVrf& vrf) {
    const std::string_view protocol = to_string(config_.protocol);
    const bool ipv4 = vrf.ipv4 && config_.protocol != RoutingProtocol::kOspf6;
    const bool ipv6 = vrf.ipv6 && config_.protocol != RoutingProtocol::kOspf;
    if (!ipv4 && !ipv6) return;
    bool found = false;
    for (const FrrRouter& router : running_.routers) {
      if (router.protocol != protocol || router.vrf != vrf.name) continue;
      found = true;
      if (ipv4) check_family(router, false);
      if (ipv6) check_family(router, true);
      if (router.narrow_metrics) {
        add("frr-narrow-metrics", describe(router),
            "IS-IS uses narrow metrics, which end at 63: all classes tie",
            vtysh_command({describe(router), "metric-style wide"}));
      }
    }
    if (found) return;
    add("frr-no-router", fmt::format("router {}{}", protocol, vrf.name.empty() ? "" : " vrf " + vrf.name),
        "is not configured, so nobody hears of our routes", std::string(kRegenerate));
  }

  static std::string describe(const FrrRouter& router) {
    return fmt::format("router {}{}{}{}", router.protocol, router.name.empty() ? "" : " ", router.name,
                       router.vrf.empty() ? "" : " vrf " + router.vrf);
  }

  void check_family(const FrrRouter& router, bool ipv6) {
    const std::string family =
        router.protocol == "bgp" || router.protocol == "isis" ? ipv6 ? "ipv6" : "ipv4" : "";
    const std::string subject =
        family.empty() ? describe(router) : fmt::format("{}, {}", describe(router), family);
    if (config_.origin == RouteOrigin::kKernelTable) return check_kernel_table(router, subject, family);
    const FrrConfigResult wanted = redistribution_source(config_, ipv6);
    if (wanted.has_error()) {
      return add("frr-not-redistributed", subject, wanted.error().message, "see docs/frr.md, Releases");
    }
    const FrrRedistribution* ours = nullptr;
    for (const FrrRedistribution& each : router.redistributions) {
      if (each.family == family &&
          fmt::format("{} ", fmt::join(each.words, " ")).rfind(*wanted + " ", 0) == 0 &&
          !(*wanted == "table" && each.words.size() > 1 && number(each.words[1]))) {
        ours = &each;
      }
    }
    if (ours == nullptr) {
      return add("frr-not-redistributed", subject, fmt::format("has no `redistribute {}`", *wanted),
                 vtysh_command(redistribution_lines(router, family, *wanted)));
    }
    check_map(subject, word_after(ours->words, "route-map"),
              vtysh_command(redistribution_lines(router, family, *wanted)));
  }

  /// A kernel table's routes have no tags, and not every daemon can tell their metrics apart: docs/frr.md.
  void check_kernel_table(const FrrRouter& router, const std::string& subject, const std::string& family) {
    const std::string number = std::to_string(config_.table);
    const bool found = std::any_of(
        router.redistributions.begin(), router.redistributions.end(), [&](const FrrRedistribution& each) {
          return each.family == family && each.words.size() > 1 &&
                 (each.words[0] == "table" || each.words[0] == "table-direct") && each.words[1] == number;
        });
    if (found) return;
    add("frr-not-redistributed", subject,
        fmt::format("has neither `redistribute table {0}` nor `redistribute table-direct {0}`", number),
        "see docs/frr.md, A kernel table");
  }

  /// The one line that is missing, and what leads to it.
  std::vector<std::string> redistribution_lines(const FrrRouter& router, const std::string& family,
                                                const std::string& source) const {
    std::vector<std::string> lines{describe(router)};
    switch (config_.protocol) {
      case RoutingProtocol::kBgp:
        lines.push_back(fmt::format("address-family {} unicast", family));
        lines.push_back(fmt::format("redistribute {} route-map {}", source, kBgpMap));
        break;
      case RoutingProtocol::kIsis:
        lines.push_back(fmt::format("redistribute {} {} level-2 route-map {}", family, source, kIsisMap));
        break;
      case RoutingProtocol::kOspf:
      case RoutingProtocol::kOspf6:
        lines.push_back(fmt::format("redistribute {} route-map {}", source, kOspfMap));
    }
    return lines;
  }

  static std::string vtysh_command(const std::vector<std::string>& lines) {
    return fmt::format("vtysh -c 'configure terminal' -c '{}'", fmt::join(lines, "' -c '"));
  }

  void check_map(const std::string& subject, const std::string& name, const std::string& with_map) {
    if (name.empty()) {
      return add(
          "frr-redistributes-everything", subject,
          "redistributes without a route-map: every route of the kind, without its class or the marker",
          with_map);
    }
    const auto found = running_.route_maps.find(name);
    if (found == running_.route_maps.end()) {
      return add("frr-no-route-map", subject,
                 fmt::format("its route-map {} does not exist, so nothing gets through", name),
                 std::string(kRegenerate));
    }
    for (const FrrClause& clause : found->second) {
      if (!clause.permit || find_line(clause.matches, "tag") != nullptr) continue;
      add("frr-redistributes-everything", fmt::format("route-map {}", name),
          "permits routes whatever their tag", std::string(kRegenerate));
    }
    check_classes(name, found->second);
  }

  /// Each class has a clause, with its communities, and the clauses rank fresh over settled over lingering, and a block
  /// for the outside over one in reserve.
  void check_classes(const std::string& name, const std::vector<FrrClause>& clauses) {
    const RouteMarks& marks = config_.marks;
    check_ranks(name, clauses, {marks.fresh_tag(), marks.settled_tag(), marks.lingering_tag()});
    if (config_.external) check_ranks(name, clauses, {marks.external_tag(), marks.reserve_tag()});
  }

  void check_ranks(const std::string& name, const std::vector<FrrClause>& clauses,
                   const std::vector<std::uint32_t>& tags) {
    std::vector<Rank> ranks(tags.size());
    for (std::size_t i = 0; i < tags.size(); ++i) {
      const FrrClause* clause = clause_of(clauses, tags[i]);
      if (clause == nullptr) {
        add("frr-class-missing", fmt::format("route-map {}", name),
            fmt::format("permits no route with tag {}", tags[i]), std::string(kRegenerate));
        continue;
      }
      ranks[i] = rank_of(*clause);
      if (config_.protocol == RoutingProtocol::kBgp) check_communities(name, *clause, tags[i]);
    }
    for (std::size_t i = 0; i + 1 < ranks.size(); ++i) {
      if (clause_of(clauses, tags[i]) == nullptr || clause_of(clauses, tags[i + 1]) == nullptr) continue;
      if (ranks[i].present && ranks[i + 1].present && ranks[i].value > ranks[i + 1].value) continue;
      return add("frr-not-ranked", fmt::format("route-map {}", name),
                 fmt::format("does not prefer tag {} to tag {}: the newest claim will not win", tags[i],
                             tags[i + 1]),
                 std::string(kRegenerate));
    }
  }

  static const FrrClause* clause_of(const std::vector<FrrClause>& clauses, std::uint32_t tag) {
    for (const FrrClause& clause : clauses) {
      const FrrWords* line = find_line(clause.matches, "tag");
      if (line != nullptr && line->size() > 1 && number((*line)[1]) == tag)
        return clause.permit ? &clause : nullptr;
    }
    return nullptr;
  }

  /// BGP: the local preference, and none counts without weight 0. Else the metric, the lower the better.
  [[nodiscard]] Rank rank_of(const FrrClause& clause) const {
    const bool bgp = config_.protocol == RoutingProtocol::kBgp;
    const FrrWords* line = find_line(clause.sets, bgp ? "local-preference" : "metric");
    const auto value = line == nullptr || line->size() < 2 ? std::nullopt : number((*line)[1]);
    if (!value) return {};
    if (!bgp) return {-std::int64_t{*value}, true};
    const FrrWords* weight = find_line(clause.sets, "weight");
    return {*value, weight != nullptr && weight->size() > 1 && (*weight)[1] == "0"};
  }

  void check_communities(const std::string& name, const FrrClause& clause, std::uint32_t tag) {
    const FrrWords* line = find_line(clause.sets, "community");
    const std::uint32_t rank = config_.marks.rank_tag(tag);
    std::vector<std::string> missing{config_.marks.community(rank)};
    if (rank != tag) {  // for the outside
      check_not_kept(name, line, tag);
    } else {
      missing.push_back(config_.marks.marker());
      if (config_.leak_guard == LeakGuard::kNoExport) missing.emplace_back("no-export");
    }
    if (line != nullptr)
      std::erase_if(missing, [&](const std::string& each) { return has_word(*line, each); });
    if (missing.empty()) return;
    // The line replaces the one that is there.
    FrrWords all = line == nullptr ? FrrWords() : FrrWords(line->begin() + 1, line->end());
    std::erase(all, "additive");
    all.insert(all.end(), missing.begin(), missing.end());
    add("frr-no-marker", fmt::format("route-map {}", name),
        fmt::format("sets no community {} on routes with tag {}", fmt::join(missing, ", "), tag),
        fmt::format("in the clause of route-map {} with `match tag {}`: set community {} additive", name, tag,
                    fmt::join(all, " ")));
  }

  /// A block for the outside has nothing that keeps it inside.
  void check_not_kept(const std::string& name, const FrrWords* line, std::uint32_t tag) {
    for (const std::string& keeper : {config_.marks.marker(), std::string("no-export")}) {
      if (line == nullptr || !has_word(*line, keeper)) continue;
      add("frr-external-marked", fmt::format("route-map {}", name),
          fmt::format(
              "sets community {} on routes with tag {}, which are for the outside: they do not get there",
              keeper, tag),
          std::string(kRegenerate));
    }
  }

  // ---- sessions that leave the domain ----------------------------------------------------------------------------

  void check_sessions() {
    for (const FrrRouter& router : running_.routers) {
      if (router.protocol != "bgp") continue;
      for (const auto& [address, neighbor] : router.neighbors) {
        if (is_group(router, address)) continue;
        check_session(router, address, neighbor);
      }
    }
  }

  static bool is_group(const FrrRouter& router, const std::string& name) {
    return std::any_of(router.neighbors.begin(), router.neighbors.end(),
                       [&](const auto& each) { return each.second.peer_group == name; });
  }

  static const FrrNeighbor* group_of(const FrrRouter& router, const FrrNeighbor& neighbor) {
    const auto group = router.neighbors.find(neighbor.peer_group);
    return group == router.neighbors.end() ? nullptr : &group->second;
  }

  void check_session(const FrrRouter& router, const std::string& address, const FrrNeighbor& neighbor) {
    const FrrNeighbor* group = group_of(router, neighbor);
    const std::string& remote =
        neighbor.remote_as.empty() && group != nullptr ? group->remote_as : neighbor.remote_as;
    const auto as = number(remote);
    const bool same_as = remote == "internal" || remote == router.name || remote.empty();
    if (same_as) return;
    const std::string subject = fmt::format("neighbor {} (AS {})", address, remote);
    if (config_.leak_guard == LeakGuard::kNoExport) {
      if (as && is_private_as(*as)) {
        add("frr-no-export-in-fabric", subject,
            "another AS of the domain, where no-export stops every host route", "leak-guard = \"marker\"",
            false);
      }
      return;
    }
    if (!as || is_private_as(*as)) return;
    for (const std::string family : {"ipv4", "ipv6"}) {
      if (!announces(family) || !carries(router, neighbor, group, family)) continue;
      if (keeps_hosts_in(neighbor, group, family)) continue;
      return add("frr-border-open", subject, fmt::format("host routes leave the domain there ({})", family),
                 fmt::format("feed FRR what `untrombone frr-config --border --asn {} --neighbor {}` prints",
                             router.name, address));
    }
  }

  static bool carries(const FrrRouter& router, const FrrNeighbor& neighbor, const FrrNeighbor* group,
                      const std::string& family) {
    for (const FrrNeighbor* each : {&neighbor, group}) {
      if (each == nullptr) continue;
      const auto said = each->active.find(family);
      if (said != each->active.end()) return said->second;
    }
    return family == "ipv4" && router.ipv4_by_default;
  }

  [[nodiscard]] bool announces(std::string_view family) const {
    return std::any_of(config_.vrfs.begin(), config_.vrfs.end(),
                       [&](const FrrVrf& vrf) { return family == "ipv4" ? vrf.ipv4 : vrf.ipv6; });
  }

  [[nodiscard]] bool keeps_hosts_in(const FrrNeighbor& neighbor, const FrrNeighbor* group,
                                    const std::string& family) const {
    const auto name = [&](std::map<std::string, std::string> FrrNeighbor::*table) {
      const auto own = (neighbor.*table).find(family);
      if (own != (neighbor.*table).end()) return own->second;
      if (group == nullptr) return std::string();
      const auto shared = (group->*table).find(family);
      return shared == (group->*table).end() ? std::string() : shared->second;
    };
    const std::string list = name(&FrrNeighbor::prefix_list_out);
    if (!list.empty() && !list_permits_hosts(list, family)) return true;
    const std::string map = name(&FrrNeighbor::route_map_out);
    return !map.empty() && !map_permits_hosts(map, family);
  }

  /// Could a host route with the marker get through? The clauses in order, until one denies them all.
  [[nodiscard]] bool map_permits_hosts(const std::string& name, const std::string& family) const {
    const auto found = running_.route_maps.find(name);
    if (found == running_.route_maps.end()) return false;
    for (const FrrClause& clause : found->second) {
      if (clause.permit && could_match(clause, family)) return true;
      if (!clause.permit && matches_every_host(clause)) return false;
    }
    return false;
  }

  [[nodiscard]] bool could_match(const FrrClause& clause, const std::string& family) const {
    for (const FrrWords& match : clause.matches) {
      if (match.size() >= 4 && match[1] == "address" && match[2] == "prefix-list" &&
          !list_permits_hosts(match[3], family)) {
        return false;
      }
    }
    return true;
  }

  /// Nothing but our marker is asked for, or nothing at all.
  [[nodiscard]] bool matches_every_host(const FrrClause& clause) const {
    return std::all_of(clause.matches.begin(), clause.matches.end(), [&](const FrrWords& match) {
      if (match.size() != 2 || match[0] != "community") return false;
      const auto list = running_.community_lists.find(match[1]);
      if (list == running_.community_lists.end() || list->second.empty()) return false;
      const FrrListEntry& first = list->second.front();
      return first.permit && first.what == FrrWords{config_.marks.marker()};
    });
  }

  /// Does an entry permit host routes inside our subnets, before another denies them?
  [[nodiscard]] bool list_permits_hosts(const std::string& name, const std::string& family) const {
    const auto found = running_.prefix_lists.find(name);
    if (found == running_.prefix_lists.end()) return false;
    return std::any_of(request_.subnets.begin(), request_.subnets.end(), [&](const core::IpPrefix& subnet) {
      if (subnet.address().is_v4() != (family == "ipv4")) return false;
      for (const FrrListEntry& entry : found->second) {
        if (entry.permit && reaches_hosts(entry, subnet)) return true;
        if (!entry.permit && covers_hosts(entry, subnet)) return false;
      }
      return false;
    });
  }

  static bool allows_length(const FrrListEntry& entry, const core::IpPrefix& prefix, unsigned length) {
    const auto ge = number(word_after(entry.what, "ge"));
    const auto le = number(word_after(entry.what, "le"));
    if (!ge && !le) return length == prefix.length();
    return length >= ge.value_or(prefix.length()) && length <= le.value_or(prefix.address().bits());
  }

  static bool reaches_hosts(const FrrListEntry& entry, const core::IpPrefix& subnet) {
    const unsigned bits = subnet.address().bits();
    if (entry.what.empty() || entry.what[0] == "any") return !entry.what.empty();
    const auto prefix = core::IpPrefix::parse(entry.what[0]);
    if (!prefix || prefix->address().family() != subnet.address().family()) return false;
    return (prefix->contains(subnet) || subnet.contains(*prefix)) && allows_length(entry, *prefix, bits);
  }

  static bool covers_hosts(const FrrListEntry& entry, const core::IpPrefix& subnet) {
    if (entry.what.empty() || entry.what[0] == "any") return !entry.what.empty();
    const auto prefix = core::IpPrefix::parse(entry.what[0]);
    return prefix && prefix->contains(subnet) && allows_length(entry, *prefix, subnet.address().bits());
  }

  const FrrLintRequest& request_;
  FrrConfigRequest config_;
  FrrRunning running_;
  std::vector<FrrFinding> findings_;
};

}  // namespace

std::vector<FrrFinding> lint_frr(const FrrLintRequest& request, std::string_view running_config) {
  return Lint(request, running_config).run();
}

}  // namespace untrombone::bgp
