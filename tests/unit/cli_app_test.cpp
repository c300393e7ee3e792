// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/cli/app.hpp"

namespace untrombone::cli {
namespace {

/// A directory of its own, gone at the end.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "untrombone-cli-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Accepts one client on a UNIX socket, reads its line, writes `answer`, closes.
class FakeAgent {
 public:
  FakeAgent(std::string path, std::string answer) : path_(std::move(path)), answer_(std::move(answer)) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(listener_ >= 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path_.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path_.data(), path_.size());
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  FakeAgent(const FakeAgent&) = delete;
  FakeAgent& operator=(const FakeAgent&) = delete;
  ~FakeAgent() {
    (void)wait();
    ::close(listener_);
  }

  /// The request, once the client is served.
  std::string wait() {
    ::shutdown(listener_, SHUT_RDWR);  // ends an accept() that nobody came for
    if (thread_.joinable()) thread_.join();
    return request_;
  }

 private:
  void serve() {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    std::array<char, 4096> part{};
    while (request_.find('\n') == std::string::npos) {
      const ssize_t size = ::recv(client, part.data(), part.size(), 0);
      if (size <= 0) break;
      request_.append(part.data(), static_cast<std::size_t>(size));
    }
    (void)!::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    ::close(client);
  }

  std::string path_;
  std::string answer_;
  std::string request_;
  int listener_ = -1;
  std::thread thread_;
};

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

std::string g_agent_started;  // NOLINT: written by the hook of the test below, read by it

Outcome run_with(const std::vector<std::string>& arguments, bool colour = false) {
  const Hooks hooks{
      [](const std::string& config, bool observe) {
        g_agent_started = config + (observe ? " observing" : "");
        return 7;
      },
      [](const std::string& path) -> ConfigVerdict {
        if (path == "good.toml") return {};
        if (path == "bad.toml") return {"bad.toml:1: site.name: missing", false};
        return {path + ": cannot read it: No such file or directory", true};
      },
      [] { return std::string("# defaults\n"); },
      [](const FrrConfigQuestion& question) -> FrrConfigAnswer {
        if (question.config_path == "bad.toml") return {.error = "bad.toml:1: site.name: missing"};
        const std::string text =
            fmt::format("! {} {} {} {} {} {}\n", question.protocol, question.role, question.frr_version,
                        question.asn.value_or(0), question.isis_area, fmt::join(question.neighbors, ","));
        return {.text = text, .protocol = "bgp", .frr_version = "8.4"};
      },
  };
  std::vector<const char*> argv = {"untrombone"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  std::ostringstream out;
  std::ostringstream err;
  const int code = run(static_cast<int>(argv.size()), argv.data(), hooks, Terminal{out, err, colour});
  return {code, out.str(), err.str()};
}

/// Asks a fake agent that says `answer`; the socket's path takes the place of "SOCKET".
struct Conversation {
  Outcome outcome;
  std::string request;
};

Conversation converse(std::vector<std::string> arguments, const std::string& answer, bool colour = false) {
  const Scratch scratch;
  for (std::string& argument : arguments) {
    if (argument == "SOCKET") argument = scratch.file("s");
  }
  FakeAgent agent(scratch.file("s"), answer);
  Outcome outcome = run_with(arguments, colour);
  return {std::move(outcome), agent.wait()};
}

}  // namespace

TEST_CASE("a wrong command line is exit code 64 and says why on the error output") {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"frobnicate"},
      {"status", "--frobnicate"},
      {"hosts", "--verdict", "perhaps"},
      {"host", "claim", "192.0.2"},
      {"host", "claim", "192.0.2.7", "--mac", "00:00:5e:00:53"},
      {"hosts", "192.0.2.1/24"},
      {"hosts", "192.0.2.0/24", "198.51.100.0/24"},
      {"explain"},
      {"explain", "192.0.2"},
      {"config"},
      {"config", "show"},
      {"--socket"},
      {"frr-config", "--protocol", "rip"},
      {"frr-config", "--border", "--receiver"},
      {"frr-config", "--asn", "0"},
      {"frr-config", "--neighbor", "192.0.2"},
  };
  for (const auto& arguments : wrong) {
    const Outcome outcome = run_with(arguments);
    CAPTURE(Catch::rangeToString(arguments));
    CHECK(outcome.code == kExitUsage);
    CHECK(outcome.out.empty());
    CHECK_FALSE(outcome.err.empty());
  }
}

TEST_CASE("help and version are answers, not errors") {
  CHECK(run_with({"--help"}).code == kExitOk);
  CHECK(run_with({"hosts", "--help"}).code == kExitOk);
  const Outcome version = run_with({"--version"});
  CHECK(version.code == kExitOk);
  CHECK(version.out.rfind("untrombone ", 0) == 0);
}

TEST_CASE("agent hands its options to the daemon and returns its exit code") {
  CHECK(run_with({"agent"}).code == 7);
  CHECK(g_agent_started == "/etc/untrombone/untrombone.toml");
  CHECK(run_with({"agent", "--config", "x.toml", "--observe"}).code == 7);
  CHECK(g_agent_started == "x.toml observing");
}

TEST_CASE("config check is 0 for a good file, 1 for a bad one, 2 for none") {
  const Outcome good = run_with({"config", "check", "good.toml"});
  CHECK(good.code == kExitOk);
  CHECK(good.out == "good.toml: ok\n");
  const Outcome bad = run_with({"config", "check", "bad.toml"});
  CHECK(bad.code == kExitFindings);
  CHECK(bad.err == "bad.toml:1: site.name: missing\n");
  CHECK(bad.out.empty());
  CHECK(run_with({"config", "check", "none.toml"}).code == kExitFailed);
}

TEST_CASE("config check --json says the same as a document") {
  const Outcome bad = run_with({"config", "check", "bad.toml", "--json"});
  CHECK(bad.code == kExitFindings);
  CHECK(
      bad.out ==
      "{\n  \"file\": \"bad.toml\",\n  \"ok\": false,\n  \"error\": \"bad.toml:1: site.name: missing\"\n}\n");
}

TEST_CASE("config show --defaults prints what the daemon says") {
  CHECK(run_with({"config", "show", "--defaults"}).out == "# defaults\n");
}

TEST_CASE("frr-config hands on what it was asked for and prints the answer") {
  CHECK(run_with({"frr-config"}).out == "!  edge  0  \n");
  CHECK(run_with({"frr-config", "--protocol", "isis", "--isis-area", "CORE", "--frr-version", "10.3"}).out ==
        "! isis edge 10.3 0 CORE \n");
  CHECK(run_with({"frr-config", "--border", "--asn", "65000", "--neighbor", "192.0.2.1", "--neighbor",
                  "2001:DB8::1"})
            .out == "!  border  65000  192.0.2.1,2001:db8::1\n");
  CHECK(run_with({"frr-config", "--receiver", "--json"}).out ==
        "{\n  \"protocol\": \"bgp\",\n  \"role\": \"receiver\",\n  \"frr\": \"8.4\",\n  \"config\": \"!  "
        "receiver  0  \\n\"\n}\n");
  const Outcome bad = run_with({"frr-config", "--config", "bad.toml"});
  CHECK(bad.code == kExitFailed);
  CHECK(bad.err == "untrombone: bad.toml:1: site.name: missing\n");
}

TEST_CASE("the request is one line of JSON with the filters that were given") {
  const std::string empty = R"({"hosts": []})";
  CHECK(converse({"hosts", "--socket", "SOCKET"}, empty).request == "{\"command\":\"hosts\"}\n");
  CHECK(converse({"--socket", "SOCKET", "hosts", "--segment", "vlan10", "--verdict", "local", "192.0.2.0/24"},
                 empty)
            .request ==
        "{\"command\":\"hosts\",\"segment\":\"vlan10\",\"verdict\":\"local\",\"prefix\":\"192.0.2.0/24\"}\n");
  CHECK(converse({"hosts", "192.0.2.7", "--socket", "SOCKET"}, empty).request ==
        "{\"command\":\"hosts\",\"prefix\":\"192.0.2.7/32\"}\n");
  CHECK(converse({"explain", "2001:DB8::0:1", "--socket", "SOCKET"}, R"({"found": true})").request ==
        "{\"command\":\"explain\",\"address\":\"2001:db8::1\"}\n");
  const auto claimed = converse({"host", "claim", "192.0.2.7", "--mac", "00:00:5e:00:53:07", "--for", "5m",
                                 "--segment", "vlan10", "--socket", "SOCKET"},
                                R"({"claimed": false, "reason": "it is here already"})");
  CHECK(claimed.request ==
        "{\"command\":\"host-claim\",\"segment\":\"vlan10\",\"address\":\"192.0.2.7\",\"for\":\"5m\","
        "\"mac\":\"00:00:5e:00:53:07\"}\n");
  CHECK(claimed.outcome.code == kExitFindings);
  CHECK(converse({"host", "release", "192.0.2.7", "--socket", "SOCKET"}, R"({"released": true})").request ==
        "{\"command\":\"host-release\",\"address\":\"192.0.2.7\"}\n");
}

TEST_CASE("with --json the document is printed as received, before or after the command") {
  const std::string answer = R"({"routes":[],"a":1})";
  const std::string pretty = "{\n  \"routes\": [],\n  \"a\": 1\n}\n";
  CHECK(converse({"--json", "--socket", "SOCKET", "routes"}, answer).outcome.out == pretty);
  CHECK(converse({"routes", "--socket", "SOCKET", "--json"}, answer).outcome.out == pretty);
}

TEST_CASE("colours need a terminal and nobody who minds") {
  const std::string answer = R"({"segments":[],"healthy":true})";
  const auto has_escape = [](const Outcome& outcome) {
    return outcome.out.find('\x1b') != std::string::npos;
  };
  CHECK(has_escape(converse({"status", "--socket", "SOCKET"}, answer, true).outcome));
  CHECK_FALSE(has_escape(converse({"status", "--socket", "SOCKET"}, answer, false).outcome));
  CHECK_FALSE(has_escape(converse({"status", "--no-color", "--socket", "SOCKET"}, answer, true).outcome));
}

TEST_CASE("a negative answer is exit code 1, in text and in JSON") {
  const std::string unhealthy = R"({"segments":[],"healthy":false})";
  CHECK(converse({"status", "--socket", "SOCKET"}, unhealthy).outcome.code == kExitFindings);
  CHECK(converse({"status", "--json", "--socket", "SOCKET"}, unhealthy).outcome.code == kExitFindings);
  CHECK(converse({"explain", "192.0.2.9", "--socket", "SOCKET"}, R"({"found":false})").outcome.code ==
        kExitFindings);
  CHECK(converse({"explain", "192.0.2.9", "--socket", "SOCKET"}, R"({"found":true})").outcome.code ==
        kExitOk);
}

TEST_CASE("without an agent the exit code is 2 and the message names the socket") {
  const Outcome outcome = run_with({"status", "--socket", "/nonexistent/untrombone.sock"});
  CHECK(outcome.code == kExitFailed);
  CHECK(outcome.err ==
        "untrombone: no agent answers at /nonexistent/untrombone.sock: No such file or directory "
        "(is it running? use --socket)\n");
  CHECK(run_with({"status", "--socket", std::string(200, 'x')}).code == kExitFailed);
}

TEST_CASE("an answer that is an error or no answer is exit code 2 with a message") {
  const std::vector<std::pair<std::string, std::string>> answers = {
      {R"({"error":"no segment \"x\""})", "the agent refuses: no segment \"x\"\n"},
      {"", "closed without an answer\n"},
      {R"({"hosts": [)", "did not answer with a JSON object\n"},
      {"[]", "did not answer with a JSON object\n"},
      {"{} {}", "did not answer with a JSON object\n"},
      {R"({"hosts": 3})", "the answer to \"hosts\" has no usable \"hosts\"\n"},
  };
  for (const auto& [answer, message] : answers) {
    const Outcome outcome = converse({"hosts", "--socket", "SOCKET"}, answer).outcome;
    CHECK(outcome.code == kExitFailed);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Catch::StartsWith("untrombone: ") && Catch::EndsWith(message));
  }
}

}  // namespace untrombone::cli
