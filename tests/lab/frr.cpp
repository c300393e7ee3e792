// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/frr.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "tests/lab/frr_config.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDaemonDirectory = "/usr/lib/frr/";
// zebra insists on a user that is a member of its vty group.
constexpr const char* kUser = "frr";
constexpr std::chrono::seconds kStartPatience{20};

// The user and group of FRR, as the tree's own passwd says.
std::pair<uid_t, gid_t> frr_user(const std::string& tree) {
  std::istringstream passwd(read_file(tree + "/etc/passwd"));
  for (std::string line; std::getline(passwd, line);) {
    unsigned uid = 0;
    unsigned gid = 0;
    if (line.starts_with("frr:") && std::sscanf(line.c_str(), "frr:%*[^:]:%u:%u", &uid, &gid) == 2) {
      return {uid, gid};
    }
  }
  throw std::runtime_error("no user frr: is FRR installed?");
}

// Unpacks the release if that was not done yet.
fs::path tree_of(const std::string& release) {
  const CommandResult result = run_command(
      {.argv = {UNTROMBONE_SOURCE_DIR "/scripts/frr-release", release}, .timeout = std::chrono::minutes(5)});
  if (result.status != 0) {
    throw std::runtime_error("no FRR of Debian " + release + ": " + result.error);
  }
  return result.output.substr(0, result.output.find('\n'));
}

// "zebra version 8.4.4" -> 804
int version_of(const std::string& tree) {
  std::vector<std::string> argv{"/usr/lib/frr/zebra", "--version"};
  if (!tree.empty()) {
    argv.insert(argv.begin(), {"chroot", tree});
  }
  const CommandResult result = run_command({.argv = argv});
  int major = 0;
  int minor = 0;
  if (std::sscanf(result.output.c_str(), "zebra version %d.%d", &major, &minor) != 2) {
    throw std::runtime_error("which FRR is this? " + result.output + result.error);
  }
  return major * 100 + minor;
}

bool accepts_clients(const fs::path& path) {
  const UniqueFd socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

const char* name_of(Sink sink) {
  switch (sink) {
    case Sink::kZapi: return "zapi";
    case Sink::kKernelTable: return "kernel-table";
    case Sink::kVtysh: return "vtysh";
  }
  return "?";
}

std::string default_frr_release() {
  const char* name = std::getenv("UNTROMBONE_LAB_FRR");
  return name == nullptr ? "" : name;
}

Sink default_sink() {
  const char* name = std::getenv("UNTROMBONE_LAB_SINK");
  for (const Sink sink : {Sink::kZapi, Sink::kKernelTable, Sink::kVtysh}) {
    if (name == nullptr || *name == '\0' || std::string_view(name) == name_of(sink)) {
      return sink;
    }
  }
  throw std::invalid_argument(std::string("UNTROMBONE_LAB_SINK: no sink is called ") + name);
}

Frr::Frr(Node router, const Netns& netns, const FrrOptions& options, fs::path directory)
    : netns_(netns),
      options_(options),
      directory_(std::move(directory)),
      routing_daemon_(options.protocol == Protocol::kBgp ? "bgpd" : "ospfd") {
  if (!options_.release.empty()) {
    root_ = Root{tree_of(options_.release), directory_};
  }
  const std::string tree = root_ ? root_->tree.string() : "";
  version_ = version_of(tree);
  fs::create_directories(directory_);
  const auto [uid, gid] = frr_user(tree);
  check(::chown(directory_.c_str(), uid, gid), "chown " + directory_.string());
  configure(router);
  if (fs::exists(tree + kDaemonDirectory + "mgmtd")) {
    start_daemon("mgmtd");
  }
  start_daemon("zebra");
  if (options_.sink == Sink::kVtysh) {
    start_daemon("staticd");
  }
  start_daemon(routing_daemon_);
}

FrrSetup Frr::setup() const { return {.version = version_, .ipv6 = options_.ipv6, .sink = options_.sink}; }

std::string Frr::origin() const { return bgp_origin(setup(), false); }

void Frr::configure(Node router) {
  const FrrSetup setup = this->setup();
  write_file(directory_ / "zebra.conf", zebra_config(router, setup));
  write_file(directory_ / "bgpd.conf", bgpd_config(router, setup));
  write_file(directory_ / "ospfd.conf", ospfd_config(router, setup));
}

// Nothing connects to its socket only to try it: a zebra from 10.2 on forgets routes that it has not processed yet, its
// connected ones too, when such a client closes (zebra_rib.c, early_route_meta_queue_free).
void Frr::await_zebra() const {
  const auto knows_its_links = [this] {
    return accepts_clients(directory_ / "zebra.vty") &&
           vtysh({"show ip route connected"}).find("is directly connected") != std::string::npos;
  };
  // A daemon that does not find zebra at once tries again only seconds later.
  if (!wait_for(knows_its_links, kStartPatience) ||
      !wait_for([this] { return fs::exists(zserv()); }, kStartPatience)) {
    throw std::runtime_error("zebra does not start:\n" + read_file(directory_ / "zebra.log"));
  }
}

void Frr::start_daemon(const std::string& name) {
  const auto file = [&](const char* suffix) { return inside() + "/" + name + suffix; };
  daemons_.erase(name);
  if (name == "zebra") {
    fs::remove(zserv());  // so that its return means that zebra listens
  }
  std::vector<std::string> argv{
      kDaemonDirectory + name, "-u", kUser, "-g", kUser, "-P", "0", "--log", "stdout"};
  argv.insert(argv.end(), {"--vty_socket", inside(), "-i", file(".pid")});
  if (name != "mgmtd") {
    argv.insert(argv.end(), {"-z", inside() + "/zserv.api"});
  }
  if (name != "mgmtd" && name != "staticd") {
    argv.insert(argv.end(), {"-f", file(".conf")});
  }
  if (name == "bgpd") {
    argv.insert(argv.end(), {"-M", "bmp"});  // does nothing until it is configured
  }
  if (name == "zebra" && version_ >= 800) {
    // Otherwise it changes an IPv6 route by removing it first: 0.25 ms without one.
    argv.emplace_back("--v6-rr-semantics");
  }
  if (name == "zebra") {
    argv.insert(argv.end(), options_.zebra_arguments.begin(), options_.zebra_arguments.end());
  }
  const fs::path log = directory_ / (name + ".log");
  daemons_.emplace(name,
                   ProcessOptions{.argv = std::move(argv), .netns = &netns_, .output = log, .root = root()});
  if (name == "zebra") {
    await_zebra();
  }
  const fs::path vty = directory_ / (name + ".vty");
  if (name != "zebra" && !wait_for([&] { return accepts_clients(vty); }, kStartPatience)) {
    throw std::runtime_error(name + " does not start:\n" + read_file(log));
  }
}

std::string Frr::vtysh(const std::vector<std::string>& commands) const {
  Command command{
      .argv = {"vtysh", "--vty_socket", inside()}, .netns = root_ ? &netns_ : nullptr, .root = root()};
  for (const std::string& line : commands) {
    command.argv.insert(command.argv.end(), {"-c", line});
  }
  CommandResult result = run_command(command);
  if (result.status != 0) {
    throw std::runtime_error(fmt::format("vtysh failed: {}{}", result.output, result.error));
  }
  return std::move(result.output);
}

void Frr::release() noexcept {
  for (auto& [name, process] : daemons_) {
    process.release();
  }
}

}  // namespace untrombone::lab
