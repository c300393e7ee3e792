// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/config.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <catch2/catch.hpp>

#include "agent/daemon/config_duration.hpp"
#include "agent/daemon/config_keys.hpp"

namespace untrombone::daemon {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Nine lines; what a test adds begins at line 10, inside [[segment]] or a table of its own.
constexpr std::string_view kMinimal = R"([site]
name = "dc-a"

[[segment]]
name = "vlan10"
bridge = "br0"
subnets = ["192.0.2.0/24"]
gateways = ["192.0.2.1"]

)";

std::string minimal_and(std::string_view more) { return std::string(kMinimal).append(more); }

Config parsed(const std::string& text) {
  const auto config = parse_config(text, "f");
  INFO((config.has_error() ? config.error().message : std::string()));
  REQUIRE(config.has_value());
  return *config;
}

/// The complaint about `text`, without the file's name.
std::string complaint(const std::string& text) {
  const auto config = parse_config(text, "f");
  if (config.has_value()) return "none";
  REQUIRE_FALSE(config.error().unreadable);
  REQUIRE(config.error().message.rfind("f:", 0) == 0);
  return config.error().message.substr(2);
}

std::string complaint_about(std::string_view more) { return complaint(minimal_and(more)); }

/// A [[segment]] of lines 1 to 9, with one line replaced or added.
std::string replaced(std::string_view line, std::string_view by) {
  std::string text(kMinimal);
  const std::size_t at = text.find(line);
  REQUIRE(at != std::string::npos);
  return text.replace(at, line.size(), by);
}

std::string read_file(const std::filesystem::path& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void require_default_tuning(const Config& config) {
  const Config defaults;
  const core::SegmentSettings segment;
  CHECK(config.core.routes.distance == defaults.core.routes.distance);
  CHECK(config.core.routes.tag == defaults.core.routes.tag);
  CHECK(config.core.routes.metric == defaults.core.routes.metric);
  CHECK(config.core.routes.settle == defaults.core.routes.settle);
  CHECK(config.core.routes.max_routes == defaults.core.routes.max_routes);
  CHECK(config.core.routes.mass_threshold == defaults.core.routes.mass_threshold);
  CHECK(config.zapi_socket == defaults.zapi_socket);
  CHECK(config.vty_dir == defaults.vty_dir);
  CHECK(config.track == defaults.track);
  CHECK(config.track_hold == defaults.track_hold);
  CHECK(config.same_site.empty());
  CHECK(config.frr_version == defaults.frr_version);
  CHECK(config.table == defaults.table);
  CHECK(config.protocols == defaults.protocols);
  CHECK(config.community_as == defaults.community_as);
  CHECK(config.leak_guard == defaults.leak_guard);
  CHECK(config.on_exit == defaults.on_exit);
  CHECK(config.retain_time == defaults.retain_time);
  CHECK(config.control_socket == defaults.control_socket);
  CHECK(config.log_level == defaults.log_level);
  CHECK(config.log_format == defaults.log_format);
  REQUIRE(config.segments.size() == 1);
  REQUIRE(config.core.segments.size() == 1);
  CHECK(config.segments[0].guard == GuardConfig{});
  CHECK_FALSE(config.segments[0].probe_address);
  CHECK(config.core.segments[0].confirm == segment.confirm);
  CHECK(config.core.segments[0].refresh == segment.refresh);
  CHECK(config.core.segments[0].silent_after == segment.silent_after);
  CHECK(config.core.segments[0].linger == segment.linger);
  CHECK(config.core.segments[0].mode == segment.mode);
  CHECK(config.core.segments[0].home_blocks.empty());
  CHECK(config.core.segments[0].shortest == segment.shortest);
  CHECK(config.core.segments[0].shortest6 == segment.shortest6);
  CHECK(config.core.segments[0].break_delay == segment.break_delay);
  CHECK(config.core.segments[0].hold == segment.hold);
  CHECK(config.core.segments[0].announce_subnet == segment.announce_subnet);
  CHECK(config.core.segments[0].budget == segment.budget);
  CHECK(config.core.segments[0].max_hosts == segment.max_hosts);
  CHECK(config.core.segments[0].probe_rate == segment.probe_rate);
  CHECK(config.core.segments[0].sweep == segment.sweep);
  CHECK(config.core.segments[0].port_hold == segment.port_hold);
  CHECK(config.core.segments[0].new_host_rate == segment.new_host_rate);
  CHECK(config.core.segments[0].max_ips_per_mac == segment.max_ips_per_mac);
  CHECK(config.core.segments[0].greet == segment.greet);
  CHECK(config.core.segments[0].greet_tries == segment.greet_tries);
}

}  // namespace

TEST_CASE("a minimal configuration gets every default") {
  const Config config = parsed(std::string(kMinimal));
  require_default_tuning(config);
  CHECK(config.site == "dc-a");
  CHECK(config.segments[0].name == "vlan10");
  CHECK(config.segments[0].bridge == "br0");
  CHECK(config.segments[0].interface == "br0");
  CHECK(config.segments[0].dci_ports.empty());
  CHECK(config.core.segments[0].name == "vlan10");
}

TEST_CASE("the rendered defaults are a valid configuration, and nothing but defaults") {
  require_default_tuning(parsed(render_defaults()));
}

TEST_CASE("the rendered defaults name every supported key and no other") {
  const std::string text = render_defaults();
  for (const ConfigKey& key : config_keys()) {
    const std::string assignment = "\n" + std::string(key.name) + " = ";
    const std::string commented = "\n# " + std::string(key.name) + " = ";
    const bool found =
        text.find(assignment) != std::string::npos || text.find(commented) != std::string::npos;
    CAPTURE(key.table, key.name);
    CHECK(found == (key.need != KeyNeed::kPlanned));
  }
}

TEST_CASE("an optional key's example is as good as its default") {
  for (const ConfigKey& key : config_keys()) {
    if (key.need != KeyNeed::kOptional) continue;
    std::string text = render_defaults();
    const std::size_t at = text.find("\n# " + std::string(key.name) + " = ");
    REQUIRE(at != std::string::npos);
    CHECK(complaint(text.erase(at + 1, 2)) == "none");
  }
}

TEST_CASE("the packaged example is valid and names every supported key") {
  const std::string text =
      read_file(std::filesystem::path(UNTROMBONE_SOURCE_DIR) / "packaging/untrombone.toml");
  CHECK(complaint(text) == "none");
  for (const ConfigKey& key : config_keys()) {
    if (key.need == KeyNeed::kPlanned) continue;
    CAPTURE(key.name);
    CHECK(text.find(std::string(key.name) + " = ") != std::string::npos);
  }
}

TEST_CASE("the documentation has a row with the default of every supported key") {
  const std::string text = read_file(std::filesystem::path(UNTROMBONE_SOURCE_DIR) / "docs/configuration.md");
  for (const ConfigKey& key : config_keys()) {
    const std::string row = "\n| `" + std::string(key.name) + "` | ";
    CAPTURE(key.name);
    switch (key.need) {
      case KeyNeed::kRequired: CHECK(text.find(row + "required |") != std::string::npos); break;
      case KeyNeed::kOptional: CHECK(text.find(row) != std::string::npos); break;
      case KeyNeed::kDefault:
        CHECK(text.find(row + "`" + std::string(key.value) + "` |") != std::string::npos);
        break;
      case KeyNeed::kPlanned: CHECK(text.find(row) == std::string::npos); break;
    }
  }
}

TEST_CASE("every supported key reaches its setting") {
  const Config config = parsed(R"(
[site]
name = "dc-b"
[routes]
sink = "zapi"
zapi-socket = "/run/z"
vty-dir = "/run/v"
track = ["0.0.0.0/0", "::/0"]
track-hold = "2s"
same-site = ["198.51.100.9", "2001:db8::9"]
bmp-listen = "[::1]:5000"
frr-version = "10.3"
table = 252
distance = 249
tag = 65526
protocols = ["ospf", "isis"]
community-as = 64512
leak-guard = "no-export"
metric = 7
settle = "0s"
on-exit = "withdraw"
retain-time = "2h"
max-routes = 9
mass-threshold = 50
[[segment]]
name = "a"
bridge = "br0"
interface = "br0.10"
dci-ports = ["vx*", "dci0"]
peer-ports = ["peerlink"]
subnets = ["192.0.2.0/24", "198.51.100.0/24"]
gateways = ["192.0.2.1", "198.51.100.1"]
gateway-macs = ["00:00:5e:00:53:01"]
exclude = ["192.0.2.128/25"]
[segment.detect]
probe-address = "192.0.2.2"
confirm = "250ms"
refresh = "5m"
silent-after = "10m"
probe-rate = 10
sweep = true
port-hold = "0s"
max-hosts = 3
max-ips-per-mac = 4
new-host-rate = 0
[segment.summarize]
mode = "home"
home-blocks = ["192.0.2.0/26", "198.51.100.128/25"]
shortest = 26
shortest6 = 100
break-delay = "2s"
hold = "1m"
linger = "0s"
announce-subnet = true
budget = 77
[segment.guard]
fhrp = false
ra = false
dhcp = "local"
fail = "closed"
adopt-macs = true
strict-mac = true
enabled = false
greet = false
greet-tries = 100
[control]
socket = "/run/c"
[log]
level = "warning"
format = "json"
)");
  CHECK(config.site == "dc-b");
  CHECK(config.zapi_socket == "/run/z");
  CHECK(config.vty_dir == "/run/v");
  CHECK(config.track ==
        std::vector{core::IpPrefix::parse("0.0.0.0/0").value(), core::IpPrefix::parse("::/0").value()});
  CHECK(config.track_expected);
  CHECK(config.track_hold == seconds(2));
  CHECK(config.same_site.size() == 2);
  CHECK(config.bmp_listen == "[::1]:5000");
  CHECK(config.frr_version == "10.3");
  CHECK(config.table == 252);
  CHECK(config.core.routes.distance == 249);
  CHECK(config.core.routes.tag == 65526);
  CHECK(config.protocols == std::vector{bgp::RoutingProtocol::kOspf, bgp::RoutingProtocol::kIsis});
  CHECK(config.community_as == 64512);
  CHECK(config.leak_guard == bgp::LeakGuard::kNoExport);
  CHECK(config.core.routes.metric == 7);
  CHECK(config.core.routes.settle == seconds(0));
  CHECK(config.on_exit == OnExit::kWithdraw);
  CHECK(config.retain_time == hours(2));
  CHECK(config.core.routes.max_routes == 9);
  CHECK(config.core.routes.mass_threshold == 50);
  CHECK(config.control_socket == "/run/c");
  CHECK(config.log_level == "warning");
  CHECK(config.log_format == LogFormat::kJson);

  const SegmentConfig& adapter = config.segments.at(0);
  CHECK(adapter.interface == "br0.10");
  CHECK(adapter.dci_ports == std::vector<std::string>{"vx*", "dci0"});
  CHECK(adapter.peer_ports == std::vector<std::string>{"peerlink"});
  CHECK(adapter.probe_address == core::IpAddress::v4({192, 0, 2, 2}));
  CHECK(adapter.guard == GuardConfig{.enabled = false,
                                     .fhrp = false,
                                     .ra = false,
                                     .dhcp = GuardDhcp::kLocal,
                                     .fail = GuardFail::kClosed,
                                     .adopt_macs = true,
                                     .strict_mac = true});
  const core::SegmentSettings& segment = config.core.segments.at(0);
  CHECK(segment.subnets.size() == 2);
  CHECK(segment.gateways.size() == 2);
  CHECK(segment.gateway_macs == std::vector{*core::MacAddress::parse("00:00:5e:00:53:01")});
  CHECK(segment.exclude == std::vector{*core::IpPrefix::parse("192.0.2.128/25")});
  CHECK(segment.confirm == milliseconds(250));
  CHECK(segment.refresh == minutes(5));
  CHECK(segment.silent_after == minutes(10));
  CHECK(segment.linger == seconds(0));
  CHECK(segment.probe_rate == 10);
  CHECK(segment.sweep);
  CHECK(segment.port_hold == seconds(0));
  CHECK(segment.new_host_rate == 0);
  CHECK(segment.mode == core::SummaryMode::kHome);
  CHECK(segment.home_blocks ==
        std::vector{*core::IpPrefix::parse("192.0.2.0/26"), *core::IpPrefix::parse("198.51.100.128/25")});
  CHECK(segment.shortest == 26);
  CHECK(segment.shortest6 == 100);
  CHECK(segment.break_delay == seconds(2));
  CHECK(segment.hold == minutes(1));
  CHECK(segment.announce_subnet);
  CHECK(segment.budget == 77);
  CHECK(segment.max_hosts == 3);
  CHECK(segment.max_ips_per_mac == 4);
  CHECK_FALSE(segment.greet);
  CHECK(segment.greet_tries == 100);
}

TEST_CASE("a sub-table belongs to the segment above it") {
  const Config config = parsed(minimal_and(R"(
[segment.detect]
confirm = "2s"
[[segment]]
name = "vlan20"
bridge = "br1"
subnets = ["198.51.100.0/24"]
gateways = ["198.51.100.1"]
[segment.detect]
confirm = "3s"
)"));
  CHECK(config.core.segments.at(0).confirm == seconds(2));
  CHECK(config.core.segments.at(1).confirm == seconds(3));
}

TEST_CASE("TOML that is none is located by line and column") {
  CHECK_THAT(complaint("[site]\nname = \n"),
             Catch::StartsWith("2: column 8: Error while parsing key-value pair: "));
  CHECK_THAT(complaint_about("bridge = \"br1\"\n"),
             Catch::StartsWith("10: column ") && Catch::Contains("redefine"));
  CHECK_THAT(complaint("\xff\xfe"), Catch::StartsWith("1: column "));
}

TEST_CASE("an unknown key is named with the nearest known one") {
  CHECK(complaint_about("[routes]\ndistnace = 5\n") ==
        "11: routes.distnace: unknown key; did you mean \"distance\"?");
  CHECK(complaint_about("dci_ports = []\n") ==
        "10: segment \"vlan10\": dci_ports: unknown key; did you mean \"dci-ports\"?");
  CHECK(complaint_about("[segment.detect]\nconfirms = \"1s\"\n") ==
        "11: segment \"vlan10\": detect.confirms: unknown key; did you mean \"confirm\"?");
}

TEST_CASE("a key in the wrong table is sent to its own") {
  CHECK(complaint_about("[segment.guard]\nexclude = []\n") ==
        "11: segment \"vlan10\": guard.exclude: unknown key here; it belongs to [[segment]]");
  CHECK(complaint("name = \"dc-a\"\n") == "1: name: unknown key here; it belongs to [site]");
  CHECK(complaint("[detect]\n") == "1: detect: unknown table; did you mean [segment.detect]?");
}

TEST_CASE("a key like no other lists what is possible") {
  CHECK(complaint_about("[log]\nxyzzy = 1\n") == "11: log.xyzzy: unknown key; expected one of level, format");
  CHECK(complaint_about("[xyzzy]\n") ==
        "10: xyzzy: unknown table; expected one of [site], [routes], [[segment]], [conflict], [control], "
        "[metrics], [log]");
  CHECK(complaint_about("[rotes]\n") == "10: rotes: unknown table; did you mean [routes]?");
}

TEST_CASE("the first of several wrong keys is the one higher up in the file") {
  CHECK(complaint_about("[log]\nzz = 1\naa = 1\n") ==
        "11: log.zz: unknown key; expected one of level, format");
  CHECK(complaint_about("[zz]\n[aa]\n").rfind("10: zz: ", 0) == 0);
}

TEST_CASE("every key of the design that this release lacks says so") {
  for (const ConfigKey& key : config_keys()) {
    if (key.need != KeyNeed::kPlanned) continue;
    const std::string name(key.name);
    const std::string table(key.table);
    CAPTURE(table, name);
    std::ostringstream more;
    if (table != "segment") more << "[" << table << "]\n";
    more << name << " = 1\n";
    CHECK_THAT(complaint_about(more.str()),
               Catch::StartsWith(table == "segment" ? "10: segment \"vlan10\": " : "11: ") &&
                   Catch::EndsWith(name + ": not supported yet; remove it"));
  }
}

TEST_CASE("metrics are served at an address with a port, or nowhere") {
  CHECK(parsed(minimal_and("")).metrics_listen.empty());
  for (const char* const good : {"127.0.0.1:9517", "0.0.0.0:1", "[::1]:9517", "[2001:db8::1]:65535", ""}) {
    CHECK(parsed(minimal_and(std::string("[metrics]\nlisten = \"") + good + "\"\n")).metrics_listen == good);
  }
  for (const char* const bad : {"9517", ":9517", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
                                "::1:9517", "[127.0.0.1]:9517", "localhost:9517", "127.0.0.1:9517 "}) {
    CHECK_THAT(
        complaint_about(std::string("[metrics]\nlisten = \"") + bad + "\"\n"),
        Catch::StartsWith("11: metrics.listen: ") && Catch::Contains("is no address with a port; expected"));
  }
}

TEST_CASE("what is required is missed") {
  CHECK(complaint("") == R"(1: site.name: missing; expected e.g. name = "dc-a")");
  CHECK(complaint("[site]\nname = \"dc-a\"\n") == "1: segment: missing; expected at least one [[segment]]");
  CHECK(complaint(replaced("name = \"vlan10\"\n", "")) ==
        R"(4: segment #1: name: missing; expected e.g. name = "vlan10")");
  CHECK(complaint(replaced("bridge = \"br0\"\n", "")) ==
        R"(4: segment "vlan10": bridge: missing; expected e.g. bridge = "br0")");
  CHECK(complaint(replaced("gateways = [\"192.0.2.1\"]\n", "")) ==
        R"(4: segment "vlan10": gateways: missing; expected e.g. gateways = ["10.1.0.1"])");
  CHECK(complaint(replaced("\"dc-a\"", "\"\"")) == "2: site.name: is empty; expected a name");
  CHECK(complaint(replaced("[\"192.0.2.0/24\"]", "[]")) ==
        "7: segment \"vlan10\": subnets: is empty; expected at least one prefix");
  CHECK(complaint(replaced("[\"192.0.2.1\"]", "[]")) ==
        "8: segment \"vlan10\": gateways: is empty; expected at least one address");
}

TEST_CASE("a wrong type names the right one") {
  CHECK(complaint_about("[routes]\ntable = \"201\"\n") ==
        "11: routes.table: is a string; expected an integer, 1 to 252");
  CHECK(complaint_about("[routes]\nsettle = 30\n") ==
        "11: routes.settle: is an integer; expected a string with a unit, e.g. \"30s\"");
  CHECK(complaint_about("[routes]\nsettle = 1.5\n") == "11: routes.settle: is a fraction; expected a string");
  CHECK(complaint_about("[segment.guard]\ngreet = \"yes\"\n") ==
        "11: segment \"vlan10\": guard.greet: is a string; expected true or false");
  CHECK(complaint_about("dci-ports = \"vx10\"\n") ==
        "10: segment \"vlan10\": dci-ports: is a string; expected a list of strings");
  CHECK(complaint_about("dci-ports = [\n \"vx10\",\n 7]\n") ==
        "12: segment \"vlan10\": dci-ports: holds an integer; expected strings only");
  CHECK(complaint_about("detect = 1\n") ==
        "10: segment \"vlan10\": detect: is an integer; expected a table, [segment.detect]");
  CHECK(complaint("site = 1\n") == "1: site: is an integer; expected a table, [site]");
  CHECK(complaint("[site]\nname=\"a\"\n[segment]\nname = \"b\"\n") ==
        "3: segment: is a table; expected a list of tables, each under [[segment]]");
  CHECK(complaint("segment = [1]\n[site]\nname=\"a\"\n") ==
        "1: segment: holds an integer; expected tables only");
}

TEST_CASE("the protocols are a list of known ones, and never empty") {
  CHECK(complaint_about("[routes]\nprotocols = [\"rip\"]\n") ==
        "11: routes.protocols: \"rip\" is no routing protocol; expected \"bgp\", \"ospf\", \"ospf6\" or "
        "\"isis\"");
  CHECK(complaint_about("[routes]\nprotocols = []\n") ==
        "11: routes.protocols: is empty; expected at least one of \"bgp\", \"ospf\", \"ospf6\", \"isis\"");
  CHECK(complaint_about("[routes]\nleak-guard = \"none\"\n").find("expected") != std::string::npos);
}

TEST_CASE("a number outside its range names the range") {
  CHECK(complaint_about("[routes]\ntable = 253\n") ==
        "11: routes.table: 253 is out of range; expected 1 to 252");
  CHECK(complaint_about("[routes]\ntable = 0\n") == "11: routes.table: 0 is out of range; expected 1 to 252");
  CHECK(complaint_about("[routes]\ndistance = 250\n") ==
        "11: routes.distance: 250 is out of range; expected 1 to 249");
  CHECK(complaint_about("[routes]\ntag = 65527\n") ==
        "11: routes.tag: 65527 is out of range; expected 1 to 65526");
  CHECK(complaint_about("[routes]\ncommunity-as = 0\n") ==
        "11: routes.community-as: 0 is out of range; expected 1 to 65535");
  CHECK(complaint_about("[segment.guard]\nfail = \"safe\"\n") ==
        "11: segment \"vlan10\": guard.fail: \"safe\" is unknown; expected one of open, closed");
  CHECK(complaint_about("[segment.guard]\ndhcp = \"drop\"\n") ==
        "11: segment \"vlan10\": guard.dhcp: \"drop\" is unknown; expected one of pass, local");
  CHECK(complaint_about("[segment.guard]\nadopt-macs = true\n") ==
        "11: segment \"vlan10\": guard.adopt-macs: is true without gateway-macs; expected the other sites' "
        "gateway MACs there");
  CHECK(complaint_about("[segment.guard]\ngreet-tries = 101\n") ==
        "11: segment \"vlan10\": guard.greet-tries: 101 is out of range; expected 1 to 100");
  CHECK(complaint_about("[segment.detect]\nprobe-rate = 9\n") ==
        "11: segment \"vlan10\": detect.probe-rate: 9 is out of range; expected 10 to 1000000");
  CHECK(complaint_about("[segment.detect]\nnew-host-rate = -1\n") ==
        "11: segment \"vlan10\": detect.new-host-rate: -1 is out of range; expected 0 to 1000000");
  CHECK(complaint_about("[segment.detect]\nmax-hosts = -1\n") ==
        "11: segment \"vlan10\": detect.max-hosts: -1 is out of range; expected 1 to 1000000");
}

TEST_CASE("a duration needs a unit and a sensible length") {
  CHECK(complaint_about("[segment.detect]\nconfirm = \"1 s\"\n") ==
        "11: segment \"vlan10\": detect.confirm: \"1 s\" is not a duration; "
        "expected e.g. \"250ms\", \"30s\", \"5m\" or \"2h\"");
  CHECK(complaint_about("[segment.detect]\nconfirm = \"0s\"\n") ==
        "11: segment \"vlan10\": detect.confirm: 0s is out of range; expected 10ms to 1m");
}

TEST_CASE("a choice names the choices") {
  CHECK(complaint_about("[routes]\nsink = \"vtyshell\"\n") ==
        "11: routes.sink: \"vtyshell\" is unknown; expected one of zapi, kernel-table, vtysh");
  CHECK(complaint_about("[log]\nlevel = \"warn\"\n") ==
        "11: log.level: \"warn\" is unknown; expected one of trace, debug, info, warning, error");
  CHECK(complaint_about("[segment.summarize]\nmode = \"excat\"\n") ==
        "11: segment \"vlan10\": summarize.mode: \"excat\" is unknown; expected one of off, exact, cover, "
        "home");
  CHECK(
      complaint_about("[routes]\nfrr-version = \"latest\"\n") ==
      "11: routes.frr-version: \"latest\" is not a release; expected \"auto\" or MAJOR.MINOR, e.g. \"8.4\"");
}

TEST_CASE("home blocks are parts of the subnets, disjoint, and only there for the mode home") {
  const auto about = [](const std::string& lines) {
    return complaint_about("[segment.summarize]\n" + lines);
  };
  CHECK(about("mode = \"home\"\n") ==
        "11: segment \"vlan10\": summarize.mode: home without home-blocks; expected at least one block that "
        "is this "
        "site's");
  CHECK(about("home-blocks = [\"192.0.2.0/26\"]\n") ==
        "11: segment \"vlan10\": summarize.home-blocks: is only for mode = \"home\"");
  CHECK(about("mode = \"home\"\nhome-blocks = [\"192.0.2.0/24\"]\n") ==
        "12: segment \"vlan10\": summarize.home-blocks: 192.0.2.0/24 is no part of a subnet (192.0.2.0/24); "
        "expected a longer prefix inside one: the subnet itself is the interface's connected route");
  CHECK(about("mode = \"home\"\nhome-blocks = [\"192.0.2.0/26\", \"192.0.2.32/27\"]\n") ==
        "12: segment \"vlan10\": summarize.home-blocks: 192.0.2.32/27 overlaps 192.0.2.0/26; expected "
        "disjoint "
        "blocks");
  CHECK(about("shortest = 33\n") ==
        "11: segment \"vlan10\": summarize.shortest: 33 is out of range; expected 0 to 32");
}

TEST_CASE("names of interfaces and paths are what the kernel takes") {
  CHECK(complaint(replaced("\"br0\"", "\"sixteen-letters-\"")) ==
        "6: segment \"vlan10\": bridge: \"sixteen-letters-\" cannot be an interface; "
        "expected 1 to 15 characters without \"/\", \":\" and spaces");
  CHECK(complaint_about("dci-ports = [\"[a-z][a-z][0-9][0-9]*\"]\n") == "none");
  CHECK(complaint_about("dci-ports = [\"vx *\"]\n") ==
        "10: segment \"vlan10\": dci-ports: \"vx *\" matches no interface; "
        "expected a pattern without \"/\", \":\" and spaces");
  CHECK(complaint_about("[control]\nsocket = \"c.sock\"\n") ==
        "11: control.socket: \"c.sock\" is not an absolute path; expected e.g. \"/run/x\"");
  CHECK(complaint_about("[control]\nsocket = \"/" + std::string(107, 'x') + "\"\n") ==
        "11: control.socket: is too long; expected at most 107 bytes");
  CHECK(complaint_about("[routes]\nvty-dir = \"frr\"\n") ==
        R"(11: routes.vty-dir: "frr" is not an absolute path; expected e.g. "/run/x")");
  CHECK(complaint_about("[routes]\nvty-dir = \"/" + std::string(88, 'x') + "\"\n") ==
        "11: routes.vty-dir: is too long; expected at most 88 bytes");
  CHECK(complaint_about("[routes]\nbmp-listen = \"127.0.0.1\"\n") ==
        "11: routes.bmp-listen: \"127.0.0.1\" is no address with a port; "
        "expected e.g. \"127.0.0.1:9517\" or \"[::1]:9517\"");
}

/// kMinimal with 2001:db8:1::/64 beside its subnet, and more gateways.
std::string dual_stack(std::string_view gateways) {
  std::string text = replaced("[\"192.0.2.0/24\"]", "[\"192.0.2.0/24\", \"2001:db8:1::/64\"]");
  const std::string_view one = "[\"192.0.2.1\"]";
  return text.replace(text.find(one), one.size(), gateways);
}

TEST_CASE("both families live in one segment") {
  const Config config = parsed(dual_stack(R"(["192.0.2.1", "2001:db8:1::1", "fe80::1"])") +
                               "exclude = [\"2001:db8:1::f000/116\"]\n[segment.detect]\nprobe-address = "
                               "\"2001:db8:1::2\"\n");
  const core::SegmentSettings& segment = config.core.segments[0];
  REQUIRE(segment.subnets.size() == 2);
  CHECK(segment.subnets[1].to_string() == "2001:db8:1::/64");
  REQUIRE(segment.gateways.size() == 3);
  CHECK(segment.gateways[2].to_string() == "fe80::1");
  CHECK(segment.exclude[0].to_string() == "2001:db8:1::f000/116");
  REQUIRE(config.segments[0].probe_address);
  CHECK(config.segments[0].probe_address->to_string() == "2001:db8:1::2");
}

TEST_CASE("a link-local gateway needs no subnet of its own, but one of IPv6") {
  CHECK(complaint(dual_stack("[\"fe80::1\"]")) == "none");
  CHECK(complaint(replaced("\"192.0.2.1\"", "\"fe80::1\"")) ==
        "8: segment \"vlan10\": gateways: fe80::1 is in none of the subnets (192.0.2.0/24)");
  CHECK(complaint(dual_stack("[\"2001:db8:2::1\"]")) ==
        "8: segment \"vlan10\": gateways: 2001:db8:2::1 is in none of the subnets (192.0.2.0/24, "
        "2001:db8:1::/64)");
  CHECK(complaint(dual_stack("[\"ff02::1\"]")) ==
        "8: segment \"vlan10\": gateways: ff02::1 is nobody's address; expected a unicast one");
}

TEST_CASE("an IPv6 subnet is one that hosts can live in") {
  const auto subnet = [](std::string_view text) {
    return complaint(replaced("\"192.0.2.0/24\"", "\"192.0.2.0/24\", \"" + std::string(text) + "\""));
  };
  const std::string where = "7: segment \"vlan10\": subnets: ";
  CHECK(subnet("fd00:1::/48") == "none");
  CHECK(subnet("2001:db8::/127") == "none");
  CHECK(subnet("2001:db8::/128") ==
        where + "2001:db8::/128 cannot be a segment's subnet; expected a length of 32 to 127");
  CHECK(subnet("2000::/3") ==
        where + "2000::/3 cannot be a segment's subnet; expected a length of 32 to 127");
  for (const std::string text : {"fe80::/64", "ff05::/64", "::/64"}) {
    CHECK(subnet(text) == where + text + " holds no unicast hosts; expected a subnet that does");
  }
}

TEST_CASE("a prefix is exact") {
  const auto subnet = [](std::string_view text) { return complaint(replaced("192.0.2.0/24", text)); };
  const std::string where = "7: segment \"vlan10\": subnets: ";
  CHECK(subnet("192.0.2.0") == where + "192.0.2.0 has no length; expected e.g. 192.0.2.0/24");
  CHECK(subnet("192.0.2.5/24") == where + "192.0.2.5/24 has host bits set; expected 192.0.2.0/24");
  CHECK(subnet("192.0.2.0/33") ==
        where + "192.0.2.0/33 has a wrong length; expected 0 to 32 after the slash");
  CHECK(subnet("192.0.2.0/") == where + "192.0.2.0/ has a wrong length; expected 0 to 32 after the slash");
  CHECK(subnet("192.0.2/24") == where + "\"192.0.2/24\" is not a prefix; expected e.g. \"192.0.2.0/24\"");
  CHECK(subnet("192.0.2.1/32") ==
        where + "192.0.2.1/32 cannot be a segment's subnet; expected a length of 8 to 31");
  CHECK(subnet("233.252.0.0/24") ==
        where + "233.252.0.0/24 holds no unicast hosts; expected a subnet that does");
}

TEST_CASE("a gateway is a host address of a subnet") {
  const auto gateway = [](std::string_view text) { return complaint(replaced("\"192.0.2.1\"", text)); };
  CHECK(gateway("\"198.51.100.1\"") ==
        "8: segment \"vlan10\": gateways: 198.51.100.1 is in none of the subnets (192.0.2.0/24)");
  CHECK(gateway("\"192.0.2.255\"") ==
        "8: segment \"vlan10\": gateways: 192.0.2.255 is the network or broadcast address of 192.0.2.0/24; "
        "expected a host's");
  CHECK(gateway("\"192.0.2.1\",\n\"192.0.2.1\"") ==
        "9: segment \"vlan10\": gateways: 192.0.2.1 is listed twice; expected it once");
  CHECK(gateway("\"gw\"") ==
        "8: segment \"vlan10\": gateways: \"gw\" is not an address; expected e.g. \"192.0.2.1\"");
}

TEST_CASE("a gateway MAC is one station's") {
  CHECK(complaint_about("gateway-macs = [\"00-00-5e-00-53-01\"]\n") ==
        "10: segment \"vlan10\": gateway-macs: \"00-00-5e-00-53-01\" is not a MAC address; "
        "expected e.g. \"00:00:5e:00:01:0a\"");
  CHECK(complaint_about("gateway-macs = [\"01:00:5e:90:10:00\"]\n") ==
        "10: segment \"vlan10\": gateway-macs: 01:00:5e:90:10:00 is not a unicast MAC address; expected one");
}

TEST_CASE("what is excluded lies inside a subnet") {
  CHECK(complaint_about("exclude = [\"192.0.2.7/32\"]\n") == "none");
  CHECK(complaint_about("exclude = [\"192.0.0.0/16\"]\n") ==
        "10: segment \"vlan10\": exclude: 192.0.0.0/16 is inside none of the subnets (192.0.2.0/24); "
        "expected a part of one");
}

TEST_CASE("a probe address is of this site only") {
  CHECK(complaint_about("[segment.detect]\nprobe-address = \"192.0.2.1\"\n") ==
        "11: segment \"vlan10\": detect.probe-address: 192.0.2.1 is a gateway, which every site has; "
        "expected an address that exists at this site only");
  CHECK(complaint_about("[segment.detect]\nprobe-address = \"203.0.113.2\"\n") ==
        "11: segment \"vlan10\": detect.probe-address: 203.0.113.2 is in none of the subnets (192.0.2.0/24)");
}

TEST_CASE("times that contradict each other are refused") {
  CHECK(complaint_about("[segment.detect]\nsilent-after = \"60s\"\n") ==
        "11: segment \"vlan10\": detect.silent-after: silent-after (1m) is not longer than refresh (1m); "
        "expected time for a probe between");
  CHECK(complaint_about("[segment.detect]\nrefresh = \"1h\"\n") ==
        "11: segment \"vlan10\": detect.refresh: silent-after (3m) is not longer than refresh (1h); "
        "expected time for a probe between");
  CHECK(complaint_about("[segment.detect]\nconfirm = \"5s\"\nrefresh = \"2s\"\n") ==
        "11: segment \"vlan10\": detect.confirm: confirm (5s) is longer than refresh (2s); expected it to be "
        "shorter");
}

TEST_CASE("a port is not of two classes") {
  CHECK(complaint_about("dci-ports = [\"vx10\"]\npeer-ports = [\"peerlink\",\n\"vx10\"]\n") ==
        "12: segment \"vlan10\": peer-ports: \"vx10\" is in dci-ports, too; expected a port in one of them");
}

TEST_CASE("two segments share nothing") {
  const auto second = [](std::string_view name, std::string_view bridge, std::string_view more,
                         std::string_view subnet) {
    std::ostringstream text;
    text << kMinimal << "[[segment]]\nname = \"" << name << "\"\nbridge = \"" << bridge << "\"\n"
         << "subnets = [\"" << subnet << "\"]\ngateways = [\"" << subnet.substr(0, subnet.rfind('.'))
         << ".2\"]\n"
         << more;
    return complaint(text.str());
  };
  CHECK(second("b", "br1", "", "198.51.100.0/24") == "none");
  CHECK(second("vlan10", "br1", "", "198.51.100.0/24") ==
        "11: segment \"vlan10\": name: another segment has it; expected a unique name");
  CHECK(
      second("b", "br0", "", "198.51.100.0/24") ==
      "12: segment \"b\": bridge: br0 is the interface of segment \"vlan10\", too; expected one of its own");
  CHECK(second("b", "br1", "interface = \"br0\"\n", "198.51.100.0/24") ==
        "15: segment \"b\": interface: br0 is the interface of segment \"vlan10\", too; expected one of its "
        "own");
  CHECK(second("b", "br0", "interface = \"br0.20\"\n", "198.51.100.0/24") ==
        "12: segment \"b\": bridge: br0 is the bridge of segment \"vlan10\", too; expected one of its own, "
        "or a vlan in each");
  CHECK(second("b", "br1", "", "192.0.2.0/25") ==
        "13: segment \"b\": subnets: 192.0.2.0/25 overlaps segment \"vlan10\", 192.0.2.0/24; "
        "expected disjoint subnets, or another vrf in each");
}

TEST_CASE("segments share a bridge when each has a VLAN of its own") {
  const auto two = [](std::string_view first, std::string_view second,
                      std::string_view subnet = "198.51.100") {
    std::ostringstream text;
    text << kMinimal << first << "[[segment]]\nname = \"b\"\nbridge = \"br0\"\ninterface = \"br0.20\"\n"
         << "subnets = [\"" << subnet << ".0/24\"]\ngateways = [\"" << subnet << ".2\"]\n"
         << second;
    return text.str();
  };
  const Config config = parsed(two("vlan = 10\n", "vlan = 20\n"));
  CHECK(config.segments[0].vlan == core::VlanId{10});
  CHECK(config.segments[1].vlan == core::VlanId{20});
  CHECK(complaint(two("vlan = 10\n", "vlan = 10\n")) ==
        "17: segment \"b\": vlan: 10 of bridge br0 is segment \"vlan10\", too; expected one of its own");
  CHECK(complaint(two("", "vlan = 20\n")) ==
        "16: segment \"b\": vlan: segment \"vlan10\" is on bridge br0, too, and has no vlan; expected a vlan "
        "in each, "
        "or in none");
  CHECK(complaint(two("vlan = 10\n", "")) ==
        "13: segment \"b\": bridge: segment \"vlan10\" is on bridge br0, too, and has a vlan; expected a "
        "vlan in each, "
        "or in none");
  CHECK(complaint(two("vlan = 0\n", "")) ==
        "10: segment \"vlan10\": vlan: 0 is out of range; expected 1 to 4094");
  CHECK(complaint(two("vlan = 4095\n", "")) ==
        "10: segment \"vlan10\": vlan: 4095 is out of range; expected 1 to 4094");
}

TEST_CASE("two VRFs may have the same subnet, and the default one is a VRF, too") {
  const auto two = [](std::string_view first, std::string_view second) {
    std::ostringstream text;
    text << kMinimal << "vlan = 10\n"
         << first << "[[segment]]\nname = \"b\"\nbridge = \"br0\"\nvlan = 20\ninterface = \"br0.20\"\n"
         << "subnets = [\"192.0.2.0/24\"]\ngateways = [\"192.0.2.1\"]\n"
         << second;
    return text.str();
  };
  const Config config = parsed(two("vrf = \"red\"\n", "vrf = \"default\"\n"));
  CHECK(config.segments[0].vrf == "red");
  CHECK(config.segments[1].vrf == "");
  CHECK_FALSE(parsed(std::string(kMinimal)).segments[0].vrf);
  for (const auto& [first, second] : {std::pair{"", ""}, std::pair{"vrf = \"red\"\n", "vrf = \"red\"\n"},
                                      std::pair{"vrf = \"red\"\n", ""}}) {
    CHECK_THAT(complaint(two(first, second)),
               Catch::Contains(
                   "overlaps segment \"vlan10\", 192.0.2.0/24; expected disjoint subnets, or another vrf "
                   "in each"));
  }
  CHECK_THAT(complaint(two("vrf = \"a/b\"\n", "")), Catch::Contains("vrf: \"a/b\" cannot be an interface"));
}

TEST_CASE("a segment's subnets do not overlap") {
  CHECK(complaint(replaced("[\"192.0.2.0/24\"]", "[\"192.0.2.0/24\", \"192.0.2.128/25\"]")) ==
        "7: segment \"vlan10\": subnets: 192.0.2.128/25 overlaps another subnet, 192.0.2.0/24; "
        "expected disjoint subnets");
}

TEST_CASE("a complaint is one line whatever the file holds") {
  CHECK(complaint("\"a\\nb\" = 1\n").find('\n') == std::string::npos);
  CHECK(complaint(replaced("\"br0\"", "\"b\\n\\u001b\"")).find_first_of("\n\x1b") == std::string::npos);
}

TEST_CASE("a file that cannot be read is not a wrong configuration") {
  const auto missing = load_config("/nonexistent/untrombone.toml");
  REQUIRE(missing.has_error());
  CHECK(missing.error().unreadable);
  CHECK(missing.error().message == "/nonexistent/untrombone.toml: cannot read it: No such file or directory");
  const auto directory = load_config("/");
  REQUIRE(directory.has_error());
  CHECK(directory.error().unreadable);
  CHECK(directory.error().message == "/: cannot read it: Is a directory");
  CHECK(load_config("/dev/zero").has_error());
}

TEST_CASE("no damage to a file gets more than one complaint or a valid configuration") {
  std::mt19937 random(42);  // NOLINT(cert-msc51-cpp): repeatable on purpose
  const std::string whole = render_defaults();
  for (int round = 0; round < 2000; ++round) {
    std::string text = whole;
    for (int damage = 0; damage < 3; ++damage) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0: text[at] = static_cast<char>(random() % 256); break;
        case 1: text.erase(at, random() % 40); break;
        default: text.insert(at, whole.substr(random() % whole.size(), random() % 40)); break;
      }
    }
    const auto config = parse_config(text, "f");
    if (config.has_error() && config.error().message.find('\n') != std::string::npos)
      FAIL(config.error().message);
  }
}

TEST_CASE("a duration is a whole number and a unit") {
  CHECK(parse_duration("0s") == seconds(0));
  CHECK(parse_duration("250ms") == milliseconds(250));
  CHECK(parse_duration("90s") == seconds(90));
  CHECK(parse_duration("5m") == minutes(5));
  CHECK(parse_duration("8760h") == hours(8760));
  for (const std::string_view wrong : {"", "s", "5", "-5s", "+5s", "1.5s", "5 s", "5s ", "5d", "5us", "5S",
                                       "8761h", "99999999999999999999s", "18446744073709551615h"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_duration(wrong));
  }
}

TEST_CASE("a formatted duration parses to itself") {
  for (const core::Duration duration : {core::Duration(seconds(0)), core::Duration(milliseconds(1500)),
                                        core::Duration(seconds(90)), core::Duration(hours(3))}) {
    CHECK(parse_duration(format_duration(duration)) == duration);
  }
  CHECK(format_duration(minutes(120)) == "2h");
}

}  // namespace untrombone::daemon
