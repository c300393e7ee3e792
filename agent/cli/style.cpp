// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/style.hpp"

#include <algorithm>
#include <array>

namespace untrombone::cli {
namespace {

std::string_view escape_of(Colour colour) {
  switch (colour) {
    case Colour::kPlain: return "";
    case Colour::kBold: return "\x1b[1m";
    case Colour::kGreen: return "\x1b[32m";
    case Colour::kYellow: return "\x1b[33m";
    case Colour::kRed: return "\x1b[31m";
  }
  return "";
}

constexpr std::string_view kReset = "\x1b[0m";

constexpr std::array<std::string_view, 6> kGood = {"ready",     "synced", "active",
                                                   "installed", "local",  "connected"};
constexpr std::array<std::string_view, 11> kPassing = {"waiting",     "syncing",   "queued",   "sent",
                                                       "removing",    "fresh",     "off",      "unknown",
                                                       "provisional", "departing", "lingering"};
constexpr std::array<std::string_view, 4> kBad = {"failed", "rejected", "lost", "isolated"};

template <std::size_t kSize>
bool contains(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::string paint(const Style& style, Colour colour, std::string_view text) {
  const std::string_view escape = escape_of(colour);
  if (!style.colour || escape.empty() || text.empty()) return std::string(text);
  return std::string(escape).append(text).append(kReset);
}

Colour colour_of(std::string_view word) {
  if (contains(kGood, word)) return Colour::kGreen;
  if (contains(kPassing, word)) return Colour::kYellow;
  if (contains(kBad, word)) return Colour::kRed;
  return Colour::kPlain;
}

}  // namespace untrombone::cli
