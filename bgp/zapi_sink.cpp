// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/zapi_sink.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

namespace untrombone::bgp {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
namespace asio = boost::asio;

constexpr milliseconds kFirstBackoff{100};
constexpr milliseconds kLongestBackoff{5000};
/// zebra sends no note for a removal it has nothing to remove; then the addition goes out after this.
constexpr milliseconds kRemovalPatience{1000};
constexpr milliseconds kStopPatience{5000};
constexpr milliseconds kHandshakePatience{5000};

}  // namespace

ZapiSink::ZapiSink(asio::io_context& io, SinkListener& listener, ZapiSinkOptions options, Now now)
    : io_(io),
      listener_(listener),
      options_(std::move(options)),
      now_(std::move(now)),
      socket_(io),
      retry_timer_(io),
      removal_timer_(io),
      stop_timer_(io) {}

void ZapiSink::start() { connect(); }

SinkStatus ZapiSink::status() const {
  SinkStatus status{.kind = "zapi", .state = SinkState::kWaiting, .detail = detail_, .release = {}};
  if (release_ != nullptr) status.release = release_->name;
  if (phase_ == Phase::kReady) status.state = outbox_.empty() ? SinkState::kSynced : SinkState::kSyncing;
  return status;
}

// ---- connection ------------------------------------------------------------------------------------------------

void ZapiSink::connect() {
  const asio::local::stream_protocol::endpoint endpoint(options_.socket);
  socket_.async_connect(endpoint, [this](const error_code& error) {
    if (error == asio::error::operation_aborted) return;
    if (error) return disconnect(fmt::format("waiting for zebra: {}: {}", options_.socket, error.message()));
    on_connected();
  });
}

void ZapiSink::on_connected() {
  error_code error;
  socket_.non_blocking(true, error);
  phase_ = Phase::kProbing;
  set_waiting("asking zebra for its release");
  retry_timer_.expires_after(kHandshakePatience);
  retry_timer_.async_wait([this](const error_code& failed) {
    if (!failed && phase_ != Phase::kReady) disconnect("zebra does not answer; is it stuck?");
  });
  zapi::encode_unknown(outbox_);
  queued_bytes_ = outbox_.size();
  write();
  read();
}

/// Drops the connection, queues all routes again and tries later.
void ZapiSink::disconnect(const std::string& why) {
  close();
  for (auto entry = routes_.begin(); entry != routes_.end();) {
    if (!entry->second.wanted) {
      routes_.erase(entry++);  // not sent again, so swept
      continue;
    }
    entry->second.state = RouteState::kQueued;
    ++entry;
  }
  set_waiting(why);
  if (stopped_) return finish_stop_if_done();
  retry_later();
}

void ZapiSink::close() {
  error_code ignored;
  socket_.close(ignored);
  phase_ = Phase::kWaiting;
  outbox_.clear();
  in_flight_.clear();
  queued_bytes_ = written_bytes_ = 0;
  input_size_ = 0;
  waiting_writable_ = false;
  swept_ = false;
}

void ZapiSink::retry_later() {
  backoff_ = std::clamp(backoff_ * 2, kFirstBackoff, kLongestBackoff);
  retry_timer_.expires_after(backoff_);
  retry_timer_.async_wait([this](const error_code& error) {
    if (!error) connect();
  });
}

void ZapiSink::set_waiting(const std::string& why) {
  if (detail_ == why) return;
  detail_ = why;
  asio::post(io_, [this] { listener_.on_sink_status(); });
}

// ---- which release is it? ----------------------------------------------------------------------------------------

void ZapiSink::take_probe_answer(const zapi::Message& message) {
  error_command_ = message.command;
  hellos_ = zapi::hello_candidates(message.command);
  if (hellos_.empty()) {
    return disconnect(fmt::format("refused: an unknown FRR release (its zebra reports errors as command {})",
                                  message.command));
  }
  phase_ = Phase::kHello;
  say_hello();
}

void ZapiSink::say_hello() {
  const auto known =
      std::find_if(zapi::known_releases().begin(), zapi::known_releases().end(), [&](const auto& release) {
        return release.error == error_command_ && release.hello == hellos_.front();
      });
  instance_ = release_ != nullptr && release_->needs_table_instance ? options_.table : std::uint16_t{0};
  zapi::encode_hello(outbox_, hellos_.front(), known->route_type_table, instance_,
                     known->hello_asks_for_notes());
  queued_bytes_ = written_bytes_ + outbox_.size();
  write();
}

void ZapiSink::take_hello_answer(const zapi::Message& message) {
  if (message.command == error_command_) {  // this HELLO is another message to this zebra
    hellos_ = hellos_.subspan(1);
    if (hellos_.empty()) return disconnect("refused: zebra takes no HELLO that we know");
    return say_hello();
  }
  const auto capabilities = static_cast<std::uint16_t>(hellos_.front() + 1);
  if (message.command != capabilities) return;
  const zapi::Release* found = zapi::find_release(error_command_, hellos_.front(), message.body.size());
  if (found == nullptr) {
    return disconnect(fmt::format("refused: an unknown FRR release (HELLO {}, {} octets of capabilities)",
                                  hellos_.front(), message.body.size()));
  }
  if (options_.version == "auto") return on_release_known(*found);
  const zapi::Release* wanted = zapi::find_release(options_.version);
  const bool same_answers = wanted != nullptr && wanted->error == found->error &&
                            wanted->hello == found->hello &&
                            wanted->capabilities_length == found->capabilities_length;
  if (!same_answers) {
    return disconnect(
        fmt::format("refused: frr-version says {}, but zebra speaks as {}", options_.version, found->name));
  }
  on_release_known(*wanted);
}

void ZapiSink::on_release_known(const zapi::Release& release) {
  release_ = &release;
  if (release.needs_table_instance && instance_ != options_.table) {
    // HELLO named the wrong instance; zebra would neither send notes nor clean up. Say it again on a new connection.
    return disconnect(fmt::format("FRR {}: reconnecting with instance {}", release.name, options_.table));
  }
  phase_ = Phase::kReady;
  retry_timer_.cancel();
  backoff_ = milliseconds{0};
  sync();
}

// ---- routes ------------------------------------------------------------------------------------------------------

void ZapiSink::sync() {
  if (!release_->hello_asks_for_notes()) zapi::encode_notify_request(outbox_, *release_);
  if (options_.retain) {
    zapi::encode_graceful_restart(outbox_, *release_,
                                  static_cast<std::uint32_t>(options_.retain_time.count()));
  }
  queued_bytes_ = written_bytes_ + outbox_.size();
  for (auto& [prefix, route] : routes_) send_route(prefix, route);
  sweep_if_due();
  set_waiting("");
  write();
}

void ZapiSink::apply(const core::RouteChange& change) {
  const auto found = routes_.find(change.prefix);
  if (!change.route && found == routes_.end()) return remove_unknown(change.prefix);
  SinkRoute& route = found == routes_.end() ? routes_[change.prefix] : found->second;
  const bool being_removed = route.state == RouteState::kRemoving;
  route.want(change, now_());
  if (phase_ != Phase::kReady) {
    if (!change.route) routes_.erase(change.prefix);
    return;
  }
  // FRR 10.7 answers an addition right behind a removal, but never installs it: wait for the removal's note.
  if (being_removed && change.route) return resend_after_removal();
  send_route(change.prefix, route);
}

/// A route that an earlier run left. zebra removes it only if it is ours: type and instance must match.
void ZapiSink::remove_unknown(const core::IpPrefix& prefix) {
  if (phase_ != Phase::kReady) return;  // zebra's sweep after the next connection takes it: it is old by then
  zapi::encode_route_delete(outbox_, *release_, instance_, prefix);
  queued_bytes_ = written_bytes_ + outbox_.size();
}

void ZapiSink::send_route(const core::IpPrefix& prefix, SinkRoute& route) {
  if (route.wanted) {
    zapi::encode_route_add(outbox_, *release_, instance_, prefix, *route.wanted);
    route.state = RouteState::kQueued;
  } else {
    zapi::encode_route_delete(outbox_, *release_, instance_, prefix);
    route.state = RouteState::kRemoving;
    resend_after_removal();
  }
  queued_bytes_ = written_bytes_ + outbox_.size();
  in_flight_.push_back({queued_bytes_, prefix});
}

/// Ends the wait for removals that zebra never confirms.
void ZapiSink::resend_after_removal() {
  if (removal_timer_running_) return;
  removal_timer_running_ = true;
  removal_timer_.expires_after(kRemovalPatience);
  removal_timer_.async_wait([this](const error_code& error) {
    removal_timer_running_ = false;
    if (error) return;
    bool waiting = false;
    for (auto entry = routes_.begin(); entry != routes_.end();) {
      auto& [prefix, route] = *entry;
      if (route.state != RouteState::kRemoving) {
        ++entry;
      } else if (now_() - route.changed < kRemovalPatience / 2) {
        waiting = true;
        ++entry;
      } else if (route.wanted) {
        send_route(prefix, route);
        ++entry;
      } else {
        routes_.erase(entry++);
      }
    }
    if (waiting) resend_after_removal();
    flush();
    finish_stop_if_done();
  });
}

void ZapiSink::allow_sweep() {
  sweep_allowed_ = true;
  sweep_if_due();
  flush();
}

void ZapiSink::sweep_if_due() {
  if (!sweep_allowed_ || swept_ || !options_.retain || phase_ != Phase::kReady) return;
  swept_ = true;
  zapi::encode_update_complete(outbox_, *release_);
  queued_bytes_ = written_bytes_ + outbox_.size();
}

void ZapiSink::take_note(const core::RouteNoted& note) {
  const auto found = routes_.find(note.prefix);
  if (found == routes_.end()) return;
  SinkRoute& route = found->second;
  if (note.note == core::RouteNote::kRemoved && route.state == RouteState::kRemoving) {
    if (route.wanted) {
      send_route(note.prefix, route);
      flush();
    } else {
      routes_.erase(found);
      finish_stop_if_done();
    }
    return;
  }
  if (route.state == RouteState::kRemoving) return;  // about what was before the removal
  switch (note.note) {
    case core::RouteNote::kInstalled: route.state = RouteState::kInstalled; break;
    case core::RouteNote::kBetterWon: route.state = RouteState::kLost; break;
    case core::RouteNote::kRejected: route.state = RouteState::kRejected; break;
    case core::RouteNote::kRemoved: break;
  }
  if (route.state == RouteState::kInstalled && !route.arrival.installed) route.arrival.installed = now_();
  listener_.on_route_noted(note);
  finish_stop_if_done();
}

// ---- the end -----------------------------------------------------------------------------------------------------

void ZapiSink::stop(std::function<void()> done) {
  stopped_ = std::move(done);
  retry_timer_.cancel();
  if (!options_.retain && phase_ == Phase::kReady) {
    for (auto& [prefix, route] : routes_) {
      route.wanted.reset();
      route.changed = now_();
      send_route(prefix, route);
    }
  }
  flush();
  stop_timer_.expires_after(kStopPatience);
  stop_timer_.async_wait([this](const error_code& error) {
    if (error || !stopped_) return;
    close();
    finish_stop_if_done();
  });
  finish_stop_if_done();
}

/// zebra throws away what it has not read when the connection closes: every route must have been answered.
void ZapiSink::finish_stop_if_done() {
  if (!stopped_) return;
  const bool unanswered = std::any_of(routes_.begin(), routes_.end(), [](const auto& entry) {
    const RouteState state = entry.second.state;
    return state == RouteState::kQueued || state == RouteState::kSent || state == RouteState::kRemoving;
  });
  if (phase_ == Phase::kReady && (unanswered || !outbox_.empty())) return;
  stop_timer_.cancel();
  removal_timer_.cancel();
  close();
  asio::post(io_, std::exchange(stopped_, nullptr));
}

// ---- bytes -------------------------------------------------------------------------------------------------------

void ZapiSink::flush() {
  if (!outbox_.empty() && !waiting_writable_ && phase_ == Phase::kReady) write();
}

void ZapiSink::write() {
  while (!outbox_.empty()) {
    error_code error;
    const std::size_t count = socket_.write_some(asio::buffer(outbox_), error);
    if (error == asio::error::would_block || error == asio::error::try_again) return wait_writable();
    if (error) return disconnect(fmt::format("zebra closed the connection: {}", error.message()));
    account_written(count);
  }
}

void ZapiSink::account_written(std::size_t count) {
  outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(count));
  written_bytes_ += count;
  const core::TimePoint now = now_();
  for (; !in_flight_.empty() && in_flight_.front().end <= written_bytes_; in_flight_.pop_front()) {
    const auto found = routes_.find(in_flight_.front().prefix);
    if (found == routes_.end()) continue;
    if (found->second.state == RouteState::kQueued) found->second.state = RouteState::kSent;
    if (!found->second.arrival.sent) found->second.arrival.sent = now;
  }
}

void ZapiSink::wait_writable() {
  if (waiting_writable_) return;
  waiting_writable_ = true;
  socket_.async_wait(asio::socket_base::wait_write, [this](const error_code& error) {
    if (error == asio::error::operation_aborted) return;
    waiting_writable_ = false;
    write();
  });
}

void ZapiSink::read() {
  const auto space = asio::buffer(input_.data() + input_size_, input_.size() - input_size_);
  socket_.async_read_some(space, [this](const error_code& error, std::size_t count) {
    if (error == asio::error::operation_aborted) return;
    if (error) return disconnect(fmt::format("zebra closed the connection: {}", error.message()));
    input_size_ += count;
    take_input();
  });
}

void ZapiSink::take_input() {
  std::span<const std::byte> stream = std::span(input_).first(input_size_);
  zapi::Message message;
  while (true) {
    const zapi::Framing framing = zapi::take_message(stream, message);
    if (framing == zapi::Framing::kBroken) return disconnect("zebra sent something that is not its protocol");
    if (framing == zapi::Framing::kIncomplete) break;
    take_message(message);
    if (!socket_.is_open()) return;
  }
  std::memmove(input_.data(), stream.data(), stream.size());
  input_size_ = stream.size();
  read();
}

void ZapiSink::take_message(const zapi::Message& message) {
  switch (phase_) {
    case Phase::kWaiting: return;
    case Phase::kProbing: return take_probe_answer(message);
    case Phase::kHello: return take_hello_answer(message);
    case Phase::kReady:
      if (message.command != release_->route_notify_owner) return;
      if (const auto note = zapi::decode_owner_note(message.body)) take_note(*note);
  }
}

}  // namespace untrombone::bgp
