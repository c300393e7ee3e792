// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/cli/style.hpp"

namespace untrombone::cli {

enum class Align : std::uint8_t { kLeft, kRight };

struct Column {
  std::string_view name;
  Align align = Align::kLeft;
};

struct Cell {
  std::string text;
  Colour colour = Colour::kPlain;
};

/// Rows under a heading, in columns as wide as their widest cell, two spaces apart.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Missing cells are empty, surplus ones are dropped.
  void add(std::vector<Cell> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// `indent`: put before every line. Lines end with '\n' and carry no trailing spaces.
  [[nodiscard]] std::string render(const Style& style, std::string_view indent = "") const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// Code points of UTF-8 text: what a terminal's columns are, for the names that occur here.
[[nodiscard]] std::size_t display_width(std::string_view text);

}  // namespace untrombone::cli
