// SPDX-License-Identifier: GPL-2.0-or-later
// Many host routes at once: from the first one sent to the last one in the remote router's kernel, through each sink,
// beside the bare thing that it does, and beside other BGP speakers. All in turn, in labs that stand side by side, so
// that noise hits all alike.
#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/sink_bench.hpp"

namespace untrombone::bench {
namespace {

using lab::Sink;

/// One way from here to there.
struct Contender {
  std::string name;
  std::string path;
  std::function<double()> run;
  std::vector<double> seconds = {};

  [[nodiscard]] double median() const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted.at(sorted.size() / 2);
  }
};

constexpr const char* kByZebra = "zebra, bgpd";
constexpr const char* kByTable = "kernel table, zebra, bgpd";
constexpr const char* kByStaticd = "staticd, zebra, bgpd";

class Race {
 public:
  Race(const std::string& only, std::uint32_t count) {
    const auto wanted = [&](const char* name) { return only == "all" || only == name; };
    if (wanted("zapi")) add(Sink::kZapi, count, "zapi sink", "bare zebra client", kByZebra);
    if (wanted("kernel-table")) add(Sink::kKernelTable, count, "kernel-table sink", "ip -batch", kByTable);
    if (wanted("vtysh")) add(Sink::kVtysh, count, "vtysh sink", "vtysh -f", kByStaticd);
    if (wanted("speakers")) add_speakers(count);
  }

  void run(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      for (Contender& contender : contenders_) contender.seconds.push_back(contender.run());
    }
  }

  void print() const {
    fmt::print("  {:<18} {:<26} {:>8} {:>8} {:>8}   {:>8}\n", "", "by", "median", "least", "most", "ratio");
    for (const Contender& contender : contenders_) {
      const auto [least, most] = std::minmax_element(contender.seconds.begin(), contender.seconds.end());
      fmt::print("  {:<18} {:<26} {:>8.3f} {:>8.3f} {:>8.3f}   {:>8.3f}\n", contender.name, contender.path,
                 contender.median(), *least, *most, contender.median() / contenders_.front().median());
    }
  }

 private:
  /// The bare thing first: the first one of all is what the ratios are to.
  void add(Sink kind, std::uint32_t count, const char* ours, const char* bare, const char* path) {
    SinkBench* const bench = benches_.emplace_back(std::make_unique<SinkBench>(kind, count)).get();
    contenders_.push_back({bare, path, [bench] { return bench->bare(); }});
    contenders_.push_back({ours, path, [bench] { return bench->ours(); }});
  }

  void add_speakers(std::uint32_t count) {
    SinkBench* const bench = benches_.emplace_back(std::make_unique<SinkBench>(Sink::kZapi, count)).get();
    if (is_installed("gobgpd")) {
      contenders_.push_back({"GoBGP", "mrt inject", [bench] { return bench->speaker<GoBgp>(); }});
    }
    if (is_installed("exabgp")) {
      contenders_.push_back({"ExaBGP", "process API", [bench] { return bench->speaker<ExaBgp>(); }});
    } else {
      fmt::print("  (exabgp is not installed: left out)\n");
    }
  }

  std::vector<std::unique_ptr<SinkBench>> benches_;
  std::vector<Contender> contenders_;
};

}  // namespace
}  // namespace untrombone::bench

int main(int argc, char** argv) {
  CLI::App app("Many routes through each sink, measured beside the bare thing and other BGP speakers");
  std::uint32_t count = 10000;
  int rounds = 5;
  std::string only = "all";
  app.add_option("--routes", count, "host routes")->check(CLI::Range(1, 60000));
  app.add_option("--rounds", rounds, "of each, in turn")->check(CLI::Range(1, 100));
  app.add_option("--sink", only, "zapi, kernel-table, vtysh, speakers or all")
      ->check(CLI::IsMember({"zapi", "kernel-table", "vtysh", "speakers", "all"}));
  CLI11_PARSE(app, argc, argv);
  try {
    fmt::print(
        "{} host routes, from the first one sent to the last in the remote router's kernel, seconds, {} "
        "rounds\n",
        count, rounds);
    untrombone::bench::Race race(only, count);
    race.run(rounds);
    race.print();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench-sinks: {}\n", error.what());
    return 1;
  }
  return 0;
}
