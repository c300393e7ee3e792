// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/zapi_connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "bgp/frr_config.hpp"
#include "bgp/frr_version.hpp"

namespace untrombone::bgp {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
namespace asio = boost::asio;

constexpr milliseconds kFirstBackoff{100};
constexpr milliseconds kLongestBackoff{5000};
constexpr milliseconds kHandshakePatience{8000};
constexpr const char* kWayOut = R"(sink = "kernel-table" works with every release)";

}  // namespace

ZapiConnection::ZapiConnection(asio::io_context& io, ZapiUser& user, ZapiOptions options)
    : io_(io), user_(user), options_(std::move(options)), socket_(io), retry_timer_(io) {}

void ZapiConnection::connect() {
  const asio::local::stream_protocol::endpoint endpoint(options_.socket);
  socket_.async_connect(endpoint, [this](const error_code& error) {
    if (error == asio::error::operation_aborted) return;
    if (error) return drop(fmt::format("waiting for zebra: {}: {}", options_.socket, error.message()));
    on_connected();
  });
}

void ZapiConnection::on_connected() {
  error_code error;
  socket_.non_blocking(true, error);
  ucred peer{};
  socklen_t size = sizeof peer;
  zebra_pid_ = getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
  phase_ = Phase::kProbing;
  error_command_ = 0;
  set_detail("asking zebra for its release");
  await_answer();
  zapi::encode_unknown(outbox_);
  write();
  read();
}

void ZapiConnection::drop(const std::string& why) {
  if (phase_ == Phase::kClosed) return;
  const bool was_ready = ready();
  reset();
  set_detail(why);
  retry_later([this] { connect(); });
  if (was_ready) user_.on_zebra_lost();
}

void ZapiConnection::close() {
  reset();
  phase_ = Phase::kClosed;
  retry_timer_.cancel();
}

void ZapiConnection::reset() {
  error_code ignored;
  socket_.close(ignored);
  vty_.reset();
  phase_ = Phase::kWaiting;
  outbox_.clear();
  written_ = 0;
  input_size_ = 0;
  waiting_writable_ = false;
}

void ZapiConnection::retry_later(std::function<void()> retry) {
  backoff_ = std::clamp(backoff_ * 2, kFirstBackoff, kLongestBackoff);
  retry_timer_.expires_after(backoff_);
  retry_timer_.async_wait([retry = std::move(retry)](const error_code& error) {
    if (!error) retry();
  });
}

void ZapiConnection::set_detail(const std::string& detail) {
  if (detail_ == detail) return;
  detail_ = detail;
  asio::post(io_, [this] { user_.on_zebra_status(); });
}

// ---- which release is it? ----------------------------------------------------------------------------------------

/// Before it answers, zebra may tell what it tells everyone, such as that another client has gone.
void ZapiConnection::take_probe_answer(const zapi::Message& message) {
  error_command_ = message.command;
  if (!zapi::is_error_command(message.command)) return;
  phase_ = Phase::kAsking;
  retry_timer_.cancel();
  if (options_.version != "auto") return take_release(options_.version);
  vty_ = std::make_unique<VtyClient>(io_, vty_socket(options_.vty_dir, "zebra"));
  ask_version();
}

/// zebra is asked something, on its socket.
void ZapiConnection::await_answer() {
  retry_timer_.expires_after(kHandshakePatience);
  retry_timer_.async_wait([this](const error_code& error) {
    if (!error) lose_patience();
  });
}

void ZapiConnection::lose_patience() {
  if (phase_ == Phase::kHello || error_command_ == 0)
    return set_detail("zebra does not answer; is it stuck?");
  refuse(fmt::format("an unknown FRR release (its zebra reports errors as command {})", error_command_));
}

void ZapiConnection::ask_version() {
  vty_->ask("show version", [this](const VtyResult& answer) { take_version(answer); });
}

void ZapiConnection::take_version(const VtyResult& answer) {
  if (phase_ != Phase::kAsking) return;
  if (!answer) {
    set_detail(fmt::format(R"(cannot ask zebra for its release: {}; vty-dir or frr-version = "8.4" helps)",
                           answer.error().message));
    return retry_later([this] { ask_version(); });
  }
  // The client cannot be destroyed from within its own callback.
  asio::post(io_, [finished = std::shared_ptr<VtyClient>(std::move(vty_))] {});
  constexpr std::string_view kName = "FRRouting ";
  const std::string& text = answer->text;
  const std::size_t at = text.find(kName);
  if (at == std::string::npos) return refuse("zebra's vty does not say which FRR it is");
  const std::size_t begin = at + kName.size();
  take_release(text.substr(begin, text.find_first_of(" \r\n", begin) - begin));
}

void ZapiConnection::take_release(std::string_view version) {
  const auto number = FrrVersion::parse(version);
  const zapi::Release* const found = number ? zapi::find_release(number->to_string()) : nullptr;
  if (found == nullptr) return refuse(fmt::format("FRR {} is not known", version));
  if (found->error != error_command_) {
    return refuse(fmt::format("FRR {} is {}, but its socket speaks another release's protocol", version,
                              options_.version == "auto" ? "what zebra's vty says" : "configured"));
  }
  release_ = found;
  version_ = version;
  const bool for_isis = options_.isis && isis_needs_table_number(*number);
  instance_ = found->needs_table_instance || for_isis ? options_.table : std::uint16_t{0};
  copies_ipv6_ = instance_ != 0 && *number >= FrrVersion{10, 1};
  say_hello();
}

void ZapiConnection::refuse(const std::string& why) {
  phase_ = Phase::kRefused;
  retry_timer_.cancel();
  set_detail(fmt::format("refused: {}; {}", why, kWayOut));
}

void ZapiConnection::say_hello() {
  phase_ = Phase::kHello;
  zapi::encode_hello(outbox_, release_->hello, release_->route_type_table, instance(),
                     release_->hello_asks_for_notes());
  await_answer();
  write();
}

void ZapiConnection::take_hello_answer(const zapi::Message& message) {
  if (message.command != error_command_ && message.command != release_->capabilities) return;
  if (message.command == error_command_ || message.body.size() != release_->capabilities_length) {
    return refuse(fmt::format("FRR {} is {}, but its socket speaks another release's protocol", version_,
                              options_.version == "auto" ? "what zebra's vty says" : "configured"));
  }
  phase_ = Phase::kReady;
  retry_timer_.cancel();
  backoff_ = milliseconds{0};
  if (!release_->hello_asks_for_notes()) zapi::encode_notify_request(outbox_, *release_);
  detail_ = "?";  // the release may be another one
  set_detail("");
  user_.on_zebra_ready();
}

// ---- bytes -------------------------------------------------------------------------------------------------------

void ZapiConnection::write() {
  while (!outbox_.empty() && !waiting_writable_) {
    error_code error;
    const std::size_t count = socket_.write_some(asio::buffer(outbox_), error);
    if (error == asio::error::would_block || error == asio::error::try_again) return wait_writable();
    if (error) return outbox_.clear();  // zebra is gone, and read() is about to say so
    outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(count));
    written_ += count;
  }
}

void ZapiConnection::wait_writable() {
  waiting_writable_ = true;
  socket_.async_wait(asio::socket_base::wait_write, [this](const error_code& error) {
    if (error == asio::error::operation_aborted) return;
    waiting_writable_ = false;
    write();
    if (ready()) user_.on_zebra_writable();
  });
}

void ZapiConnection::read() {
  const auto space = asio::buffer(input_.data() + input_size_, input_.size() - input_size_);
  socket_.async_read_some(space, [this](const error_code& error, std::size_t count) {
    if (error == asio::error::operation_aborted) return;
    if (error) return drop(fmt::format("zebra closed the connection: {}", error.message()));
    input_size_ += count;
    take_input();
  });
}

void ZapiConnection::take_input() {
  std::span<const std::byte> stream = std::span(input_).first(input_size_);
  zapi::Message message;
  while (true) {
    const zapi::Framing framing = zapi::take_message(stream, message);
    if (framing == zapi::Framing::kBroken) return drop("zebra sent something that is not its protocol");
    if (framing == zapi::Framing::kIncomplete) break;
    take_message(message);
    if (!socket_.is_open()) return;
  }
  std::memmove(input_.data(), stream.data(), stream.size());
  input_size_ = stream.size();
  read();
}

void ZapiConnection::take_message(const zapi::Message& message) {
  switch (phase_) {
    case Phase::kProbing: return take_probe_answer(message);
    case Phase::kHello: return take_hello_answer(message);
    case Phase::kReady: return user_.on_zebra_message(message);
    case Phase::kWaiting:
    case Phase::kAsking:
    case Phase::kRefused:
    case Phase::kClosed: return;
  }
}

}  // namespace untrombone::bgp
