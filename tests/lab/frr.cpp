// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/frr.hpp"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <stdexcept>
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

void give_to_frr(const fs::path& path) {
  const passwd* user = ::getpwnam(kUser);
  if (user == nullptr) {
    throw std::runtime_error("no user frr: is FRR installed?");
  }
  check(::chown(path.c_str(), user->pw_uid, user->pw_gid), "chown " + path.string());
}

bool accepts_clients(const fs::path& path) {
  const UniqueFd socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Frr::Frr(Node router, const Netns& netns, Protocol protocol, fs::path directory, bool ipv6)
    : netns_(netns),
      directory_(std::move(directory)),
      routing_daemon_(protocol == Protocol::kBgp ? "bgpd" : "ospfd") {
  fs::create_directories(directory_);
  give_to_frr(directory_);
  write_file(directory_ / "zebra.conf", zebra_config(router));
  write_file(directory_ / "bgpd.conf", bgpd_config(router, ipv6));
  write_file(directory_ / "ospfd.conf", ospfd_config(router));
  start_daemon("zebra");
  start_daemon(routing_daemon_);
}

void Frr::start_daemon(const std::string& name) {
  const auto file = [&](const char* suffix) { return (directory_ / (name + suffix)).string(); };
  daemons_.erase(name);
  if (name == "zebra") {
    fs::remove(zserv());  // so that its return means that zebra listens
  }
  std::vector<std::string> argv{
      kDaemonDirectory + name, "-u", kUser, "-g", kUser, "-P", "0", "--log", "stdout"};
  argv.insert(argv.end(), {"--vty_socket", directory_.string(), "-z", zserv().string()});
  argv.insert(argv.end(), {"-i", file(".pid"), "-f", file(".conf")});
  if (name == "zebra") {
    // Otherwise it changes an IPv6 route by removing it first: 0.25 ms without one.
    argv.emplace_back("--v6-rr-semantics");
  }
  daemons_.emplace(name, ProcessOptions{.argv = std::move(argv), .netns = &netns_, .output = file(".log")});
  // A daemon that does not find zebra at once tries again only seconds later.
  if (name == "zebra" && !wait_for([this] { return accepts_clients(zserv()); }, std::chrono::seconds(10))) {
    throw std::runtime_error("zebra does not start:\n" + read_file(file(".log")));
  }
}

std::string Frr::vtysh(const std::vector<std::string>& commands) const {
  Command command{.argv = {"vtysh", "--vty_socket", directory_.string()}};
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
