// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/vty_claims.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace untrombone::bgp {
namespace {

using boost::system::error_code;
using core::ClaimList;
using core::Duration;
using core::RouteClass;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kRoundsPerSettle = 6;
constexpr Duration kShortestPeriod = milliseconds(250);
constexpr Duration kLongestPeriod = seconds(5);
/// A settled claim is looked for this much more rarely.
constexpr int kSettledIsRarer = 10;
/// Asking may take this part of the daemon's time at most.
constexpr int kShare = 10;

/// "ip" or "ipv6" of zebra's commands.
std::string_view zebra_family(const core::IpPrefix& subnet) {
  return subnet.address().is_v4() ? "ip" : "ipv6";
}

struct Igp {
  std::string_view daemon;
  std::string_view protocol;
  bool v4;
  bool v6;
};
constexpr std::array kIgps = {Igp{"ospfd", "ospf", true, false}, Igp{"ospf6d", "ospf6", false, true},
                              Igp{"isisd", "isis", true, true}};

}  // namespace

std::string_view name_of(ClaimList list) {
  constexpr std::array<std::string_view, kClaimLists> kNames = {"bgp-fresh", "bgp-settled", "igp", "bmp"};
  return list.value < kNames.size() ? kNames[list.value] : "?";
}

VtyClaims::VtyClaims(boost::asio::io_context& io, ClaimListener& listener, VtyClaimsOptions options)
    : listener_(listener),
      options_(std::move(options)),
      bgpd_(io, vty_socket(options_.vty_dir, "bgpd")),
      zebra_(io, vty_socket(options_.vty_dir, "zebra")) {
  const auto add = [&](ClaimList list, VtyClient& client) {
    auto round = std::make_unique<Round>(io);
    round->status.list = list;
    round->status.detail = "not asked yet";
    round->client = &client;
    rounds_.push_back(std::move(round));
  };
  add(kBgpFreshList, bgpd_);
  add(kIgpList, zebra_);
  add(kBgpSettledList, bgpd_);
  set_settle(options_.settle);
}

void VtyClaims::set_settle(Duration settle) {
  const Duration often = settle == Duration::zero()
                             ? kLongestPeriod
                             : std::clamp(settle / kRoundsPerSettle, kShortestPeriod, kLongestPeriod);
  for (const auto& round : rounds_)
    round->period = round->status.list == kBgpSettledList ? often * kSettledIsRarer : often;
}

void VtyClaims::follow(const std::vector<ClaimScope>& scopes) {
  if (scopes == scopes_ || stopped_) return;
  scopes_ = scopes;
  for (const auto& round : rounds_)
    if (!round->running) schedule(*round, Duration::zero());
}

void VtyClaims::stop() {
  stopped_ = true;
  for (const auto& round : rounds_) round->timer.cancel();
}

std::vector<ClaimListStatus> VtyClaims::status() const {
  std::vector<ClaimListStatus> list;
  for (const auto& round : rounds_) list.push_back(round->status);
  return list;
}

void VtyClaims::schedule(Round& round, Duration after) {
  round.timer.expires_after(after);
  round.timer.async_wait([this, &round](const error_code& error) {
    if (!error && !stopped_) begin(round);
  });
}

void VtyClaims::begin(Round& round) {
  round.questions = questions_for(round.status.list);
  round.next = 0;
  round.running = true;
  round.began = std::chrono::steady_clock::now();
  listener_.on_claim_event(core::ClaimsBegun{round.status.list});
  ask_next(round);
}

void VtyClaims::ask_next(Round& round) {
  if (stopped_) return;
  if (round.next == round.questions.size()) return finish(round, "");
  const Question& question = round.questions[round.next++];
  const bool bgp = round.client == &bgpd_;
  auto members = std::make_shared<JsonMembers>(bgp ? "routes" : "");
  const auto consume = [this, &round, vrf = question.vrf, members](std::string_view part) {
    return members->take(part, [&](std::string_view name, std::string_view value) {
      return take_member(round, vrf, name, value);
    });
  };
  round.client->stream(question.command, consume, [this, &round, members](const VtyResult& result) {
    listener_.on_claims_idle();
    if (result.has_error()) return finish(round, result.error().message);
    if (!members->complete()) return finish(round, "the answer ends too early");
    ask_next(round);
  });
}

bool VtyClaims::take_member(const Round& round, core::VrfId vrf, std::string_view name,
                            std::string_view value) {
  const TableMember member = decode(round.status.list, name, value);
  if (!member.claim) return member.understood;
  const ClaimedRoute& claim = *member.claim;
  if (std::find(options_.same_site.begin(), options_.same_site.end(), claim.from) != options_.same_site.end())
    return true;
  listener_.on_claim_event(
      core::ClaimSeen{round.status.list, {vrf, claim.prefix}, claim.route_class, claim.metric, claim.from});
  return true;
}

TableMember VtyClaims::decode(ClaimList list, std::string_view name, std::string_view value) const {
  if (list == kIgpList) {
    if (name == "warning") return {.understood = true, .claim = {}};
    return decode_zebra_member(name, value, options_.tag);
  }
  return decode_bgp_member(name, value, list == kBgpFreshList ? RouteClass::kFresh : RouteClass::kSettled);
}

/// The round is over; "": it was complete.
void VtyClaims::finish(Round& round, const std::string& failure) {
  const Duration took = std::chrono::steady_clock::now() - round.began;
  round.running = false;
  round.status.working = failure.empty();
  round.status.detail = failure;
  if (failure.empty()) {
    ++round.status.readings;
    round.status.latency = took;
    listener_.on_claim_event(core::ClaimsListed{round.status.list});
    listener_.on_claims_idle();
  } else {
    ++round.status.failures;
  }
  if (!stopped_) schedule(round, std::max(round.period - took, took * kShare));
}

// ---- what is asked -----------------------------------------------------------------------------------------------

std::vector<VtyClaims::Question> VtyClaims::questions_for(ClaimList list) const {
  if (list == kIgpList) return igp_questions();
  return bgp_questions(list == kBgpFreshList ? options_.fresh_community : options_.settled_community);
}

std::vector<VtyClaims::Question> VtyClaims::bgp_questions(const std::string& community) const {
  std::vector<Question> questions;
  for (const ClaimScope& scope : scopes_) {
    for (const bool v4 : {true, false}) {
      const bool wanted =
          std::any_of(scope.subnets.begin(), scope.subnets.end(),
                      [&](const core::IpPrefix& subnet) { return subnet.address().is_v4() == v4; });
      if (!wanted) continue;
      questions.push_back({scope.vrf, show_bgp(scope.vrf_name, v4, "community " + community)});
    }
  }
  return questions;
}

std::vector<VtyClaims::Question> VtyClaims::igp_questions() const {
  std::vector<Question> questions;
  for (const Igp& igp : kIgps) {
    if (!std::filesystem::exists(vty_socket(options_.vty_dir, igp.daemon))) continue;
    for (const ClaimScope& scope : scopes_) {
      const std::string vrf = scope.vrf_name.empty() ? "" : fmt::format(" vrf {}", scope.vrf_name);
      for (const core::IpPrefix& subnet : scope.subnets) {
        if (!(subnet.address().is_v4() ? igp.v4 : igp.v6)) continue;
        questions.push_back(
            {scope.vrf, fmt::format("show {} route{} {} longer-prefixes {} json", zebra_family(subnet), vrf,
                                    subnet.to_string(), igp.protocol)});
      }
    }
  }
  return questions;
}

}  // namespace untrombone::bgp
