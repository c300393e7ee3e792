// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/document.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace untrombone::cli {
namespace {

/// The text of a scalar; empty for everything else.
std::string scalar_text(const Json& value) {
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return {};
}

}  // namespace

const Json* find(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(std::string(key));
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const Json& object_at(const Json& object, std::string_view key) {
  static const Json kEmpty = Json::object();
  const Json* found = find(object, key);
  return found != nullptr && found->is_object() ? *found : kEmpty;
}

const Json::array_t& array_at(const Json& object, std::string_view key) {
  static const Json::array_t kEmpty;
  const Json* found = find(object, key);
  return found != nullptr && found->is_array() ? found->get_ref<const Json::array_t&>() : kEmpty;
}

std::optional<double> number_at(const Json& object, std::string_view key) {
  const Json* found = find(object, key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::optional<bool> flag_at(const Json& object, std::string_view key) {
  const Json* found = find(object, key);
  if (found == nullptr || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

std::string text_at(const Json& object, std::string_view key, std::string_view otherwise) {
  const Json* found = find(object, key);
  std::string text = found == nullptr ? std::string() : scalar_text(*found);
  return text.empty() ? std::string(otherwise) : text;
}

std::string list_at(const Json& object, std::string_view key, std::string_view otherwise, std::size_t most) {
  std::vector<std::string> texts;
  for (const Json& element : array_at(object, key)) {
    std::string text = scalar_text(element);
    if (!text.empty()) texts.push_back(std::move(text));
  }
  if (texts.empty()) return std::string(otherwise);
  if (texts.size() <= most) return fmt::format("{}", fmt::join(texts, ", "));
  const std::size_t left_out = texts.size() - most;
  texts.resize(most);
  return fmt::format("{} and {} more", fmt::join(texts, ", "), left_out);
}

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, '?');
  return text;
}

}  // namespace untrombone::cli
