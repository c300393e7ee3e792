// SPDX-License-Identifier: GPL-2.0-or-later
// The sink on the real zebra of the machine. Needs root and FRR.
#include "bgp/zapi_sink.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/lab/core_time.hpp"
#include "tests/lab/frr.hpp"
#include "tests/netns/bridge_netns.hpp"
#include "tests/netns/scratch.hpp"
#include "tests/netns/sink_recorder.hpp"

namespace untrombone::bgp {
namespace {

using core::IpAddress;
using core::IpPrefix;
using core::Route;
using core::RouteClass;
using core::RouteNote;
using testing::BridgeNetns;
using testing::kBridge;
using testing::Recorder;
using testing::run_until;
using testing::Scratch;

const IpPrefix kHost = IpPrefix::parse("192.0.2.11/32").value();
const IpPrefix kOtherHost = IpPrefix::parse("192.0.2.12/32").value();
const Route kFresh{kBridge, RouteClass::kFresh, 5, 999, 4211};
const Route kSettled{kBridge, RouteClass::kSettled, 5, 1000, 4210};

/// A sink, its listener and its loop.
class Client {
 public:
  explicit Client(ZapiSinkOptions options) : sink_(io_, recorder_, std::move(options), lab::core_now) {
    sink_.start();
  }

  void want(const IpPrefix& prefix, const std::optional<Route>& route) {
    sink_.apply({{{}, prefix}, route, lab::core_now()});
    sink_.flush();
  }
  template <typename Condition>
  bool wait(Condition condition) {
    return run_until(io_, condition);
  }
  bool wait_synced() {
    return wait([this] { return sink_.status().state == SinkState::kSynced; });
  }
  bool wait_installed(const IpPrefix& prefix) {
    return wait([&] { return state(prefix) == RouteState::kInstalled; });
  }
  bool wait_waiting_for(const std::string& why) {
    return wait([&] {
      const SinkStatus status = sink_.status();
      return status.state == SinkState::kWaiting && status.detail.find(why) != std::string::npos;
    });
  }
  void stop() {
    bool done = false;
    sink_.stop([&] { done = true; });
    REQUIRE(wait([&] { return done; }));
  }
  [[nodiscard]] std::optional<RouteState> state(const IpPrefix& prefix) const {
    const auto found = sink_.routes().find({{}, prefix});
    return found == sink_.routes().end() ? std::nullopt : std::optional(found->second.state);
  }

  boost::asio::io_context& io() { return io_; }
  ZapiSink& sink() { return sink_; }
  Recorder& recorder() { return recorder_; }

 private:
  boost::asio::io_context io_;
  Recorder recorder_;
  ZapiSink sink_;
};

/// A bridge's namespace with a run directory for FRR; zebra is started when asked for.
class Router {
 public:
  void start_zebra(const std::vector<std::string>& arguments = {}) {
    if (!std::filesystem::exists("/usr/lib/frr/zebra")) {
      std::puts("skipped: FRR is not installed");
      std::exit(77);
    }
    frr_.emplace(lab::Node::kWan, bridge_.netns(),
                 lab::FrrOptions{.protocol = lab::Protocol::kOspf, .zebra_arguments = arguments},
                 scratch_.path() / "frr");
  }
  lab::Frr& frr() { return *frr_; }

  [[nodiscard]] ZapiSinkOptions options() const {
    ZapiSinkOptions options;
    options.socket = (scratch_.path() / "frr/zserv.api").string();
    options.vty_dir = (scratch_.path() / "frr").string();
    return options;
  }
  [[nodiscard]] bool kernel_has(const IpPrefix& prefix) const {
    return bridge_.output({"ip", "route", "show", prefix.to_string()}).find("dev br0") != std::string::npos;
  }
  void enter() const { bridge_.netns().enter(); }
  void run(std::vector<std::string> argv) const { bridge_.run(std::move(argv)); }
  [[nodiscard]] nlohmann::json zebra_routes(const IpPrefix& prefix) const {
    const auto routes = nlohmann::json::parse(frr_->vtysh({"show ip route " + prefix.to_string() + " json"}));
    return routes.value(prefix.to_string(), nlohmann::json::array());
  }
  [[nodiscard]] nlohmann::json zebra_route(const IpPrefix& prefix) const {
    const nlohmann::json routes = zebra_routes(prefix);
    return routes.empty() ? nlohmann::json() : routes.front();
  }
  /// As `ip route show` lists those that the selector is true of.
  [[nodiscard]] std::string kernel_routes(const std::vector<std::string>& selector) const {
    std::vector<std::string> argv{"ip", "route", "show"};
    argv.insert(argv.end(), selector.begin(), selector.end());
    return bridge_.output(argv);
  }

 private:
  BridgeNetns bridge_;
  Scratch scratch_;
  std::optional<lab::Frr> frr_;
};

/// Listens like zebra and says `speech` to each client, whatever that says.
class FakeZebra {
 public:
  FakeZebra(boost::asio::io_context& io, const std::string& path, std::vector<unsigned char> speech)
      : acceptor_(io, path), speech_(std::move(speech)) {
    accept();
  }
  [[nodiscard]] int clients() const { return clients_; }

 private:
  using Protocol = boost::asio::local::stream_protocol;

  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, Protocol::socket client) {
      if (error) return;
      ++clients_;
      client_ = std::make_unique<Protocol::socket>(std::move(client));
      boost::system::error_code ignored;
      boost::asio::write(*client_, boost::asio::buffer(speech_), ignored);
      accept();
    });
  }

  Protocol::acceptor acceptor_;
  std::vector<unsigned char> speech_;
  std::unique_ptr<Protocol::socket> client_;
  int clients_ = 0;
};

}  // namespace

TEST_CASE("a wanted route is installed, told, changed and withdrawn", "[netns]") {
  Router router;
  router.start_zebra();
  Client client(router.options());
  client.want(kHost, kFresh);
  REQUIRE(client.wait_installed(kHost));
  CHECK(client.sink().status().state == SinkState::kSynced);
  CHECK(client.sink().status().release == "8.4.4");
  CHECK(client.sink().status().detail.empty());
  CHECK(router.kernel_has(kHost));
  const auto route = router.zebra_route(kHost);
  CHECK(route["protocol"] == "table");
  CHECK(route["distance"] == 5);
  CHECK(route["metric"] == 999);
  CHECK(route["tag"] == 4211);
  REQUIRE(client.recorder().notes.size() == 1);
  CHECK(client.recorder().notes.front().key.prefix == kHost);
  CHECK(client.recorder().notes.front().note == RouteNote::kInstalled);
  const Arrival& arrival = client.sink().routes().at({{}, kHost}).arrival;
  REQUIRE((arrival.sent && arrival.installed));
  CHECK(arrival.cause <= *arrival.sent);
  CHECK(*arrival.sent <= *arrival.installed);

  client.want(kHost, kSettled);
  REQUIRE(client.wait([&] { return client.recorder().notes.size() == 2; }));
  CHECK(router.zebra_route(kHost)["tag"] == 4210);

  client.want(kHost, std::nullopt);
  CHECK(client.state(kHost) == RouteState::kRemoving);
  REQUIRE(client.wait([&] { return !client.state(kHost); }));
  CHECK_FALSE(router.kernel_has(kHost));
}

TEST_CASE("a route that is withdrawn and wanted again at once ends up installed", "[netns]") {
  Router router;
  router.start_zebra();
  Client client(router.options());
  client.want(kHost, kFresh);
  REQUIRE(client.wait_installed(kHost));
  client.want(kHost, std::nullopt);
  client.want(kHost, kSettled);
  REQUIRE(client.wait_installed(kHost));
  CHECK(router.kernel_has(kHost));
  CHECK(router.zebra_route(kHost)["tag"] == 4210);
}

TEST_CASE("a route that another one beats is told as lost, and as installed when it wins again", "[netns]") {
  Router router;
  router.start_zebra();
  Client client(router.options());
  client.want(kHost, Route{kBridge, RouteClass::kLingering, 250, 2000, 4212});
  REQUIRE(client.wait_installed(kHost));
  router.run({"ip", "route", "add", "192.0.2.11/32", "dev", "br0", "proto", "static"});
  REQUIRE(client.wait([&] { return client.state(kHost) == RouteState::kLost; }));
  CHECK(client.recorder().notes.back().note == RouteNote::kBetterWon);
  router.run({"ip", "route", "del", "192.0.2.11/32", "dev", "br0", "proto", "static"});
  CHECK(client.wait_installed(kHost));
}

TEST_CASE("without zebra the sink waits and says for what, and sends its routes when zebra comes",
          "[netns]") {
  Router router;
  Client client(router.options());
  client.want(kHost, kFresh);
  client.want(kOtherHost, kFresh);
  client.want(kOtherHost, std::nullopt);
  REQUIRE(client.wait_waiting_for("zserv.api: No such file or directory"));
  CHECK(client.wait([&] { return client.recorder().changes >= 1; }));
  CHECK(client.state(kHost) == RouteState::kQueued);
  CHECK_FALSE(client.state(kOtherHost));
  router.start_zebra();
  REQUIRE(client.wait_installed(kHost));
  CHECK(router.kernel_has(kHost));
}

TEST_CASE("a zebra that is killed and started again gets every route again", "[netns]") {
  Router router;
  router.start_zebra();
  Client client(router.options());
  client.want(kHost, kSettled);
  client.want(kOtherHost, kSettled);
  REQUIRE(client.wait_installed(kOtherHost));
  router.frr().daemon("zebra").kill9();
  REQUIRE(client.wait([&] { return client.sink().status().state == SinkState::kWaiting; }));
  client.want(kOtherHost, std::nullopt);
  router.frr().start_daemon("zebra");
  REQUIRE(client.wait_installed(kHost));
  CHECK(router.kernel_has(kHost));
  // A killed zebra leaves its routes in the kernel, and its successor does not know them: only zebra can be asked.
  CHECK(router.zebra_route(kOtherHost).is_null());
}

TEST_CASE("what a killed zebra left gives way to our route, and nobody else's route does", "[netns]") {
  const IpPrefix of_operator = IpPrefix::parse("192.0.2.13/32").value();
  const IpPrefix of_other_metric = IpPrefix::parse("192.0.2.14/32").value();
  const IpPrefix of_other_interface = IpPrefix::parse("192.0.2.15/32").value();
  Router router;
  router.run({"ip", "route", "add", kHost.to_string(), "dev", "br0", "proto", "zebra"});
  router.run({"ip", "route", "add", of_operator.to_string(), "dev", "br0"});
  router.run(
      {"ip", "route", "add", of_other_metric.to_string(), "dev", "br0", "proto", "zebra", "metric", "77"});
  router.run({"ip", "route", "add", of_other_interface.to_string(), "dev", "lo", "proto", "zebra"});
  // What FRR 10.2 to 10.6 do by mistake, every release does when it is told to wait for the daemons.
  router.start_zebra({"-K", "600"});
  router.enter();  // the kernel's socket belongs to the namespace of the thread that makes it
  Client client(router.options());
  const std::vector<IpPrefix> others{of_operator, of_other_metric, of_other_interface};
  for (const IpPrefix& prefix : others) client.want(prefix, kSettled);
  for (const IpPrefix& prefix : others)
    REQUIRE(client.wait([&] { return client.state(prefix) == RouteState::kLost; }));
  client.want(kHost, kSettled);  // looked at after the others
  REQUIRE(client.wait([&] { return client.state(kHost) == RouteState::kLost; }));
  REQUIRE(client.wait_installed(kHost));
  REQUIRE(client.recorder().superseded.size() == 1);
  CHECK(client.recorder().superseded.front().prefix == kHost);
  CHECK(router.zebra_route(kHost)["protocol"] == "table");
  for (const IpPrefix& prefix : others) {
    CHECK(client.state(prefix) == RouteState::kLost);
    CHECK(router.zebra_routes(prefix).size() == 2);
  }
  CHECK(router.kernel_routes({"proto", "117"}).empty());
}

TEST_CASE("routes that are retained outlive the agent until the next run sweeps what it does not want",
          "[netns]") {
  Router router;
  router.start_zebra();
  {
    Client client(router.options());
    client.want(kHost, kSettled);
    client.want(kOtherHost, kSettled);
    REQUIRE(client.wait([&] { return client.recorder().notes.size() == 2; }));
    // zebra tells what was sent again from what was not by their age in whole seconds.
    REQUIRE(client.wait([&] { return router.zebra_route(kOtherHost)["uptime"] >= "00:00:02"; }));
    client.stop();
  }
  CHECK(router.kernel_has(kHost));
  CHECK(router.kernel_has(kOtherHost));
  Client next(router.options());
  next.want(kHost, kSettled);
  REQUIRE(next.wait_installed(kHost));
  CHECK(router.kernel_has(kOtherHost));
  next.sink().allow_sweep();
  CHECK(next.wait([&] { return !router.kernel_has(kOtherHost); }));
  CHECK(router.kernel_has(kHost));
}

TEST_CASE("a route of an earlier run is withdrawn by name, however young it is", "[netns]") {
  Router router;
  router.start_zebra();
  {
    Client client(router.options());
    client.want(kHost, kSettled);
    REQUIRE(client.wait_installed(kHost));
    client.stop();
  }
  Client next(router.options());
  REQUIRE(next.wait_synced());
  next.want(kHost, std::nullopt);
  CHECK(next.wait([&] { return !router.kernel_has(kHost); }));
  CHECK(next.wait([&] { return !next.state(kHost); }));
}

TEST_CASE("routes that are not retained go with the agent, all of them", "[netns]") {
  Router router;
  router.start_zebra();
  ZapiSinkOptions options = router.options();
  options.retain = false;
  Client client(options);
  client.want(kHost, kSettled);
  client.want(kOtherHost, kSettled);
  REQUIRE(client.wait([&] { return client.recorder().notes.size() == 2; }));
  client.stop();
  CHECK_FALSE(router.kernel_has(kHost));
  CHECK_FALSE(router.kernel_has(kOtherHost));
  CHECK(client.sink().routes().empty());
}

TEST_CASE("a sink that never found zebra stops at once", "[netns]") {
  Router router;
  Client client(router.options());
  client.want(kHost, kFresh);
  client.stop();
  CHECK(client.sink().status().state == SinkState::kWaiting);
}

TEST_CASE("a zebra of another release than configured is refused", "[netns]") {
  Router router;
  router.start_zebra();
  ZapiSinkOptions options = router.options();
  options.version = "10.3";
  Client client(options);
  client.want(kHost, kFresh);
  CHECK(client.wait_waiting_for(
      "refused: FRR 10.3 is configured, but its socket speaks another release's protocol"));
  CHECK_FALSE(router.kernel_has(kHost));
}

TEST_CASE("a server that does not speak zebra's protocol is refused and tried again", "[netns]") {
  const Scratch scratch;
  ZapiSinkOptions options;
  options.socket = (scratch.path() / "socket").string();
  Client client(options);
  const std::string greeting = "220 mail.example.net ESMTP\r\n";
  const FakeZebra server(client.io(), options.socket, {greeting.begin(), greeting.end()});
  client.want(kHost, kFresh);
  CHECK(client.wait_waiting_for("zebra sent something that is not its protocol"));
  CHECK(client.wait([&] { return server.clients() >= 2; }));
  CHECK(client.state(kHost) == RouteState::kQueued);
}

TEST_CASE("a zebra whose release is unknown is refused", "[netns]") {
  const Scratch scratch;
  ZapiSinkOptions options;
  options.socket = (scratch.path() / "socket").string();
  Client client(options);
  // A well-formed ERROR under a number that no release uses.
  const FakeZebra server(client.io(), options.socket, {0, 14, 254, 6, 0, 0, 0, 0, 0, 200, 2, 0, 0, 0});
  client.want(kHost, kFresh);
  CHECK(client.wait_waiting_for("refused: an unknown FRR release (its zebra reports errors as command 200)"));
  CHECK(client.sink().status().release.empty());
}

TEST_CASE("a zebra that falls silent before it has answered HELLO is said to be stuck", "[netns]") {
  const Scratch scratch;
  ZapiSinkOptions options;
  options.socket = (scratch.path() / "socket").string();
  options.version = "8.4";
  Client client(options);
  const FakeZebra server(client.io(), options.socket, {0, 14, 254, 6, 0, 0, 0, 0, 0, 118, 2, 0, 0, 0});
  client.want(kHost, kFresh);
  CHECK(client.wait_waiting_for("zebra does not answer; is it stuck?"));
  CHECK(server.clients() == 1);
}

}  // namespace untrombone::bgp
