// SPDX-License-Identifier: GPL-2.0-or-later
// Texts of configurations, and what the agent's parser makes of them.
#pragma once

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "agent/daemon/config.hpp"

namespace untrombone::testing {

/// Nine lines; what a test adds begins at line 10, inside [[segment]] or a table of its own.
inline constexpr std::string_view kMinimal = R"([site]
name = "dc-a"

[[segment]]
name = "vlan10"
bridge = "br0"
subnets = ["192.0.2.0/24"]
gateways = ["192.0.2.1"]

)";

inline std::string minimal_and(std::string_view more) { return std::string(kMinimal).append(more); }

inline daemon::Config parsed(const std::string& text) {
  const auto config = daemon::parse_config(text, "f");
  INFO((config.has_error() ? config.error().message : std::string()));
  REQUIRE(config.has_value());
  return *config;
}

/// The complaint about `text`, without the file's name.
inline std::string complaint(const std::string& text) {
  const auto config = daemon::parse_config(text, "f");
  if (config.has_value()) return "none";
  REQUIRE_FALSE(config.error().unreadable);
  REQUIRE(config.error().message.rfind("f:", 0) == 0);
  return config.error().message.substr(2);
}

inline std::string complaint_about(std::string_view more) { return complaint(minimal_and(more)); }

/// A [[segment]] of lines 1 to 9, with one line replaced or added.
inline std::string replaced(std::string_view line, std::string_view by) {
  std::string text(kMinimal);
  const std::size_t at = text.find(line);
  REQUIRE(at != std::string::npos);
  return text.replace(at, line.size(), by);
}

}  // namespace untrombone::testing
