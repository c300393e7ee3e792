// SPDX-License-Identifier: GPL-2.0-or-later
// `untrombone summarize` beside other programs that turn addresses into the fewest prefixes: time, memory, routes.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "bench/workload.hpp"

namespace untrombone::bench {
namespace {

namespace fs = std::filesystem;

struct Peer {
  std::string name;
  std::vector<std::string> argv;
  bool with_length = false;  ///< wants 192.0.2.1/32
};

struct Run {
  double seconds = 0;
  double mebibytes = 0;  ///< at most resident
  std::size_t routes = 0;
};

std::vector<Peer> peers() {
  constexpr const char* kCollapse =
      "import ipaddress, sys\n"
      "for net in ipaddress.collapse_addresses(map(ipaddress.ip_network, sys.stdin.read().split())): "
      "print(net)";
  return {{"untrombone summarize", {UNTROMBONE_BIN, "summarize"}},
          {"iprange", {"iprange", "--optimize"}},
          {"python ipaddress", {"python3", "-c", kCollapse}},
          {"aggregate", {"aggregate", "-q"}, true}};
}

/// 60 % of the addresses from 10.0.0.0 on, in no order.
void write_hosts(const fs::path& path, std::size_t count, bool with_length) {
  std::mt19937_64 random(1);
  std::ofstream file(path);
  for (const std::uint64_t offset : scattered(count, random)) {
    const std::uint64_t host = 0x0a000000 + offset;
    fmt::print(file, "{}.{}.{}.{}{}\n", host >> 24U, host >> 16U & 0xffU, host >> 8U & 0xffU, host & 0xffU,
               with_length ? "/32" : "");
  }
}

/// In the child: does not return.
[[noreturn]] void execute(const Peer& peer, const fs::path& input, const fs::path& output) {
  const int in = ::open(input.c_str(), O_RDONLY | O_CLOEXEC);
  const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  std::vector<char*> argv;
  for (const std::string& argument : peer.argv)
    argv.push_back(const_cast<char*>(argument.c_str()));  // NOLINT
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  ::_exit(127);
}

/// Nothing when it is not installed, or fails.
std::optional<Run> run(const Peer& peer, const fs::path& input, const fs::path& output) {
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) execute(peer, input, output);
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  Run result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.mebibytes = static_cast<double>(usage.ru_maxrss) / 1024;
  std::ifstream file(output);
  result.routes = static_cast<std::size_t>(
      std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
  return result;
}

void compare(std::size_t hosts, const fs::path& directory, std::size_t rounds) {
  fmt::print("{} hosts, 60 % of a range, median of {}\n", hosts, rounds);
  double ours = 0;
  for (const Peer& peer : peers()) {
    write_hosts(directory / "hosts", hosts, peer.with_length);
    std::vector<Run> runs;
    for (std::size_t round = 0; round < rounds; ++round) {
      if (const auto one = run(peer, directory / "hosts", directory / "routes")) runs.push_back(*one);
    }
    if (runs.empty()) {
      fmt::print("  {:<22} not installed\n", peer.name);
      continue;
    }
    std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.seconds < b.seconds; });
    const Run& median = runs[runs.size() / 2];
    if (ours == 0) ours = median.seconds;
    fmt::print("  {:<22} {:>8.3f} s {:>7.1f}x {:>7.1f} MiB {:>8} routes\n", peer.name, median.seconds,
               median.seconds / ours, median.mebibytes, median.routes);
  }
}

}  // namespace
}  // namespace untrombone::bench

int main(int argc, char** argv) {
  CLI::App app("untrombone summarize beside iprange, aggregate and Python's ipaddress");
  std::vector<std::size_t> sizes{10'000, 100'000};
  std::size_t rounds = 5;
  app.add_option("--hosts", sizes, "numbers of hosts");
  app.add_option("--rounds", rounds, "of each")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  std::string pattern = (std::filesystem::temp_directory_path() / "summary-peers-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  for (const std::size_t hosts : sizes) untrombone::bench::compare(hosts, pattern, rounds);
  std::filesystem::remove_all(pattern);
  return 0;
}
