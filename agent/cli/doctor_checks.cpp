// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/doctor_checks.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/cli/doctor.hpp"
#include "agent/daemon/frr_setup.hpp"
#include "bgp/zapi/release.hpp"

namespace untrombone::cli {
namespace {

// linux/capability.h, which a pure file does not need for two numbers.
constexpr unsigned kCapNetAdmin = 12;
constexpr unsigned kCapNetRaw = 13;

constexpr int kOldestMajor = 5;
constexpr int kOldestMinor = 10;

Check make(std::string_view id, std::string subject, std::string wanted, std::string why,
           std::string command) {
  return {std::string(id),   Severity::kOk,  std::move(subject), "",
          std::move(wanted), std::move(why), std::move(command), std::nullopt};
}

/// Takes over what was seen; the severity applies when that is not what was wanted.
void judge(Check& check, std::string seen, bool good, Severity otherwise) {
  check.seen = std::move(seen);
  check.severity = good ? Severity::kOk : otherwise;
  if (good) check.fix.reset();
}

void check_config(const DoctorFacts& facts, std::vector<Check>& checks) {
  Check check = make("config", facts.config_path, "a valid configuration",
                     "without it only the machine can be judged, not its segments",
                     fmt::format("untrombone config check {}", facts.config_path));
  judge(check, facts.config ? "valid" : facts.config_error, facts.config.has_value(), Severity::kError);
  checks.push_back(std::move(check));
}

void check_kernel(const DoctorFacts& facts, std::vector<Check>& checks) {
  Check check = make("kernel", "kernel", fmt::format("{}.{} or newer", kOldestMajor, kOldestMinor),
                     "older ones were never tried, and lack parts of nftables' bridge family", "uname -r");
  int major = 0;
  int minor = 0;
  const char* const end = facts.kernel.data() + facts.kernel.size();
  const auto [dot, error] = std::from_chars(facts.kernel.data(), end, major);
  if (error == std::errc{} && dot != end) std::from_chars(dot + 1, end, minor);
  const bool good = major > kOldestMajor || (major == kOldestMajor && minor >= kOldestMinor);
  judge(check, facts.kernel.empty() ? "unknown" : facts.kernel, good, Severity::kWarning);
  checks.push_back(std::move(check));
}

void check_capabilities(const DoctorFacts& facts, std::vector<Check>& checks) {
  std::vector<std::string_view> missing;
  if ((facts.capabilities >> kCapNetAdmin & 1U) == 0) missing.emplace_back("CAP_NET_ADMIN");
  if ((facts.capabilities >> kCapNetRaw & 1U) == 0) missing.emplace_back("CAP_NET_RAW");
  Check check = make("capabilities", "this process", "CAP_NET_ADMIN and CAP_NET_RAW",
                     "without them ports cannot be heard, and the rest of this answer may be wrong",
                     "sudo untrombone doctor");
  judge(check, missing.empty() ? "both" : fmt::format("no {}", fmt::join(missing, ", ")), missing.empty(),
        Severity::kError);
  checks.push_back(std::move(check));
}

void check_nft(const DoctorFacts& facts, std::vector<Check>& checks) {
  Check check =
      make("nft", "nftables", "takes the guard's rules",
           "the guard cannot keep the gateway's ARP and ND off the DCI", "nft list table bridge untrombone");
  judge(check, facts.nft_error.empty() ? "takes them" : facts.nft_error, facts.nft_error.empty(),
        Severity::kError);
  checks.push_back(std::move(check));
}

void check_clock(const DoctorFacts& facts, std::vector<Check>& checks) {
  Check check = make("clock", "system clock", "synchronised",
                     "logs and histories of two sites cannot be laid side by side", "timedatectl status");
  judge(check, facts.clock_synchronised ? "synchronised" : "not synchronised", facts.clock_synchronised,
        Severity::kNote);
  checks.push_back(std::move(check));
}

void check_zebra(const DoctorFacts& facts, std::vector<Check>& checks) {
  const auto zebra = std::find_if(facts.daemons.begin(), facts.daemons.end(),
                                  [](const FrrDaemon& daemon) { return daemon.name == "zebra"; });
  const std::string directory = vty_dir_of(facts.config);
  Check running =
      make("frr-zebra", directory, "zebra answers", "nobody takes the routes", "systemctl status frr");
  const bool found = zebra != facts.daemons.end();
  judge(running, found ? "answers" : "does not answer", found, Severity::kError);
  checks.push_back(std::move(running));
  if (!found) return;

  std::vector<std::string_view> known;
  for (const auto& release : bgp::zapi::known_releases()) known.push_back(release.name);
  Check release =
      make("frr-release", "zebra", fmt::format("one of {}", fmt::join(known, ", ")),
           "command numbers differ between releases: an unknown one is refused", "vtysh -c 'show version'");
  judge(release, zebra->version.empty() ? "unknown" : zebra->version,
        bgp::zapi::find_release(zebra->version) != nullptr, Severity::kError);
  checks.push_back(std::move(release));
}

void check_routing_daemons(const DoctorFacts& facts, std::vector<Check>& checks) {
  constexpr std::array<std::string_view, 4> kRouting = {"bgpd", "ospfd", "ospf6d", "isisd"};
  std::vector<std::string_view> running;
  for (const FrrDaemon& daemon : facts.daemons) {
    if (std::find(kRouting.begin(), kRouting.end(), daemon.name) != kRouting.end())
      running.push_back(daemon.name);
  }
  Check check =
      make("frr-daemons", vty_dir_of(facts.config), fmt::format("one of {}", fmt::join(kRouting, ", ")),
           "routes that nobody redistributes end in this machine", "systemctl status frr");
  judge(check, running.empty() ? "none" : fmt::format("{}", fmt::join(running, ", ")), !running.empty(),
        Severity::kError);
  checks.push_back(std::move(check));
}

/// What the agent's own watch looks for every half minute, too.
void check_frr_config(const DoctorFacts& facts, std::vector<Check>& checks) {
  if (!facts.config || facts.frr_running.empty()) return;
  const auto findings = bgp::lint_frr(daemon::frr_lint_request(*facts.config), facts.frr_running);
  const auto base = [](std::string subject, std::string command) {
    return make("frr-config", std::move(subject), "what `untrombone frr-config` prints",
                "routes that are not announced, not ranked by their age, or leave the domain",
                std::move(command));
  };
  for (const bgp::FrrFinding& finding : findings) {
    Check check = base(finding.subject, finding.hint);
    judge(check, fmt::format("{}: {}", finding.id, finding.problem), false,
          finding.error ? Severity::kError : Severity::kWarning);
    checks.push_back(std::move(check));
  }
  if (!findings.empty()) return;
  Check check = base("running configuration", "untrombone frr-config");
  judge(check, "has it", true, Severity::kError);
  checks.push_back(std::move(check));
}

struct Area {
  void (*judge)(const DoctorFacts& facts, std::vector<Check>& checks);
};

/// In the order of the answer.
constexpr Area kChecks[] = {
    {check_config},          {check_kernel},     {check_capabilities}, {check_nft},
    {check_clock},           {check_sysctls},    {check_segments},     {check_zebra},
    {check_routing_daemons}, {check_frr_config},
};

constexpr std::array<std::string_view, 21> kIds = {
    "config",
    "kernel",
    "capabilities",
    "nft",
    "clock",
    "sysctl-forwarding",
    "sysctl-redirects",
    "sysctl-rp-filter",
    "sysctl-arp-accept",
    "sysctl-na-accept",
    "sysctl-gc-thresh",
    "sysctl-bridge-nf",
    "segment-bridge",
    "segment-interface",
    "port-class",
    "port-suppress",
    "dci-mtu",
    "frr-zebra",
    "frr-release",
    "frr-daemons",
    "frr-config",
};

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kOk: return "ok";
    case Severity::kNote: return "note";
    case Severity::kWarning: return "warning";
    case Severity::kError: return "error";
  }
  return "?";
}

std::string vty_dir_of(const std::optional<daemon::Config>& config) {
  return config ? config->vty_dir : daemon::Config().vty_dir;
}

std::vector<Check> evaluate(const DoctorFacts& facts) {
  std::vector<Check> checks;
  for (const Area& area : kChecks) area.judge(facts, checks);
  return checks;
}

std::vector<std::string_view> check_ids() { return {kIds.begin(), kIds.end()}; }

}  // namespace untrombone::cli
