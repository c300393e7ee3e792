// SPDX-License-Identifier: GPL-2.0-or-later
// What every sink promises, held by each of them on the real thing: zebra and staticd of the machine, the kernel. Needs
// root and FRR.
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "bgp/kernel_table_sink.hpp"
#include "bgp/vtysh_sink.hpp"
#include "bgp/zapi_sink.hpp"
#include "tests/lab/core_time.hpp"
#include "tests/lab/frr.hpp"
#include "tests/lab/wait.hpp"
#include "tests/netns/bridge_netns.hpp"
#include "tests/netns/sink_recorder.hpp"

namespace untrombone::bgp {
namespace {

using core::IpPrefix;
using core::Route;
using core::RouteClass;
using core::RouteKey;
using lab::Sink;
using testing::BridgeNetns;
using testing::kBridge;
using testing::Recorder;
using testing::run_until;

const RouteKey kHost{{}, IpPrefix::parse("192.0.2.11/32").value()};
const RouteKey kOther{{}, IpPrefix::parse("192.0.2.12/32").value()};
const RouteKey kBlock{{}, IpPrefix::parse("192.0.2.128/25").value()};
const RouteKey kHost6{{}, IpPrefix::parse("2001:db8:1::11/128").value()};
const Route kFresh{kBridge, RouteClass::kFresh, 5, 999, 4211};
const Route kSettled{kBridge, RouteClass::kSettled, 5, 1000, 4210};
const Route kLingering{kBridge, RouteClass::kLingering, 250, 2000, 4212};

/// A bridge's namespace and the daemons that the sink needs.
class World {
 public:
  explicit World(Sink kind) : kind_(kind) {
    if (!std::filesystem::exists("/usr/lib/frr/zebra")) {
      std::puts("skipped: FRR is not installed");
      std::exit(77);
    }
    std::string pattern = (std::filesystem::temp_directory_path() / "untrombone-sink-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
    bridge_.netns().enter();  // a kernel's socket belongs to the namespace of the thread that makes it
    lab::prepare_netns(bridge_.netns(), true);
    bridge_.ip("address add 2001:db8:1::1/64 dev br0\n");
    std::filesystem::permissions(directory_, std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
    frr_.emplace(lab::Node::kWan, bridge_.netns(),
                 lab::FrrOptions{.protocol = lab::Protocol::kOspf, .release = "", .sink = kind}, vty_dir());
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() {
    frr_.reset();
    std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] std::unique_ptr<RouteSink> make(boost::asio::io_context& io, SinkListener& listener,
                                                bool retain) const {
    switch (kind_) {
      case Sink::kKernelTable: {
        KernelTableSinkOptions options;
        options.retain = retain;
        return std::make_unique<KernelTableSink>(io, listener, options, lab::core_now);
      }
      case Sink::kVtysh: {
        VtyshSinkOptions options;
        options.vty_dir = vty_dir().string();
        options.retain = retain;
        return std::make_unique<VtyshSink>(io, listener, options, lab::core_now);
      }
      case Sink::kZapi: break;
    }
    ZapiSinkOptions options;
    options.socket = (vty_dir() / "zserv.api").string();
    options.vty_dir = vty_dir().string();
    options.retain = retain;
    return std::make_unique<ZapiSink>(io, listener, options, lab::core_now);
  }

  /// The kernel has the route where this sink puts it, and has it once.
  [[nodiscard]] bool has(const RouteKey& key) const {
    return text_of(key).find("dev br0") != std::string::npos;
  }
  [[nodiscard]] std::string text_of(const RouteKey& key) const {
    const std::string table = kind_ == Sink::kKernelTable ? "201" : "main";
    const std::string family = key.prefix.address().is_v4() ? "-4" : "-6";
    return bridge_.output({"ip", family, "route", "show", "table", table, "exact", key.prefix.to_string()});
  }
  /// How the daemon that reads it tells the classes apart.
  [[nodiscard]] bool has_class(const RouteKey& key, const Route& route) const {
    if (kind_ == Sink::kKernelTable) {
      return text_of(key).find("metric " + std::to_string(route.metric)) != std::string::npos;
    }
    const std::string shown = frr_->vtysh({"show ip route " + key.prefix.to_string()});
    return shown.find("Tag " + std::to_string(route.tag)) != std::string::npos ||
           shown.find("tag " + std::to_string(route.tag)) != std::string::npos;
  }
  /// A route of somebody else's, as like ours as can be.
  void add_foreign() const {
    if (kind_ == Sink::kVtysh) {
      REQUIRE(lab::wait_for([&] { return std::filesystem::exists(vty_dir() / "staticd.vty"); },
                            std::chrono::seconds(15)));
      (void)frr_->vtysh({"configure terminal", "ip route 192.0.2.77/32 br0 tag 7"});
    } else {
      bridge_.run({"ip", "route", "add", "192.0.2.77/32", "dev", "br0", "table",
                   kind_ == Sink::kKernelTable ? "201" : "main", "proto", "static"});
    }
  }
  void run(std::vector<std::string> argv) const { bridge_.run(std::move(argv)); }
  [[nodiscard]] std::string output(std::vector<std::string> argv) const {
    return bridge_.output(std::move(argv));
  }
  lab::Frr& frr() { return *frr_; }
  [[nodiscard]] std::filesystem::path vty_dir() const { return directory_ / "frr"; }

 private:
  Sink kind_;
  BridgeNetns bridge_;
  std::filesystem::path directory_;
  std::optional<lab::Frr> frr_;
};

const RouteKey kForeign{{}, IpPrefix::parse("192.0.2.77/32").value()};

class Client {
 public:
  explicit Client(const World& world, bool retain = true) : sink_(world.make(io_, recorder_, retain)) {
    sink_->start();
  }
  void want(const RouteKey& key, const std::optional<Route>& route) {
    sink_->apply({key, route, lab::core_now()});
    sink_->flush();
  }
  template <typename Condition>
  bool wait(Condition condition) {
    return run_until(io_, condition);
  }
  bool wait_synced() {
    return wait([this] { return sink_->status().state == SinkState::kSynced; });
  }
  bool wait_installed(const RouteKey& key) {
    return wait([&] { return state(key) == RouteState::kInstalled; });
  }
  void stop() {
    bool done = false;
    sink_->stop([&] { done = true; });
    REQUIRE(wait([&] { return done; }));
  }
  [[nodiscard]] std::optional<RouteState> state(const RouteKey& key) const {
    const auto found = sink_->routes().find(key);
    return found == sink_->routes().end() ? std::nullopt : std::optional(found->second.state);
  }
  RouteSink& sink() { return *sink_; }
  Recorder& recorder() { return recorder_; }

 private:
  boost::asio::io_context io_;
  Recorder recorder_;
  std::unique_ptr<RouteSink> sink_;
};

Sink each_sink() {
  const Sink sink = GENERATE(Sink::kZapi, Sink::kKernelTable, Sink::kVtysh);
  WARN(name_of(sink));
  return sink;
}

}  // namespace

TEST_CASE("every sink installs, changes and removes routes of both families, and says how far they are",
          "[netns]") {
  World world(each_sink());
  Client client(world);
  for (const RouteKey& key : {kHost, kBlock, kHost6}) client.want(key, kFresh);
  for (const RouteKey& key : {kHost, kBlock, kHost6}) {
    INFO(key.prefix.to_string());
    REQUIRE(client.wait_installed(key));
    CHECK(world.has(key));
    const Arrival& arrival = client.sink().routes().at(key).arrival;
    REQUIRE((arrival.sent && arrival.installed));
    CHECK(arrival.cause <= *arrival.sent);
    CHECK(*arrival.sent <= *arrival.installed);
  }
  CHECK(client.sink().status().state == SinkState::kSynced);
  CHECK(client.sink().status().detail.empty());
  CHECK(world.has_class(kHost, kFresh));
  CHECK(client.recorder().prior.empty());
  CHECK(client.wait([&] { return client.recorder().notes.size() >= 3; }));

  for (const Route& next : {kSettled, kLingering, kFresh}) {
    INFO(to_string(next.route_class));
    client.want(kHost, next);
    REQUIRE(client.wait_installed(kHost));
    CHECK(client.wait([&] { return world.has_class(kHost, next); }));
  }
  client.want(kHost, std::nullopt);
  client.want(kHost6, std::nullopt);
  REQUIRE(client.wait([&] { return !client.state(kHost) && !client.state(kHost6); }));
  CHECK(client.wait([&] { return !world.has(kHost) && !world.has(kHost6); }));
  CHECK(world.has(kBlock));
}

TEST_CASE("every sink ends where the last word was, however the words came", "[netns]") {
  World world(each_sink());
  Client client(world);
  client.want(kHost, kFresh);
  client.want(kHost, std::nullopt);
  client.want(kHost, kSettled);
  client.want(kOther, kFresh);
  client.want(kOther, kSettled);
  client.want(kOther, std::nullopt);
  client.want(kBlock, std::nullopt);  // never was there
  REQUIRE(client.wait_installed(kHost));
  REQUIRE(client.wait([&] { return !client.state(kOther) && !client.state(kBlock); }));
  CHECK(client.wait([&] { return world.has_class(kHost, kSettled) && !world.has(kOther); }));
}

TEST_CASE("every sink leaves its routes to the next run, which takes them over and removes only its own",
          "[netns]") {
  World world(each_sink());
  world.add_foreign();
  {
    Client client(world);
    client.want(kHost, kSettled);
    client.want(kOther, kSettled);
    REQUIRE(client.wait_installed(kHost));
    REQUIRE(client.wait_installed(kOther));
    client.stop();
  }
  CHECK(world.has(kHost));
  CHECK(world.has(kOther));
  Client next(world);
  next.sink().note_prior(kHost);  // the kernel's monitor finds them; sinks that know better ignore it
  next.sink().note_prior(kOther);
  next.sink().note_prior(kForeign);
  next.want(kHost, kSettled);
  REQUIRE(next.wait_installed(kHost));
  CHECK(world.has(kOther));
  next.sink().allow_sweep();
  CHECK(next.wait([&] { return !world.has(kOther); }));
  CHECK(next.wait_synced());
  CHECK(world.has(kHost));
  CHECK(world.has(kForeign));
}

TEST_CASE("every sink that is told to withdraw takes all its routes along", "[netns]") {
  World world(each_sink());
  world.add_foreign();
  Client client(world, false);
  client.want(kHost, kSettled);
  client.want(kHost6, kFresh);
  REQUIRE(client.wait_installed(kHost));
  REQUIRE(client.wait_installed(kHost6));
  client.stop();
  CHECK(client.wait([&] { return !world.has(kHost) && !world.has(kHost6); }));
  CHECK(world.has(kForeign));
}

TEST_CASE("every sink puts back what went with its interface", "[netns]") {
  World world(each_sink());
  Client client(world);
  client.want(kHost, kSettled);
  REQUIRE(client.wait_installed(kHost));
  // As the agent has it: withdrawn when the interface goes down, announced when it is up.
  world.run({"ip", "link", "set", "br0", "down"});
  client.want(kHost, std::nullopt);
  REQUIRE(client.wait([&] { return !client.state(kHost); }));
  world.run({"ip", "link", "set", "br0", "up"});
  REQUIRE(client.wait(
      [&] { return world.frr().vtysh({"show interface br0"}).find("br0 is up") != std::string::npos; }));
  client.want(kHost, kSettled);
  const bool installed = client.wait_installed(kHost);  // zebra may hear of the interface later than we
  INFO(to_string(*client.state(kHost)) << ": " << client.sink().reason_of(kHost));
  REQUIRE(installed);
  CHECK(client.wait([&] { return world.has(kHost); }));
}

TEST_CASE("a route that cannot be is rejected, and the sink says why", "[netns]") {
  World world(each_sink());
  Client client(world);
  Route nowhere = kSettled;
  nowhere.interface = {4711};
  client.want(kHost, nowhere);
  REQUIRE(client.wait([&] { return client.state(kHost) == RouteState::kRejected; }));
  CHECK_FALSE(client.sink().reason_of(kHost).empty());
  client.want(kHost, kSettled);
  REQUIRE(client.wait_installed(kHost));
  CHECK(client.sink().reason_of(kHost).empty());
}

TEST_CASE("many routes at once get through every sink", "[netns]") {
  World world(each_sink());
  Client client(world);
  constexpr int kRoutes = 100;
  for (int i = 0; i < kRoutes; ++i) {
    const auto byte = [](int value) { return static_cast<std::uint8_t>(value); };
    const auto ip = core::IpAddress::v4({10, 1, byte(i / 250), byte(i % 250 + 1)});
    client.sink().apply({{{}, IpPrefix::host(ip)}, kSettled, lab::core_now()});
  }
  client.sink().flush();
  const auto all = [&] {
    int count = 0;
    for (const auto& [key, route] : client.sink().routes())
      count += route.state == RouteState::kInstalled ? 1 : 0;
    return count == kRoutes;
  };
  CHECK(client.wait(all));
}

TEST_CASE("a run that dies in the middle of its routes leaves nothing wrong to the next", "[netns]") {
  const Sink kind = each_sink();
  World world(kind);
  const int routes = kind == Sink::kVtysh ? 200 : 10000;
  const auto key = [](int i) {
    const auto byte = [](int value) { return static_cast<std::uint8_t>(value); };
    return RouteKey{{}, IpPrefix::host(core::IpAddress::v4({10, 1, byte(i / 250), byte(i % 250 + 1)}))};
  };
  const auto in_kernel = [&] {
    const std::string table = kind == Sink::kKernelTable ? "201" : "main";
    std::istringstream lines(world.output({"ip", "-4", "route", "show", "table", table}));
    std::set<std::string> found;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("10.1.")) found.insert(line.substr(0, line.find(' ')));
    }
    return found;
  };
  // Asking `ip` takes longer than a batch.
  auto seldom = [next = std::chrono::steady_clock::now()](auto condition) mutable {
    if (std::chrono::steady_clock::now() < next) return false;
    const bool holds = condition();
    next = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    return holds;
  };
  {
    Client dying(world);
    REQUIRE(dying.wait_synced());
    for (int i = 0; i < routes; ++i) dying.sink().apply({key(i), kSettled, lab::core_now()});
    dying.sink().flush();
    REQUIRE(dying.wait(
        [&] { return seldom([&] { return in_kernel().size() > static_cast<std::size_t>(routes) / 10; }); }));
  }  // no stop(): as if it had been killed
  Client next(world);
  for (int i = 0; i < routes; ++i) next.sink().note_prior(key(i));
  std::set<std::string> wanted;
  for (int i = 0; i < routes; i += 20) {
    next.sink().apply({key(i), kSettled, lab::core_now()});
    wanted.insert(key(i).prefix.address().to_string());
  }
  next.sink().flush();
  next.sink().allow_sweep();
  CHECK(next.wait([&] {
    return next.sink().status().state == SinkState::kSynced && seldom([&] { return in_kernel() == wanted; });
  }));
}

TEST_CASE("a route that never wins is looked up, and the winner named", "[netns]") {
  World world(Sink::kZapi);
  Client client(world);
  client.want({{}, IpPrefix::parse("192.0.2.0/24").value()}, kSettled);  // the bridge's own subnet
  const RouteKey subnet{{}, IpPrefix::parse("192.0.2.0/24").value()};
  REQUIRE(client.wait([&] { return client.state(subnet) == RouteState::kLost; }));
  CHECK(client.sink().reason_of(subnet) == "zebra prefers connected, distance 0");
}

TEST_CASE("a zebra that is stopped blocks nothing, is told apart, and gets the last word of everything",
          "[netns]") {
  World world(Sink::kZapi);
  Client client(world);
  client.want(kHost, kFresh);
  REQUIRE(client.wait_installed(kHost));
  world.frr().daemon("zebra").signal(SIGSTOP);
  constexpr int kRounds = 20000;  // far more than a socket holds
  for (int i = 0; i < kRounds; ++i) {
    client.want(kOther, i % 2 == 0 ? kFresh : kSettled);
    client.want(kBlock, i % 2 == 0 ? kSettled : kFresh);
  }
  CHECK(client.wait([&] { return client.sink().status().detail == "zebra does not answer; is it stuck?"; }));
  CHECK(client.sink().status().state == SinkState::kSyncing);
  world.frr().daemon("zebra").signal(SIGCONT);
  REQUIRE(client.wait_installed(kOther));
  REQUIRE(client.wait_synced());
  CHECK(client.sink().status().detail.empty());
  CHECK(client.wait([&] { return world.has_class(kOther, kSettled); }));
}

TEST_CASE("a kernel table that somebody empties is filled again", "[netns]") {
  World world(Sink::kKernelTable);
  Client client(world);
  client.want(kHost, kSettled);
  REQUIRE(client.wait_installed(kHost));
  world.run({"ip", "route", "flush", "table", "201"});
  CHECK(client.wait([&] { return world.has(kHost); }));  // by the look back after the burst
}

}  // namespace untrombone::bgp
