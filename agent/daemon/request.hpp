// SPDX-License-Identifier: GPL-2.0-or-later
// What the answers to the control socket's requests have in common.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/core/types.hpp"

namespace untrombone::daemon {

/// A member that is a string; nullopt without one.
[[nodiscard]] inline std::optional<std::string> text_of(const nlohmann::json& request, const char* key) {
  const auto found = request.find(key);
  if (found == request.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

/// The member "address"; nullopt when it is none.
[[nodiscard]] inline std::optional<core::IpAddress> address_of(const nlohmann::json& request) {
  const auto text = text_of(request, "address");
  return text ? core::IpAddress::parse(*text) : std::nullopt;
}

[[nodiscard]] inline nlohmann::ordered_json error_document(const std::string& message) {
  return {{"error", message}};
}

}  // namespace untrombone::daemon
