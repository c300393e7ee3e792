// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/config.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "agent/daemon/config_keys.hpp"
#include "agent/daemon/config_reader.hpp"
#include "agent/daemon/config_segment.hpp"
#include "agent/daemon/config_values.hpp"

namespace untrombone::daemon {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::size_t kLargestFile = std::size_t{4} * 1024 * 1024;
constexpr std::size_t kMostSegments = 4096;

constexpr NumberRange kTables{1, 252};     // zebra keeps 8 bits of an instance; 253..255 are the kernel's own
constexpr NumberRange kDistances{1, 249};  // a lingering route takes 250
constexpr NumberRange kTags{1, bgp::RouteMarks::kLargestTag};  // BGP carries them in half a community
constexpr NumberRange kCommunityAses{1, 65535};
constexpr NumberRange kMetrics{1, 4'000'000'000};  // one below it and some above it are other classes'
constexpr NumberRange kRoutes{1, 10'000'000};
constexpr NumberRange kMoves{0, 255};

constexpr std::array<std::string_view, 3> kSinks = {"zapi", "kernel-table", "vtysh"};
constexpr std::array<std::string_view, 2> kLeakGuards = {"marker", "no-export"};
constexpr std::array<std::string_view, 2> kOnExit = {"retain", "withdraw"};
constexpr std::array<std::string_view, 5> kLevels = {"trace", "debug", "info", "warning", "error"};
constexpr std::size_t kInfo = 2;
constexpr std::array<std::string_view, 2> kFormats = {"text", "json"};

/// Reads a whole file.
class FileReader {
 public:
  explicit FileReader(ConfigReport& report, const toml::table& root, Config& config)
      : report_(report), root_(root), config_(config) {}

  void read() {
    check_tables();
    read_site();
    read_routes();
    read_conflict();
    read_control();
    read_metrics();
    read_log();
    read_segments();
  }

 private:
  /// A quoted key can spell the name of a nested table: that is none here.
  static const ConfigTable* find_top_table(std::string_view name) {
    return name.find('.') == std::string_view::npos ? find_config_table(name) : nullptr;
  }

  /// Complains about the first top-level name that is not a table of this release.
  void check_tables() {
    const toml::key* wrong = nullptr;
    for (const auto& [key, node] : root_) {
      const ConfigTable* known = find_top_table(key.str());
      if (known != nullptr) continue;
      if (wrong == nullptr || key.source().begin.line < wrong->source().begin.line) wrong = &key;
    }
    if (wrong == nullptr) return;
    report_.fail(wrong->source().begin.line, wrong->str(), describe_unknown_table(wrong->str()));
  }

  TableReader table(std::string_view name) {
    const toml::node* node = root_.get(name);
    const toml::table* found = node == nullptr ? nullptr : node->as_table();
    if (node != nullptr && found == nullptr) {
      report_.fail(
          node->source().begin.line, name,
          fmt::format("is {}; expected a table, {}", describe_type(*node), find_config_table(name)->header));
    }
    TableReader reader(report_, found, name, fmt::format("{}.", name), 1);
    reader.check_keys();
    return reader;
  }

  void read_site() { table("site").read_text("name", config_.site, check_name); }

  void read_routes() {
    TableReader routes = table("routes");
    core::RouteSettings& settings = config_.core.routes;
    std::size_t sink = 0;
    routes.read_choice("sink", sink, kSinks);
    config_.sink = static_cast<SinkKind>(sink);
    routes.read_text("zapi-socket", config_.zapi_socket, check_socket_path);
    routes.read_text("vty-dir", config_.vty_dir, check_vty_dir);
    routes.read_text("frr-version", config_.frr_version, check_frr_version);
    routes.read_number("table", config_.table, kTables);
    routes.read_number("distance", settings.distance, kDistances);
    routes.read_number("tag", settings.tag, kTags);
    routes.read_number("metric", settings.metric, kMetrics);
    routes.read_duration("settle", settings.settle, {seconds(0), hours(24)});
    std::size_t on_exit = 0;
    routes.read_choice("on-exit", on_exit, kOnExit);
    config_.on_exit = on_exit == 0 ? OnExit::kRetain : OnExit::kWithdraw;
    routes.read_duration("retain-time", config_.retain_time, {seconds(1), hours(24)});
    routes.read_number("mass-threshold", settings.mass_threshold, kRoutes);
    routes.read_number("max-routes", settings.max_routes, kRoutes);
    read_protocols(routes);
    read_claims(routes);
  }

  void read_claims(TableReader& routes) {
    std::vector<core::IpPrefix> track;
    routes.read_list("track", track, check_prefix);
    config_.track_expected = routes.has("track");
    if (config_.track_expected) config_.track = std::move(track);
    routes.read_duration("track-hold", config_.track_hold, {seconds(0), hours(1)});
    routes.read_text("bmp-listen", config_.bmp_listen, check_listen);
    routes.read_list("same-site", config_.same_site, check_address);
  }

  void read_protocols(TableReader& routes) {
    std::vector<bgp::RoutingProtocol> protocols;
    routes.read_list("protocols", protocols, check_protocol);
    if (!protocols.empty()) {
      config_.protocols = std::move(protocols);
    } else if (routes.has("protocols")) {
      routes.fail("protocols", R"(is empty; expected at least one of "bgp", "ospf", "ospf6", "isis")");
    }
    routes.read_number("community-as", config_.community_as, kCommunityAses);
    std::size_t leak_guard = 0;
    routes.read_choice("leak-guard", leak_guard, kLeakGuards);
    config_.leak_guard = leak_guard == 0 ? bgp::LeakGuard::kMarker : bgp::LeakGuard::kNoExport;
  }

  void read_conflict() {
    TableReader conflict = table("conflict");
    core::ConflictSettings& settings = config_.core.conflict;
    conflict.read_number("max-moves", settings.max_moves, kMoves);
    conflict.read_duration("move-window", settings.move_window, {seconds(1), hours(24)});
    conflict.read_duration("freeze-time", settings.freeze_time, {seconds(1), hours(24)});
  }

  void read_control() { table("control").read_text("socket", config_.control_socket, check_socket_path); }

  void read_metrics() { table("metrics").read_text("listen", config_.metrics_listen, check_listen); }

  void read_log() {
    TableReader log = table("log");
    std::size_t level = kInfo;
    log.read_choice("level", level, kLevels);
    config_.log_level = kLevels[level];
    std::size_t format = 0;
    log.read_choice("format", format, kFormats);
    config_.log_format = format == 0 ? LogFormat::kText : LogFormat::kJson;
  }

  void read_segments() {
    const toml::node* node = root_.get("segment");
    const toml::array* list = node == nullptr ? nullptr : node->as_array();
    const std::size_t line = node == nullptr ? 1 : node->source().begin.line;
    if (node != nullptr && list == nullptr) {
      return report_.fail(
          line, "segment",
          fmt::format("is {}; expected a list of tables, each under [[segment]]", describe_type(*node)));
    }
    if (list == nullptr || list->empty())
      return report_.fail(line, "segment", "missing; expected at least one [[segment]]");
    if (list->size() > kMostSegments) {
      return report_.fail(line, "segment",
                          fmt::format("{} of them; expected at most {}", list->size(), kMostSegments));
    }
    for (const toml::node& element : *list) {
      const toml::table* segment = element.as_table();
      if (segment == nullptr) {
        return report_.fail(element.source().begin.line, "segment",
                            fmt::format("holds {}; expected tables only", describe_type(element)));
      }
      read_segment(report_, *segment, config_);
    }
  }

  ConfigReport& report_;
  const toml::table& root_;
  Config& config_;
};

ConfigError unreadable(const std::string& path, std::string_view why) {
  return ConfigError{fmt::format("{}: cannot read it: {}", path, why), true};
}

}  // namespace

ConfigResult<Config> parse_config(std::string_view text, std::string_view name) {
  ConfigReport report(name);
  Config config;
  try {
    const toml::table root = toml::parse(text, name);
    FileReader(report, root, config).read();
  } catch (const toml::parse_error& error) {
    const toml::source_position where = error.source().begin;
    report.fail(where.line, fmt::format("column {}", where.column), error.description());
  }
  if (report.error()) return *report.error();
  config.source = text;
  return config;
}

ConfigResult<Config> load_config(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (file == nullptr) return unreadable(path, std::strerror(errno));
  std::string text;
  std::array<char, 16384> part{};
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), file.get())) {
    text.append(part.data(), size);
    if (text.size() > kLargestFile) return unreadable(path, "it is larger than 4 MiB");
  }
  if (std::ferror(file.get()) != 0) return unreadable(path, std::strerror(errno));
  return parse_config(text, path);
}

}  // namespace untrombone::daemon
