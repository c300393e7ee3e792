// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/config_reader.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include "agent/daemon/config_duration.hpp"
#include "agent/daemon/config_keys.hpp"

namespace untrombone::daemon {
namespace {

/// One line whatever the file holds: a quoted TOML key or string may contain control characters.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, '?');
  return text;
}

/// What is wrong with the key as such, or empty.
std::string refuse_key(std::string_view table, std::string_view name) {
  const std::string nested = fmt::format("{}.{}", table, name);
  if (find_config_table(nested) != nullptr) return {};
  return find_config_key(table, name) == nullptr ? describe_unknown_key(table, name) : "";
}

}  // namespace

void ConfigReport::fail(std::size_t line, std::string_view subject, std::string_view problem) {
  if (error_) return;
  error_ = ConfigError{printable(fmt::format("{}:{}: {}: {}", file_, line, subject, problem))};
}

std::string_view describe_type(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a fraction";
    case toml::node_type::boolean: return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time: return "a date or time";
    case toml::node_type::none: break;
  }
  return "nothing";
}

TableReader::TableReader(ConfigReport& report, const toml::table* table, std::string_view name,
                         std::string label, std::size_t line)
    : report_(report), table_(table), name_(name), label_(std::move(label)), line_(line) {
  if (table_ != nullptr) line_ = line_of(table_);
}

void TableReader::check_keys() {
  std::size_t first_line = 0;
  std::string_view first_key;
  std::string problem;
  if (table_ != nullptr) {
    for (const auto& [key, node] : *table_) {
      std::string refused = refuse_key(name_, key.str());
      const std::size_t line = key.source().begin.line;
      if (refused.empty() || (!problem.empty() && line >= first_line)) continue;
      first_line = line;
      first_key = key.str();
      problem = std::move(refused);
    }
  }
  if (!problem.empty()) return report_.fail(first_line, fmt::format("{}{}", label_, first_key), problem);
  for (const ConfigKey& key : config_keys()) {
    if (key.table != name_ || key.need != KeyNeed::kRequired || has(key.name)) continue;
    fail(key.name, fmt::format("missing; expected e.g. {} = {}", key.name, key.value));
  }
}

TableReader TableReader::child(std::string_view key) {
  const toml::node* node = find(key);
  const toml::table* table = node == nullptr ? nullptr : node->as_table();
  const ConfigTable* known = find_config_table(fmt::format("{}.{}", name_, key));
  if (node != nullptr && table == nullptr) fail_type(key, *node, fmt::format("a table, {}", known->header));
  return {report_, table, known->name, fmt::format("{}{}.", label_, key), line_};
}

bool TableReader::has(std::string_view key) const { return find(key) != nullptr; }

void TableReader::read_flag(std::string_view key, bool& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto* flag = node->as_boolean();
  if (flag == nullptr) return fail_type(key, *node, "true or false");
  value = flag->get();
}

void TableReader::read_duration(std::string_view key, core::Duration& value, DurationRange range) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (const auto* number = node->as_integer(); number != nullptr) {
    return fail_type(key, *node, fmt::format("a string with a unit, e.g. \"{}s\"", number->get()));
  }
  const auto text = this->text(key);
  if (!text) return;
  const auto parsed = parse_duration(*text);
  if (!parsed) {
    return fail(key,
                fmt::format(R"("{}" is not a duration; expected e.g. "250ms", "30s", "5m" or "2h")", *text));
  }
  if (*parsed < range.low || *parsed > range.high) {
    return fail(key, fmt::format("{} is out of range; expected {} to {}", *text, format_duration(range.low),
                                 format_duration(range.high)));
  }
  value = *parsed;
}

void TableReader::read_choice(std::string_view key, std::size_t& value,
                              std::span<const std::string_view> choices) {
  const auto text = this->text(key);
  if (!text) return;
  const auto found = std::find(choices.begin(), choices.end(), *text);
  if (found == choices.end()) {
    return fail(key, fmt::format(R"("{}" is unknown; expected one of {})", *text, fmt::join(choices, ", ")));
  }
  value = static_cast<std::size_t>(found - choices.begin());
}

void TableReader::fail(std::string_view key, std::string_view problem) {
  report_.fail(line_of(find(key)), fmt::format("{}{}", label_, key), problem);
}

void TableReader::fail_at(std::string_view key, std::size_t element, std::string_view problem) {
  const toml::node* node = find(key);
  const toml::array* list = node == nullptr ? nullptr : node->as_array();
  if (list != nullptr && element < list->size()) node = list->get(element);
  report_.fail(line_of(node), fmt::format("{}{}", label_, key), problem);
}

const toml::node* TableReader::find(std::string_view key) const {
  return table_ == nullptr ? nullptr : table_->get(key);
}

std::size_t TableReader::line_of(const toml::node* node) const {
  if (node == nullptr) return line_;
  const std::size_t line = node->source().begin.line;
  return line == 0 ? line_ : line;
}

std::optional<std::string> TableReader::text(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* text = node->as_string();
  if (text != nullptr) return text->get();
  fail_type(key, *node, "a string");
  return std::nullopt;
}

std::optional<std::int64_t> TableReader::number(std::string_view key, NumberRange range) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* number = node->as_integer();
  if (number == nullptr) {
    fail_type(key, *node, fmt::format("an integer, {} to {}", range.low, range.high));
    return std::nullopt;
  }
  if (number->get() >= range.low && number->get() <= range.high) return number->get();
  fail(key, fmt::format("{} is out of range; expected {} to {}", number->get(), range.low, range.high));
  return std::nullopt;
}

std::vector<std::string> TableReader::texts(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  const auto* list = node->as_array();
  if (list == nullptr) {
    fail_type(key, *node, "a list of strings");
    return {};
  }
  std::vector<std::string> texts;
  for (const toml::node& element : *list) {
    const auto* text = element.as_string();
    if (text == nullptr) {
      fail_at(key, texts.size(), fmt::format("holds {}; expected strings only", describe_type(element)));
      return {};
    }
    texts.push_back(text->get());
  }
  return texts;
}

void TableReader::fail_type(std::string_view key, const toml::node& node, std::string_view expected) {
  fail(key, fmt::format("is {}; expected {}", describe_type(node), expected));
}

}  // namespace untrombone::daemon
