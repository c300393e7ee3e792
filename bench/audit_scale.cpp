// SPDX-License-Identifier: GPL-2.0-or-later
// What an audit of many hosts and routes costs: seconds and memory, on real tables of the kernel, zebra and bgpd.
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/bare_client.hpp"
#include "tests/lab/lab.hpp"
#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::bench {
namespace {

using namespace std::chrono_literals;
using lab::Lab;
using lab::Node;
using lab::Site;

constexpr std::uint32_t kSettledTag = 4210;
constexpr auto kPatience = 300s;

std::string address_of(unsigned host) {
  return fmt::format("10.{}.{}.{}", 64 + (host >> 16U), host >> 8U & 255U, host & 255U);
}

std::string mac_of(unsigned host) {
  return fmt::format("52:54:01:{:02x}:{:02x}:{:02x}", host >> 16U, host >> 8U & 255U, host & 255U);
}

/// Feeds a batch to `ip` or `bridge`; throws with what it says.
void batch(const Lab& lab, const std::string& program, const std::string& lines) {
  const auto result = lab::run_command({.argv = {program, "-batch", "-"},
                                        .netns = &lab.netns(Site::kA),
                                        .input = lines,
                                        .timeout = std::chrono::minutes(10)});
  if (result.status != 0) throw std::runtime_error(program + ": " + result.error.substr(0, 200));
}

/// Hosts that the kernel knows at a local port, each with its route in zebra.
void fill(Lab& lab, BareClient& client, unsigned hosts) {
  std::string neighbours;
  std::string stations;
  for (unsigned host = 1; host <= hosts; ++host) {
    neighbours +=
        fmt::format("neigh replace {} lladdr {} dev br0 nud permanent\n", address_of(host), mac_of(host));
    stations += fmt::format("fdb replace {} dev acc0 master static\n", mac_of(host));
    client.add(address_of(host) + "/32", kSettledTag);
  }
  batch(lab, "ip", neighbours);
  batch(lab, "bridge", stations);
}

std::string write_config(Lab& lab) {
  const auto path = lab.directory(Node::kSiteA) / "audit.toml";
  std::ofstream(path) << fmt::format(
      "[site]\nname = \"dc-a\"\n[routes]\nzapi-socket = \"{}\"\nvty-dir = \"{}\"\n[[segment]]\nname = "
      "\"lab\"\nbridge = "
      "\"br0\"\n"
      "dci-ports = [\"dci0\"]\nsubnets = [\"10.1.0.0/16\", \"10.64.0.0/12\"]\ngateways = [\"10.1.0.1\"]\n"
      "[segment.guard]\nenabled = false\n",
      lab.frr(Site::kA).zserv().string(), lab.frr(Site::kA).vty_dir().string());
  return path;
}

struct Sample {
  double seconds = 0;
  long mebibytes = 0;
  nlohmann::json report;
};

Sample audit(Lab& lab, const std::string& config) {
  const std::string output = (lab.directory(Node::kSiteA) / "audit.json").string();
  const auto started = std::chrono::steady_clock::now();
  const auto result = lab::run_command(
      {.argv = {"sh", "-c",
                fmt::format("{} --socket none audit --json --config {} >{}", UNTROMBONE_BIN, config, output)},
       .netns = &lab.netns(Site::kA),
       .timeout = std::chrono::minutes(5)});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  if (result.status > 1) throw std::runtime_error("audit: " + result.error);
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  std::ifstream file(output);
  return {took.count(), usage.ru_maxrss / 1024, nlohmann::json::parse(file)};
}

int run(unsigned hosts) {
  Lab lab;
  BareClient client(lab.frr(Site::kA).zserv().string(), *bgp::zapi::find_release("8.4"),
                    lab.link(Node::kSiteA, "br0").ifindex);
  fill(lab, client, hosts);
  const std::string config = write_config(lab);
  Sample sample;
  const bool settled = lab::wait_for(
      [&] {
        sample = audit(lab, config);
        return sample.report.at("findings").empty() &&
               sample.report.at("sources").at("bgp_prefixes") >= hosts;
      },
      kPatience);
  if (!settled) throw std::runtime_error("never clean: " + sample.report.at("sources").dump());
  std::cout << fmt::format("audit of {} hosts and routes: {:.2f} s, at most {} MiB, {}\n", hosts,
                           sample.seconds, sample.mebibytes, sample.report.at("sources").dump());
  return 0;
}

}  // namespace
}  // namespace untrombone::bench

int main(int argc, char** argv) {
  CLI::App app{"What an audit of many hosts and routes costs"};
  unsigned hosts = 100000;
  app.add_option("--hosts", hosts, "how many")->check(CLI::Range(1U, 1000000U))->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return untrombone::bench::run(hosts);
  } catch (const std::exception& error) {
    std::cerr << "bench-audit: " << error.what() << '\n';
    return 2;
  }
}
