// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/frr_watch.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "agent/daemon/clock.hpp"
#include "agent/daemon/frr_setup.hpp"
#include "agent/daemon/log_events.hpp"
#include "bgp/zebra_clients.hpp"

namespace untrombone::daemon {
namespace {

using bgp::FrrFinding;
using bgp::RoutingProtocol;
using bgp::VtyResult;
using boost::system::error_code;
namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr core::Duration kPeriod = seconds(30);
/// After a change: FRR applies a new configuration, and a daemon comes up, within this.
constexpr core::Duration kSoon = seconds(2);
/// A daemon that has just connected to zebra gets its routes within this.
constexpr core::Duration kSecondLook = seconds(5);
constexpr bgp::VtyLimits kLimits{.patience = milliseconds{5000}, .longest_answer = std::size_t{64} << 20U};

/// As zebra and the vty's socket call the daemon.
std::pair<std::string_view, std::string_view> names_of(RoutingProtocol protocol) {
  switch (protocol) {
    case RoutingProtocol::kBgp: return {"bgpd", "bgp"};
    case RoutingProtocol::kOspf: return {"ospfd", "ospf"};
    case RoutingProtocol::kOspf6: return {"ospf6d", "ospf6"};
    case RoutingProtocol::kIsis: return {"isisd", "isis"};
  }
  return {};
}

/// isisd is judged by IPv4 alone: from 9.1 on zebra hands it no IPv6 routes of ours, and no restart
/// helps (docs/frr.md).
bool carries(RoutingProtocol protocol, core::Family family) {
  if (protocol == RoutingProtocol::kOspf || protocol == RoutingProtocol::kIsis)
    return family == core::Family::kIpv4;
  if (protocol == RoutingProtocol::kOspf6) return family == core::Family::kIpv6;
  return true;
}

}  // namespace

FrrWatch::FrrWatch(boost::asio::io_context& io, const Config& config, const bgp::RouteSink& sink,
                   const Log& log)
    : io_(io), config_(config), sink_(sink), log_(log), timer_(io) {}

void FrrWatch::look_soon() {
  if (looking_) {
    again_ = true;
  } else {
    schedule(kSoon);
  }
}

void FrrWatch::stop() {
  stopped_ = true;
  timer_.cancel();
}

void FrrWatch::schedule(core::Duration after) {
  if (stopped_) return;
  timer_.expires_after(after);
  timer_.async_wait([this](const error_code& error) {
    if (!error && !stopped_) look();
  });
}

void FrrWatch::look() {
  looking_ = true;
  again_ = false;
  daemons_.clear();
  for (const RoutingProtocol protocol : config_.protocols) {
    const auto [name, zebra_name] = names_of(protocol);
    daemons_.push_back({protocol, std::string(name), std::string(zebra_name)});
  }
  ask_next(0);
}

void FrrWatch::ask_next(std::size_t index) {
  if (stopped_) return;
  if (index == daemons_.size()) return ask_zebra();
  const std::string socket = bgp::vty_socket(config_.vty_dir, daemons_[index].name);
  std::error_code ignored;
  if (!std::filesystem::exists(socket, ignored)) return ask_next(index + 1);
  connect(socket);
  vty_->ask("show running-config", [this, index](const VtyResult& answer) {
    if (answer) daemons_[index].running = answer->text;
    ask_next(index + 1);
  });
}

/// A client may not go within its own callback, from which this is called.
void FrrWatch::connect(const std::string& socket) {
  asio::post(io_, [finished = std::move(vty_)] {});
  vty_ = std::make_shared<bgp::VtyClient>(io_, socket, kLimits);
}

void FrrWatch::ask_zebra() {
  connect(bgp::vty_socket(config_.vty_dir, "zebra"));
  vty_->ask("show zebra client", [this](const VtyResult& answer) {
    if (!stopped_) judge(answer ? answer->text : std::string());
  });
}

void FrrWatch::judge(const std::string& zebra_clients) {
  bgp::FrrLintRequest request = frr_lint_request(config_);
  request.protocols.clear();
  std::string running;
  for (const Daemon& daemon : daemons_) {
    if (daemon.running.empty()) continue;
    request.protocols.push_back(daemon.protocol);
    running += daemon.running;
  }
  std::vector<FrrFinding> findings;
  if (!request.protocols.empty()) findings = bgp::lint_frr(request, running);
  const auto deaf = deaf_daemons(zebra_clients, findings);
  findings.insert(findings.end(), deaf.begin(), deaf.end());
  note(findings);

  looking_ = false;
  const bool silent = zebra_clients.empty() || request.protocols.size() < daemons_.size();
  if (again_ || !suspects_.empty()) return schedule(again_ ? kSoon : kSecondLook);
  schedule(silent ? kSecondLook : kPeriod);
}

/// What a daemon without our routes is not told for want of configuration is no deafness.
std::vector<FrrFinding> FrrWatch::deaf_daemons(const std::string& zebra_clients,
                                               const std::vector<FrrFinding>& known) {
  std::vector<FrrFinding> deaf;
  std::set<std::string> suspects;
  const bool unasked = std::any_of(known.begin(), known.end(), [](const FrrFinding& finding) {
    return finding.id == "frr-no-router" || finding.id == "frr-not-redistributed";
  });
  for (const Daemon& daemon : daemons_) {
    const auto client = bgp::read_zebra_client(zebra_clients, daemon.zebra_name);
    if (unasked || daemon.running.empty() || !client) continue;
    const auto hears_nothing = [&](core::Family family, std::uint64_t heard) {
      return heard == 0 && carries(daemon.protocol, family) && announces(family);
    };
    if (!hears_nothing(core::Family::kIpv4, client->redistributed4) &&
        !hears_nothing(core::Family::kIpv6, client->redistributed6)) {
      continue;
    }
    suspects.insert(daemon.name);
    if (!suspects_.contains(daemon.name)) continue;
    deaf.push_back({kFrrDaemonDeaf, true, daemon.name,
                    "hears nothing of the zebra that runs now: what it announces is what it knew before",
                    "systemctl restart frr"});
  }
  suspects_ = std::move(suspects);
  return deaf;
}

bool FrrWatch::announces(core::Family family) const {
  const auto& routes = sink_.routes();
  return std::any_of(routes.begin(), routes.end(), [&](const auto& entry) {
    const auto& [key, route] = entry;
    return key.prefix.address().family() == family && route.wanted &&
           route.state == bgp::RouteState::kInstalled;
  });
}

void FrrWatch::note(const std::vector<FrrFinding>& findings) {
  const core::TimePoint now = monotonic_now();
  std::vector<FrrTrouble> troubles;
  bool changed = findings.size() != troubles_.size();
  for (const FrrFinding& finding : findings) {
    const auto known = std::find_if(troubles_.begin(), troubles_.end(),
                                    [&](const FrrTrouble& each) { return each.finding == finding; });
    const bool is_new = known == troubles_.end();
    troubles.push_back({finding, is_new ? now : known->since, now});
    if (!is_new) continue;
    changed = true;
    log_.event(finding.error ? LogLevel::kWarning : LogLevel::kInfo, log_events::kFrrTrouble, finding.problem,
               {{"finding", std::string(finding.id)}, {"subject", finding.subject}, {"hint", finding.hint}});
  }
  for (const FrrTrouble& before : troubles_) {
    if (std::find(findings.begin(), findings.end(), before.finding) != findings.end()) continue;
    log_.event(LogLevel::kInfo, log_events::kFrrTroubleOver, "is not so any more",
               {{"finding", std::string(before.finding.id)}, {"subject", before.finding.subject}});
  }
  troubles_ = std::move(troubles);
  if (changed && changed_) changed_();
}

}  // namespace untrombone::daemon
