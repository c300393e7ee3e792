// SPDX-License-Identifier: GPL-2.0-or-later
// Questions to the real zebra and bgpd of the machine, and to daemons that misbehave. Needs root and FRR.
#include "bgp/vty_client.hpp"

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/lab/frr.hpp"
#include "tests/lab/wait.hpp"
#include "tests/netns/bridge_netns.hpp"
#include "tests/netns/scratch.hpp"

namespace untrombone::bgp {
namespace {

using testing::BridgeNetns;
using testing::run_until;
using testing::Scratch;
using namespace std::chrono_literals;

/// A loop, and the answer to one question after the other.
class Asker {
 public:
  explicit Asker(const std::string& socket, VtyLimits limits = {}) : client_(io_, socket, limits) {}

  VtyResult ask(const std::string& command) {
    std::optional<VtyResult> result;
    client_.ask(command, [&](VtyResult answer) { result = std::move(answer); });
    CHECK_FALSE(result);
    return wait(result);
  }
  VtyResult stream(const std::string& command, VtyClient::Consumer consumer) {
    std::optional<VtyResult> result;
    client_.stream(command, std::move(consumer), [&](VtyResult answer) { result = std::move(answer); });
    return wait(result);
  }
  boost::asio::io_context& io() { return io_; }
  VtyClient& client() { return client_; }

 private:
  VtyResult wait(const std::optional<VtyResult>& result) {
    REQUIRE(run_until(io_, [&] { return result.has_value(); }));
    return *result;
  }

  boost::asio::io_context io_;
  VtyClient client_;
};

/// zebra and bgpd in a namespace of their own.
class Router {
 public:
  Router() {
    if (!std::filesystem::exists("/usr/lib/frr/bgpd")) {
      std::puts("skipped: FRR is not installed");
      std::exit(77);
    }
    frr_.emplace(lab::Node::kSiteA, bridge_.netns(), lab::FrrOptions{}, scratch_.path() / "frr");
  }
  lab::Frr& frr() { return *frr_; }
  [[nodiscard]] std::string socket(const char* daemon) const {
    return vty_socket((scratch_.path() / "frr").string(), daemon);
  }

 private:
  BridgeNetns bridge_;
  Scratch scratch_;
  std::optional<lab::Frr> frr_;
};

/// Listens like a daemon; each client that says something gets the next speech, and is left when it was the last one.
class FakeDaemon {
 public:
  using Protocol = boost::asio::local::stream_protocol;

  FakeDaemon(boost::asio::io_context& io, const std::string& path, std::vector<std::string> speeches)
      : acceptor_(io, path), client_(io), speeches_(std::move(speeches)) {
    accept();
  }
  [[nodiscard]] int clients() const { return clients_; }

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, Protocol::socket client) {
      if (error) return;
      ++clients_;
      client_ = std::move(client);
      next_ = 0;
      listen();
      accept();
    });
  }
  void listen() {
    client_.async_read_some(boost::asio::buffer(heard_),
                            [this](const boost::system::error_code& error, std::size_t /*count*/) {
                              if (error) return;
                              speak();
                            });
  }
  void speak() {
    boost::system::error_code ignored;
    if (next_ == speeches_.size()) {
      client_.close(ignored);
      return;
    }
    boost::asio::write(client_, boost::asio::buffer(speeches_[next_++]), ignored);
    listen();
  }

  Protocol::acceptor acceptor_;
  Protocol::socket client_;
  std::vector<std::string> speeches_;
  std::array<char, 256> heard_{};
  std::size_t next_ = 0;
  int clients_ = 0;
};

const std::string kEnabled(4, '\0');

std::string path_in(const Scratch& scratch) { return (scratch.path() / "bgpd.vty").string(); }

}  // namespace

TEST_CASE("the real zebra and bgpd answer, in order, on one connection each", "[netns]") {
  Router router;
  Asker zebra(router.socket("zebra"));
  const auto version = zebra.ask("show version");
  REQUIRE(version.has_value());
  CHECK(version->status == kVtySuccess);
  CHECK(version->text.starts_with("FRRouting "));

  REQUIRE(lab::wait_for([&] { return std::filesystem::exists(router.socket("bgpd")); }, 10s));
  Asker bgpd(router.socket("bgpd"));
  std::vector<std::string> answers;
  for (const char* command : {"show bgp ipv4 unicast json", "show the impossible", "show running-config"}) {
    bgpd.client().ask(command, [&](VtyResult answer) {
      answers.push_back(answer ? std::to_string(answer->status) + answer->text : answer.error().message);
    });
  }
  CHECK(bgpd.client().waiting() == 3);
  REQUIRE(run_until(bgpd.io(), [&] { return answers.size() == 3; }));
  CHECK(nlohmann::json::parse(answers[0].substr(1)).is_object());
  CHECK(answers[1].starts_with("2% "));
  CHECK(answers[2].find("\nrouter bgp 65001\n") != std::string::npos);
  CHECK(bgpd.client().counters().connections == 1);
  CHECK(bgpd.client().counters().answered == 3);

  const auto blocking = ask_vty(router.socket("bgpd"), "show bgp summary json");
  REQUIRE(blocking.has_value());
  CHECK(nlohmann::json::parse(blocking->text).contains("ipv4Unicast"));
}

TEST_CASE("a daemon that was restarted is asked on a new connection", "[netns]") {
  Router router;
  Asker zebra(router.socket("zebra"));
  REQUIRE(zebra.ask("show version").has_value());
  router.frr().daemon("zebra").kill9();
  const auto gone = zebra.ask("show version");
  REQUIRE(gone.has_error());
  CHECK(gone.error().message == router.socket("zebra") + ": \"show version\": Connection refused");
  router.frr().start_daemon("zebra");
  CHECK(zebra.ask("show version").has_value());
}

TEST_CASE("an answer is handed on as it comes, and what is not understood ends it", "[netns]") {
  Router router;
  Asker zebra(router.socket("zebra"));
  std::string text;
  const auto streamed = zebra.stream("show version", [&](std::string_view part) {
    text += part;
    return true;
  });
  INFO((streamed ? std::string() : streamed.error().message));
  REQUIRE(streamed.has_value());
  CHECK(streamed->text.empty());
  CHECK(text.starts_with("FRRouting "));
  const auto refused = zebra.stream("show version", [](std::string_view /*part*/) { return false; });
  REQUIRE(refused.has_error());
  CHECK(refused.error().message.ends_with("\"show version\": the answer is not understood"));
  CHECK(zebra.ask("show version").has_value());
}

TEST_CASE("a daemon that is not there, is silent, talks too much or nonsense is an error that says so",
          "[netns]") {
  const Scratch scratch;
  const std::string path = path_in(scratch);
  {
    Asker asker(path);
    const auto absent = asker.ask("show version");
    REQUIRE(absent.has_error());
    CHECK(absent.error().message == path + ": \"show version\": No such file or directory");
    CHECK(asker.ask("show version\n").error().message.ends_with("that is no command"));
    CHECK(asker.client().counters().failed == 2);
  }
  const auto answer_to = [&](std::vector<std::string> speeches) {
    std::filesystem::remove(path);
    Asker asker(path, {.patience = 200ms, .longest_answer = 64, .longest_queue = 4});
    const FakeDaemon daemon(asker.io(), path, std::move(speeches));
    const auto answer = asker.ask("show version");
    REQUIRE(answer.has_error());
    CHECK(asker.client().waiting() == 0);
    return answer.error().message.substr(path.size() + 2);
  };
  CHECK(answer_to({""}) == "\"show version\": no answer for 200 ms");
  CHECK(answer_to({std::string("\0\0\0\2", 4)}) == "\"show version\": it does not let us enable");
  CHECK(answer_to({kEnabled, ""}) == "\"show version\": no answer for 200 ms");
  CHECK(answer_to({kEnabled, std::string(65, 'x')}) ==
        "\"show version\": the answer is longer than 64 octets");
  CHECK(answer_to({kEnabled, std::string("a\0b", 3)}) == "\"show version\": that is not the vty protocol");
  CHECK(answer_to({kEnabled}) == "\"show version\": it closed the connection");
}

TEST_CASE("commands that belong together are answered one by one, however they are sent", "[netns]") {
  Router router;
  Asker zebra(router.socket("zebra"));
  const VtyPace pace = GENERATE(VtyPace::kOneByOne, VtyPace::kAtOnce);
  std::vector<std::string> commands{"configure terminal", "show the impossible"};
  for (int i = 0; i < 200; ++i)
    commands.emplace_back("hostname zebra" + std::to_string(i));  // more than it reads
  commands.insert(commands.end(), {"end", "show version"});
  std::optional<VtyResults> results;
  zebra.client().run(commands, pace, [&](VtyResults answers) { results = std::move(answers); });
  std::string host;
  zebra.client().ask("show running-config", [&](VtyResult answer) { host = answer->text; });
  REQUIRE(run_until(zebra.io(), [&] { return !host.empty(); }));
  REQUIRE((results && results->has_value()));
  REQUIRE((*results)->size() == commands.size());
  CHECK((*results)->at(0).status == kVtySuccess);
  CHECK((*results)->at(1).status == kVtyUnknownCommand);
  CHECK((*results)->back().text.starts_with("FRRouting "));
  CHECK(host.find("\nhostname zebra199\n") != std::string::npos);
  CHECK(zebra.client().counters().connections == 1);
}

TEST_CASE("commands that belong together are all answered or none, and the error names the one it ended at",
          "[netns]") {
  const auto [pace, why] = GENERATE(table<VtyPace, std::string>({
      {VtyPace::kOneByOne, "it closed the connection"},
      {VtyPace::kAtOnce, "no answer for 200 ms"},
  }));
  const Scratch scratch;
  Asker asker(path_in(scratch), {.patience = 200ms, .longest_answer = 64, .longest_queue = 4});
  const FakeDaemon daemon(asker.io(), path_in(scratch), {kEnabled, std::string(4, '\0')});
  std::optional<VtyResults> results;
  asker.client().run({"one", "two"}, pace, [&](VtyResults answers) { results = std::move(answers); });
  REQUIRE(run_until(asker.io(), [&] { return results.has_value(); }));
  REQUIRE(results->has_error());
  CHECK(results->error().message == path_in(scratch) + ": \"two\": " + why);
  CHECK(asker.client().waiting() == 0);
}

TEST_CASE("a connection that was closed while idle costs one more try, not the question", "[netns]") {
  const Scratch scratch;
  Asker asker(path_in(scratch));
  const FakeDaemon daemon(asker.io(), path_in(scratch), {kEnabled, std::string("one\0\0\0\0", 7)});
  CHECK(asker.ask("show version")->text == "one");
  CHECK(asker.ask("show version")->text == "one");
  CHECK(asker.ask("show version")->text == "one");
  CHECK(daemon.clients() == 3);
}

TEST_CASE("more questions than may wait are refused", "[netns]") {
  const Scratch scratch;
  Asker asker(path_in(scratch), {.patience = 200ms, .longest_answer = 64, .longest_queue = 2});
  const FakeDaemon daemon(asker.io(), path_in(scratch), {""});
  std::vector<std::string> errors;
  for (int i = 0; i < 3; ++i) {
    asker.client().ask("show version", [&](VtyResult answer) { errors.push_back(answer.error().message); });
  }
  REQUIRE(run_until(asker.io(), [&] { return errors.size() == 3; }));
  CHECK(errors.front().ends_with("too many questions wait"));
  CHECK(errors.back().ends_with("no answer for 200 ms"));
}

TEST_CASE("a client may go while it is being answered", "[netns]") {
  const Scratch scratch;
  boost::asio::io_context io;
  auto client = std::make_unique<VtyClient>(io, path_in(scratch));
  const FakeDaemon daemon(io, path_in(scratch), {kEnabled, "one"});
  bool answered = false;
  client->ask("show version", [&](VtyResult /*answer*/) { answered = true; });
  REQUIRE(run_until(io, [&] { return daemon.clients() == 1; }));
  client.reset();
  io.restart();
  io.run_for(20ms);
  CHECK_FALSE(answered);
}

}  // namespace untrombone::bgp
