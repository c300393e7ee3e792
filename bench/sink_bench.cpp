// SPDX-License-Identifier: GPL-2.0-or-later
#include "bench/sink_bench.hpp"

#include <fcntl.h>
#include <sched.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>

#include "bench/bare_client.hpp"
#include "bgp/kernel_table_sink.hpp"
#include "bgp/vtysh_sink.hpp"
#include "bgp/zapi_sink.hpp"
#include "tests/lab/core_time.hpp"
#include "tests/lab/system.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::bench {
namespace {

using namespace std::chrono_literals;
using lab::Node;
using lab::Sink;
using lab::Site;

constexpr auto kPatience = 120s;
constexpr std::uint32_t kFirstAddress = 0x0a010100;  // 10.1.1.0
constexpr std::uint32_t kTag = 4210;
constexpr std::uint32_t kMetric = 1000;

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

double seconds_since(core::TimePoint start) {
  return std::chrono::duration<double>(lab::core_now() - start).count();
}

std::vector<std::string> prefixes(std::uint32_t count) {
  std::vector<std::string> list;
  for (std::uint32_t i = 0; i < count; ++i) list.push_back(lab::format_ipv4(kFirstAddress + i) + "/32");
  return list;
}

class Ears final : public bgp::SinkListener {
 public:
  void on_route_noted(const core::RouteNoted& /*note*/) override {}
  void on_prior_route(const core::RouteKey& /*key*/, core::Ifindex /*interface*/) override {}
  void on_sink_status() override {}
};

/// Has the thread in a namespace, and brings it back: a lab ends every process that is in one of its own.
class Visit {
 public:
  explicit Visit(const lab::Netns& netns)
      : from_(lab::check(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "open")) {
    netns.enter();
  }
  ~Visit() { ::setns(from_.get(), CLONE_NEWNET); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  lab::UniqueFd from_;
};

bool run_until(boost::asio::io_context& io, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    io.restart();
    io.run_for(2ms);
  }
  return true;
}

}  // namespace

SinkBench::SinkBench(Sink kind, std::uint32_t count)
    : kind_(kind),
      prefixes_(prefixes(count)),
      lab_({.protocol = lab::Protocol::kBgp, .frr_release = "", .sink = kind}),
      remote_(lab_.netns(Node::kWan)),
      ifindex_(lab_.link(Node::kSiteA, lab::kBridge).ifindex) {}

double SinkBench::ours() {
  start_round();
  const Visit visit(lab_.netns(Site::kA));
  boost::asio::io_context io;
  Ears ears;
  const auto sink = make(io, ears);
  sink->start();
  require(run_until(io, [&] { return sink->status().state == bgp::SinkState::kSynced; }),
          "the sink does not come up");
  const core::Route route{{ifindex_}, core::RouteClass::kSettled, 5, kMetric, kTag};
  const core::TimePoint start = lab::core_now();
  for (const std::string& prefix : prefixes_)
    sink->apply({{{}, *core::IpPrefix::parse(prefix)}, route, start});
  sink->flush();
  require(run_until(io, [&] { return arrived() == prefixes_.size(); }), "not all routes arrived");
  const double took = seconds_since(start);
  bool stopped = false;
  sink->stop([&] { stopped = true; });
  require(run_until(io, [&] { return stopped && arrived() == 0; }), "not all routes went");
  return took;
}

double SinkBench::bare() {
  start_round();
  const Visit visit(lab_.netns(Site::kA));
  switch (kind_) {
    case Sink::kZapi: return bare_client();
    case Sink::kKernelTable: return bare_batch();
    case Sink::kVtysh: break;
  }
  return bare_vtysh();
}

std::unique_ptr<bgp::RouteSink> SinkBench::make(boost::asio::io_context& io, bgp::SinkListener& ears) {
  if (kind_ == Sink::kKernelTable) {
    bgp::KernelTableSinkOptions options;
    options.retain = false;
    return std::make_unique<bgp::KernelTableSink>(io, ears, options, lab::core_now);
  }
  const std::filesystem::path directory = lab_.frr(Site::kA).vty_dir();
  if (kind_ == Sink::kVtysh) {
    bgp::VtyshSinkOptions options;
    options.vty_dir = directory.string();
    options.retain = false;
    return std::make_unique<bgp::VtyshSink>(io, ears, options, lab::core_now);
  }
  bgp::ZapiSinkOptions options;
  options.socket = lab_.frr(Site::kA).zserv().string();
  options.vty_dir = directory.string();
  options.retain = false;
  return std::make_unique<bgp::ZapiSink>(io, ears, options, lab::core_now);
}

double SinkBench::bare_client() {
  const auto* const release = bgp::zapi::find_release("8.4");
  BareClient client(lab_.frr(Site::kA).zserv().string(), *release, ifindex_);
  const core::TimePoint start = lab::core_now();
  client.add_all(prefixes_, kTag);
  wait_for_all();
  const double took = seconds_since(start);
  for (const std::string& prefix : prefixes_) client.remove(prefix);
  wait_for_none();
  return took;
}

double SinkBench::bare_batch() {
  const auto batch = [&](const char* verb) {
    std::string text;
    for (const std::string& prefix : prefixes_)
      text += fmt::format("route {} {} dev br0 table 201 metric {}\n", verb, prefix, kMetric);
    return text;
  };
  const std::string add = batch("add");
  const core::TimePoint start = lab::core_now();
  lab::ip_batch(add);
  wait_for_all();
  const double took = seconds_since(start);
  lab::ip_batch(batch("del"));
  wait_for_none();
  return took;
}

double SinkBench::bare_vtysh() {
  const std::filesystem::path file = lab_.directory(Node::kSiteA) / "routes.conf";
  const std::string directory = lab_.frr(Site::kA).vty_dir().string();
  const auto run_file = [&](const char* verb) {
    std::string text;
    for (const std::string& prefix : prefixes_)
      text += fmt::format("{}ip route {} br0 5 tag {}\n", verb, prefix, kTag);
    lab::write_file(file, text);
    const auto result = lab::run_command(
        {.argv = {"vtysh", "--vty_socket", directory, "-f", file.string()}, .timeout = kPatience});
    require(result.status == 0, "vtysh: " + result.error);
  };
  const core::TimePoint start = lab::core_now();
  run_file("");
  wait_for_all();
  const double took = seconds_since(start);
  run_file("no ");
  wait_for_none();
  return took;
}

double SinkBench::run_speaker(Speaker& speaker) {
  start_round();
  const core::TimePoint start = lab::core_now();
  speaker.announce(prefixes_);
  wait_for_all();
  const double took = seconds_since(start);
  speaker.withdraw(prefixes_);
  wait_for_none();
  return took;
}

void SinkBench::start_round() {
  remote_.clear_events();
  others_ = remote_.size();
}

void SinkBench::wait_for_all() {
  require(lab::wait_for([&] { return arrived() == prefixes_.size(); }, kPatience), "not all routes arrived");
}

void SinkBench::wait_for_none() {
  require(lab::wait_for([&] { return arrived() == 0; }, kPatience), "not all routes went");
}

}  // namespace untrombone::bench
