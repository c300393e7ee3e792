// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/vty_client.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace untrombone::bgp {
namespace {

using boost::system::error_code;
namespace asio = boost::asio;

/// Without it the daemon knows the commands of its view node only.
constexpr std::string_view kEnable = "enable";
constexpr std::size_t kInput = std::size_t{64} * 1024;

}  // namespace

std::string vty_socket(std::string_view vty_dir, std::string_view daemon) {
  return fmt::format("{}/{}.vty", vty_dir, daemon);
}

/// Kept alive by its handlers, so that the client can go at any time.
struct VtyClient::Session : std::enable_shared_from_this<Session> {
  struct Question {
    std::vector<std::string> commands;  ///< one, but for run()
    VtyPace pace = VtyPace::kOneByOne;
    Consumer consumer;  ///< empty: the answer is kept
    RunDone done;
    std::size_t sent = 0;
    std::vector<VtyAnswer> answers = {};
    bool asked_again = false;

    /// The command whose answer comes next.
    [[nodiscard]] const std::string& current() const { return commands[answers.size()]; }
  };
  enum class State { kClosed, kConnecting, kOpening, kIdle, kAsking };

  Session(asio::io_context& context, std::string path, const VtyLimits& bounds)
      : io(context),
        socket_path(std::move(path)),
        limits(bounds),
        socket(context),
        timer(context),
        input(kInput) {}

  /// Wraps a handler: it is not called once the connection is another one, and an error ends the connection.
  template <typename Handler>
  auto on_this_connection(Handler handler) {
    return [self = shared_from_this(), this, mine = epoch, handler = std::move(handler)](
               const error_code& error, auto... counts) {
      if (mine != epoch || closed) return;
      if (error) return drop(error == asio::error::eof ? "it closed the connection" : error.message());
      handler(counts...);
    };
  }

  void add(Question question) {
    if (questions.size() >= limits.longest_queue)
      return refuse(std::move(question), "too many questions wait");
    for (std::vector<std::byte> bytes; const std::string& command : question.commands) {
      bytes.clear();
      if (!encode_vty_command(bytes, command)) return refuse(std::move(question), "that is no command");
    }
    questions.push_back(std::move(question));
    if (state == State::kClosed) return connect();
    if (state == State::kIdle) ask_next();
  }

  void connect() {
    state = State::kConnecting;
    ++counters.connections;
    ++epoch;
    socket = asio::local::stream_protocol::socket(io);
    wait_for_progress();
    socket.async_connect(asio::local::stream_protocol::endpoint(socket_path), on_this_connection([this] {
                           state = State::kOpening;
                           output.clear();
                           (void)encode_vty_command(output, kEnable);
                           write();
                           read();
                         }));
  }

  /// The next commands of the question that is being asked.
  void send(Question& question) {
    output.clear();
    const std::size_t last = question.pace == VtyPace::kAtOnce ? question.commands.size() : question.sent + 1;
    while (question.sent < last) (void)encode_vty_command(output, question.commands[question.sent++]);
    write();
  }

  void write() {
    reader = {};
    answer.clear();
    wait_for_progress();
    asio::async_write(socket, asio::buffer(output), on_this_connection([](std::size_t /*count*/) {}));
  }

  void read() {
    socket.async_read_some(asio::buffer(input),
                           on_this_connection([this](std::size_t count) { take(count); }));
  }

  void take(std::size_t count) {
    std::span<const std::byte> stream = std::span(input).first(count);
    if (state == State::kIdle) return drop("it spoke without being asked");
    wait_for_progress();
    const std::uint64_t mine = epoch;
    while (!stream.empty()) {
      if (!take_text(reader.take(stream)) || mine != epoch || closed) return;
      if (reader.state() == VtyAnswerReader::State::kBroken) return drop("that is not the vty protocol");
      if (reader.state() != VtyAnswerReader::State::kComplete) continue;
      if (!stream.empty() && !is_more_expected()) return drop("it answered more than it was asked");
      take_end();
      if (mine != epoch || closed) return;
    }
    read();
  }

  /// Commands behind the current one have been sent already.
  [[nodiscard]] bool is_more_expected() const {
    return state == State::kAsking && questions.front().sent > questions.front().answers.size() + 1;
  }

  /// False when the connection was given up for it.
  bool take_text(std::string_view text) {
    if (state == State::kOpening || text.empty()) return true;
    if (const Consumer& consumer = questions.front().consumer) {
      if (consumer(text)) return true;
      drop("the answer is not understood");
      return false;
    }
    if (answer.size() + text.size() > limits.longest_answer) {
      drop(fmt::format("the answer is longer than {} octets", limits.longest_answer));
      return false;
    }
    answer.append(text);
    return true;
  }

  void take_end() {
    const bool opened = state == State::kOpening;
    if (opened && reader.status() != kVtySuccess) return drop("it does not let us enable");
    if (!opened && !take_answer()) return;
    timer.cancel();
    state = State::kIdle;
    ask_next();
  }

  /// True when it was the question's last one.
  bool take_answer() {
    Question& first = questions.front();
    first.answers.push_back({reader.status(), std::exchange(answer, {})});
    reader = {};
    if (first.answers.size() < first.commands.size()) {
      if (first.sent == first.answers.size()) send(first);
      return false;
    }
    Question question = std::move(first);
    questions.pop_front();
    ++counters.answered;
    finish(std::move(question.done), std::move(question.answers));
    return true;
  }

  void ask_next() {
    if (questions.empty()) return;
    state = State::kAsking;
    send(questions.front());
  }

  /// Gives the connection up, and with it the question that was on its way. One that got nothing at all of its answer
  /// on a connection that had been idle is asked once more: the daemon was restarted.
  void drop(const std::string& why) {
    const State was = std::exchange(state, State::kClosed);
    ++epoch;
    timer.cancel();
    error_code ignored;
    socket.close(ignored);
    if (was == State::kIdle || questions.empty()) return reopen();
    Question& first = questions.front();
    const bool stale = was == State::kAsking && first.answers.empty() && !reader.has_begun() &&
                       !first.asked_again && !silent;
    silent = false;
    if (stale) {
      first.asked_again = true;
      first.sent = 0;
      return connect();
    }
    Question question = std::move(first);
    questions.pop_front();
    refuse(std::move(question), why);
    reopen();
  }

  void reopen() {
    if (!questions.empty() && !closed) connect();
  }

  void wait_for_progress() {
    timer.expires_after(limits.patience);
    timer.async_wait([self = shared_from_this(), this, mine = epoch](const error_code& error) {
      if (error || mine != epoch || closed) return;
      silent = true;
      drop(fmt::format("no answer for {} ms", limits.patience.count()));
    });
  }

  void refuse(Question question, std::string_view why) {
    ++counters.failed;
    VtyError error{fmt::format("{}: \"{}\": {}", socket_path, question.current(), why)};
    finish(std::move(question.done), std::move(error));
  }

  void finish(RunDone done, VtyResults result) {
    asio::post(
        io, [self = shared_from_this(), this, done = std::move(done), result = std::move(result)]() mutable {
          if (!closed) done(std::move(result));
        });
  }

  void close() {
    closed = true;
    timer.cancel();
    error_code ignored;
    socket.close(ignored);
    questions.clear();
  }

  asio::io_context& io;
  std::string socket_path;
  VtyLimits limits;
  asio::local::stream_protocol::socket socket;
  asio::steady_timer timer;
  std::vector<std::byte> input;
  std::vector<std::byte> output;
  VtyAnswerReader reader;
  std::string answer;
  std::deque<Question> questions;  ///< the first one is being asked in kAsking
  Counters counters;
  State state = State::kClosed;
  std::uint64_t epoch = 0;  ///< of the connection; handlers of an older one do nothing
  bool silent = false;      ///< it is dropped for its silence
  bool closed = false;
};

VtyClient::VtyClient(asio::io_context& io, std::string socket, VtyLimits limits)
    : session_(std::make_shared<Session>(io, std::move(socket), limits)) {}

VtyClient::~VtyClient() { session_->close(); }

void VtyClient::ask(std::string command, Done done) { stream(std::move(command), {}, std::move(done)); }

void VtyClient::stream(std::string command, Consumer consumer, Done done) {
  session_->add({.commands = {std::move(command)},
                 .consumer = std::move(consumer),
                 .done = [done = std::move(done)](VtyResults results) {
                   done(results ? VtyResult(std::move(results->front()))
                                : VtyResult(std::move(results.error())));
                 }});
}

void VtyClient::run(std::vector<std::string> commands, VtyPace pace, RunDone done) {
  session_->add({.commands = std::move(commands), .pace = pace, .consumer = {}, .done = std::move(done)});
}

std::size_t VtyClient::waiting() const { return session_->questions.size(); }
const VtyClient::Counters& VtyClient::counters() const { return session_->counters; }
const std::string& VtyClient::socket() const { return session_->socket_path; }

VtyResult ask_vty(const std::string& socket, const std::string& command, VtyLimits limits) {
  asio::io_context io(1);
  VtyResult result = VtyError{};
  {
    VtyClient client(io, socket, limits);
    bool done = false;
    client.ask(command, [&](VtyResult answer) {
      result = std::move(answer);
      done = true;
    });
    while (!done && io.run_one() != 0) continue;
  }
  return result;
}

}  // namespace untrombone::bgp
