// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/kernel_table_sink.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

namespace untrombone::bgp {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
namespace asio = boost::asio;

/// A batch makes about this many octets wait at each listener, and BIRD's socket holds 208 KiB.
constexpr std::size_t kBatch = 32;
constexpr std::uint64_t kMostWaiting = 65536;
constexpr milliseconds kPause{1};
/// A listener that reads nothing for so long does not hold us up any more.
constexpr int kMostPauses = 50;
constexpr milliseconds kOpenRetry{1000};
constexpr milliseconds kVerifyAfterBurst{1000};
constexpr milliseconds kVerifyInterval{60000};
constexpr milliseconds kGhostInterval{500};
constexpr core::VrfId kMainVrf{};

}  // namespace

KernelTableSink::KernelTableSink(asio::io_context& io, SinkListener& listener, KernelTableSinkOptions options,
                                 Now now)
    : io_(io),
      listener_(listener),
      options_(std::move(options)),
      now_(std::move(now)),
      table_(options_.table),
      work_timer_(io),
      verify_timer_(io),
      ghost_timer_(io),
      leftovers_(io, options_.vty_dir, now_, [this](const std::vector<core::RouteKey>& keys) {
        listener_.on_leftovers_superseded(keys);
      }) {}

void KernelTableSink::start() {
  if (!open()) return work_later(kOpenRetry);
  take_prior_routes();
}

bool KernelTableSink::open() {
  const error_code error = table_.open();
  if (error) {
    set_detail("waiting for a netlink socket: " + error.message());
    return false;
  }
  open_ = true;
  dropped_ = look_at_listeners().dropped;
  set_detail("");
  return read_back();
}

/// Makes `programmed_` what the kernel has.
bool KernelTableSink::read_back() {
  std::vector<kernel::KernelRoute> routes;
  if (const error_code error = table_.dump(routes)) {
    set_detail(fmt::format("table {} cannot be read: {}", options_.table, error.message()));
    return false;
  }
  programmed_.clear();
  std::vector<kernel::Change> surplus;
  for (const kernel::KernelRoute& route : routes) {
    // Two of one prefix: an earlier run was stopped between removing the one and adding the other.
    if (!programmed_.emplace(route.prefix, route).second) surplus.push_back({route, false});
  }
  if (!surplus.empty()) table_.change(surplus, errors_);
  set_detail("");
  return true;
}

void KernelTableSink::take_prior_routes() {
  for (const auto& [prefix, route] : programmed_) {
    listener_.on_prior_route({kMainVrf, prefix}, route.interface);
  }
}

SinkStatus KernelTableSink::status() const {
  SinkStatus status{.kind = "kernel-table", .state = SinkState::kSynced, .detail = detail_, .release = {}};
  if (!open_ || !detail_.empty()) {
    status.state = SinkState::kWaiting;
  } else if (!queue_.empty()) {
    status.state = SinkState::kSyncing;
  }
  return status;
}

std::string KernelTableSink::reason_of(const core::RouteKey& key) const {
  const auto found = reasons_.find(key);
  return found == reasons_.end() ? std::string() : found->second;
}

void KernelTableSink::set_detail(const std::string& detail) {
  if (detail_ == detail) return;
  detail_ = detail;
  asio::post(io_, [this] { listener_.on_sink_status(); });
}

// ---- routes ------------------------------------------------------------------------------------------------------

void KernelTableSink::apply(const core::RouteChange& change) {
  if (change.key.vrf != kMainVrf) {
    // A table of its own for each VRF would need as many imports in FRR, which has none for VRFs.
    if (!change.route) {
      routes_.erase(change.key);
      reasons_.erase(change.key);
      return;
    }
    SinkRoute& route = routes_[change.key];
    route.want(change, now_());
    route.state = RouteState::kRejected;
    reasons_[change.key] = "the kernel-table sink has no VRFs; the zapi sink has";
    return note(change.key, core::RouteNote::kRejected);
  }
  routes_[change.key].want(change, now_());
  queue(change.key);
}

void KernelTableSink::queue(const core::RouteKey& key) {
  SinkRoute& route = routes_[key];
  route.state = route.wanted ? RouteState::kQueued : RouteState::kRemoving;
  reasons_.erase(key);
  queue_.push_back(key.prefix);
}

void KernelTableSink::flush() {
  if (!work_waits_ && !queue_.empty()) work();
}

void KernelTableSink::work() {
  if (!open_ && !open()) return work_later(kOpenRetry);
  if (queue_.empty()) return;
  if (must_pause()) return work_later(kPause);
  send_batch();
  if (!queue_.empty()) return work_later(milliseconds{0});
  verify_timer_.expires_after(kVerifyAfterBurst);
  verify_later();
  finish_stop_if_done();
}

void KernelTableSink::work_later(milliseconds delay) {
  work_waits_ = true;
  work_timer_.expires_after(delay);
  work_timer_.async_wait([this](const error_code& error) {
    if (error) return;
    work_waits_ = false;
    work();
  });
}

/// Before each change of the table, so that it is known who hears of it.
kernel::Listeners KernelTableSink::look_at_listeners() {
  kernel::Listeners listeners = table_.listeners();
  if (ghosts_.see(std::move(listeners.sockets)) && !ghosts_.empty())
    show_at_ = now_() + options_.daemons_return;
  return listeners;
}

bool KernelTableSink::must_pause() {
  const kernel::Listeners listeners = look_at_listeners();
  if (listeners.fullest <= kMostWaiting || pauses_in_a_row_ >= kMostPauses) {
    // Once it is known to sleep, one look at each batch is enough.
    if (listeners.fullest <= kMostWaiting) pauses_in_a_row_ = 0;
    return false;
  }
  ++pauses_in_a_row_;
  ++counters_.pauses;
  return true;
}

void KernelTableSink::send_batch() {
  batch_.clear();
  for (; batch_.size() < kBatch && !queue_.empty(); queue_.pop_front()) add_changes(queue_.front());
  if (batch_.empty()) return;
  counters_.changes += batch_.size();
  const core::TimePoint sent = now_();
  if (const error_code error = table_.change(batch_, errors_)) {
    set_detail("the kernel takes no routes: " + error.message());
  }
  for (const kernel::Change& change : batch_) {
    const auto found = routes_.find({kMainVrf, change.route.prefix});
    if (change.add && found != routes_.end() && !found->second.arrival.sent)
      found->second.arrival.sent = sent;
  }
  for (std::size_t i = 0; i < batch_.size(); ++i) take_result(batch_[i], errors_[i]);
  tend_ghosts_later();
}

/// What has to be done for a prefix. The removal comes first: zebra takes the removal of the old metric for one of the
/// new, too (8.4, 10.3), and both are in one batch, so that it never acts on the gap.
void KernelTableSink::add_changes(const core::IpPrefix& prefix) {
  const core::RouteKey key{kMainVrf, prefix};
  const auto found = routes_.find(key);
  const auto held = programmed_.find(prefix);
  std::optional<kernel::KernelRoute> wanted;
  if (found != routes_.end() && found->second.wanted) {
    wanted = kernel::KernelRoute{prefix, found->second.wanted->interface, found->second.wanted->metric};
    shown_.erase(prefix);
  } else if (const auto shown = shown_.find(prefix); shown != shown_.end()) {
    wanted = shown->second;
  }
  const bool again = again_.erase(prefix) != 0;
  if (held != programmed_.end() && wanted == held->second && !again) {
    const bool unsaid = found != routes_.end() && found->second.state != RouteState::kInstalled;
    if (unsaid) take_result({*wanted, true}, 0);
    return;
  }
  if (held != programmed_.end()) batch_.push_back({held->second, false});
  if (wanted) return batch_.push_back({*wanted, true});
  if (held == programmed_.end() && found != routes_.end()) routes_.erase(found);  // never was there
}

void KernelTableSink::take_result(const kernel::Change& change, int error) {
  const core::RouteKey key{kMainVrf, change.route.prefix};
  const auto found = routes_.find(key);
  const bool wanted = found != routes_.end() && found->second.wanted.has_value();
  // The interface went, and its routes with it.
  if (!change.add && (error == ESRCH || error == ENODEV)) error = 0;
  if (error != 0) {
    ++counters_.failures;
    reasons_[key] =
        fmt::format("the kernel could not {} it: {}", change.add ? "add" : "remove", strerror(error));
    if (found != routes_.end()) found->second.state = RouteState::kRejected;
    return note(key, core::RouteNote::kRejected);
  }
  if (change.add) {
    programmed_[change.route.prefix] = change.route;
    ghosts_.note_added(change.route.prefix);
    if (!wanted) return;
    found->second.state = RouteState::kInstalled;
    if (!found->second.arrival.installed) found->second.arrival.installed = now_();
    return note(key, core::RouteNote::kInstalled);
  }
  programmed_.erase(change.route.prefix);
  if (!wanted) ghosts_.note_removed(change.route);
  if (found != routes_.end() && !wanted) routes_.erase(found);
}

void KernelTableSink::note(const core::RouteKey& key, core::RouteNote note) {
  asio::post(io_, [this, key, note] { listener_.on_route_noted({key, note}); });
}

// ---- is it really there? -----------------------------------------------------------------------------------------

void KernelTableSink::verify_later() {
  verify_timer_.async_wait([this](const error_code& error) {
    if (error || stopped_) return;
    verify();
  });
}

/// Compares the table with what is wanted, and looks whether a listener lost something of it.
void KernelTableSink::verify() {
  verify_timer_.expires_after(kVerifyInterval);
  verify_later();
  if (!queue_.empty() || !read_back()) return;
  for (auto& [key, route] : routes_) {
    if (key.vrf != kMainVrf || !route.wanted) continue;
    const auto held = programmed_.find(key.prefix);
    if (held != programmed_.end() && held->second.priority == route.wanted->metric) continue;
    if (route.state == RouteState::kInstalled) ++counters_.reinstalls;
    route.state = RouteState::kQueued;
    queue_.push_back(key.prefix);
  }
  if (sweep_allowed_) sweep();
  repair_losses();
  flush();
}

/// Nothing but a removal and an addition is told to listeners again.
void KernelTableSink::repair_losses() {
  const std::uint64_t dropped = look_at_listeners().dropped;
  if (dropped <= dropped_) {
    dropped_ = dropped;  // a listener that had losses has gone
    return;
  }
  dropped_ = dropped;
  ++counters_.losses;
  for (const auto& [prefix, route] : programmed_) {
    again_.insert(prefix);
    queue_.push_back(prefix);
  }
}

// ---- ghosts ------------------------------------------------------------------------------------------------------

/// Nobody tells us that zebra is back.
void KernelTableSink::tend_ghosts_later() {
  const bool idle = !ghosts_.awaited() && !show_at_ && !end_at_;
  if (tends_ghosts_ || idle || stopped_) return;
  tends_ghosts_ = true;
  ghost_timer_.expires_after(kGhostInterval);
  ghost_timer_.async_wait([this](const error_code& error) {
    if (error) return;
    tends_ghosts_ = false;
    tend_ghosts();
    tend_ghosts_later();
  });
}

void KernelTableSink::tend_ghosts() {
  (void)look_at_listeners();
  if (ghosts_.awaited()) show_at_.reset();
  if (show_at_ && now_() >= *show_at_) show_ghosts();
  if (end_at_ && now_() >= *end_at_) end_ghosts();
}

/// Only an addition and a removal make a ghost go. Lingering, so that no other site's claim loses meanwhile.
void KernelTableSink::show_ghosts() {
  show_at_.reset();
  std::error_code ignored;
  const bool has_zebra = std::filesystem::exists(vty_socket(options_.vty_dir, "zebra"), ignored);
  for (const auto& [prefix, ghost] : ghosts_.take()) {
    if (routes_.contains({kMainVrf, prefix})) continue;
    ++counters_.ghosts;
    shown_[prefix] = {prefix, ghost.interface, options_.lingering_metric};
    queue_.push_back(prefix);
    if (has_zebra) leftovers_.suspect({kMainVrf, prefix}, ghost.interface);
  }
  if (!shown_.empty()) end_at_ = now_() + options_.daemons_told;
  flush();
}

void KernelTableSink::end_ghosts() {
  end_at_.reset();
  for (const auto& [prefix, ghost] : std::exchange(shown_, {})) queue_.push_back(prefix);
  flush();
}

void KernelTableSink::allow_sweep() {
  sweep_allowed_ = true;
  sweep();
  flush();
}

void KernelTableSink::sweep() {
  for (const auto& [prefix, route] : programmed_) {
    if (!routes_.contains({kMainVrf, prefix}) && !shown_.contains(prefix)) queue_.push_back(prefix);
  }
}

// ---- the end -----------------------------------------------------------------------------------------------------

void KernelTableSink::stop(std::function<void()> done) {
  stopped_ = std::move(done);
  verify_timer_.cancel();
  ghost_timer_.cancel();
  leftovers_.clear();
  end_ghosts();
  if (!options_.retain && open_) {
    for (auto& [key, route] : routes_) {
      route.wanted.reset();
      route.changed = now_();
      queue_.push_back(key.prefix);
    }
    sweep();
  }
  flush();
  finish_stop_if_done();
}

void KernelTableSink::finish_stop_if_done() {
  if (!stopped_ || (open_ && !queue_.empty())) return;
  work_timer_.cancel();
  asio::post(io_, std::exchange(stopped_, nullptr));
}

}  // namespace untrombone::bgp
