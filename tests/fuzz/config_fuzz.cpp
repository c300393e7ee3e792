// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/config.hpp"

#include <algorithm>
#include <string_view>

#include <toml++/toml.h>

#include "agent/daemon/config_keys.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace untrombone::fuzz {
namespace {

using daemon::Config;

/// Every key of `table` is one that this release supports, in the tables below it, too.
void check_keys(const toml::table& table, const std::string& name) {
  for (const auto& [key, node] : table) {
    if (daemon::find_config_key(name, key.str()) != nullptr) continue;
    const std::string below = name + "." + std::string(key.str());
    require(daemon::find_config_table(below) != nullptr && node.is_table(), "an unknown key is refused");
    check_keys(*node.as_table(), below);
  }
}

void check_names(const toml::table& root) {
  for (const auto& [key, node] : root) {
    const std::string name(key.str());
    const auto* known = daemon::find_config_table(name);
    require(known != nullptr && known->name.find('.') == std::string_view::npos,
            "an unknown table is refused");
    if (node.is_table()) check_keys(*node.as_table(), name);
    if (!node.is_array()) continue;
    for (const toml::node& element : *node.as_array()) check_keys(*element.as_table(), name);
  }
}

void check_segment(const daemon::SegmentConfig& adapter, const core::SegmentSettings& core) {
  require(!adapter.name.empty() && adapter.name == core.name, "a segment has one name");
  require(!adapter.bridge.empty() && !adapter.interface.empty(), "a segment has a bridge and an interface");
  require(!core.subnets.empty() && !core.gateways.empty(), "a segment has subnets and gateways");
  for (const core::IpAddress& gateway : core.gateways) {
    require(core.subnet_of(gateway) != nullptr && !core.may_be_host(gateway),
            "a gateway is in a subnet, and no host");
  }
  for (const core::MacAddress& mac : core.gateway_macs) {
    require(!mac.is_zero() && !mac.is_group(), "a gateway has a unicast MAC address");
  }
  if (adapter.probe_address) {
    require(core.subnet_of(*adapter.probe_address) != nullptr && !core.is_gateway(*adapter.probe_address),
            "probes do not come from a gateway");
  }
  require(core.confirm > core::Duration::zero() && core.confirm <= core.refresh &&
              core.refresh < core.silent_after,
          "a silent host is probed before it is given up");
  require(core.linger >= core::Duration::zero() && core.greet_tries >= 1,
          "times and counts are in their ranges");
  require(core.max_hosts >= 1 && core.max_ips_per_mac >= 1, "a limit leaves room");
}

void check_config(const Config& config) {
  require(!config.site.empty(), "the site has a name");
  require(config.table >= 1 && config.table <= 252, "the table is one that zebra can say");
  require(config.core.routes.distance >= 1 && config.core.routes.distance < 250,
          "the distance is below a linger's");
  require(config.core.routes.metric >= 1 && config.core.routes.max_routes >= 1,
          "numbers are in their ranges");
  require(config.vty_dir.front() == '/' && config.zapi_socket.front() == '/' &&
              config.control_socket.front() == '/',
          "a socket has an absolute path");
  require(!config.segments.empty() && config.segments.size() == config.core.segments.size(),
          "both parts of a configuration have the same segments");
  for (std::size_t i = 0; i < config.segments.size(); ++i)
    check_segment(config.segments[i], config.core.segments[i]);
}

}  // namespace

/// The input is a configuration file. An exception ends the process.
void run(std::span<const std::byte> input) {
  const std::string text = text_of(input);
  const auto config = daemon::parse_config(text, "f");
  if (config.has_value()) {
    check_config(*config);
    check_names(toml::parse(text));
    return;
  }
  const std::string& message = config.error().message;
  require(!config.error().unreadable, "what was given can be read");
  require(message.size() > 2 && message.rfind("f:", 0) == 0, "a complaint begins with the file's name");
  require(
      std::none_of(message.begin(), message.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }),
      "a complaint is one line without control characters");
}

}  // namespace untrombone::fuzz
