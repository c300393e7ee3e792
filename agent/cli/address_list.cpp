// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/address_list.hpp"

#include <fmt/format.h>

#include "agent/cli/document.hpp"

namespace untrombone::cli {
namespace {

using core::IpAddress;
using core::IpPrefix;
using core::summary::BitPrefix;
using core::summary::to_bits;

constexpr std::string_view kBlanks = " \t\r";
constexpr std::size_t kShownText = 60;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

template <typename Bits>
void add_prefix(AddressList::Of<Bits>& list, const IpPrefix& prefix) {
  list.prefixes.push_back(BitPrefix<Bits>::of(prefix));
}

/// False when the range ends before it begins.
template <typename Bits>
bool add_range(AddressList::Of<Bits>& list, const IpAddress& first, const IpAddress& last) {
  const core::summary::Range<Bits> range{to_bits<Bits>(first), to_bits<Bits>(last)};
  if (range.last < range.first) return false;
  list.ranges.push_back(range);
  return true;
}

}  // namespace

bool AddressList::add(std::string_view entry) {
  ++entries;
  if (entry.find('/') != std::string_view::npos) {
    const auto prefix = IpPrefix::parse(entry);
    if (!prefix) return false;
    prefix->address().is_v4() ? add_prefix(v4, *prefix) : add_prefix(v6, *prefix);
    return true;
  }
  const auto dash = entry.find('-');
  const auto first = IpAddress::parse(trim(entry.substr(0, dash)));
  if (!first) return false;
  const auto last = dash == std::string_view::npos ? first : IpAddress::parse(trim(entry.substr(dash + 1)));
  if (!last || last->family() != first->family()) return false;
  return first->is_v4() ? add_range(v4, *first, *last) : add_range(v6, *first, *last);
}

std::optional<std::string> AddressList::read_line(std::string_view line, std::size_t number,
                                                  std::string_view name) {
  const std::string_view entry = trim(line.substr(0, line.find('#')));
  if (entry.empty() || add(entry)) return std::nullopt;
  const bool cut = entry.size() > kShownText;
  return fmt::format(
      "{}, line {}: \"{}{}\" is not an address, a prefix (host bits must be zero) or a range FIRST-LAST",
      name, number, printable(std::string(entry.substr(0, kShownText))), cut ? "..." : "");
}

std::optional<std::string> AddressList::read(std::istream& in, std::string_view name) {
  constexpr std::size_t kChunk = 1U << 16U;
  std::string text;
  std::size_t number = 0;
  while (in) {
    const std::size_t kept = text.size();
    text.resize(kept + kChunk);
    in.read(text.data() + kept, kChunk);
    text.resize(kept + static_cast<std::size_t>(in.gcount()));
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      if (auto wrong = read_line(std::string_view(text).substr(begin, end - begin), ++number, name))
        return wrong;
      begin = end + 1;
    }
    text.erase(0, begin);
  }
  if (in.bad()) return fmt::format("{}: cannot be read", name);
  return text.empty() ? std::nullopt : read_line(text, ++number, name);
}

}  // namespace untrombone::cli
