// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/config_keys.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/daemon/config.hpp"

namespace untrombone::daemon {
namespace {

constexpr auto kRequired = KeyNeed::kRequired;
constexpr auto kOptional = KeyNeed::kOptional;
constexpr auto kDefault = KeyNeed::kDefault;

constexpr ConfigTable kTables[] = {
    {"site", "[site]"},
    {"routes", "[routes]"},
    {"segment", "[[segment]]"},
    {"segment.detect", "[segment.detect]"},
    {"segment.summarize", "[segment.summarize]"},
    {"segment.guard", "[segment.guard]"},
    {"conflict", "[conflict]"},
    {"control", "[control]"},
    {"metrics", "[metrics]"},
    {"log", "[log]"},
};

constexpr ConfigKey kKeys[] = {
    {"site", "name", kRequired, R"("dc-a")", "this data centre, in logs and answers"},

    {"routes", "sink", kDefault, R"("zapi")", "who takes the routes: zapi | kernel-table | vtysh"},
    {"routes", "zapi-socket", kDefault, R"("/var/run/frr/zserv.api")", "zebra's ZAPI socket"},
    {"routes", "vty-dir", kDefault, R"("/var/run/frr")", "where FRR's daemons have their vty sockets"},
    {"routes", "frr-version", kDefault, R"("auto")",
     R"(the FRR release: "auto" asks zebra, or "8.4", "10.3", ...)"},
    {"routes", "table", kDefault, "201", "1..252: what FRR's \"redistribute table\" names"},
    {"routes", "distance", kDefault, "5", "1..249: administrative distance of our routes"},
    {"routes", "tag", kDefault, "4210", "tag of a settled route; +1 fresh, +2 lingering"},
    {"routes", "community-as", kDefault, "65000",
     "the first half of our BGP communities; the second is the tag"},
    {"routes", "metric", kDefault, "1000", "metric of a settled route"},
    {"routes", "settle", kDefault, R"("30s")", "an arrived host's route stays fresh this long"},
    {"routes", "on-exit", kDefault, R"("retain")", "when the agent stops: retain | withdraw its routes"},
    {"routes", "retain-time", kDefault, R"("120s")", "zebra keeps retained routes this long"},
    {"routes", "mass-threshold", kDefault, "200",
     "arrivals in a second; over it summaries come before fresh host routes"},
    {"routes", "protocols", kDefault, R"(["bgp"])",
     "what FRR announces our routes by: bgp, ospf, ospf6, isis"},
    {"routes", "leak-guard", kDefault, R"("marker")",
     "marker | no-export: no-export only where the domain is one AS"},
    {"routes", "max-routes", kDefault, "100000", "over this an alarm, and no more routes"},
    {"routes", "track", kDefault, R"(["0.0.0.0/0"])",
     "without any of these routes the site is isolated; [] tracks none"},
    {"routes", "track-hold", kDefault, R"("10s")", "once they are gone, or back, for this long"},
    {"routes", "bmp-listen", kOptional, R"("127.0.0.1:5000")",
     "where bgpd's BMP module connects to; default: nowhere"},
    {"routes", "same-site", kDefault, "[]",
     "next hops of this site's other edges; their routes are no claims"},

    {"segment", "name", kRequired, R"("vlan10")", "unique"},
    {"segment", "bridge", kRequired, R"("br0")", "the Linux bridge of this stretched L2 domain"},
    {"segment", "vlan", kOptional, "10", "1..4094: its VLAN; on a VLAN-aware bridge, and only there"},
    {"segment", "interface", kOptional, R"("br0.10")", "its L3 interface (SVI); default: the bridge itself"},
    {"segment", "vrf", kOptional, R"("tenant1")",
     R"(the VRF that the interface must be in; "default": in none; default: its own)"},
    {"segment", "dci-ports", kDefault, "[]",
     R"(bridge ports that lead to other sites; names or patterns: "vx*")"},
    {"segment", "peer-ports", kDefault, "[]", "MLAG peer links; count as local"},
    {"segment", "subnets", kRequired, R"(["10.1.0.0/16"])",
     "IPv4 and IPv6; hosts are only looked for in these"},
    {"segment", "gateways", kRequired, R"(["10.1.0.1"])", "the addresses every site's edge owns; fe80:: too"},
    {"segment", "gateway-macs", kDefault, "[]", "gateway MACs of any site; the interface's own is added"},
    {"segment", "exclude", kDefault, "[]", "prefixes inside the subnets that are never hosts"},

    {"segment.detect", "probe-address", kOptional, R"("10.1.0.2")",
     "sender of probes, at this site only; default: 0.0.0.0 / link-local"},
    {"segment.detect", "confirm", kDefault, R"("1s")",
     "a provisional host answers within this, or is retracted"},
    {"segment.detect", "refresh", kDefault, R"("60s")", "a silent host is probed after this"},
    {"segment.detect", "silent-after", kDefault, R"("180s")", "and given up after this"},
    {"segment.detect", "probe-rate", kDefault, "2000", "probes per second at most, of all kinds together"},
    {"segment.detect", "sweep", kDefault, "false", "ask every unknown IPv4 address once after the start"},
    {"segment.detect", "port-hold", kDefault, R"("3s")",
     "a port that comes back within this has lost no host"},
    {"segment.detect", "max-hosts", kDefault, "20000", "hosts kept, local and remote"},
    {"segment.detect", "max-ips-per-mac", kDefault, "32", "addresses kept of one MAC"},
    {"segment.detect", "new-host-rate", kDefault, "10000", "new hosts per second and port; 0: no limit"},

    {"segment.summarize", "mode", kDefault, R"("exact")", "off | exact | cover | home: docs/summaries.md"},
    {"segment.summarize", "home-blocks", kDefault, "[]",
     "prefixes inside the subnets that are this site's; only with mode = \"home\""},
    {"segment.summarize", "shortest", kDefault, "0", "no IPv4 summary is shorter; 0: as the subnet allows"},
    {"segment.summarize", "shortest6", kDefault, "0", "no IPv6 summary is shorter; 0: as the subnet allows"},
    {"segment.summarize", "break-delay", kDefault, R"("5s")",
     "from a route's acknowledgement to the withdrawal of what it replaces"},
    {"segment.summarize", "hold", kDefault, R"("30s")",
     "a summary is possible this long before it is announced; doubles with each split"},
    {"segment.summarize", "linger", kDefault, R"("5s")", "a departed host's route stays this long at most"},
    {"segment.summarize", "announce-subnet", kDefault, "false",
     "announce the subnets, too, always, at the worst metric"},
    {"segment.summarize", "budget", kDefault, "2000",
     "routes of each family; over it \"exact\" becomes \"cover\""},
    {"segment.summarize", "external-length", kDefault, "0",
     "0, or 16..30: the majority's site announces such IPv4 blocks outside, without the marker"},

    {"segment.guard", "enabled", kDefault, "true", "keep the gateway's ARP and ND off the DCI"},
    {"segment.guard", "ra", kDefault, "true", "router discovery and redirects stay off the DCI"},
    {"segment.guard", "fhrp", kDefault, "true", "so do VRRP, CARP, HSRP and GLBP hellos"},
    {"segment.guard", "dhcp", kDefault, R"("pass")", "pass | local: so does DHCP to everybody"},
    {"segment.guard", "fail", kDefault, R"("open")",
     "open | closed: while the local gateway is dead, guests may use another site's"},
    {"segment.guard", "adopt-macs", kDefault, "false", "take frames for the other gateway-macs in here"},
    {"segment.guard", "strict-mac", kDefault, "false",
     "drop frames from gateway MACs off the DCI; needs a host route for every guest"},
    {"segment.guard", "greet", kDefault, "true", "tell an arrived host its local gateway"},
    {"segment.guard", "greet-tries", kDefault, "5", "1..100"},

    {"conflict", "max-moves", kDefault, "5", "so many moves within move-window freeze a host; 0: never"},
    {"conflict", "move-window", kDefault, R"("180s")", "moves are counted within this"},
    {"conflict", "freeze-time", kDefault, R"("300s")", "a frozen host stays where it is this long"},

    {"control", "socket", kDefault, R"("/run/untrombone/control.sock")",
     "where the commands reach the agent"},

    {"metrics", "listen", kDefault, R"("")", R"(/metrics and /healthz, e.g. "127.0.0.1:9517"; "": nowhere)"},

    {"log", "level", kDefault, R"("info")", "trace | debug | info | warning | error"},
    {"log", "format", kDefault, R"("text")", "text | json"},
};

constexpr std::size_t kLongestName = 64;

/// Levenshtein distance; neither may be longer than kLongestName.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::array<std::size_t, kLongestName + 1> row{};
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row[b.size()];
}

/// The candidate nearest to `name`, if it is near enough to be what was meant; else empty.
std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates) {
  if (name.size() > kLongestName) return {};
  std::string_view best;
  std::size_t best_distance = 2 + name.size() / 4;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance >= best_distance || distance >= candidate.size()) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::vector<std::string_view> keys_of(std::string_view table) {
  std::vector<std::string_view> names;
  for (const ConfigKey& key : kKeys) {
    if (key.table == table) names.push_back(key.name);
  }
  return names;
}

std::string render_key(const ConfigKey& key) {
  constexpr std::string_view kMarks[] = {"required; ", "optional; ", ""};
  const std::string_view commented = key.need == kOptional ? "# " : "";
  const std::string assignment = fmt::format("{}{} = {}", commented, key.name, key.value);
  return fmt::format("{:<40}  # {}{}\n", assignment, kMarks[static_cast<std::size_t>(key.need)], key.help);
}

}  // namespace

std::span<const ConfigTable> config_tables() { return kTables; }
std::span<const ConfigKey> config_keys() { return kKeys; }

const ConfigTable* find_config_table(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kTables), std::end(kTables),
                                         [&](const ConfigTable& table) { return table.name == name; });
  return found == std::end(kTables) ? nullptr : found;
}

const ConfigKey* find_config_key(std::string_view table, std::string_view name) {
  const auto* const found = std::find_if(std::begin(kKeys), std::end(kKeys), [&](const ConfigKey& key) {
    return key.table == table && key.name == name;
  });
  return found == std::end(kKeys) ? nullptr : found;
}

std::string describe_unknown_key(std::string_view table, std::string_view name) {
  const std::vector<std::string_view> names = keys_of(table);
  if (const std::string_view meant = nearest(name, names); !meant.empty()) {
    return fmt::format(R"(unknown key; did you mean "{}"?)", meant);
  }
  for (const ConfigTable& other : kTables) {
    if (find_config_key(other.name, name) == nullptr) continue;
    return fmt::format("unknown key here; it belongs to {}", other.header);
  }
  return fmt::format("unknown key; expected one of {}", fmt::join(names, ", "));
}

std::string describe_unknown_table(std::string_view name) {
  std::vector<std::string_view> names;
  std::vector<std::string_view> headers;
  for (const ConfigTable& table : kTables) {
    if (table.name.find('.') != std::string_view::npos) continue;
    names.push_back(table.name);
    headers.push_back(table.header);
  }
  if (const std::string_view meant = nearest(name, names); !meant.empty()) {
    return fmt::format("unknown table; did you mean {}?", find_config_table(meant)->header);
  }
  for (const ConfigTable& table : kTables) {
    if (table.name == fmt::format("segment.{}", name)) {
      return fmt::format("unknown table; did you mean {}?", table.header);
    }
    if (find_config_key(table.name, name) != nullptr) {
      return fmt::format("unknown key here; it belongs to {}", table.header);
    }
  }
  return fmt::format("unknown table; expected one of {}", fmt::join(headers, ", "));
}

std::string render_defaults() {
  std::string text = "# Every key that this release of untrombone supports, with its default.\n";
  for (const ConfigTable& table : kTables) {
    text += fmt::format("\n{}\n", table.header);
    for (const ConfigKey& key : kKeys) {
      if (key.table == table.name) text += render_key(key);
    }
  }
  return text;
}

}  // namespace untrombone::daemon
