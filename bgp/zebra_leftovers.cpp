// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/zebra_leftovers.hpp"

#include <algorithm>

#include "bgp/interface_names.hpp"
#include "bgp/zebra_rib.hpp"

namespace untrombone::bgp {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;

/// A zebra that sweeps by itself has done so before it takes clients.
constexpr milliseconds kFirstLook{250};
constexpr milliseconds kFirstPause{1000};
constexpr milliseconds kLongestPause{60000};
constexpr std::size_t kMostQuestions = 16;
/// Zebra's netlink socket has room for thousands of messages, and these are two for each route.
constexpr std::size_t kBatch = 32;
/// Zebra reads the first octet of a kernel route's priority as its distance and the rest as its metric
/// (netlink_route_read_unicast_ctx() in zebra/rt_netlink.c): unreachable, and the metric that a leftover has.
constexpr std::uint32_t kPriority = 0xff000000;

}  // namespace

ZebraLeftovers::ZebraLeftovers(boost::asio::io_context& io, const std::string& vty_dir, Now now,
                               Superseded superseded)
    : now_(std::move(now)),
      superseded_(std::move(superseded)),
      vty_(io, vty_socket(vty_dir, "zebra")),
      timer_(io) {}

void ZebraLeftovers::suspect(const core::RouteKey& key, core::Ifindex interface) {
  const auto [entry, added] = suspects_.try_emplace(key);
  entry->second.interface = interface;
  if (!added) return;
  entry->second.pause = kFirstLook;
  look_later(key, entry->second);
  arm();
}

void ZebraLeftovers::clear() {
  timer_.cancel();
  suspects_.clear();
  schedule_.clear();
  found_.clear();
  found_count_ = 0;
}

void ZebraLeftovers::look_later(const core::RouteKey& key, Suspect& suspect) {
  suspect.at = now_() + suspect.pause;
  schedule_.emplace(suspect.at, key);
  suspect.pause = std::clamp<core::Duration>(suspect.pause * 2, kFirstPause, kLongestPause);
}

void ZebraLeftovers::arm() {
  if (schedule_.empty() || questions_ >= kMostQuestions) return;  // an answer arms again
  timer_.expires_after(schedule_.begin()->first - now_());
  timer_.async_wait([this](const error_code& error) {
    if (!error) ask_what_is_due();
  });
}

void ZebraLeftovers::ask_what_is_due() {
  const core::TimePoint now = now_();
  while (questions_ < kMostQuestions && !schedule_.empty() && schedule_.begin()->first <= now) {
    const auto [at, key] = *schedule_.begin();
    schedule_.erase(schedule_.begin());
    const auto found = suspects_.find(key);
    if (found != suspects_.end() && found->second.at == at) ask_about(key);
  }
  arm();
}

void ZebraLeftovers::ask_about(const core::RouteKey& key) {
  ++questions_;
  vty_.ask(rib_question(key.prefix, vrf_name(key.vrf)), [this, key](const VtyResult& answer) {
    --questions_;
    take_answer(key, answer);
    if (found_count_ >= kBatch || questions_ == 0) supersede();
    ask_what_is_due();
  });
}

void ZebraLeftovers::take_answer(const core::RouteKey& key, const VtyResult& answer) {
  const auto found = suspects_.find(key);
  if (found == suspects_.end()) return;
  Suspect& suspect = found->second;
  if (!answer) return look_later(key, suspect);
  const auto table = read_leftover(answer->text, key.prefix, suspect.interface);
  if (!table) {
    suspects_.erase(found);
    return;
  }
  found_[*table].push_back({key, suspect.interface});
  ++found_count_;
}

void ZebraLeftovers::supersede() {
  std::vector<core::RouteKey> done;
  found_count_ = 0;
  for (const auto& [table, leftovers] : std::exchange(found_, {})) {
    supersede(table, leftovers, done);
    for (const Leftover& leftover : leftovers) {
      const auto found = suspects_.find(leftover.key);
      if (found != suspects_.end()) look_later(leftover.key, found->second);
    }
  }
  if (!done.empty()) superseded_(done);
}

void ZebraLeftovers::supersede(std::uint32_t table, const std::vector<Leftover>& leftovers,
                               std::vector<core::RouteKey>& done) {
  std::vector<kernel::Change> changes;
  for (const Leftover& leftover : leftovers) {
    const kernel::KernelRoute route{leftover.key.prefix, leftover.interface, kPriority};
    changes.push_back({route, true});
    changes.push_back({route, false});
  }
  kernel::Table kernel(table);
  std::vector<int> errors;
  if (kernel.open() || kernel.change(changes, errors)) return;  // there is another time
  for (std::size_t i = 0; i < leftovers.size(); ++i) {
    if (errors[2 * i] == 0) done.push_back(leftovers[i].key);
  }
}

}  // namespace untrombone::bgp
