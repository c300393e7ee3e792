// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bgp/vty_client.hpp"
#include "bgp/zapi/codec.hpp"

namespace untrombone::bgp {

/// Who uses a ZapiConnection. Called on the io_context's thread, never from within a call of the connection.
class ZapiUser {
 public:
  virtual ~ZapiUser() = default;
  /// zebra took our HELLO.
  virtual void on_zebra_ready() = 0;
  virtual void on_zebra_message(const zapi::Message& message) = 0;
  /// There is room for more: append to out() and write().
  virtual void on_zebra_writable() = 0;
  /// The connection is gone; it is made again.
  virtual void on_zebra_lost() = 0;
  /// ready(), detail() or release() is different now.
  virtual void on_zebra_status() = 0;
};

struct ZapiOptions {
  std::string socket = "/var/run/frr/zserv.api";
  std::string vty_dir = "/var/run/frr";
  std::string version = "auto";  ///< or the FRR release that must be found, e.g. "8.4"
  std::uint16_t table = 201;     ///< zebra instance where the release needs one; 1..252
  bool isis = false;  ///< isisd is to redistribute the routes: some releases need the instance for it
};

/// A client's connection to zebra, and the finding out of its release.
///
/// States: waiting (with a reason; retried with back-off from 100 ms to 5 s) -> probing (what number has ERROR?) ->
/// asking (zebra's vty for its version, again and again, unless it is configured) -> hello -> ready. The release is
/// taken only when its row of the table fits all that zebra says: the command numbers moved in 10.0, and an old
/// "delete" is a new "add". An unknown release is refused, with the way out, for as long as zebra runs.
///
/// What goes wrong before HELLO keeps the connection: when a client without an instance closes, zebra from 10.2 on
/// forgets the routes of all others that it has not come to yet, its own connected ones too (zebra_rib.c,
/// early_route_meta_queue_free).
class ZapiConnection {
 public:
  ZapiConnection(boost::asio::io_context& io, ZapiUser& user, ZapiOptions options);

  void start() { connect(); }
  /// Ends the connection for good.
  void close();

  [[nodiscard]] bool ready() const { return phase_ == Phase::kReady; }
  /// Why it is not ready.
  [[nodiscard]] const std::string& detail() const { return detail_; }
  /// nullptr until the first zebra was found; the last one's then.
  [[nodiscard]] const zapi::Release* release() const { return release_; }
  /// "8.4.4", or the names of the releases of its row when only those are known.
  [[nodiscard]] const std::string& version() const { return version_; }
  /// The process at the other end; 0 when it is not known (in another PID namespace).
  [[nodiscard]] int zebra_pid() const { return zebra_pid_; }
  /// What our routes' zebra instance is; 0 where none is needed.
  [[nodiscard]] std::uint16_t instance() const { return instance_; }
  /// bgpd's IPv6 redistributes no instance, only what is in a table of its own (`table-direct`, since 10.1).
  [[nodiscard]] bool copies_ipv6() const { return copies_ipv6_; }

  /// Whole messages, appended here, go out with the next write(). Only while ready.
  [[nodiscard]] std::vector<std::byte>& out() { return outbox_; }
  /// May more be appended? Beyond that zebra is slow, and on_zebra_writable() tells when it is not any more.
  [[nodiscard]] bool has_room() const { return outbox_.size() < kRoom; }
  /// Octets ever appended on this connection, and written to the socket.
  [[nodiscard]] std::uint64_t appended() const { return written_ + outbox_.size(); }
  [[nodiscard]] std::uint64_t written() const { return written_; }
  void write();
  /// A VRF's or a prefix's trouble is not worth a connection, a broken promise is: drops it, and connects anew.
  void drop(const std::string& why);

 private:
  enum class Phase : std::uint8_t { kWaiting, kProbing, kAsking, kRefused, kHello, kReady, kClosed };
  static constexpr std::size_t kRoom = 65536;

  void on_connected();
  void connect();
  void reset();
  void retry_later(std::function<void()> retry);
  void await_answer();
  void lose_patience();
  void ask_version();
  void take_probe_answer(const zapi::Message& message);
  void take_version(const VtyResult& answer);
  void take_release(std::string_view version);
  void refuse(const std::string& why);
  void say_hello();
  void take_hello_answer(const zapi::Message& message);
  void wait_writable();
  void read();
  void take_input();
  void take_message(const zapi::Message& message);
  void set_detail(const std::string& detail);

  boost::asio::io_context& io_;
  ZapiUser& user_;
  ZapiOptions options_;
  boost::asio::local::stream_protocol::socket socket_;
  boost::asio::steady_timer retry_timer_;
  std::unique_ptr<VtyClient> vty_;

  Phase phase_ = Phase::kWaiting;
  std::string detail_ = "not started";
  const zapi::Release* release_ = nullptr;
  std::string version_;
  std::uint16_t instance_ = 0;
  bool copies_ipv6_ = false;
  int zebra_pid_ = 0;
  std::uint16_t error_command_ = 0;
  std::chrono::milliseconds backoff_{0};
  std::vector<std::byte> outbox_;
  std::uint64_t written_ = 0;
  bool waiting_writable_ = false;
  std::array<std::byte, 65536> input_{};
  std::size_t input_size_ = 0;
};

}  // namespace untrombone::bgp
