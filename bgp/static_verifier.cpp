// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/static_verifier.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "bgp/json_members.hpp"

namespace untrombone::bgp {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
using State = RibView::State;

constexpr std::size_t kFew = 32;
/// zebra holds what it hears for 10 ms; the list of many costs it time that it needs for them.
constexpr milliseconds kFirstLook{20};
constexpr milliseconds kFirstLookAtMany{200};
constexpr milliseconds kLongestDelay{1000};
constexpr milliseconds kPatience{2000};
constexpr std::string_view kProtocol = "static";

RibOwner owner_of(const StaticRoute& route) { return {kProtocol, 0, route.tag}; }

}  // namespace

StaticVerifier::StaticVerifier(boost::asio::io_context& io, const std::string& zebra_socket, Told told)
    : told_(std::move(told)), zebra_(io, zebra_socket), timer_(io) {}

void StaticVerifier::stop() {
  stopped_ = true;
  timer_.cancel();
}

void StaticVerifier::expect(const core::RouteKey& key, const StaticRoute& route) {
  const Clock::time_point now = Clock::now();
  expected_.insert_or_assign(key, Expected{route, now});
  delay_ = expected_.size() <= kFew ? kFirstLook : kFirstLookAtMany;
  const bool too_late = !waits_ || timer_.expiry() > now + delay_;
  const bool too_early = expected_.size() == kFew + 1;  // it was set for a few
  if (questions_ == 0 && (too_late || too_early)) look_after(delay_);
}

// ---- when --------------------------------------------------------------------------------------------------------

void StaticVerifier::look_after(milliseconds delay) {
  waits_ = true;
  timer_.expires_after(delay);
  timer_.async_wait([this](const error_code& error) {
    if (error || stopped_) return;
    waits_ = false;
    look();
  });
}

void StaticVerifier::look() {
  for (auto& [key, expected] : expected_) expected.view = {};
  if (expected_.size() <= kFew) {
    for (const auto& [key, expected] : expected_) look_up(key, expected);
  } else {
    for (const Table& table : tables()) look_at(table);
  }
}

void StaticVerifier::end_question() {
  if (--questions_ == 0 && !stopped_) end_look();
}

void StaticVerifier::end_look() {
  tell_overdue();
  if (expected_.empty() || questions_ != 0) return;
  look_after(delay_);
  delay_ = std::min(delay_ * 2, kLongestDelay);
}

bool StaticVerifier::is_overdue(const Expected& expected) const {
  const Clock::time_point now = Clock::now();
  const bool others_get_there = expected_.size() > kFew && now - progress_ < kPatience;
  return now - expected.since >= kPatience && !others_get_there;
}

/// The list of all static routes does not show what won against one of them.
void StaticVerifier::tell_overdue() {
  std::vector<core::RouteKey> keys;
  for (const auto& [key, expected] : expected_)
    if (is_overdue(expected)) keys.push_back(key);
  for (const core::RouteKey& key : keys) {
    const Expected& expected = expected_.at(key);
    const bool nameless = expected.view.state == State::kUnselected && expected.view.winner.empty();
    if (nameless && questions_ < kFew) {
      look_up(key, expected);
    } else if (!nameless) {
      tell(key, expected.view);
    }
  }
}

// ---- what zebra has ----------------------------------------------------------------------------------------------

void StaticVerifier::look_up(const core::RouteKey& key, const Expected& expected) {
  ++questions_;
  zebra_.ask(rib_question(key.prefix, expected.route.vrf), [this, key](const VtyResult& answer) {
    take_answer(key, answer);
    end_question();
  });
}

void StaticVerifier::take_answer(const core::RouteKey& key, const VtyResult& answer) {
  const auto found = expected_.find(key);
  if (found == expected_.end()) return;
  RibView view;
  if (answer) view = read_rib(answer->text, key.prefix, owner_of(found->second.route));
  if (view.state == State::kInstalled || is_overdue(found->second)) return tell(key, view);
  found->second.view = std::move(view);
}

std::vector<StaticVerifier::Table> StaticVerifier::tables() const {
  std::vector<Table> tables;
  for (const auto& [key, expected] : expected_) {
    Table table{key.vrf, expected.route.vrf, key.prefix.address().is_v4()};
    if (std::find(tables.begin(), tables.end(), table) == tables.end()) tables.push_back(std::move(table));
  }
  return tables;
}

void StaticVerifier::look_at(const Table& table) {
  ++questions_;
  auto members = std::make_shared<JsonMembers>("");
  const auto consume = [this, table, members](std::string_view part) {
    return members->take(
        part, [&](std::string_view name, std::string_view value) { return take_member(table, name, value); });
  };
  zebra_.stream(rib_table_question(table.v4, table.vrf_name, kProtocol), consume,
                [this, table, members](const VtyResult& answer) {
                  if (answer && members->complete()) end_table(table);
                  end_question();
                });
}

bool StaticVerifier::take_member(const Table& table, std::string_view name, std::string_view value) {
  const auto prefix = parse_prefix_name(name);
  if (!prefix) return true;
  const core::RouteKey key{table.vrf, *prefix};
  const auto found = expected_.find(key);
  if (found == expected_.end()) return true;
  RibView view = read_rib_list(value, owner_of(found->second.route));
  if (view.state == State::kInstalled) {
    tell(key, view);
  } else {
    found->second.view = std::move(view);
  }
  return true;
}

/// What the whole list did not show is not there.
void StaticVerifier::end_table(const Table& table) {
  for (auto& [key, expected] : expected_) {
    const bool here = key.vrf == table.vrf && key.prefix.address().is_v4() == table.v4;
    if (here && expected.view.state == State::kUnreadable) expected.view.state = State::kAbsent;
  }
}

void StaticVerifier::tell(const core::RouteKey& key, const RibView& view) {
  const core::RouteKey told = key;  // both may be of the one that goes
  const RibView seen = view;
  expected_.erase(told);
  if (seen.state == State::kInstalled) progress_ = Clock::now();
  told_(told, seen);
}

}  // namespace untrombone::bgp
