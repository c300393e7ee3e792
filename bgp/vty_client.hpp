// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/result.hpp>

#include "bgp/vty_codec.hpp"

namespace untrombone::bgp {

/// Why there is no answer, ready for the operator: it names the socket, the command and what happened.
struct VtyError {
  std::string message;
};
using VtyResult = boost::system::result<VtyAnswer, VtyError>;
using VtyResults = boost::system::result<std::vector<VtyAnswer>, VtyError>;

/// How the commands of one run() are sent.
enum class VtyPace : std::uint8_t {
  kOneByOne,  ///< each when the one before is answered
  kAtOnce,    ///< without waiting; mgmtd forgets what it reads behind a command that takes it time
};

struct VtyLimits {
  std::chrono::milliseconds patience{5000};                   ///< silence of the daemon that ends a question
  std::size_t longest_answer = std::size_t{4} * 1024 * 1024;  ///< of ask(); a stream may be longer
  std::size_t longest_queue = 64;
};

/// "/var/run/frr" and "bgpd" -> "/var/run/frr/bgpd.vty".
[[nodiscard]] std::string vty_socket(std::string_view vty_dir, std::string_view daemon);

/// Asks one FRR daemon on its vty socket, the one vtysh uses.
///
/// States: closed -> opening (connected, "enable" sent) -> idle <-> asking. Connects when there is something to ask,
/// keeps the connection, and asks one question after the other. A daemon that was restarted in between is connected
/// to anew. Every question ends: with an answer, or with an error when the daemon is not there, closes, stays silent
/// for `patience`, answers more than `longest_answer` or something that is not its protocol. An error closes the
/// connection; the questions that wait are then asked on a new one.
///
/// Everything is called on the io_context's thread; `done` never from within ask(), stream() or run(), and at most
/// once: not at all when the client is destroyed first, which it may be at any time but from within its own callbacks.
class VtyClient {
 public:
  using Done = std::function<void(VtyResult)>;
  using RunDone = std::function<void(VtyResults)>;
  /// Gets the next part of an answer; false ends the question with an error.
  using Consumer = std::function<bool(std::string_view)>;

  struct Counters {
    std::uint64_t answered = 0;
    std::uint64_t failed = 0;
    std::uint64_t connections = 0;
  };

  VtyClient(boost::asio::io_context& io, std::string socket, VtyLimits limits = {});
  ~VtyClient();
  VtyClient(const VtyClient&) = delete;
  VtyClient& operator=(const VtyClient&) = delete;

  /// Asks, e.g., "show version"; the whole answer is held.
  void ask(std::string command, Done done);
  /// Asks and hands the answer on as it comes: a table of 100,000 routes is never held whole.
  void stream(std::string command, Consumer consumer, Done done);
  /// One or more commands that belong together, such as lines of configuration: in this order, nothing in between, all
  /// answers or none. Counts as one question.
  void run(std::vector<std::string> commands, VtyPace pace, RunDone done);
  /// Questions that have no answer yet.
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] const Counters& counters() const;
  [[nodiscard]] const std::string& socket() const;

 private:
  struct Session;
  std::shared_ptr<Session> session_;
};

/// For the command line: asks and waits.
[[nodiscard]] VtyResult ask_vty(const std::string& socket, const std::string& command, VtyLimits limits = {});

}  // namespace untrombone::bgp
