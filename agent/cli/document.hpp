// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

/// Reading the agent's documents without trusting them: a field that is missing or of another type than docs/json.md
/// says reads as absent. Nothing here throws.
namespace untrombone::cli {

/// Keeps the agent's order of fields.
using Json = nlohmann::ordered_json;

/// nullptr if `object` has no such field, is no object, or the field is null.
[[nodiscard]] const Json* find(const Json& object, std::string_view key);
/// The field if it is an object, else an empty one.
[[nodiscard]] const Json& object_at(const Json& object, std::string_view key);
/// The elements of the field if it is an array, else none.
[[nodiscard]] const Json::array_t& array_at(const Json& object, std::string_view key);

[[nodiscard]] std::optional<double> number_at(const Json& object, std::string_view key);
[[nodiscard]] std::optional<bool> flag_at(const Json& object, std::string_view key);
/// A string or a number as text, safe for a terminal (printable()); `otherwise` if absent or empty.
[[nodiscard]] std::string text_at(const Json& object, std::string_view key, std::string_view otherwise = "-");
/// The strings of an array, joined with ", "; `otherwise` if there are none. Over `most` they are counted only.
[[nodiscard]] std::string list_at(const Json& object, std::string_view key, std::string_view otherwise = "-",
                                  std::size_t most = 8);

/// Control characters become '?': a port's name comes from whoever made the port.
[[nodiscard]] std::string printable(std::string text);

}  // namespace untrombone::cli
