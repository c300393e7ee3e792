// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace untrombone::demo {

/// The lines of the demo on stdout, at most 100 columns wide. What is written is visible at once, also in a pipe.
/// Colours only on a terminal that knows them, and not with NO_COLOR (https://no-color.org).
class Terminal {
 public:
  Terminal();

  void heading(std::string_view text) const;
  /// Running text, folded.
  void say(std::string_view text) const;
  /// One value in words.
  void text(std::string_view name, std::string_view value) const;
  /// One measured value: its name, the value, and what to know about it.
  void row(std::string_view name, std::string_view value, std::string_view note = {}) const;
  /// As it is.
  void verbatim(std::string_view text) const;
  /// A command as a person would type it, and what it printed; long lines are folded under their last column.
  void command(std::string_view line, std::string_view output = {}) const;
  /// The first row and the first column are headings.
  void table(const std::vector<std::vector<std::string>>& rows) const;
  void good(std::string_view text) const;
  void bad(std::string_view text) const;
  void blank() const;

 private:
  std::string paint(std::string_view escape, std::string_view text) const;

  bool colour_;
};

/// Folds a line at spaces; the lines after the first begin with `indent` spaces. Words longer than the width stay.
std::vector<std::string> fold(std::string_view line, std::size_t width, std::size_t indent);

}  // namespace untrombone::demo
