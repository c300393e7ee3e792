// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/timex.h>
#include <sys/utsname.h>

#include <array>
#include <charconv>
#include <fstream>

#include "agent/cli/client.hpp"
#include "agent/cli/doctor.hpp"
#include "agent/cli/render_doctor.hpp"
#include "arp/guard_trial.hpp"
#include "bgp/vty_reader.hpp"
#include "netlink/dump.hpp"
#include "netlink/messages.hpp"

namespace untrombone::cli {
namespace {

constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(2);
constexpr std::array<std::string_view, 5> kDaemons = {"zebra", "bgpd", "ospfd", "ospf6d", "isisd"};

std::optional<std::string> read_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

std::uint64_t effective_capabilities() {
  constexpr std::string_view kKey = "CapEff:";
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kKey)) continue;
    const std::size_t digits = line.find_first_not_of(" \t", kKey.size());
    std::uint64_t bits = 0;
    if (digits != std::string::npos)
      std::from_chars(line.data() + digits, line.data() + line.size(), bits, 16);
    return bits;
  }
  return 0;
}

std::string kernel_release() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "";
}

bool is_clock_synchronised() {
  timex state{};
  return adjtimex(&state) != -1 && (state.status & STA_UNSYNC) == 0;
}

void collect_links(DoctorFacts& facts) {
  netlink::Dumper dumper;
  if (dumper.open()) return;
  const auto visit = [&facts](std::span<const std::byte> message) {
    if (auto link = netlink::decode_link_details(message)) facts.links.push_back(std::move(*link));
  };
  if (dumper.dump([](netlink::RouteSocket& socket) { return socket.request_links(); }, visit))
    facts.links.clear();
}

/// "FRRouting 8.4.4 (name) ..." as "8.4.4".
std::string version_in(std::string_view banner) {
  constexpr std::string_view kName = "FRRouting ";
  const std::size_t start = banner.find(kName);
  if (start == std::string_view::npos) return {};
  banner.remove_prefix(start + kName.size());
  return std::string(banner.substr(0, banner.find_first_not_of("0123456789.")));
}

void collect_daemons(DoctorFacts& facts) {
  const std::string directory = vty_dir_of(facts.config);
  for (const std::string_view name : kDaemons) {
    bgp::VtyReader vty;
    if (vty.open(directory + "/" + std::string(name) + ".vty", kPatience)) continue;
    std::string banner;
    const bool said = !vty.run("show version", banner);
    facts.daemons.push_back({std::string(name), said ? version_in(banner) : ""});
    std::string running;
    if (name != "zebra" && !vty.run("show running-config", running)) facts.frr_running += running;
  }
}

std::optional<std::size_t> hosts_of_agent(const std::string& socket) {
  const auto answer = ask_agent(socket, Json{{"command", "status"}}, kPatience);
  if (!answer.has_value()) return std::nullopt;
  std::size_t hosts = 0;
  for (const Json& segment : array_at(answer->document, "segments")) {
    for (const auto& [state, count] : object_at(segment, "hosts").items()) {
      if (count.is_number_unsigned()) hosts += count.get<std::size_t>();
    }
  }
  return hosts;
}

std::size_t neighbours_of_kernel() {
  netlink::Dumper dumper;
  if (dumper.open()) return 0;
  std::size_t count = 0;
  for (const core::Family family : {core::Family::kIpv4, core::Family::kIpv6}) {
    (void)dumper.dump([family](netlink::RouteSocket& socket) { return socket.request_neighbours(family); },
                      [&count](std::span<const std::byte> message) {
                        if (netlink::decode(message)) ++count;
                      });
  }
  return count;
}

}  // namespace

DoctorFacts collect_doctor_facts(const std::string& config_path, const std::string& control_socket) {
  DoctorFacts facts;
  facts.config_path = config_path;
  auto config = daemon::load_config(config_path);
  if (config.has_value()) {
    facts.config = std::move(*config);
  } else {
    facts.config_error = config.error().message;
  }
  facts.kernel = kernel_release();
  facts.capabilities = effective_capabilities();
  facts.nft_error = arp::try_guard();
  facts.clock_synchronised = is_clock_synchronised();
  for (const std::string& path : wanted_sysctls(facts.config)) {
    if (auto value = read_line("/proc/sys/" + path)) facts.sysctls[path] = std::move(*value);
  }
  collect_links(facts);
  collect_daemons(facts);
  facts.hosts = hosts_of_agent(control_socket);
  if (!facts.hosts) facts.hosts = neighbours_of_kernel();
  return facts;
}

bool apply_fix(const Check::Fix& fix) {
  std::ofstream file("/proc/sys/" + fix.path);
  file << fix.value << std::flush;
  return file.good();
}

DoctorAnswer run_doctor(const std::string& config_path, const std::string& control_socket, bool fix) {
  std::vector<Check> checks = evaluate(collect_doctor_facts(config_path, control_socket));
  std::vector<Check::Fix> fixed;
  std::string error;
  for (const Check& check : checks) {
    if (!fix || !check.fix) continue;
    if (apply_fix(*check.fix)) {
      fixed.push_back(*check.fix);
    } else if (error.empty()) {
      error = "cannot set " + check.fix->path + " to " + check.fix->value + " (are you root?)";
    }
  }
  if (!fixed.empty()) checks = evaluate(collect_doctor_facts(config_path, control_socket));
  return {view_doctor(config_path, checks, fixed), error};
}

}  // namespace untrombone::cli
