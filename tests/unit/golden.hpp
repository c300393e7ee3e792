// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <charconv>
#include <cstddef>
#include <fstream>
#include <map>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace untrombone::testing {

using Bytes = std::vector<std::byte>;
using GoldenBytes = std::map<std::string, Bytes>;

/// The records of a file below tests/golden: "NAME:", then octets in hexadecimal; lines with # are for people.
inline GoldenBytes read_golden(const std::string& file) {
  std::ifstream input(std::string(UNTROMBONE_SOURCE_DIR "/tests/golden/") + file);
  if (!input) throw std::runtime_error("no tests/golden/" + file);
  GoldenBytes records;
  Bytes* record = nullptr;
  for (std::string line; std::getline(input, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.back() == ':') {
      line.pop_back();
      record = &records[line];
      continue;
    }
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      unsigned octet = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), octet, 16);
      if (record == nullptr || error != std::errc{} || end != word.data() + word.size() || octet > 0xff) {
        throw std::runtime_error("tests/golden/" + file + ": " + line);
      }
      record->push_back(static_cast<std::byte>(octet));
    }
  }
  return records;
}

/// A file below tests/golden as it is.
inline std::string golden_text(const std::string& file) {
  const std::ifstream input(std::string(UNTROMBONE_SOURCE_DIR "/tests/golden/") + file);
  if (!input) throw std::runtime_error("no tests/golden/" + file);
  std::ostringstream text;
  text << input.rdbuf();
  return text.str();
}

/// Octets as numbers, so that a failed comparison can be read.
inline std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte octet : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[std::to_integer<unsigned>(octet) >> 4U];
    text += kDigits[std::to_integer<unsigned>(octet) & 15U];
    text += ' ';
  }
  return text;
}

}  // namespace untrombone::testing
