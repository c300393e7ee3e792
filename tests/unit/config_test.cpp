// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/config.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <catch2/catch.hpp>

#include "agent/daemon/config_duration.hpp"
#include "agent/daemon/config_keys.hpp"
#include "tests/unit/config_texts.hpp"

namespace untrombone::daemon {
namespace {

using namespace testing;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

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
  CHECK(config.core.segments[0].external_length == segment.external_length);
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
    CAPTURE(key.table, key.name);
    CHECK((text.find(assignment) != std::string::npos || text.find(commented) != std::string::npos));
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
