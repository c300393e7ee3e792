// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/system/result.hpp>

#include "agent/core/settings.hpp"
#include "bgp/frr_policy.hpp"

namespace untrombone::daemon {

enum class OnExit { kRetain, kWithdraw };
enum class SinkKind { kZapi, kKernelTable, kVtysh };
enum class LogFormat { kText, kJson };

enum class GuardFail { kOpen, kClosed };
enum class GuardDhcp { kPass, kLocal };

/// [segment.guard], but for the greeting.
struct GuardConfig {
  bool enabled = true;
  bool fhrp = true;
  bool ra = true;
  GuardDhcp dhcp = GuardDhcp::kPass;
  GuardFail fail = GuardFail::kOpen;
  bool adopt_macs = false;
  bool strict_mac = false;
  bool operator==(const GuardConfig&) const = default;
};

/// What `vrf` calls the VRF of interfaces that are in none.
inline constexpr std::string_view kDefaultVrf = "default";

/// The adapters' part of one [[segment]]; the core's part is core::SegmentSettings at the same index.
struct SegmentConfig {
  std::string name;
  std::string bridge;
  core::VlanId vlan;               ///< on a VLAN-aware bridge only
  std::string interface;           ///< the SVI; the bridge itself unless configured
  std::optional<std::string> vrf;  ///< the interface has to be in it; "": in none; nullopt: wherever it is
  std::vector<std::string> dci_ports;  ///< names or fnmatch(3) patterns
  std::vector<std::string> peer_ports;
  std::optional<core::IpAddress> probe_address;
  GuardConfig guard;
  bool removed = false;  ///< by a reload; it keeps its position, and has nothing else
};

/// A whole configuration file, defaults filled in (design 8).
struct Config {
  std::string site;
  core::SiteSettings core;
  std::vector<SegmentConfig> segments;

  SinkKind sink = SinkKind::kZapi;
  std::string zapi_socket = "/var/run/frr/zserv.api";
  std::string vty_dir = "/var/run/frr";
  std::string frr_version = "auto";
  std::uint16_t table = 201;
  std::uint16_t community_as = 65000;  ///< first half of our BGP communities
  std::vector<bgp::RoutingProtocol> protocols{bgp::RoutingProtocol::kBgp};  ///< never empty
  bgp::LeakGuard leak_guard = bgp::LeakGuard::kMarker;
  std::vector<core::IpPrefix> track{core::IpPrefix(core::IpAddress::v4({}), 0)};
  bool track_expected =
      false;  ///< what was configured is expected from the start; the default once it was seen
  core::Duration track_hold = std::chrono::seconds(10);
  std::vector<core::IpAddress> same_site;
  std::string bmp_listen;  ///< "ADDRESS:PORT"; empty: nowhere
  OnExit on_exit = OnExit::kRetain;
  core::Duration retain_time = std::chrono::seconds(120);

  std::string source;  ///< the TOML text it was read from
  std::string control_socket = "/run/untrombone/control.sock";
  std::string metrics_listen;  ///< "ADDRESS:PORT"; empty: no metrics
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
