// SPDX-License-Identifier: GPL-2.0-or-later
// Bad input and missing parts: one clear line or a clear wait, never a crash.
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "tests/e2e/world.hpp"
#include "tests/lab/netns.hpp"
#include "tests/lab/process.hpp"
#include "tests/lab/wait.hpp"

using namespace untrombone::e2e;
using namespace untrombone::lab;

namespace {

constexpr const char* kSegment = R"([site]
name = "dc-a"
[[segment]]
name = "lab"
bridge = "br0"
dci-ports = ["dci0"]
subnets = ["192.0.2.0/24"]
gateways = ["192.0.2.1"]
)";

/// A folder of its own with a configuration file in it.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) {
    std::string name = (std::filesystem::temp_directory_path() / "untrombone-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    std::ofstream(path()) << text;
  }
  ~ConfigFile() { std::filesystem::remove_all(directory_); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;
  [[nodiscard]] std::string path() const { return directory_ / "untrombone.toml"; }
  [[nodiscard]] std::string socket() const { return directory_ / "control.sock"; }

 private:
  std::filesystem::path directory_;
};

/// Runs the agent on `text`; it must give up by itself with one line, which is returned.
std::string refusal(const std::string& text) {
  const ConfigFile file(text);
  const CommandResult result = run_command({.argv = {UNTROMBONE_BIN, "agent", "--config", file.path()}});
  CHECK(result.status == 2);
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
  return result.error;
}

using Catch::Matchers::Contains;

}  // namespace

TEST_CASE("a configuration that is wrong is refused in one line that names the place", "[e2e]") {
  CHECK_THAT(refusal(std::string(kSegment) + "gatewys = [\"192.0.2.1\"]\n"),
             Contains("untrombone.toml:9") && Contains("gatewys") && Contains("gateways"));
  CHECK_THAT(refusal(std::string(kSegment) + "interface = 10\n"),
             Contains("untrombone.toml:9") && Contains("interface"));
  CHECK_THAT(refusal("[site]\nname = \"dc-a\"\n[[segment]]\nname = \"lab\"\nbridge = \"br0\"\nsubnets = "
                     "[\"192.0.2.0/24\"]\n"
                     "gateways = [\"198.51.100.1\"]\n"),
             Contains("untrombone.toml:7") && Contains("198.51.100.1") && Contains("192.0.2.0/24"));
  CHECK_THAT(refusal("[site\n"), Contains("untrombone.toml:1"));
}

TEST_CASE("without CAP_NET_ADMIN the agent says so and ends", "[e2e]") {
  const ConfigFile file(kSegment);
  const CommandResult result =
      run_command({.argv = {"setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", UNTROMBONE_BIN,
                            "agent", "--config", file.path()}});
  CHECK(result.status == 2);
  CHECK_THAT(result.error, Contains("CAP_NET_ADMIN"));
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
}

TEST_CASE("without zebra and without the bridge the agent waits and says for what", "[e2e]") {
  const ConfigFile file(kSegment);
  std::ofstream(file.path(), std::ios::app)
      << "[routes]\nzapi-socket = \"/nonexistent/zserv.api\"\n[control]\nsocket = \"" << file.socket()
      << "\"\n";

  Process agent({.argv = {UNTROMBONE_BIN, "agent", "--config", file.path()}, .die_with_caller = true});
  const auto status = [&] {
    return run_command({.argv = {UNTROMBONE_BIN, "--socket", file.socket(), "status", "--json"}});
  };
  // Exit status 1: it answers, and is not healthy.
  REQUIRE(wait_for([&] { return status().status == 1; }, kPatience));
  const nlohmann::json document = nlohmann::json::parse(status().output);
  CHECK(document["sink"]["state"] == "waiting");
  CHECK_THAT(document["sink"]["detail"].get<std::string>(),
             Contains("/nonexistent/zserv.api") && Contains("No such file"));
  CHECK(document["segments"][0]["state"] == "waiting");
  CHECK_THAT(document["segments"][0]["detail"].get<std::string>(), Contains("br0 does not exist"));
  CHECK(agent.running());
  CHECK(agent.terminate() == 0);
}

TEST_CASE("the agent finds a zebra that comes later", "[e2e]") {
  World world;
  world.start_agents();
  Vm& vm = world.lab().start_vm("vm1", Site::kA);
  REQUIRE(world.reaches(vm, Site::kA));
  world.lab().frr(Site::kA).daemon("zebra").terminate();
  const auto sink_state = [&] {
    return world.lab().agent(Site::kA).json({"status"})["sink"].value("state", "");
  };
  CHECK(wait_for([&] { return sink_state() == "waiting"; }, kPatience));
  world.lab().frr(Site::kA).start_daemon("zebra");
  CHECK(wait_for([&] { return sink_state() == "synced"; }, kPatience));
  CHECK(world.reaches(vm, Site::kA, 30s));
}

TEST_CASE("nobody to ask is an error that names the socket", "[e2e]") {
  const CommandResult result =
      run_command({.argv = {UNTROMBONE_BIN, "--socket", "/nonexistent/control.sock", "status"}});
  CHECK(result.status == 2);
  CHECK_THAT(result.error, Contains("/nonexistent/control.sock"));
}
