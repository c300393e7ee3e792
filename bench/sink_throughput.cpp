// SPDX-License-Identifier: GPL-2.0-or-later
// Many host routes at once: from the first one sent to the last one in the remote router's kernel, through each sink,
// beside the bare thing that it does: a zebra client that writes the same bytes, `ip -batch`, `vtysh -f`. Both in one
// lab and in turn, so that noise hits both alike.
#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "bench/bare_client.hpp"
#include "bgp/kernel_table_sink.hpp"
#include "bgp/vtysh_sink.hpp"
#include "bgp/zapi_sink.hpp"
#include "tests/lab/core_time.hpp"
#include "tests/lab/lab.hpp"
#include "tests/lab/system.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::bench {
namespace {

using namespace std::chrono_literals;
using lab::Lab;
using lab::Node;
using lab::RouteWatcher;
using lab::Sink;
using lab::Site;

constexpr auto kPatience = 300s;
constexpr std::uint32_t kFirstAddress = 0x0a010100;  // 10.1.1.0
constexpr std::uint32_t kTag = 4210;
constexpr std::uint32_t kMetric = 1000;

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

double seconds_since(core::TimePoint start) {
  return std::chrono::duration<double>(lab::core_now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() / 2);
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

/// staticd is told by and by: 1,000 routes take about 8 s.
constexpr std::uint32_t kMostByVtysh = 1000;

/// Brings the thread back into the namespace that it came from: a lab ends every process that is in one of its own.
class WayHome {
 public:
  WayHome() : from_(lab::check(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "open")) {}
  ~WayHome() { ::setns(from_.get(), CLONE_NEWNET); }
  WayHome(const WayHome&) = delete;
  WayHome& operator=(const WayHome&) = delete;

 private:
  lab::UniqueFd from_;
};

/// One lab with one kind of sink.
class Bench {
 public:
  Bench(Sink kind, std::uint32_t count)
      : kind_(kind),
        prefixes_(prefixes(count)),
        lab_({.protocol = lab::Protocol::kBgp, .frr_release = "", .sink = kind}),
        remote_(lab_.netns(Node::kWan)) {
    lab_.netns(Site::kA).enter();
    ifindex_ = lab_.link(Node::kSiteA, lab::kBridge).ifindex;
    others_ = remote_.size();
  }

  /// From the first route to the last one in the remote kernel, through our sink.
  double ours() {
    remote_.clear_events();
    const auto sink = make();
    sink->start();
    require(run([&] { return sink->status().state == bgp::SinkState::kSynced; }),
            "the sink does not come up");
    const core::Route route{{ifindex_}, core::RouteClass::kSettled, 5, kMetric, kTag};
    const core::TimePoint start = lab::core_now();
    for (const std::string& prefix : prefixes_)
      sink->apply({{{}, *core::IpPrefix::parse(prefix)}, route, start});
    sink->flush();
    require(run([&] { return arrived() == prefixes_.size(); }), "not all routes arrived");
    const double took = seconds_since(start);
    bool stopped = false;
    sink->stop([&] { stopped = true; });
    require(run([&] { return stopped && arrived() == 0; }), "not all routes went");
    return took;
  }

  /// The same by the bare thing.
  double bare() {
    remote_.clear_events();
    switch (kind_) {
      case Sink::kZapi: return bare_client();
      case Sink::kKernelTable: return bare_batch();
      case Sink::kVtysh: break;
    }
    return bare_vtysh();
  }

 private:
  std::unique_ptr<bgp::RouteSink> make() {
    if (kind_ == Sink::kKernelTable) {
      bgp::KernelTableSinkOptions options;
      options.retain = false;
      return std::make_unique<bgp::KernelTableSink>(io_, ears_, options, lab::core_now);
    }
    const std::filesystem::path directory = lab_.frr(Site::kA).vty_dir();
    if (kind_ == Sink::kVtysh) {
      bgp::VtyshSinkOptions options;
      options.vty_dir = directory.string();
      options.retain = false;
      return std::make_unique<bgp::VtyshSink>(io_, ears_, options, lab::core_now);
    }
    bgp::ZapiSinkOptions options;
    options.socket = lab_.frr(Site::kA).zserv().string();
    options.vty_dir = directory.string();
    options.retain = false;
    return std::make_unique<bgp::ZapiSink>(io_, ears_, options, lab::core_now);
  }

  double bare_client() {
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

  double bare_batch() {
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

  double bare_vtysh() {
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

  std::size_t arrived() { return remote_.size() - others_; }
  void wait_for_all() {
    require(lab::wait_for([&] { return arrived() == prefixes_.size(); }, kPatience),
            "not all routes arrived");
  }
  void wait_for_none() {
    require(lab::wait_for([&] { return arrived() == 0; }, kPatience), "not all routes went");
  }
  bool run(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      io_.restart();
      io_.run_for(2ms);
    }
    return true;
  }

  Sink kind_;
  std::vector<std::string> prefixes_;
  Lab lab_;
  RouteWatcher remote_;
  std::size_t others_ = 0;  ///< routes in the remote kernel that are not ours
  int ifindex_ = 0;
  boost::asio::io_context io_;
  Ears ears_;
  WayHome way_home_;  // the last one, so that it goes before the lab
};

void measure(Sink kind, const char* bare_name, std::uint32_t count, int rounds) {
  Bench bench(kind, count);
  std::vector<double> ours;
  std::vector<double> bare;
  for (int i = 0; i < rounds; ++i) {
    bare.push_back(bench.bare());
    ours.push_back(bench.ours());
  }
  fmt::print("  {:<14} {:>9} {:>10.3f}   {:<28} {:>10.3f}   {:>6.3f}\n", lab::name_of(kind), count,
             median(ours), bare_name, median(bare), median(ours) / median(bare));
}

}  // namespace
}  // namespace untrombone::bench

int main(int argc, char** argv) {
  using untrombone::lab::Sink;
  CLI::App app("Many routes through each sink, measured beside the bare thing");
  std::uint32_t count = 10000;
  int rounds = 3;
  std::string only = "all";
  app.add_option("--routes", count, "host routes")->check(CLI::Range(1, 60000));
  app.add_option("--rounds", rounds, "of each, in turn")->check(CLI::Range(1, 100));
  app.add_option("--sink", only, "zapi, kernel-table, vtysh or all")
      ->check(CLI::IsMember({"zapi", "kernel-table", "vtysh", "all"}));
  CLI11_PARSE(app, argc, argv);
  try {
    fmt::print(
        "from the first route sent to the last in the remote router's kernel, BGP, seconds, median of {}\n",
        rounds);
    fmt::print("  {:<14} {:>9} {:>10}   {:<28} {:>10}   {:>6}\n", "sink", "routes", "ours", "beside", "",
               "ratio");
    const auto wanted = [&](const char* name) { return only == "all" || only == name; };
    if (wanted("zapi")) untrombone::bench::measure(Sink::kZapi, "a bare zebra client", count, rounds);
    if (wanted("kernel-table"))
      untrombone::bench::measure(Sink::kKernelTable, "ip -batch, ip import-table", count, rounds);
    if (wanted("vtysh"))
      untrombone::bench::measure(Sink::kVtysh, "vtysh -f", std::min(count, untrombone::bench::kMostByVtysh),
                                 rounds);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench-sinks: {}\n", error.what());
    return 1;
  }
  return 0;
}
