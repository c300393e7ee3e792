// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/fuzz.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  untrombone::fuzz::run(std::as_bytes(std::span(data, size)));
  return 0;
}
