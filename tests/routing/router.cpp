// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/routing/router.hpp"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "tests/lab/system.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::routing {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{20};

// Runs "$@" in the tree $1 with the run directory $2; a mount namespace of its own lets several share the tree.
constexpr const char* kInTree = R"(
tree=$1 run=$2; shift 2
mount --bind "$run" "$tree/run/frr" && mount -t proc proc "$tree/proc" && mount --bind /sys "$tree/sys" &&
exec chroot "$tree" "$@")";

// What a terminal shows, without prompts and what was typed.
bool is_complaint(std::string_view line) {
  return line.rfind("% ", 0) == 0 || line.find("is not running") != std::string_view::npos ||
         line.find("arning") != std::string_view::npos;
}

// How FRR 10.7 takes a line that it has already.
constexpr std::string_view kNoted = "% Configuration applied with notes:";
constexpr std::string_view kNothingToDo = "No changes found to be committed!";

bool accepts_clients(const fs::path& path) {
  const lab::UniqueFd socket(lab::check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// The owner of FRR's files: in a tree, that of its own /run/frr.
std::pair<uid_t, gid_t> frr_ids(const fs::path& tree) {
  if (!tree.empty()) return {900, 901};
  const passwd* user = ::getpwnam("frr");
  if (user == nullptr) throw std::runtime_error("no user frr: is FRR installed?");
  return {user->pw_uid, user->pw_gid};
}

}  // namespace

Router::Router(const lab::Netns& netns, fs::path directory, std::vector<std::string> daemons)
    : netns_(netns), directory_(std::move(directory)), daemons_(std::move(daemons)) {
  const char* const tree = std::getenv("UNTROMBONE_FRR_TREE");
  if (tree != nullptr) tree_ = fs::canonical(tree);
  fs::create_directories(run_directory());
  const auto [uid, gid] = frr_ids(tree_);
  lab::check(::chown(run_directory().c_str(), uid, gid), "chown");
  daemons_.insert(daemons_.begin(), "zebra");
  if (!tree_.empty() && fs::exists(tree_ / "usr/lib/frr/mgmtd")) daemons_.insert(daemons_.begin(), "mgmtd");
}

std::vector<std::string> Router::inside(std::vector<std::string> argv) const {
  if (tree_.empty()) return argv;
  std::vector<std::string> command{"unshare", "-m", "--propagation", "private",      "sh", "-c",
                                   kInTree,   "sh", tree_,           run_directory()};
  command.insert(command.end(), argv.begin(), argv.end());
  return command;
}

std::vector<std::string> Router::daemon_command(const std::string& daemon) const {
  std::vector<std::string> argv{"/usr/lib/frr/" + daemon, "--log", "stdout"};
  if (daemon == "zebra") argv.emplace_back("--v6-rr-semantics");
  if (!tree_.empty()) return inside(std::move(argv));
  const std::string run = run_directory();
  argv.insert(argv.end(), {"-u", "frr", "-g", "frr", "-P", "0", "--vty_socket", run, "-z", zserv()});
  argv.insert(argv.end(), {"-i", run + "/" + daemon + ".pid", "-f", "/dev/null"});
  return argv;
}

void Router::start() {
  for (const std::string& daemon : daemons_) {
    processes_.emplace_back(lab::ProcessOptions{
        .argv = daemon_command(daemon), .netns = &netns_, .output = directory_ / (daemon + ".log")});
    const fs::path vty = run_directory() / (daemon + ".vty");
    if (!lab::wait_for([&] { return accepts_clients(vty); }, kPatience)) {
      throw std::runtime_error(daemon + " does not start:\n" +
                               lab::read_file(directory_ / (daemon + ".log")));
    }
  }
}

lab::CommandResult Router::run_vtysh(const std::vector<std::string>& arguments, const std::string& input) {
  std::vector<std::string> argv{"vtysh"};
  if (tree_.empty()) argv.insert(argv.end(), {"--vty_socket", run_directory()});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return lab::run_command({.argv = inside(std::move(argv)), .netns = &netns_, .input = input});
}

void Router::load(const std::string& configuration) {
  lab::write_file(run_directory() / "loaded.conf", configuration);
  const std::string file =
      tree_.empty() ? (run_directory() / "loaded.conf").string() : "/run/frr/loaded.conf";
  const lab::CommandResult result = run_vtysh({"-f", file}, "");
  if (result.status != 0) throw std::runtime_error("FRR complains:\n" + result.output + result.error);
}

std::string Router::feed(const std::string& configuration) {
  const lab::CommandResult result = run_vtysh({}, "configure terminal\n" + configuration);
  std::istringstream said(result.output + "\n" + result.error);
  std::string complaints;
  for (std::string line; std::getline(said, line);) {
    if (!is_complaint(line)) continue;
    std::string notes;
    const bool noted = line == kNoted && std::getline(said, notes);
    if (noted && notes == kNothingToDo) continue;
    complaints += line + "\n" + (noted ? notes + "\n" : "");
  }
  if (complaints.empty() && result.status != 0) complaints = fmt::format("vtysh: status {}\n", result.status);
  return complaints;
}

std::string Router::vtysh(const std::string& command) {
  lab::CommandResult result = run_vtysh({"-c", command}, "");
  if (result.status != 0) throw std::runtime_error("vtysh failed: " + result.output + result.error);
  return std::move(result.output);
}

nlohmann::json Router::json(const std::string& command) { return nlohmann::json::parse(vtysh(command)); }

bgp::FrrVersion Router::version() {
  const auto version = bgp::FrrVersion::from_show_version(vtysh("show version"));
  if (!version) throw std::runtime_error("FRR does not say its release");
  return *version;
}

std::string Router::route_device(const std::string& prefix) const {
  const char* const family = prefix.find(':') == std::string::npos ? "-4" : "-6";
  const lab::CommandResult result =
      lab::run_command({.argv = {"ip", family, "route", "show", prefix}, .netns = &netns_});
  std::istringstream words(result.output);
  std::string devices;
  for (std::string word; words >> word;) {
    if (word != "dev" || !(words >> word)) continue;
    devices += devices.empty() ? word : " " + word;
  }
  return devices.empty() ? "-" : devices;
}

}  // namespace untrombone::routing
