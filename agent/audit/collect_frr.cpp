// SPDX-License-Identifier: GPL-2.0-or-later
#include <filesystem>
#include <istream>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "agent/audit/collect.hpp"
#include "agent/audit/frr_tables.hpp"
#include "bgp/claim_tables.hpp"
#include "bgp/vty_reader.hpp"

namespace untrombone::audit {
namespace {

constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(10);
/// Prefixes that two routers announce are looked at one by one; more of them than this are a disaster, not a detail.
constexpr std::size_t kMostDetails = 1000;

/// One table of a daemon: a VRF and a family.
struct Scope {
  std::string vrf;  ///< empty: the default one
  bool v4 = true;
  auto operator<=>(const Scope&) const = default;

  [[nodiscard]] std::string route_command() const {
    return fmt::format("show {} route {}json", v4 ? "ip" : "ipv6",
                       vrf.empty() ? "" : fmt::format("vrf {} ", vrf));
  }
  [[nodiscard]] std::string bgp_command(const std::string& what) const {
    return bgp::show_bgp(vrf, v4, what);
  }
};

/// Those that the segments are in.
std::set<Scope> scopes_of(const Snapshot& snapshot) {
  std::set<Scope> scopes;
  for (const SegmentFacts& segment : snapshot.segments) {
    for (const core::IpPrefix& subnet : segment.settings->subnets) {
      scopes.insert({segment.vrf, subnet.address().is_v4()});
    }
  }
  return scopes;
}

/// Questions to one daemon. The first that fails is remembered, and none follows it.
class Daemon {
 public:
  Daemon(const std::string& directory, const std::string& name) {
    if (const auto error = vty_.open(directory + "/" + name + ".vty", kPatience)) failure_ = error.message();
  }

  template <typename Take>
  void ask(const std::string& command, const Take& take) {
    if (!failure_.empty()) return;
    if (const auto error = vty_.ask(command)) {
      failure_ = error.message();
      return;
    }
    bgp::VtyAnswerBuffer buffer(vty_);
    std::istream answer(&buffer);
    const bool understood = take(answer);
    answer.clear();
    answer.ignore(
        std::numeric_limits<std::streamsize>::max());  // what is behind the document, or behind a fault
    if (buffer.error()) {
      failure_ = buffer.error().message();
    } else if (!understood) {
      failure_ = fmt::format("its answer to \"{}\" is no JSON", command);
    }
  }

  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  bgp::VtyReader vty_;
  std::string failure_;
};

/// What bgpd takes from there by `redistribute table-direct` is not in zebra's main table. FRR that imports the table
/// instead need not have it.
void collect_kernel_table(Daemon& zebra, const Snapshot& snapshot, RibTables& tables) {
  for (const char* family : {"ip", "ipv6"}) {
    RibTables direct;
    zebra.ask(fmt::format("show {} route table {} json", family, *snapshot.kernel_table),
              [&](std::istream& answer) { return read_rib(answer, snapshot, direct); });
    tables.others.insert(tables.others.end(), direct.others.begin(), direct.others.end());
  }
}

void collect_zebra(const std::string& directory, Snapshot& snapshot) {
  Daemon zebra(directory, "zebra");
  RibTables tables;
  for (const Scope& scope : scopes_of(snapshot)) {
    zebra.ask(scope.route_command(),
              [&](std::istream& answer) { return read_rib(answer, snapshot, tables); });
  }
  if (!zebra.failure().empty()) {
    snapshot.missing.emplace_back("zebra", zebra.failure());
    return;
  }
  if (snapshot.kernel_table) collect_kernel_table(zebra, snapshot, tables);
  snapshot.rib = std::move(tables.ours);
  snapshot.other_rib = std::move(tables.others);
  snapshot.other_statics = std::move(tables.statics);
}

/// Which of the other routers' paths say that they only linger: asked for contested prefixes alone.
void collect_details(Daemon& bgpd, const Scope& scope, const std::string& community, BgpTable& table) {
  std::size_t asked = 0;
  for (auto& [prefix, entry] : table) {
    if (!entry.own || entry.others == 0 || !prefix.is_host() || ++asked > kMostDetails) continue;
    bgpd.ask(scope.bgp_command(prefix.to_string()), [&entry = entry, &community](std::istream& answer) {
      entry.lingering_others = count_paths_with(answer, community);
      return true;
    });
  }
}

void collect_table(Daemon& bgpd, const Scope& scope, Snapshot& snapshot, std::vector<BgpEntry>& entries) {
  BgpTable table;
  const std::uint32_t tag = snapshot.routes.tag;
  bgpd.ask(scope.bgp_command(""), [&](std::istream& answer) { return read_bgp(answer, snapshot, table); });
  for (std::uint32_t mark = tag; mark <= tag + 2; ++mark) {
    bgpd.ask(scope.bgp_command(fmt::format("community {}:{}", snapshot.community_as, mark)),
             [&](std::istream& answer) { return read_marked(answer, table); });
  }
  collect_details(bgpd, scope, fmt::format("{}:{}", snapshot.community_as, tag + 2), table);
  for (auto& [prefix, entry] : table) entries.push_back(std::move(entry));
}

void collect_bgpd(const std::string& directory, Snapshot& snapshot) {
  if (!std::filesystem::exists(directory + "/bgpd.vty")) return;  // another protocol carries the routes
  Daemon bgpd(directory, "bgpd");
  std::vector<BgpEntry> entries;
  for (const Scope& scope : scopes_of(snapshot)) collect_table(bgpd, scope, snapshot, entries);
  if (bgpd.failure().empty()) {
    snapshot.bgp = std::move(entries);
  } else {
    snapshot.missing.emplace_back("bgpd", bgpd.failure());
  }
}

}  // namespace

void collect_frr(const daemon::Config& config, Snapshot& snapshot) {
  collect_zebra(config.vty_dir, snapshot);
  collect_bgpd(config.vty_dir, snapshot);
}

}  // namespace untrombone::audit
