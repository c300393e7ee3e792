// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/system/result.hpp>

#include "agent/core/settings.hpp"

namespace untrombone::daemon {

enum class OnExit { kRetain, kWithdraw };
enum class LogFormat { kText, kJson };

/// The adapters' part of one [[segment]]; the core's part is core::SegmentSettings at the same index.
struct SegmentConfig {
  std::string name;
  std::string bridge;
  std::string interface;               ///< the SVI; the bridge itself unless configured
  std::vector<std::string> dci_ports;  ///< names or fnmatch(3) patterns
  std::vector<std::string> peer_ports;
  std::optional<core::IpAddress> probe_address;
  bool guard = true;
};

/// A whole configuration file, defaults filled in (design 8).
struct Config {
  std::string site;
  core::SiteSettings core;
  std::vector<SegmentConfig> segments;

  std::string zapi_socket = "/var/run/frr/zserv.api";
  std::string frr_version = "auto";
  std::uint16_t table = 201;
  OnExit on_exit = OnExit::kRetain;
  core::Duration retain_time = std::chrono::seconds(120);

  std::string control_socket = "/run/untrombone/control.sock";
  std::string log_level = "info";
  LogFormat log_format = LogFormat::kText;
};

/// What is wrong, ready for the operator: "FILE:LINE: [segment].key: ...; expected ...".
struct ConfigError {
  std::string message;
  bool unreadable = false;  ///< the file could not be read, so nothing is known about its content
};

template <typename T>
using ConfigResult = boost::system::result<T, ConfigError>;

/// Parses `text` (TOML). `name` is used in messages only. Strict: an unknown key, a key that is not supported yet,
/// a wrong type, a value out of range or a contradiction is an error; the first one found is reported.
[[nodiscard]] ConfigResult<Config> parse_config(std::string_view text, std::string_view name);

/// Reads and parses the file at `path`.
[[nodiscard]] ConfigResult<Config> load_config(const std::string& path);

/// Every supported key with its default, or an example where there is none, and a line of help: valid TOML, and a
/// valid configuration.
[[nodiscard]] std::string render_defaults();

}  // namespace untrombone::daemon
