// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/frr_running.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace untrombone::bgp {
namespace {

FrrWords split(std::string_view line) {
  FrrWords words;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    words.emplace_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

FrrWords tail(const FrrWords& words, std::size_t from) {
  return {words.begin() + static_cast<std::ptrdiff_t>(std::min(from, words.size())), words.end()};
}

bool begins(const FrrWords& words, std::initializer_list<std::string_view> with) {
  return words.size() >= with.size() && std::equal(with.begin(), with.end(), words.begin());
}

bool is_permission(const std::string& word) { return word == "permit" || word == "deny"; }

/// Reads line by line; a line without indent ends the node that was open.
class Parser {
 public:
  FrrRunning parse(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      take(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::move(running_);
  }

 private:
  void take(std::string_view line) {
    const FrrWords words = split(line);
    if (words.empty() || words[0][0] == '!') return;
    if (line.front() == ' ' && clause_ != nullptr) return take_clause_line(words);
    if (line.front() == ' ' && in_router_) return take_router_line(running_.routers.back(), words);
    if (line.front() != ' ') take_top_line(words);
  }

  void take_top_line(const FrrWords& words) {
    clause_ = nullptr;
    in_router_ = false;
    if (begins(words, {"frr", "version"}) && words.size() > 2) running_.version = FrrVersion::parse(words[2]);
    if (words[0] == "route-map" && words.size() >= 4) return open_clause(words);
    if (words[0] == "router" && words.size() >= 2) return open_router(words);
    if (begins(words, {"bgp", "community-list"}) && words.size() > 3) {
      add_entry(running_.community_lists[words[3]], tail(words, 4));
    }
    if (words.size() > 2 && words[1] == "prefix-list") {
      add_entry(running_.prefix_lists[words[2]], tail(words, 3));
    }
  }

  /// "seq 5 permit 65000:4211", the number optional.
  static void add_entry(std::vector<FrrListEntry>& list, const FrrWords& words) {
    const auto verdict = std::find_if(words.begin(), words.end(), is_permission);
    if (verdict != words.end()) list.push_back({*verdict == "permit", {verdict + 1, words.end()}});
  }

  void open_clause(const FrrWords& words) {
    const auto sequence = words[2] == "permit" || words[2] == "deny" ? words[3] : std::string();
    auto& clauses = running_.route_maps[words[1]];
    // Each daemon prints the map again, with the lines that it knows.
    auto& seen = sequences_[words[1]];
    const auto known = std::find(seen.begin(), seen.end(), sequence);
    if (known != seen.end()) {
      clause_ = &clauses[static_cast<std::size_t>(known - seen.begin())];
      return;
    }
    seen.push_back(sequence);
    clause_ = &clauses.emplace_back(FrrClause{.permit = words[2] == "permit", .matches = {}, .sets = {}});
  }

  void take_clause_line(const FrrWords& words) {
    const auto add = [&](std::vector<FrrWords>& lines) {
      FrrWords line = tail(words, 1);
      if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(std::move(line));
    };
    if (words[0] == "match") add(clause_->matches);
    if (words[0] == "set") add(clause_->sets);
  }

  void open_router(const FrrWords& words) {
    FrrRouter router;
    router.protocol = words[1];
    const auto vrf = std::find(words.begin(), words.end(), "vrf");
    if (vrf != words.end() && vrf + 1 != words.end()) router.vrf = *(vrf + 1);
    if (words.size() > 2 && words[2] != "vrf") router.name = words[2];
    running_.routers.push_back(std::move(router));
    in_router_ = true;
    family_ = words[1] == "bgp" ? "ipv4" : "";
  }

  void take_router_line(FrrRouter& router, const FrrWords& words) {
    if (words[0] == "address-family" && words.size() > 1) {
      family_ = words.size() > 2 && words[2] != "unicast" ? words[1] + " " + words[2] : words[1];
    } else if (words[0] == "exit-address-family") {
      family_ = "ipv4";
    } else if (words[0] == "redistribute" && words.size() > 1) {
      const bool named = router.protocol == "isis";
      router.redistributions.push_back({named ? words[1] : family_, tail(words, named ? 2 : 1)});
    } else if (words[0] == "neighbor" && words.size() > 2) {
      take_neighbor_line(router.neighbors[words[1]], words);
    } else if (begins(words, {"no", "neighbor"}) && words.size() > 3 && words[3] == "activate") {
      router.neighbors[words[2]].active[family_] = false;
    } else if (begins(words, {"no", "bgp", "default", "ipv4-unicast"})) {
      router.ipv4_by_default = false;
    } else if (begins(words, {"metric-style"}) && words.size() > 1) {
      router.narrow_metrics = words[1] != "wide";
    }
  }

  void take_neighbor_line(FrrNeighbor& neighbor, const FrrWords& words) {
    const std::string& what = words[2];
    // "neighbor eth0 interface remote-as external"
    const auto remote = std::find(words.begin(), words.end(), "remote-as");
    if (remote != words.end() && remote + 1 != words.end()) neighbor.remote_as = *(remote + 1);
    if (what == "peer-group" && words.size() > 3) neighbor.peer_group = words[3];
    if (what == "activate") neighbor.active[family_] = true;
    if (words.size() < 5 || words[4] != "out") return;
    if (what == "route-map") neighbor.route_map_out[family_] = words[3];
    if (what == "prefix-list") neighbor.prefix_list_out[family_] = words[3];
  }

  FrrRunning running_;
  std::map<std::string, std::vector<std::string>> sequences_;  ///< of the clauses, by route-map
  FrrClause* clause_ = nullptr;
  bool in_router_ = false;
  std::string family_;
};

}  // namespace

FrrRunning parse_frr_running(std::string_view text) { return Parser().parse(text); }

}  // namespace untrombone::bgp
