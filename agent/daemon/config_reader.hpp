// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "agent/daemon/config.hpp"

namespace untrombone::daemon {

/// Takes the first complaint about a file and ignores the rest: what follows an error may only be its echo.
class ConfigReport {
 public:
  explicit ConfigReport(std::string_view file) : file_(file) {}

  /// `subject` is the key as the operator calls it, `problem` says what is wrong and what is expected.
  void fail(std::size_t line, std::string_view subject, std::string_view problem);
  [[nodiscard]] const std::optional<ConfigError>& error() const { return error_; }

 private:
  std::string file_;
  std::optional<ConfigError> error_;
};

/// Why a text is not a value of the wanted type: "what is wrong; expected what".
/// The tag keeps a plain string from converting to it, which boost::system::result<std::string, Problem> needs.
struct Problem {
  Problem() = default;
  Problem(std::in_place_t /*tag*/, std::string why) : text(std::move(why)) {}
  std::string text;
};

template <typename T>
using Checked = boost::system::result<T, Problem>;

struct DurationRange {
  core::Duration low;
  core::Duration high;
};

struct NumberRange {
  std::int64_t low;
  std::int64_t high;
};

/// Reads one table of the file. A read_...() leaves its target alone when the key is absent; when the value is wrong
/// it complains to the report. A table that is not in the file reads like an empty one.
class TableReader {
 public:
  /// `name` is one of config_tables(), `label` what its keys are called by in complaints ("routes.",
  /// "segment \"vlan10\": "), `line` where an absent table would have been expected.
  TableReader(ConfigReport& report, const toml::table* table, std::string_view name, std::string label,
              std::size_t line);

  /// Complains of unknown keys, of keys that are not supported yet, and of required keys that are missing.
  void check_keys();
  /// A sub-table, e.g. "detect" of "segment".
  [[nodiscard]] TableReader child(std::string_view key);

  [[nodiscard]] bool has(std::string_view key) const;
  void set_label(std::string label) { label_ = std::move(label); }

  void read_flag(std::string_view key, bool& value);
  void read_duration(std::string_view key, core::Duration& value, DurationRange range);
  /// The index of the text among `choices`.
  void read_choice(std::string_view key, std::size_t& value, std::span<const std::string_view> choices);

  template <typename T>
  void read_number(std::string_view key, T& value, NumberRange range) {
    if (const auto found = number(key, range)) value = static_cast<T>(*found);
  }

  /// `parse`: Checked<T>(const std::string&).
  template <typename T, typename Parse>
  void read_text(std::string_view key, T& value, const Parse& parse) {
    const auto text = this->text(key);
    if (!text) return;
    const Checked<T> parsed = parse(*text);
    if (parsed.has_value()) {
      value = *parsed;
    } else {
      fail(key, parsed.error().text);
    }
  }

  /// A list of distinct texts, each by `parse`.
  template <typename T, typename Parse>
  void read_list(std::string_view key, std::vector<T>& values, const Parse& parse) {
    std::vector<T> read;
    for (const std::string& text : texts(key)) {
      const Checked<T> parsed = parse(text);
      if (!parsed.has_value()) return fail_at(key, read.size(), parsed.error().text);
      if (std::find(read.begin(), read.end(), *parsed) != read.end()) {
        return fail_at(key, read.size(), fmt::format("{} is listed twice; expected it once", text));
      }
      read.push_back(*parsed);
    }
    if (!read.empty()) values = std::move(read);
  }

  void fail(std::string_view key, std::string_view problem);
  /// Complains about one element of a list.
  void fail_at(std::string_view key, std::size_t element, std::string_view problem);

 private:
  [[nodiscard]] const toml::node* find(std::string_view key) const;
  [[nodiscard]] std::size_t line_of(const toml::node* node) const;
  [[nodiscard]] std::optional<std::string> text(std::string_view key);
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view key, NumberRange range);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  void fail_type(std::string_view key, const toml::node& node, std::string_view expected);

  ConfigReport& report_;
  const toml::table* table_;
  std::string_view name_;
  std::string label_;
  std::size_t line_;
};

/// "an integer", "a string": what the value of a key is, for a person.
[[nodiscard]] std::string_view describe_type(const toml::node& node);

}  // namespace untrombone::daemon
