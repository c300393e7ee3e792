// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace untrombone::cli {

enum class Colour : std::uint8_t { kPlain, kBold, kGreen, kYellow, kRed };

/// How text for people is written.
struct Style {
  bool colour = false;  ///< ANSI escapes, for a terminal
};

/// `text`, wrapped in the escapes of `colour` if the style has any.
[[nodiscard]] std::string paint(const Style& style, Colour colour, std::string_view text);

/// The colour of a state, verdict or class of the agent's documents: green is as it should be, yellow is on its way
/// there, red needs somebody. An unknown word is plain.
[[nodiscard]] Colour colour_of(std::string_view word);

}  // namespace untrombone::cli
