// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel-table sink does for a zebra that was away. A netlink socket stands for zebra's. Needs root.
#include <sys/socket.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cstddef>
#include <vector>

#include <catch2/catch.hpp>

#include "bgp/kernel_table_sink.hpp"
#include "tests/lab/core_time.hpp"
#include "tests/lab/system.hpp"
#include "tests/netns/bridge_netns.hpp"
#include "tests/netns/sink_recorder.hpp"

namespace untrombone::bgp {
namespace {

using core::IpPrefix;
using core::Route;
using core::RouteClass;
using core::RouteKey;
using testing::BridgeNetns;
using testing::kBridge;
using testing::run_until;
using namespace std::chrono_literals;

constexpr std::uint8_t kTable = 201;
constexpr std::uint32_t kLingeringMetric = 2000;
const RouteKey kGone{{}, IpPrefix::parse("192.0.2.11/32").value()};
const RouteKey kBack{{}, IpPrefix::parse("192.0.2.12/32").value()};
const Route kSettled{kBridge, RouteClass::kSettled, 5, 1000, 4210};

/// What somebody who listens to the kernel's IPv4 routes is told of one prefix: the types of the messages.
class Listener {
 public:
  Listener() : socket_(lab::check(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE), "socket")) {
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_IPV4_ROUTE;
    lab::check(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  }
  [[nodiscard]] std::vector<kernel::KernelRoute> heard() {
    alignas(nlmsghdr) std::array<std::byte, 8192> buffer;
    for (ssize_t size = 0; (size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0)) > 0;) {
      std::span<const std::byte> datagram(buffer.data(), static_cast<std::size_t>(size));
      const auto type = reinterpret_cast<const nlmsghdr*>(buffer.data())->nlmsg_type;
      const auto answer = kernel::take_answer(datagram, kTable);
      const auto* route = answer ? std::get_if<kernel::KernelRoute>(&*answer) : nullptr;
      if (type == RTM_NEWROUTE && route != nullptr) heard_.push_back(*route);
    }
    return heard_;
  }

 private:
  lab::UniqueFd socket_;
  std::vector<kernel::KernelRoute> heard_;
};

}  // namespace

TEST_CASE("a zebra that comes back is shown once more, lingering, what was removed while it was away",
          "[netns]") {
  BridgeNetns bridge;
  bridge.netns().enter();
  boost::asio::io_context io;
  testing::Recorder recorder;
  KernelTableSink sink(io, recorder,
                       {.table = kTable,
                        .retain = true,
                        .lingering_metric = kLingeringMetric,
                        .daemons_return = 100ms,
                        .daemons_told = 100ms},
                       lab::core_now);
  const auto want = [&](const RouteKey& key, const std::optional<Route>& route) {
    sink.apply({key, route, lab::core_now()});
    sink.flush();
  };
  const auto table = [&] { return bridge.output({"ip", "route", "show", "table", std::to_string(kTable)}); };
  std::optional<Listener> zebra(std::in_place);
  sink.start();
  want(kGone, kSettled);
  want(kBack, kSettled);
  REQUIRE(run_until(io, [&] { return recorder.notes.size() == 2; }));

  zebra.reset();
  want(kGone, std::nullopt);
  want(kBack, std::nullopt);
  want(kBack, kSettled);
  REQUIRE(run_until(io, [&] { return recorder.notes.size() == 3 && !sink.routes().contains(kGone); }));
  zebra.emplace();
  REQUIRE(run_until(io, [&] { return !zebra->heard().empty(); }));
  REQUIRE(run_until(io, [&] { return table().find("192.0.2.11") == std::string::npos; }));
  CHECK(zebra->heard() == std::vector<kernel::KernelRoute>{{kGone.prefix, kBridge, kLingeringMetric}});
  CHECK(sink.counters().ghosts == 1);
  CHECK_FALSE(sink.routes().contains(kGone));  // nobody wants it
  CHECK(table().find("192.0.2.12 dev br0 proto 117 scope link metric 1000") != std::string::npos);
}

TEST_CASE("a sink that stops leaves no ghost behind", "[netns]") {
  BridgeNetns bridge;
  bridge.netns().enter();
  boost::asio::io_context io;
  testing::Recorder recorder;
  KernelTableSink sink(io, recorder, {.table = kTable, .daemons_return = 0ms, .daemons_told = 1h},
                       lab::core_now);
  std::optional<Listener> zebra(std::in_place);
  sink.start();
  sink.apply({kGone, kSettled, lab::core_now()});
  sink.flush();
  REQUIRE(run_until(io, [&] { return recorder.notes.size() == 1; }));
  zebra.reset();
  sink.apply({kGone, std::nullopt, lab::core_now()});
  sink.flush();
  zebra.emplace();
  REQUIRE(run_until(io, [&] { return !zebra->heard().empty(); }));
  bool stopped = false;
  sink.stop([&] { stopped = true; });
  REQUIRE(run_until(io, [&] { return stopped; }));
  CHECK(bridge.output({"ip", "route", "show", "table", std::to_string(kTable)}).empty());
}

}  // namespace untrombone::bgp
