// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/demo/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace untrombone::demo {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kIndent = 2;
constexpr std::size_t kNameWidth = 30;
constexpr std::size_t kValueWidth = 8;

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kReset = "\x1b[0m";

bool wants_colour() {
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (term == nullptr || std::string_view(term) == "dumb") return false;
  return ::isatty(STDOUT_FILENO) == 1;
}

void put(std::string_view line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

std::string indented(std::string_view text) { return std::string(kIndent, ' ').append(text); }

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// Where the last column of a line begins: behind the last gap of two spaces, unless that is too far right.
std::size_t last_column(std::string_view line) {
  const std::size_t gap = line.rfind("  ");
  if (gap == std::string_view::npos || gap + 2 > kWidth * 3 / 4) return 2 * kIndent;
  return gap + 2;
}

}  // namespace

std::vector<std::string> fold(std::string_view line, std::size_t width, std::size_t indent) {
  std::vector<std::string> folded;
  std::string current;
  while (current.size() + line.size() > width) {
    const std::size_t room = width - std::min(width, current.size());
    std::size_t space = line.rfind(' ', room);
    if (space == std::string_view::npos || space == 0) space = line.find(' ', 1);
    if (space == std::string_view::npos) break;
    current.append(line.substr(0, space));
    folded.push_back(current.erase(current.find_last_not_of(' ') + 1));
    line.remove_prefix(space + 1);
    current.assign(indent, ' ');
  }
  current.append(line);
  folded.push_back(current.erase(current.find_last_not_of(' ') + 1));
  return folded;
}

Terminal::Terminal() : colour_(wants_colour()) {}

std::string Terminal::paint(std::string_view escape, std::string_view text) const {
  if (!colour_ || text.empty()) return std::string(text);
  return fmt::format("{}{}{}", escape, text, kReset);
}

void Terminal::heading(std::string_view text) const {
  put("");
  put(paint(kBold, text));
  put(paint(kBold, std::string(text.size(), '-')));
}

void Terminal::say(std::string_view text) const {
  for (const std::string& line : fold(text, kWidth - kIndent, 0)) put(indented(line));
}

void Terminal::text(std::string_view name, std::string_view value) const {
  put(indented(fmt::format("{:<{}}{}", name, kNameWidth, paint(kBold, value))));
}

void Terminal::row(std::string_view name, std::string_view value, std::string_view note) const {
  std::string line = fmt::format("{:<{}}", name, kNameWidth);
  line.append(kValueWidth - std::min(kValueWidth, value.size()), ' ');
  line += paint(kBold, value);
  if (!note.empty()) line.append("  ").append(note);
  put(indented(line));
}

void Terminal::verbatim(std::string_view text) const {
  for (const std::string_view line : lines_of(text)) put(indented(line));
}

void Terminal::command(std::string_view line, std::string_view output) const {
  put(indented(paint(kBold, fmt::format("$ {}", line))));
  for (const std::string_view printed : lines_of(output)) {
    for (const std::string& part : fold(printed, kWidth - 2 * kIndent, last_column(printed))) {
      put(part.empty() ? part : indented(indented(part)));
    }
  }
}

void Terminal::table(const std::vector<std::vector<std::string>>& rows) const {
  std::vector<std::size_t> widths;
  for (const std::vector<std::string>& cells : rows) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  bool first = true;
  for (const std::vector<std::string>& cells : rows) {
    std::string line;
    std::string rule;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      line += fmt::format("{:<{}}", cells[i], widths[i] + 3);
      rule += std::string(widths[i], '-') + "   ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    put(indented(first ? paint(kBold, line) : line));
    if (first) put(indented(paint(kDim, rule.substr(0, rule.size() - 3))));
    first = false;
  }
}

void Terminal::good(std::string_view text) const { put(indented(paint(kGreen, text))); }

void Terminal::bad(std::string_view text) const { put(indented(paint(kRed, text))); }

void Terminal::blank() const { put(""); }

}  // namespace untrombone::demo
