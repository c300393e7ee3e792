// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/table.hpp"

#include <algorithm>

namespace untrombone::cli {
namespace {

constexpr std::string_view kGap = "  ";

std::string render_row(const std::vector<Cell>& row, const std::vector<Column>& columns,
                       const std::vector<std::size_t>& widths, const Style& style) {
  std::string line;
  std::size_t owed = 0;  // spaces that only a further cell makes necessary
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::size_t padding = widths[i] - display_width(row[i].text);
    const std::size_t before = columns[i].align == Align::kRight ? padding : 0;
    if (!row[i].text.empty()) {
      line.append(owed + before, ' ').append(paint(style, row[i].colour, row[i].text));
      owed = 0;
    } else {
      owed += before;
    }
    owed += padding - before + kGap.size();
  }
  return line;
}

}  // namespace

void Table::add(std::vector<Cell> row) {
  row.resize(columns_.size());
  rows_.push_back(std::move(row));
}

std::string Table::render(const Style& style, std::string_view indent) const {
  std::vector<Cell> head;
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) {
    head.push_back({std::string(column.name), Colour::kBold});
    widths.push_back(display_width(column.name));
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i].text));
  }
  std::string text;
  text.append(indent).append(render_row(head, columns_, widths, style)).append("\n");
  for (const auto& row : rows_) {
    text.append(indent).append(render_row(row, columns_, widths, style)).append("\n");
  }
  return text;
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace untrombone::cli
