// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/vtysh_sink.hpp"

#include <filesystem>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "bgp/interface_names.hpp"
#include "bgp/zebra_rib.hpp"

namespace untrombone::bgp {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
namespace asio = boost::asio;

constexpr std::size_t kKeysAtOnce = 64;  // between two looks at the rest of the world
constexpr std::size_t kMostQuestions = 32;
constexpr milliseconds kRetry{1000};
constexpr milliseconds kRibPatience{300};
constexpr milliseconds kCheckInterval{10000};
constexpr milliseconds kStopPatience{60000};
constexpr VtyLimits kLimits{.patience = milliseconds{30000}, .longest_answer = std::size_t{64} << 20U};

std::string first_line(const std::string& text) {
  const std::size_t begin = text.find_first_not_of("% \r\n");
  if (begin == std::string::npos) return "no reason given";
  return text.substr(begin, text.find_first_of("\r\n", begin) - begin);
}

}  // namespace

VtyshSink::VtyshSink(asio::io_context& io, SinkListener& listener, VtyshSinkOptions options, Now now)
    : io_(io),
      listener_(listener),
      options_(std::move(options)),
      now_(std::move(now)),
      zebra_(io, vty_socket(options_.vty_dir, "zebra")),
      retry_timer_(io),
      verify_timer_(io),
      stop_timer_(io) {}

void VtyshSink::start() { connect(); }

SinkStatus VtyshSink::status() const {
  SinkStatus status{.kind = "vtysh", .state = SinkState::kWaiting, .detail = detail_, .release = {}};
  if (phase_ != Phase::kReady) return status;
  status.state = queue_.empty() && lines_.empty() ? SinkState::kSynced : SinkState::kSyncing;
  if (status.state == SinkState::kSyncing) {
    status.detail = fmt::format("{} routes to go; FRR's configuration takes one at a time", queue_.size());
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
  std::vector<std::string> surplus;
  for (const StaticRoute& route : read_static_routes(text, options_.first_tag)) {
    const std::uint32_t vrf = route.vrf.empty() ? 0 : if_nametoindex(route.vrf.c_str());
    const core::RouteKey key{{vrf}, route.prefix};
    const auto interface = static_cast<int>(if_nametoindex(route.interface.c_str()));
    if (!prior_told_) listener_.on_prior_route(key, {interface});
    if (!programmed_.emplace(key, route).second) surplus.push_back("no " + configuration_line(route));
  }
  prior_told_ = true;
  phase_ = Phase::kReady;
  set_detail("");
  for (auto& [key, route] : routes_) {
    if (!route.wanted) continue;
    const auto held = programmed_.find(key);
    if (held == programmed_.end() || held->second != line_of(key, *route.wanted)) queue(key);
  }
  if (sweep_allowed_) sweep();
  check_again_later();
  if (!surplus.empty() && !sending_) remove_surplus(surplus);
  flush();
  finish_stop_if_done();
}

/// Lines beside one for the same prefix: 7.5 keeps one for each distance.
void VtyshSink::remove_surplus(const std::vector<std::string>& commands) {
  lines_.push_back({"configure terminal", std::nullopt, std::nullopt});
  for (const std::string& command : commands) lines_.push_back({command, std::nullopt, std::nullopt});
  lines_.push_back({"end", std::nullopt, std::nullopt});
  send_next();
}

/// The client is dropped: its connection may be in any mode.
void VtyshSink::wait_for(const std::string& why) {
  phase_ = Phase::kWaiting;
  lines_.clear();
  sending_ = false;
  asio::post(io_, [finished = std::move(vty_)] {});
  set_detail(why);
  if (stopped_) return finish_stop_if_done();
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
    for (const auto& [key, route] : routes_) {
      if (route.wanted && route.state != RouteState::kInstalled) unverified_.push_back(key);
    }
    verify();
    read_configuration();
  });
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
  if (phase_ == Phase::kReady && !sending_) work();
}

void VtyshSink::work() {
  if (queue_.empty()) return finish_stop_if_done();
  lines_.push_back({"configure terminal", std::nullopt, std::nullopt});
  for (std::size_t i = 0; i < kKeysAtOnce && !queue_.empty(); ++i) {
    const core::RouteKey key = queue_.front();
    queue_.pop_front();
    add_lines(key);
  }
  lines_.push_back({"end", std::nullopt, std::nullopt});
  send_next();
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
  if (wanted && is_held && *wanted == held->second) return take_success({{}, key, wanted});
  const bool replaces = wanted && is_held && wanted->distance == held->second.distance &&
                        wanted->interface == held->second.interface;
  if (is_held && !replaces) lines_.push_back({"no " + configuration_line(held->second), key, std::nullopt});
  if (wanted) lines_.push_back({configuration_line(*wanted), key, wanted});
  if (!wanted && !is_held) take_success({{}, key, std::nullopt});
}

std::optional<StaticRoute> VtyshSink::line_of(const core::RouteKey& key, const core::Route& route) const {
  StaticRoute line{.vrf = vrf_name(key.vrf),
                   .prefix = key.prefix,
                   .interface = interface_name(route.interface),
                   .tag = route.tag,
                   .distance = route.distance};
  const bool nameless = line.interface.empty() || (line.vrf.empty() && key.vrf != core::VrfId{});
  return nameless ? std::nullopt : std::optional(std::move(line));
}

void VtyshSink::send_next() {
  if (lines_.empty()) {
    sending_ = false;
    verify();
    return work();
  }
  sending_ = true;
  vty_->ask(lines_.front().text, [this](const VtyResult& answer) {
    if (!answer) return wait_for("waiting for the vty: " + answer.error().message);
    const Line line = std::move(lines_.front());
    lines_.pop_front();
    take_answer(line, answer);
    send_next();
  });
}

void VtyshSink::take_answer(const Line& line, const VtyResult& answer) {
  if (!line.key) return;
  const bool refused = answer->status != kVtySuccess && line.route;  // a removal of nothing is one, too
  if (!refused) return take_success(line);
  reject(*line.key, "FRR refused it: " + first_line(answer->text));
}

void VtyshSink::take_success(const Line& line) {
  const auto found = routes_.find(*line.key);
  if (!line.route) {
    programmed_.erase(*line.key);
    if (found != routes_.end() && !found->second.wanted && !found->second.queued) routes_.erase(found);
    return;
  }
  programmed_[*line.key] = *line.route;
  if (found == routes_.end() || found->second.queued || !found->second.wanted) return;
  SinkRoute& route = found->second;
  route.state = RouteState::kSent;
  if (!route.arrival.sent) route.arrival.sent = now_();
  unverified_.push_back(*line.key);
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

// ---- is it really there? -----------------------------------------------------------------------------------------

/// Asks zebra about those that FRR took, a few at a time, once it had the time to look at them.
void VtyshSink::verify() {
  if (unverified_.empty() || verify_waits_ || questions_ != 0) return;
  verify_waits_ = true;
  verify_timer_.expires_after(kRibPatience);
  verify_timer_.async_wait([this](const error_code& error) {
    verify_waits_ = false;
    if (error) return;
    for (; questions_ < kMostQuestions && !unverified_.empty(); unverified_.pop_front()) {
      if (routes_.contains(unverified_.front())) ask_about(unverified_.front());
    }
  });
}

void VtyshSink::ask_about(const core::RouteKey& key) {
  ++questions_;
  zebra_.ask(rib_question(key.prefix, vrf_name(key.vrf)), [this, key](const VtyResult& answer) {
    --questions_;
    take_view(key, answer);
    if (!unverified_.empty()) {
      const core::RouteKey next = unverified_.front();
      unverified_.pop_front();
      if (routes_.contains(next)) ask_about(next);
    }
    if (questions_ == 0) verify();
  });
}

void VtyshSink::take_view(const core::RouteKey& key, const VtyResult& answer) {
  const auto found = routes_.find(key);
  if (!answer || found == routes_.end() || !found->second.wanted || found->second.queued) return;
  SinkRoute& route = found->second;
  const RibView view = read_rib(answer->text, key.prefix, "static", 0);
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
  retry_timer_.cancel();
  if (!options_.retain && phase_ == Phase::kReady) {
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
  finish_stop_if_done();
}

void VtyshSink::finish_stop_if_done() {
  if (!stopped_) return;
  if (phase_ == Phase::kReady && (sending_ || !queue_.empty())) return;
  stop_timer_.cancel();
  verify_timer_.cancel();
  asio::post(io_, std::exchange(stopped_, nullptr));
}

}  // namespace untrombone::bgp
