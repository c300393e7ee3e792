// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "agent/cli/doctor_checks.hpp"

namespace untrombone::cli {
namespace {

/// Neighbour entries per host that the kernel needs room for; fewer, and it throws out live ones.
constexpr std::size_t kEntriesPerHost = 4;
constexpr std::size_t kKernelDefault = 1024;

std::string interface_path(std::string_view family, std::string_view interface, std::string_view name) {
  return fmt::format("net/{}/conf/{}/{}", family, interface, name);
}

/// `sysctl` takes slashes, too; with dots the name of "br0.10" could not be told from the path.
std::string set_command(std::string_view path, std::string_view value) {
  return fmt::format("sysctl -w {}={}", path, value);
}

bool has_family(const core::SegmentSettings& segment, bool v4) {
  return std::any_of(segment.subnets.begin(), segment.subnets.end(),
                     [v4](const core::IpPrefix& subnet) { return subnet.address().is_v4() == v4; });
}

bool has_family(const daemon::Config& config, bool v4) {
  return std::any_of(config.core.segments.begin(), config.core.segments.end(),
                     [v4](const core::SegmentSettings& segment) { return has_family(segment, v4); });
}

/// The L3 interfaces of segments with subnets of the family, each once.
std::vector<std::string> interfaces_of(const daemon::Config& config, bool v4) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < config.segments.size(); ++i) {
    if (has_family(config.core.segments[i], v4)) names.insert(config.segments[i].interface);
  }
  return {names.begin(), names.end()};
}

std::optional<std::string> value_of(const DoctorFacts& facts, const std::string& path) {
  const auto found = facts.sysctls.find(path);
  return found == facts.sysctls.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> number_of(const DoctorFacts& facts, const std::string& path) {
  const auto text = value_of(facts, path);
  std::size_t number = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc{}) {
    return std::nullopt;
  }
  return number;
}

/// A sysctl that has to have one of a few values.
struct Rule {
  std::string_view id;
  std::string path;
  std::vector<std::string_view> good;  ///< the first is what a fix sets
  Severity otherwise;
  std::string_view why;
  bool ours;  ///< it concerns our interface only
};

void apply_rule(const DoctorFacts& facts, const Rule& rule, std::vector<Check>& checks) {
  const auto seen = value_of(facts, rule.path);
  if (!seen)
    return;  // the interface is missing, which is a finding of its own, or the kernel has no such knob
  const bool good = std::find(rule.good.begin(), rule.good.end(), *seen) != rule.good.end();
  Check check{std::string(rule.id),
              good ? Severity::kOk : rule.otherwise,
              rule.path,
              *seen,
              std::string(rule.good.front()),
              std::string(rule.why),
              set_command(rule.path, rule.good.front()),
              std::nullopt};
  for (std::size_t i = 1; i < rule.good.size(); ++i) check.wanted += fmt::format(" or {}", rule.good[i]);
  if (!good && rule.ours) check.fix = Check::Fix{rule.path, std::string(rule.good.front())};
  checks.push_back(std::move(check));
}

void check_forwarding(const DoctorFacts& facts, std::vector<Check>& checks) {
  constexpr std::string_view kWhy = "the edge is a router; without forwarding its guests reach nobody";
  if (has_family(*facts.config, true)) {
    apply_rule(facts, {"sysctl-forwarding", "net/ipv4/ip_forward", {"1"}, Severity::kError, kWhy, false},
               checks);
  }
  if (has_family(*facts.config, false)) {
    apply_rule(facts,
               {"sysctl-forwarding", "net/ipv6/conf/all/forwarding", {"1"}, Severity::kError, kWhy, false},
               checks);
  }
}

/// The kernel sends redirects when *either* of the two says so, so both have to be 0. Where an interface is to send
/// them its own switch still says so: "all" is ours to set.
void check_redirects(const DoctorFacts& facts, const std::vector<std::string>& interfaces,
                     std::vector<Check>& checks) {
  std::vector<std::string> names = interfaces;
  names.insert(names.begin(), "all");
  for (const std::string& name : names) {
    apply_rule(facts,
               {"sysctl-redirects",
                interface_path("ipv4", name, "send_redirects"),
                {"0"},
                Severity::kWarning,
                "a guest that is redirected sends around its gateway, straight into the DCI",
                true},
               checks);
  }
}

/// The kernel takes the greater of the two: 2 on the interface loosens a strict "all".
void check_rp_filter(const DoctorFacts& facts, const std::string& interface, std::vector<Check>& checks) {
  const std::string path = interface_path("ipv4", interface, "rp_filter");
  const auto own = number_of(facts, path);
  if (!own) return;
  const std::size_t effective = std::max(*own, number_of(facts, "net/ipv4/conf/all/rp_filter").value_or(0));
  Check check{
      "sysctl-rp-filter",
      effective == 1 ? Severity::kError : Severity::kOk,
      path,
      effective == *own ? std::to_string(effective) : fmt::format("{} (from all)", effective),
      "2 or 0",
      "strict filtering drops a guest, and its ARP, while its host route still points to the other site",
      set_command(path, "2"),
      std::nullopt};
  if (effective == 1) check.fix = Check::Fix{path, "2"};
  checks.push_back(std::move(check));
}

void check_gc_thresh(const DoctorFacts& facts, std::string_view family, std::vector<Check>& checks) {
  const std::string path = fmt::format("net/{}/neigh/default/gc_thresh3", family);
  const std::size_t hosts = facts.hosts.value_or(0);
  const std::size_t wanted = std::max(kEntriesPerHost * hosts, kKernelDefault);
  Check check{"sysctl-gc-thresh",
              Severity::kOk,
              path,
              "",
              fmt::format("{} ({} for each of {} hosts, at least {})", wanted, kEntriesPerHost, hosts,
                          kKernelDefault),
              "over it the kernel forgets neighbours that are alive, and packets to them wait or are lost",
              set_command(path, std::to_string(wanted)),
              std::nullopt};
  const auto seen = number_of(facts, path);
  if (!seen) {
    check.seen = "not visible in this network namespace";
    check.severity = Severity::kNote;
  } else {
    check.seen = std::to_string(*seen);
    if (*seen < wanted) {
      check.severity = Severity::kWarning;
      check.fix = Check::Fix{path, std::to_string(wanted)};
    }
  }
  checks.push_back(std::move(check));
}

void check_bridge_nf(const DoctorFacts& facts, std::vector<Check>& checks) {
  for (const std::string_view family : {"arptables", "ip6tables", "iptables"}) {
    apply_rule(facts,
               {"sysctl-bridge-nf",
                fmt::format("net/bridge/bridge-nf-call-{}", family),
                {"0"},
                Severity::kWarning,
                "the IP firewall sees, changes and drops frames that the bridge only forwards",
                false},
               checks);
  }
}

void check_learning(const DoctorFacts& facts, std::vector<Check>& checks) {
  constexpr std::string_view kWhy =
      "the kernel learns an arriving guest from its announcement, and its first packet does not wait for an "
      "answer";
  for (const std::string& name : interfaces_of(*facts.config, true)) {
    apply_rule(facts,
               {"sysctl-arp-accept",
                interface_path("ipv4", name, "arp_accept"),
                {"2", "1"},
                Severity::kNote,
                kWhy,
                true},
               checks);
  }
  for (const std::string& name : interfaces_of(*facts.config, false)) {
    apply_rule(facts,
               {"sysctl-na-accept",
                interface_path("ipv6", name, "accept_untracked_na"),
                {"2", "1"},
                Severity::kNote,
                kWhy,
                true},
               checks);
  }
}

}  // namespace

std::vector<std::string> wanted_sysctls(const std::optional<daemon::Config>& config) {
  std::vector<std::string> paths = {
      "net/ipv4/ip_forward",
      "net/ipv6/conf/all/forwarding",
      "net/ipv4/conf/all/send_redirects",
      "net/ipv4/conf/all/rp_filter",
      "net/ipv4/neigh/default/gc_thresh3",
      "net/ipv6/neigh/default/gc_thresh3",
      "net/bridge/bridge-nf-call-arptables",
      "net/bridge/bridge-nf-call-ip6tables",
      "net/bridge/bridge-nf-call-iptables",
  };
  if (!config) return paths;
  for (const daemon::SegmentConfig& segment : config->segments) {
    for (const std::string_view name : {"send_redirects", "rp_filter", "arp_accept"}) {
      paths.push_back(interface_path("ipv4", segment.interface, name));
    }
    paths.push_back(interface_path("ipv6", segment.interface, "accept_untracked_na"));
  }
  return paths;
}

void check_sysctls(const DoctorFacts& facts, std::vector<Check>& checks) {
  check_bridge_nf(facts, checks);
  if (!facts.config) return;
  check_forwarding(facts, checks);
  const std::vector<std::string> interfaces = interfaces_of(*facts.config, true);
  if (!interfaces.empty()) {
    check_redirects(facts, interfaces, checks);
    for (const std::string& name : interfaces) check_rp_filter(facts, name, checks);
    check_gc_thresh(facts, "ipv4", checks);
  }
  if (has_family(*facts.config, false)) check_gc_thresh(facts, "ipv6", checks);
  check_learning(facts, checks);
}

}  // namespace untrombone::cli
