// SPDX-License-Identifier: GPL-2.0-or-later
// The guard of many segments in the real nftables: what loading it costs, what one more port costs, what reading its
// counters costs.
#include "arp/guard.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "tests/lab/netns.hpp"

namespace untrombone::bench {
namespace {

using arp::GuardedSegment;
using arp::GuardOutcome;
using core::IpAddress;
using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

/// A DCI port, an access port, a gateway of each family and another site's gateway MAC each.
std::vector<GuardedSegment> make_segments(std::uint32_t count) {
  std::vector<GuardedSegment> segments;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto high = static_cast<std::uint8_t>(i >> 8U);
    const auto low = static_cast<std::uint8_t>(i & 0xffU);
    GuardedSegment segment{.dci_ports = {{fmt::format("vx{}", i)}},
                           .local_ports = {{fmt::format("acc{}", i)}}};
    segment.gateways = {IpAddress::v4({198, 18, high, low}),
                        IpAddress::parse(fmt::format("2001:db8:{:x}::1", i)).value()};
    segment.ra = true;
    segment.fhrp = true;
    segment.rewrites = {{{{0x02, 0xaa, 0, 0, high, low}}, {{0x02, 0xbb, 0, 0, high, low}}}};
    segments.push_back(std::move(segment));
  }
  return segments;
}

/// A guard in a namespace of its own.
class Bench {
 public:
  Bench()
      : netns_(lab::Netns::create(fmt::format("ubench-{}", ::getpid()))),
        guard_(lab::run_in(netns_, [this] { return std::make_unique<arp::Guard>(io_); })) {}
  ~Bench() {
    guard_.reset();
    lab::delete_netns(netns_.name());
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  GuardOutcome apply(const std::vector<GuardedSegment>& segments) {
    std::optional<GuardOutcome> outcome;
    guard_->apply(segments, [&](const GuardOutcome& result) { outcome = result; });
    run_until([&] { return outcome.has_value(); });
    if (!outcome->error.empty()) throw std::runtime_error(outcome->error);
    return *outcome;
  }
  void forget() {
    bool done = false;
    guard_->remove([&](const GuardOutcome& /*outcome*/) { done = true; });
    run_until([&] { return done; });
  }
  double time_verify() {
    bool done = false;
    const auto start = Clock::now();
    guard_->verify([&](const std::string& /*drift*/) { done = true; });
    run_until([&] { return done; });
    return milliseconds(Clock::now() - start);
  }
  double time_counters() {
    const auto start = Clock::now();
    if (guard_->counters().empty()) throw std::runtime_error("no counters");
    return milliseconds(Clock::now() - start);
  }

 private:
  template <typename Condition>
  void run_until(Condition condition) {
    while (!condition()) {
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(10));
    }
  }

  boost::asio::io_context io_;
  lab::Netns netns_;
  std::unique_ptr<arp::Guard> guard_;
};

double median_of(int repetitions, const std::function<double()>& measure) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(repetitions));
  for (int i = 0; i < repetitions; ++i) values.push_back(measure());
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run(std::uint32_t count, int repetitions) {
  Bench bench;
  const std::vector<GuardedSegment> segments = make_segments(count);
  GuardOutcome last;
  const double load = median_of(repetitions, [&] {
    bench.forget();
    last = bench.apply(segments);
    return milliseconds(last.took);
  });
  const double full_check = bench.time_verify();
  std::vector<GuardedSegment> changed = segments;
  const double port = median_of(repetitions, [&] {
    changed.back().dci_ports.push_back({fmt::format("late{}", changed.back().dci_ports.size())});
    return milliseconds(bench.apply(changed).took);
  });
  bench.time_verify();
  const double check = median_of(repetitions, [&] { return bench.time_verify(); });
  const double counters = median_of(repetitions, [&] { return bench.time_counters(); });
  fmt::print("{:>8} {:>6} {:>9} {:>10.2f} {:>13.2f} {:>12.2f} {:>12.3f} {:>13.3f}\n", count, last.rules,
             last.elements, load, port, full_check, check, counters);
}

}  // namespace
}  // namespace untrombone::bench

int main(int argc, char** argv) {
  CLI::App app("The guard of many segments");
  int repetitions = 5;
  app.add_option("--repetitions", repetitions, "of each measurement")->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  fmt::print("milliseconds, medians of {}\n{:>8} {:>6} {:>9} {:>10} {:>13} {:>12} {:>12} {:>13}\n",
             repetitions, "segments", "rules", "elements", "load all", "one port more", "compare all",
             "no change?", "read counters");
  try {
    for (const std::uint32_t count : {1U, 100U, 1000U, 4000U}) untrombone::bench::run(count, repetitions);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench-guard: {}\n", error.what());
    return 1;
  }
  return 0;
}
