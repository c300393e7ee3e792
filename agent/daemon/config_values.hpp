// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "agent/daemon/config_reader.hpp"

/// Parsers for TableReader::read_text() and read_list(): one kind of text each.
namespace untrombone::daemon {

/// A site's or segment's name: not empty, at most 64 bytes, no control characters.
[[nodiscard]] Checked<std::string> check_name(const std::string& text);
/// What the kernel takes for the name of a network interface.
[[nodiscard]] Checked<std::string> check_interface(const std::string& text);
/// The name of a VRF device; kDefaultVrf is "".
[[nodiscard]] Checked<std::string> check_vrf(const std::string& text);
/// An interface's name, or an fnmatch(3) pattern for several.
[[nodiscard]] Checked<std::string> check_port_pattern(const std::string& text);
/// An absolute path that fits into a sockaddr_un.
[[nodiscard]] Checked<std::string> check_socket_path(const std::string& text);
/// An absolute path with room for the name of a daemon's vty socket.
[[nodiscard]] Checked<std::string> check_vty_dir(const std::string& text);
/// An address and a TCP port.
struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;
};
/// "127.0.0.1:9517" or "[::1]:9517", else nullopt.
[[nodiscard]] std::optional<ListenAddress> parse_listen(const std::string& text);
/// What parse_listen() reads, or nothing at all.
[[nodiscard]] Checked<std::string> check_listen(const std::string& text);
/// "auto" or MAJOR.MINOR.
/// "bgp", "ospf", "ospf6" or "isis".
[[nodiscard]] Checked<bgp::RoutingProtocol> check_protocol(const std::string& text);
[[nodiscard]] Checked<std::string> check_frr_version(const std::string& text);

[[nodiscard]] Checked<core::MacAddress> check_mac(const std::string& text);
[[nodiscard]] Checked<core::IpAddress> check_address(const std::string& text);
[[nodiscard]] Checked<core::IpPrefix> check_prefix(const std::string& text);
/// A prefix that hosts can live in.
[[nodiscard]] Checked<core::IpPrefix> check_subnet(const std::string& text);

}  // namespace untrombone::daemon
