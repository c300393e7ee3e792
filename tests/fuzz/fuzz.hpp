// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

namespace untrombone::fuzz {

/// What a harness defines: gives one input to its parser, in every way that must not make a difference, and checks
/// what has to be true of the answer whatever the input was.
void run(std::span<const std::byte> input);

/// Ends the process when `law` does not hold: libFuzzer then writes the input to a file.
inline void require(bool holds, const char* law) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", law);
  std::abort();
}

/// On the heap and exactly as long: AddressSanitizer sees the first octet that is read behind it.
inline std::vector<std::byte> copy_of(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

inline std::string text_of(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte octet : bytes) text += static_cast<char>(octet);
  return text;
}

}  // namespace untrombone::fuzz
