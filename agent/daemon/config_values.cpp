// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/config_values.hpp"

#include <net/if.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>

namespace untrombone::daemon {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestInterface = IFNAMSIZ - 1;
constexpr std::size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;

template <typename... Args>
Problem problem(fmt::format_string<Args...> format, Args&&... args) {
  return {std::in_place, fmt::format(format, std::forward<Args>(args)...)};
}

bool is_control(char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }

/// The kernel's dev_valid_name(), without the length.
bool has_interface_characters(std::string_view text) {
  constexpr std::string_view kForbidden = "/: \t\n\v\f\r";
  return !text.empty() && text != "." && text != ".." &&
         text.find_first_of(kForbidden) == std::string_view::npos;
}

bool is_pattern(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= 3 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Checked<std::string> check_name(const std::string& text) {
  if (text.empty()) return problem("is empty; expected a name");
  if (text.size() > kLongestName) return problem("is too long; expected at most {} bytes", kLongestName);
  if (std::any_of(text.begin(), text.end(), is_control)) {
    return problem("holds a control character; expected printable text");
  }
  return text;
}

Checked<std::string> check_interface(const std::string& text) {
  if (has_interface_characters(text) && text.size() <= kLongestInterface) return text;
  return problem(R"("{}" cannot be an interface; expected 1 to {} characters without "/", ":" and spaces)",
                 text, kLongestInterface);
}

Checked<std::string> check_vrf(const std::string& text) {
  return text == kDefaultVrf ? std::string() : check_interface(text);
}

Checked<std::string> check_port_pattern(const std::string& text) {
  if (!is_pattern(text)) return check_interface(text);
  if (has_interface_characters(text)) return text;
  return problem(R"("{}" matches no interface; expected a pattern without "/", ":" and spaces)", text);
}

Checked<std::string> check_socket_path(const std::string& text) {
  if (text.empty() || text.front() != '/')
    return problem(R"("{}" is not an absolute path; expected e.g. "/run/x")", text);
  if (text.size() > kLongestPath) return problem("is too long; expected at most {} bytes", kLongestPath);
  if (text.find('\0') != std::string::npos) return problem("holds a NUL; expected a path");
  return text;
}

Checked<std::string> check_vty_dir(const std::string& text) {
  constexpr std::size_t kLongestName = std::string_view("/pathd-instance.vty").size();
  if (text.size() > kLongestPath - kLongestName)
    return problem("is too long; expected at most {} bytes", kLongestPath - kLongestName);
  return check_socket_path(text);
}

std::optional<ListenAddress> parse_listen(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  ListenAddress where;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, where.port);
  if (error != std::errc{} || rest != end || where.port == 0) return std::nullopt;
  const bool bracketed = text.front() == '[' && text[colon - 1] == ']';
  where.address = bracketed ? text.substr(1, colon - 2) : text.substr(0, colon);
  const auto address = core::IpAddress::parse(where.address);
  if (!address || address->is_v4() == bracketed) return std::nullopt;
  return where;
}

Checked<std::string> check_listen(const std::string& text) {
  if (text.empty() || parse_listen(text)) return text;
  return problem(R"("{}" is no address with a port; expected e.g. "127.0.0.1:9517" or "[::1]:9517")", text);
}

Checked<std::string> check_frr_version(const std::string& text) {
  if (text == "auto") return text;
  const std::size_t dot = text.find('.');
  const std::string_view view = text;
  if (dot != std::string::npos && is_digits(view.substr(0, dot)) && is_digits(view.substr(dot + 1)))
    return text;
  return problem(R"("{}" is not a release; expected "auto" or MAJOR.MINOR, e.g. "8.4")", text);
}

Checked<bgp::RoutingProtocol> check_protocol(const std::string& text) {
  if (const auto protocol = bgp::parse_protocol(text)) return *protocol;
  return problem(R"("{}" is no routing protocol; expected "bgp", "ospf", "ospf6" or "isis")", text);
}

Checked<core::MacAddress> check_mac(const std::string& text) {
  const auto mac = core::MacAddress::parse(text);
  if (!mac) return problem(R"("{}" is not a MAC address; expected e.g. "00:00:5e:00:01:0a")", text);
  if (mac->is_zero() || mac->is_group())
    return problem("{} is not a unicast MAC address; expected one", text);
  return *mac;
}

Checked<core::IpAddress> check_address(const std::string& text) {
  const auto address = core::IpAddress::parse(text);
  if (!address) return problem(R"("{}" is not an address; expected e.g. "192.0.2.1")", text);
  if (address->is_multicast() || address->is_unspecified())
    return problem("{} is nobody's address; expected a unicast one", text);
  return *address;
}

Checked<core::IpPrefix> check_prefix(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto address = core::IpAddress::parse(text.substr(0, slash));
  if (!address) return problem(R"("{}" is not a prefix; expected e.g. "192.0.2.0/24")", text);
  if (slash == std::string::npos) return problem("{} has no length; expected e.g. {}/24", text, text);

  unsigned length = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + slash + 1, end, length);
  if (error != std::errc{} || rest != end || length > address->bits()) {
    return problem("{} has a wrong length; expected 0 to {} after the slash", text, address->bits());
  }
  const core::IpPrefix prefix(*address, length);
  if (prefix.address() != *address)
    return problem("{} has host bits set; expected {}", text, prefix.to_string());
  return prefix;
}

Checked<core::IpPrefix> check_subnet(const std::string& text) {
  constexpr unsigned kShortest = 8;
  constexpr unsigned kShortest6 = 32;
  constexpr std::uint8_t kLoopback = 127;
  constexpr std::uint8_t kFirstMulticast = 224;
  constexpr std::uint8_t kFirstLinkLocal6 = 0xfe;  // with what was site-local, and multicast above
  auto prefix = check_prefix(text);
  if (!prefix.has_value()) return prefix;
  const bool v4 = prefix->address().is_v4();
  const unsigned shortest = v4 ? kShortest : kShortest6;
  const unsigned longest = prefix->address().bits() - 1;
  if (prefix->length() < shortest || prefix->length() > longest) {
    return problem("{} cannot be a segment's subnet; expected a length of {} to {}", text, shortest, longest);
  }
  const std::uint8_t first = prefix->address().octets()[0];
  if (first == 0 || (v4 && (first == kLoopback || first >= kFirstMulticast)) ||
      (!v4 && first >= kFirstLinkLocal6)) {
    return problem("{} holds no unicast hosts; expected a subnet that does", text);
  }
  return prefix;
}

}  // namespace untrombone::daemon
