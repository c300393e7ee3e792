// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tests/demo/demo.hpp"
#include "tests/demo/terminal.hpp"
#include "tests/lab/guardian.hpp"

namespace {

namespace demo = untrombone::demo;
namespace lab = untrombone::lab;

constexpr int kExitNotSeen = 1;
constexpr int kExitFailed = 2;
constexpr int kExitUsage = 64;

int fail(const std::string& what) {
  fmt::print(stderr, "untrombone-demo: {}\n", what);
  return kExitFailed;
}

int remove_kept(const std::string& id) {
  const std::vector<std::string> labs = lab::list_labs();
  if (std::find(labs.begin(), labs.end(), id) == labs.end()) {
    return fail(labs.empty() ? fmt::format("no lab {}, nor any other", id)
                             : fmt::format("no lab {}; there is: {}", id, fmt::join(labs, " ")));
  }
  lab::remove_lab(id);
  fmt::print("lab {} is gone\n", id);
  return 0;
}

int show(const demo::Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const demo::Terminal terminal;
  terminal.say("Building the lab: network namespaces, three routers with FRR, one VM ...");
  bool seen = false;
  {
    demo::Demo run(options, terminal);
    seen = run.run();
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  terminal.say(fmt::format("{:.0f} seconds; {}", time.count(),
                           options.keep ? "the lab is still there." : "the lab is gone."));
  return seen ? 0 : kExitNotSeen;
}

}  // namespace

int main(int argc, char** argv) {
  demo::Options options;
  std::string removed;
  unsigned delay = 25;
  std::string protocol = "bgp";

  CLI::App app("A VM moves between two sites, without untrombone and with it.", "untrombone-demo");
  app.add_flag("--keep", options.keep, "leave the lab up and say how to look around in it");
  app.add_option("--remove", removed, "remove a lab that was kept, and do nothing else")->type_name("ID");
  app.add_option("--protocol", protocol, "the routing protocol: bgp (default) or ospf")
      ->check(CLI::IsMember({"bgp", "ospf"}).description(""))
      ->type_name("NAME");
  app.add_option("--delay", delay, "what the DCI takes one way, in milliseconds: 5 to 1000, 25 by default")
      ->check(CLI::Range(5U, 1000U).description(""))
      ->type_name("MS");
  app.footer("Exit codes: 0 everything claimed was seen, 1 something was not, 2 could not do it, 64 usage.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  try {
    options.protocol = protocol == "bgp" ? lab::Protocol::kBgp : lab::Protocol::kOspf;
    options.dci_delay = std::chrono::milliseconds(delay);
    if (::geteuid() != 0) return fail("needs root: it makes network namespaces and starts FRR in them");
    return removed.empty() ? show(options) : remove_kept(removed);
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
