// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/zapi_sink.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

namespace untrombone::bgp {
namespace {

using std::chrono::milliseconds;
namespace asio = boost::asio;

constexpr milliseconds kStopPatience{5000};
/// BGP's own routes have 20 or more in zebra: any route at that or a greater distance may be overtaken.
constexpr std::uint8_t kOvertakable = 20;

}  // namespace

ZapiSink::ZapiSink(asio::io_context& io, SinkListener& listener, ZapiSinkOptions options, Now now)
    : io_(io),
      listener_(listener),
      options_(std::move(options)),
      now_(std::move(now)),
      connection_(io, *this,
                  {.socket = options_.socket,
                   .vty_dir = options_.vty_dir,
                   .version = options_.version,
                   .table = options_.table,
                   .isis = options_.isis}),
      vty_(io, vty_socket(options_.vty_dir, "zebra")),
      leftovers_(
          io, options_.vty_dir, now_,
          [this](const std::vector<core::RouteKey>& keys) { listener_.on_leftovers_superseded(keys); }),
      watch_timer_(io),
      ghost_timer_(io),
      stop_timer_(io) {}

SinkStatus ZapiSink::status() const {
  SinkStatus status{
      .kind = "zapi", .state = SinkState::kWaiting, .detail = connection_.detail(), .release = {}};
  if (connection_.release() != nullptr) status.release = connection_.version();
  if (!connection_.ready()) return status;
  const bool idle = queue_.empty() && connection_.written() == connection_.appended();
  status.state = idle && !stuck_ ? SinkState::kSynced : SinkState::kSyncing;
  if (stuck_) status.detail = "zebra does not answer; is it stuck?";
  return status;
}

std::string ZapiSink::reason_of(const core::RouteKey& key) const {
  const auto found = reasons_.find(key);
  return found == reasons_.end() ? std::string() : found->second;
}

// ---- the connection ----------------------------------------------------------------------------------------------

void ZapiSink::on_zebra_ready() {
  ++counters_.resyncs;
  retain_in({});
  for (auto& [key, route] : routes_) queue(key, route);
  const bool restarted = last_zebra_ != 0 && connection_.zebra_pid() != last_zebra_;
  last_zebra_ = connection_.zebra_pid();
  // This zebra may still hold them, too.
  for (const auto& [key, route] : ghosts_) remove_prior(key);
  if (!restarted) ghosts_.clear();
  if (sweep_allowed_) remove_prior_routes();
  // What the one before left of them would beat the other sites' routes.
  for (const auto& [key, route] : ghosts_) leftovers_.suspect(key, route.interface);
  if (!ghosts_.empty()) await_daemons();
  pump();
}

void ZapiSink::on_zebra_lost() {
  for (const core::RouteKey& key : std::exchange(clearing_, {})) {
    ghosts_.emplace(key, *routes_.at(key).wanted);
    routes_.erase(key);
  }
  for (auto entry = routes_.begin(); entry != routes_.end();) {
    auto& [key, route] = *entry;
    route.queued = false;
    route.won = false;
    if (!route.wanted) {
      routes_.erase(entry++);
      continue;
    }
    route.state = RouteState::kQueued;
    ++entry;
  }
  awaits_daemons_ = false;
  rejected_.clear();
  parked_.clear();
  leftovers_.clear();
  queue_.clear();
  in_flight_.clear();
  retained_.clear();
  echo_.reset();
  stuck_ = false;
  swept_ = false;
  ghost_timer_.cancel();
  finish_stop_if_done();
}

void ZapiSink::on_zebra_status() { listener_.on_sink_status(); }

void ZapiSink::on_zebra_writable() {
  account_written();
  pump();
}

void ZapiSink::on_zebra_message(const zapi::Message& message) {
  if (message.command == connection_.release()->error) return take_echo();
  if (message.command != connection_.release()->route_notify_owner) return;
  if (const auto note = zapi::decode_owner_note(message.vrf, message.body)) take_note(*note);
}

// ---- routes ------------------------------------------------------------------------------------------------------

void ZapiSink::apply(const core::RouteChange& change) {
  const auto found = routes_.find(change.key);
  if (!change.route && found == routes_.end()) return remove_prior(change.key);
  clearing_.erase(change.key);
  if (change.route) ghosts_.erase(change.key);
  SinkRoute& route = found == routes_.end() ? routes_[change.key] : found->second;
  const std::optional<core::Route> before = route.wanted;
  route.want(change, now_());
  if (!change.route && before && route.told) ghosts_.emplace(change.key, *before);
  if (!change.route && !connection_.ready()) {
    routes_.erase(change.key);
    return;
  }
  if (!change.route && parked_.contains(change.key)) return;
  // FRR 10.7 answers an addition right behind a removal, but never installs it: wait for the removal's note.
  if (route.state == RouteState::kRemoving && parked_.erase(change.key) == 0) return;
  if (!change.route && !route.told) {
    routes_.erase(change.key);
    return;
  }
  if (!change.route && before && before->distance >= kOvertakable) {
    parked_[change.key] = {now_(), route.state == RouteState::kLost};
    route.state = RouteState::kRemoving;
    route.queued = false;
    return watch();
  }
  queue(change.key, route);
}

void ZapiSink::queue(const core::RouteKey& key, SinkRoute& route) {
  route.state = route.wanted ? RouteState::kQueued : RouteState::kRemoving;
  reasons_.erase(key);
  if (!connection_.ready() || route.queued) return;
  route.queued = true;
  queue_.push_back(key);
}

void ZapiSink::note_prior(const core::RouteKey& key) { prior_.insert(key); }

/// A route that an earlier run left. zebra removes it only if it is ours: type and instance must match.
void ZapiSink::remove_prior(const core::RouteKey& key) {
  if (!connection_.ready()) {
    prior_.insert(key);
    return;
  }
  SinkRoute& route = routes_[key];
  if (route.wanted) return;
  route.told = true;
  route.changed = now_();
  queue(key, route);
}

void ZapiSink::flush() {
  if (connection_.ready()) pump();
}

void ZapiSink::pump() {
  while (connection_.has_room() && !queue_.empty()) {
    fill();
    connection_.write();
  }
  if (queue_.empty() && sweep_allowed_ && !swept_ && options_.retain && connection_.ready()) {
    swept_ = true;
    for (const core::VrfId vrf : retained_)
      zapi::encode_update_complete(connection_.out(), *connection_.release(), vrf);
  }
  if (!in_flight_.empty()) watch();
  connection_.write();
  account_written();
}

/// Encodes what waits, as far as there is room.
void ZapiSink::fill() {
  while (connection_.has_room() && !queue_.empty()) {
    const core::RouteKey key = queue_.front();
    queue_.pop_front();
    const auto found = routes_.find(key);
    if (found != routes_.end() && found->second.queued) send_route(key, found->second);
  }
}

void ZapiSink::send_route(const core::RouteKey& key, SinkRoute& route) {
  route.queued = false;
  route.told = true;
  retain_in(key.vrf);
  const zapi::Release& release = *connection_.release();
  const std::uint32_t direct = direct_table(key);
  const auto encode = [&](std::uint32_t table) {
    const zapi::RouteSlot slot{connection_.instance(), table};
    if (route.wanted) {
      zapi::encode_route_add(connection_.out(), release, slot, key, *route.wanted);
    } else {
      zapi::encode_route_delete(connection_.out(), release, slot, key);
    }
    ++counters_.changes;
  };
  encode(0);
  if (direct != 0) encode(direct);
  in_flight_.push_back({connection_.appended(), key});
}

/// Where a second copy goes: bgpd takes IPv6 from a table of its own only, once routes need an instance, while the edge
/// itself forwards by the VRF's table, and IS-IS takes its routes from there. 0: no copy is needed.
std::uint32_t ZapiSink::direct_table(const core::RouteKey& key) const {
  const bool needed = connection_.copies_ipv6() && !key.prefix.address().is_v4() && key.vrf == core::VrfId{};
  return needed ? options_.table : 0;
}

/// Before the first route in a VRF: zebra keeps our routes there when the connection closes.
void ZapiSink::retain_in(core::VrfId vrf) {
  if (!options_.retain || std::find(retained_.begin(), retained_.end(), vrf) != retained_.end()) return;
  retained_.push_back(vrf);
  zapi::encode_graceful_restart(connection_.out(), *connection_.release(), vrf,
                                static_cast<std::uint32_t>(options_.retain_time.count()));
}

void ZapiSink::account_written() {
  const core::TimePoint now = now_();
  for (; !in_flight_.empty() && in_flight_.front().end <= connection_.written(); in_flight_.pop_front()) {
    const auto found = routes_.find(in_flight_.front().key);
    if (found == routes_.end()) continue;
    SinkRoute& route = found->second;
    if (route.state == RouteState::kQueued && !route.queued) route.state = RouteState::kSent;
    if (!route.arrival.sent) route.arrival.sent = now;
  }
}

void ZapiSink::allow_sweep() {
  sweep_allowed_ = true;
  if (!connection_.ready()) return;  // done when it is
  remove_prior_routes();
  flush();
}

void ZapiSink::remove_prior_routes() {
  for (const core::RouteKey& key : std::exchange(prior_, {})) {
    if (!routes_.contains(key)) remove_prior(key);
  }
}

// ---- notes -------------------------------------------------------------------------------------------------------

void ZapiSink::take_note(const zapi::OwnerNote& note) {
  const core::RouteKey& key = note.route.key;
  const auto found = routes_.find(key);
  if (found == routes_.end()) return;
  SinkRoute& route = found->second;
  const std::uint32_t direct = direct_table(key);
  if (direct != 0 && note.table == direct) return;  // about the copy; the route itself is what counts
  if (route.state == RouteState::kRemoving) {
    if (const auto parked = parked_.find(key); parked != parked_.end()) {
      if (note.route.note == core::RouteNote::kBetterWon) parked->second = {now_(), true};
      return;
    }
    if (note.route.note == core::RouteNote::kRemoved && !route.queued) take_removal_note(key, route);
    return;  // else about what was before the removal
  }
  switch (note.route.note) {
    case core::RouteNote::kInstalled:
      if (!route.arrival.installed) route.arrival.installed = now_();
      if (route.queued) return;  // about what it was before
      win(key, route);
      break;
    case core::RouteNote::kBetterWon:
      route.state = RouteState::kLost;
      reasons_[key] = "another route won in zebra";
      look_for_leftover(key, route);
      break;
    case core::RouteNote::kRejected:
      route.state = RouteState::kRejected;
      reasons_[key] = "zebra could not install it";
      note_rejection(key);
      break;
    case core::RouteNote::kRemoved: break;
  }
  if (clearing_.contains(key)) return end_ghost(key, route);
  listener_.on_route_noted(note.route);
  finish_stop_if_done();
}

void ZapiSink::take_removal_note(const core::RouteKey& key, SinkRoute& route) {
  ghosts_.erase(key);
  if (route.wanted) {
    queue(key, route);
    return pump();
  }
  routes_.erase(key);
  finish_stop_if_done();
}

void ZapiSink::win(const core::RouteKey& key, SinkRoute& route) {
  route.state = RouteState::kInstalled;
  route.won = true;
  reasons_.erase(key);
  leftovers_.acquit(key);
}

void ZapiSink::lose(const core::RouteKey& key, SinkRoute& route, RouteState state,
                    const std::string& reason) {
  if (state == RouteState::kLost) look_for_leftover(key, route);
  if (clearing_.contains(key)) return end_ghost(key, route);
  route.state = state;
  reasons_[key] = reason;
  const auto note = state == RouteState::kLost ? core::RouteNote::kBetterWon : core::RouteNote::kRejected;
  listener_.on_route_noted({key, note});
}

void ZapiSink::look_for_leftover(const core::RouteKey& key, const SinkRoute& route) {
  if (route.wanted && !route.won) leftovers_.suspect(key, route.wanted->interface);
}

// ---- the end -----------------------------------------------------------------------------------------------------

void ZapiSink::stop(std::function<void()> done) {
  stopped_ = std::move(done);
  ghost_timer_.cancel();
  leftovers_.clear();
  parked_.clear();
  if (!options_.retain && connection_.ready()) {
    for (auto& [key, route] : routes_) {
      route.wanted.reset();
      route.changed = now_();
      queue(key, route);
    }
  }
  flush();
  stop_timer_.expires_after(kStopPatience);
  stop_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && stopped_) end_stop();
  });
  if (connection_.ready()) {
    send_echo();
  } else {
    end_stop();
  }
}

/// zebra throws away what it has not read when the connection closes: it must have answered.
void ZapiSink::finish_stop_if_done() {
  if (!stopped_) return;
  const bool read = !echo_ && queue_.empty() && connection_.written() == connection_.appended();
  const bool done = read && (options_.retain || !has_unanswered());
  if (done || !connection_.ready()) end_stop();
}

void ZapiSink::end_stop() {
  stop_timer_.cancel();
  watch_timer_.cancel();
  connection_.close();
  if (stopped_) asio::post(io_, std::exchange(stopped_, nullptr));
}

}  // namespace untrombone::bgp
