// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/vtysh_sink.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "bgp/interface_names.hpp"

namespace untrombone::bgp {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
namespace asio = boost::asio;

/// Of one transaction. Each costs about as much as comparing the whole configuration; nothing else gets in meanwhile.
constexpr std::size_t kMostKeys = 10000;
constexpr milliseconds kRetry{1000};
constexpr milliseconds kCheckInterval{10000};
constexpr milliseconds kStopPatience{60000};
constexpr VtyLimits kLimits{.patience = milliseconds{30000}, .longest_answer = std::size_t{64} << 20U};

}  // namespace

VtyshSink::VtyshSink(asio::io_context& io, SinkListener& listener, VtyshSinkOptions options, Now now)
    : io_(io),
      listener_(listener),
      options_(std::move(options)),
      now_(std::move(now)),
      verifier_(io, vty_socket(options_.vty_dir, "zebra"),
                [this](const core::RouteKey& key, const RibView& view) { take_view(key, view); }),
      retry_timer_(io),
      stop_timer_(io),
      most_keys_(kMostKeys) {}

void VtyshSink::start() { connect(); }

SinkStatus VtyshSink::status() const {
  SinkStatus status{.kind = "vtysh", .state = SinkState::kWaiting, .detail = detail_, .release = {}};
  if (phase_ != Phase::kReady) return status;
  if (zebra_is_silent_) {
    status.detail = "waiting for zebra's vty";
    return status;
  }
  status.state = queue_.empty() && lines_.empty() ? SinkState::kSynced : SinkState::kSyncing;
  if (status.state == SinkState::kSyncing) {
    status.detail = fmt::format("{} routes to go into FRR's configuration", queue_.size() + lines_.size());
  }
  return status;
}

std::string VtyshSink::reason_of(const core::RouteKey& key) const {
  const auto found = reasons_.find(key);
  return found == reasons_.end() ? std::string() : found->second;
}

void VtyshSink::set_detail(const std::string& detail) {
  if (detail_ == detail) return;
  detail_ = detail;
  asio::post(io_, [this] { listener_.on_sink_status(); });
}

// ---- what is there already ---------------------------------------------------------------------------------------

void VtyshSink::connect() {
  std::error_code ignored;
  const std::string managed = vty_socket(options_.vty_dir, "mgmtd");
  const bool has_mgmtd = std::filesystem::exists(managed, ignored);
  daemon_ = has_mgmtd ? ConfigDaemon::kMgmtd : ConfigDaemon::kStaticd;
  vty_ = std::make_shared<VtyClient>(io_, has_mgmtd ? managed : vty_socket(options_.vty_dir, "staticd"),
                                     kLimits);
  set_detail("reading FRR's configuration");
  read_configuration();
}

void VtyshSink::read_configuration() {
  if (phase_ == Phase::kWaiting) phase_ = Phase::kReading;
  vty_->ask("show running-config", [this](const VtyResult& answer) {
    if (!answer) return wait_for("waiting for the vty: " + answer.error().message);
    take_configuration(answer->text);
  });
}

void VtyshSink::take_configuration(const std::string& text) {
  programmed_.clear();
  names_.clear();
  std::vector<BatchLine> surplus;
  for (const StaticRoute& route : read_static_routes(text, options_.first_tag)) {
    const std::uint32_t vrf = route.vrf.empty() ? 0 : if_nametoindex(route.vrf.c_str());
    const core::RouteKey key{{vrf}, route.prefix};
    if (!prior_told_) {
      listener_.on_prior_route(key, {static_cast<int>(if_nametoindex(route.interface.c_str()))});
    }
    // Lines beside one for the same prefix: 7.5 keeps one for each distance.
    if (!programmed_.emplace(key, route).second) surplus.push_back({"no " + configuration_line(route)});
  }
  prior_told_ = true;
  phase_ = Phase::kReady;
  set_detail("");
  for (auto& [key, route] : routes_) {
    const auto held = programmed_.find(key);
    const bool is_held = held != programmed_.end();
    const bool right = is_held && route.wanted && held->second == line_of(key, *route.wanted);
    // Removed or taken just before the vty closed? Then nobody said so.
    const bool unsaid = route.state == RouteState::kQueued || route.state == RouteState::kRemoving;
    if (!right || unsaid) queue(key);
  }
  if (sweep_allowed_) sweep();
  check_again_later();
  if (!surplus.empty() && lines_.empty()) {
    lines_ = std::move(surplus);
    send();
  }
  flush();
  finish_stop_if_done();
}

/// The client is dropped: its connection may be in any mode. Who stops does not wait for a daemon that has gone, but
/// for one that will listen later.
void VtyshSink::wait_for(const std::string& why, bool is_there) {
  phase_ = Phase::kWaiting;
  is_there_ = is_there;
  lines_.clear();
  asio::post(io_, [finished = std::move(vty_)] {});
  set_detail(why);
  if (stopped_ && !is_there) return finish_stop_if_done();
  retry_timer_.expires_after(kRetry);
  retry_timer_.async_wait([this](const error_code& error) {
    if (!error) connect();
  });
}

/// Somebody else may change the configuration, or a restarted daemon forget it.
void VtyshSink::check_again_later() {
  retry_timer_.expires_after(kCheckInterval);
  retry_timer_.async_wait([this](const error_code& error) {
    if (error || phase_ != Phase::kReady || stopped_) return;
    if (!lines_.empty() || !queue_.empty()) return check_again_later();
    ask_zebra_again();
    read_configuration();
  });
}

/// About all routes that it does not have, and about one of the others: a zebra that was restarted has none of them
/// before staticd is connected to it again.
void VtyshSink::ask_zebra_again() {
  bool one_is_asked = false;
  for (const auto& [key, route] : routes_) {
    const auto held = programmed_.find(key);
    if (!route.wanted || held == programmed_.end()) continue;
    if (route.state == RouteState::kInstalled && std::exchange(one_is_asked, true)) continue;
    verifier_.expect(key, held->second);
  }
  if (routes_.empty()) take_silence(false);
}

void VtyshSink::take_silence(bool zebra_is_silent) {
  if (zebra_is_silent_ == zebra_is_silent) return;
  zebra_is_silent_ = zebra_is_silent;
  asio::post(io_, [this] { listener_.on_sink_status(); });
}

void VtyshSink::doubt_installed() {
  for (auto& [key, route] : routes_) {
    if (route.state != RouteState::kInstalled) continue;
    route.state = RouteState::kSent;
    const auto held = programmed_.find(key);
    if (held != programmed_.end()) verifier_.expect(key, held->second);
  }
}

// ---- routes ------------------------------------------------------------------------------------------------------

void VtyshSink::apply(const core::RouteChange& change) {
  routes_[change.key].want(change, now_());
  queue(change.key);
}

void VtyshSink::queue(const core::RouteKey& key) {
  SinkRoute& route = routes_[key];
  route.state = route.wanted ? RouteState::kQueued : RouteState::kRemoving;
  reasons_.erase(key);
  if (route.queued) return;
  route.queued = true;
  queue_.push_back(key);
}

void VtyshSink::flush() {
  if (phase_ == Phase::kReady && lines_.empty()) work();
}

void VtyshSink::work() {
  names_.clear();
  for (std::size_t i = 0; i < most_keys_ && !queue_.empty(); ++i) {
    const core::RouteKey key = queue_.front();
    queue_.pop_front();
    add_lines(key);
  }
  if (!lines_.empty()) return send();
  if (queue_.empty()) return finish_stop_if_done();
  asio::post(io_, [this] { flush(); });
}

/// A line with another distance stands beside the old one in 7.5 and replaces it in others, so the old one goes first.
void VtyshSink::add_lines(const core::RouteKey& key) {
  const auto found = routes_.find(key);
  const auto held = programmed_.find(key);
  std::optional<StaticRoute> wanted;
  if (found != routes_.end()) {
    found->second.queued = false;
    if (found->second.wanted) {
      wanted = line_of(key, *found->second.wanted);
      if (!wanted) return reject(key, "its interface has no name any more");
    }
  }
  const bool is_held = held != programmed_.end();
  if (wanted && is_held && *wanted == held->second) return take_success({{}, key, std::move(wanted)});
  const bool replaces = wanted && is_held && wanted->distance == held->second.distance &&
                        wanted->interface == held->second.interface;
  if (is_held && !replaces) lines_.push_back({"no " + configuration_line(held->second), key});
  if (wanted) {
    lines_.push_back({configuration_line(*wanted), key, wanted});
  } else if (!is_held) {
    take_success({{}, key});
  }
}

const std::string& VtyshSink::name_of(core::Ifindex interface) {
  const auto [found, is_new] = names_.try_emplace(interface.value);
  if (is_new) found->second = interface_name(interface);
  return found->second;
}

std::optional<StaticRoute> VtyshSink::line_of(const core::RouteKey& key, const core::Route& route) {
  StaticRoute line{
      .vrf = key.vrf == core::VrfId{} ? std::string() : name_of({static_cast<int>(key.vrf.value)}),
      .prefix = key.prefix,
      .interface = name_of(route.interface),
      .tag = route.tag,
      .distance = route.distance};
  const bool nameless = line.interface.empty() || (line.vrf.empty() && key.vrf != core::VrfId{});
  return nameless ? std::nullopt : std::optional(std::move(line));
}

void VtyshSink::send() {
  const VtyPace pace = daemon_ == ConfigDaemon::kMgmtd ? VtyPace::kOneByOne : VtyPace::kAtOnce;
  vty_->run(batch_commands(daemon_, lines_, std::exchange(discard_first_, false)), pace,
            [this](VtyResults answers) {
              if (!answers) return wait_for("waiting for the vty: " + answers.error().message);
              take_answers(std::move(*answers));
            });
}

void VtyshSink::take_answers(std::vector<VtyAnswer> answers) {
  const std::vector<BatchLine> lines = std::exchange(lines_, {});
  const BatchVerdict verdict = read_batch(std::move(answers), lines.size());
  switch (verdict.state) {
    case BatchVerdict::State::kLocked:
      return wait_for("FRR does not let us configure: " + verdict.reason, true);
    case BatchVerdict::State::kRefused: take_refusal(lines, verdict.reason); break;
    case BatchVerdict::State::kTaken:
      for (std::size_t i = 0; i < lines.size(); ++i) take_answer(lines[i], verdict.answers[i]);
      most_keys_ = std::min(most_keys_ * 2, kMostKeys);
  }
  if (phase_ == Phase::kReady) work();
}

/// One of them cannot be, and FRR does not say which.
void VtyshSink::take_refusal(const std::vector<BatchLine>& lines, const std::string& reason) {
  discard_first_ = true;
  std::vector<core::RouteKey> keys;
  for (const BatchLine& line : lines)
    if (line.key && (keys.empty() || keys.back() != *line.key)) keys.push_back(*line.key);
  most_keys_ = std::max<std::size_t>(keys.size() / 2, 1);
  for (const core::RouteKey& key : keys) {
    const auto found = routes_.find(key);
    if (found == routes_.end() || found->second.queued) continue;
    if (keys.size() > 1) {
      queue(key);
    } else if (found->second.wanted) {
      reject(key, "FRR refused it: " + reason);
    } else {
      wait_for(fmt::format("FRR does not let us remove {}: {}", key.prefix.to_string(), reason), true);
    }
  }
}

void VtyshSink::take_answer(const BatchLine& line, const VtyAnswer& answer) {
  if (!line.key) return;
  const bool refused = answer.status != kVtySuccess && line.route;  // a removal of nothing is one, too
  if (!refused) return take_success(line);
  reject(*line.key, "FRR refused it: " + phrase_of(answer.text));
}

void VtyshSink::take_success(const BatchLine& line) {
  const auto found = routes_.find(*line.key);
  if (!line.route) {
    programmed_.erase(*line.key);
    verifier_.forget(*line.key);
    if (found != routes_.end() && !found->second.wanted && !found->second.queued) routes_.erase(found);
    return;
  }
  programmed_[*line.key] = *line.route;
  if (found == routes_.end() || found->second.queued || !found->second.wanted) return;
  SinkRoute& route = found->second;
  route.state = RouteState::kSent;
  if (!route.arrival.sent) route.arrival.sent = now_();
  verifier_.expect(*line.key, *line.route);
}

void VtyshSink::reject(const core::RouteKey& key, const std::string& reason) {
  const auto found = routes_.find(key);
  if (found == routes_.end()) return;
  found->second.state = RouteState::kRejected;
  reasons_[key] = reason;
  note(key, core::RouteNote::kRejected);
}

void VtyshSink::note(const core::RouteKey& key, core::RouteNote note) {
  asio::post(io_, [this, key, note] { listener_.on_route_noted({key, note}); });
}

void VtyshSink::take_view(const core::RouteKey& key, const RibView& view) {
  take_silence(view.state == RibView::State::kUnreadable);
  const auto found = routes_.find(key);
  if (found == routes_.end() || !found->second.wanted || found->second.queued) return;
  SinkRoute& route = found->second;
  if (route.state == RouteState::kInstalled && view.state != RibView::State::kInstalled) doubt_installed();
  switch (view.state) {
    case RibView::State::kUnreadable: return;
    case RibView::State::kAbsent: return reject(key, "zebra does not have it; is its interface up?");
    case RibView::State::kUnselected:
      route.state = RouteState::kLost;
      reasons_[key] = view.reason();
      return note(key, core::RouteNote::kBetterWon);
    case RibView::State::kSelected: return reject(key, view.reason());
    case RibView::State::kInstalled:
      route.state = RouteState::kInstalled;
      reasons_.erase(key);
      if (!route.arrival.installed) route.arrival.installed = now_();
      return note(key, core::RouteNote::kInstalled);
  }
}

void VtyshSink::allow_sweep() {
  sweep_allowed_ = true;
  sweep();
  flush();
}

void VtyshSink::sweep() {
  for (const auto& [key, route] : programmed_) {
    if (!routes_.contains(key)) queue(key);
  }
}

// ---- the end -----------------------------------------------------------------------------------------------------

void VtyshSink::stop(std::function<void()> done) {
  stopped_ = std::move(done);
  const bool will_listen = !options_.retain && phase_ == Phase::kWaiting && is_there_;
  if (!will_listen) retry_timer_.cancel();
  if (!options_.retain && (phase_ == Phase::kReady || will_listen)) {
    for (auto& [key, route] : routes_) {
      route.wanted.reset();
      route.changed = now_();
      queue(key);
    }
    sweep();
  }
  stop_timer_.expires_after(kStopPatience);
  stop_timer_.async_wait([this](const error_code& error) {
    if (error || !stopped_) return;
    asio::post(io_, std::exchange(stopped_, nullptr));
  });
  flush();
  if (!will_listen) finish_stop_if_done();
}

void VtyshSink::finish_stop_if_done() {
  if (!stopped_) return;
  if (phase_ == Phase::kReady && (!lines_.empty() || !queue_.empty())) return;
  stop_timer_.cancel();
  verifier_.stop();
  asio::post(io_, std::exchange(stopped_, nullptr));
}

}  // namespace untrombone::bgp
