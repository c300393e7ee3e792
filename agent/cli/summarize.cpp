// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/summarize.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "agent/cli/address_list.hpp"

namespace untrombone::cli {
namespace {

using core::summary::BatchOptions;
using core::summary::BitPrefix;
using core::summary::kWidth;
using core::summary::Range;
using core::summary::Uint128;

/// Everything that was given, parsed.
struct Input {
  std::string mode;
  unsigned shortest = 0;
  unsigned shortest6 = 0;
  AddressList local;
  AddressList remote;
  AddressList within;
  AddressList free;
  AddressList home;
};

template <typename Bits>
bool is_inside(const BitPrefix<Bits>& prefix, const std::vector<BitPrefix<Bits>>& others) {
  return std::any_of(others.begin(), others.end(),
                     [&](const BitPrefix<Bits>& other) { return other.contains(prefix); });
}

/// Sorted, and without those inside another one.
template <typename Bits>
std::vector<BitPrefix<Bits>> disjoint(std::vector<BitPrefix<Bits>> prefixes) {
  std::sort(prefixes.begin(), prefixes.end(), [](const auto& a, const auto& b) {
    return a.key != b.key ? a.key < b.key : a.length < b.length;
  });
  std::vector<BitPrefix<Bits>> kept;
  for (const BitPrefix<Bits>& prefix : prefixes) {
    if (kept.empty() || !kept.back().contains(prefix)) kept.push_back(prefix);
  }
  return kept;
}

template <typename Bits>
BatchOptions<Bits> batch_options(Input& input) {
  BatchOptions<Bits> options;
  const unsigned shortest = sizeof(Bits) == 4 ? input.shortest : input.shortest6;
  options.shortest = input.mode == "off" ? kWidth<Bits> : shortest;
  options.covers_unknown = input.mode == "cover";
  options.free = ranges_of(input.free.of<Bits>());
  options.remote = input.remote.of<Bits>().ranges;
  options.claimed = input.remote.of<Bits>().prefixes;
  return options;
}

/// Home blocks stand for themselves; everything else is a visitor.
template <typename Bits>
std::vector<BitPrefix<Bits>> summarise_family(Input& input) {
  std::vector<Range<Bits>> local = ranges_of(input.local.of<Bits>());
  BatchOptions<Bits> options = batch_options<Bits>(input);
  std::vector<BitPrefix<Bits>> found = disjoint(input.home.of<Bits>().prefixes);
  if (!found.empty()) {
    core::summary::normalise(local);
    local = core::summary::without(local, core::summary::ranges_of(found));
  }
  const std::vector<BitPrefix<Bits>> within = disjoint(input.within.of<Bits>().prefixes);
  const bool everywhere = input.within.entries == 0;
  for (std::size_t i = 0; i < (everywhere ? 1 : within.size()); ++i) {
    if (!everywhere) options.within = {within[i]};
    const auto part = core::summary::summarise(local, options);
    found.insert(found.end(), part.begin(), part.end());
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return found;
}

/// "off" lists each host, so a prefix or a range would be a list without end.
bool has_only_addresses(AddressList& list) {
  const auto only_addresses = [](const auto& of) {
    return of.prefixes.empty() && std::all_of(of.ranges.begin(), of.ranges.end(),
                                              [](const auto& range) { return range.first == range.last; });
  };
  return only_addresses(list.v4) && only_addresses(list.v6);
}

std::string contradiction(const SummarizeOptions& options) {
  if (options.mode == "cover" && options.within.empty())
    return "--mode cover needs --within: without a limit one address stands for the whole Internet";
  if (options.mode == "home" && options.home.empty()) return "--mode home needs --home";
  if (options.mode != "home" && !options.home.empty()) return "--home needs --mode home";
  if (options.shortest > 32) return "--shortest is at most 32";
  if (options.shortest6 > 128) return "--shortest6 is at most 128";
  return {};
}

std::string read_remote(const std::string& path, AddressList& list) {
  if (path.empty()) return {};
  std::ifstream file(path);
  if (!file) return fmt::format("{}: cannot be opened", path);
  return list.read(file, path).value_or("");
}

}  // namespace

SummarizeResult summarize(const SummarizeOptions& options, std::istream& in) {
  SummarizeResult result;
  result.error = contradiction(options);
  result.usage = !result.error.empty();
  if (result.usage) return result;
  Input input;
  input.mode = options.mode;
  input.shortest = options.shortest;
  input.shortest6 = options.shortest6;
  for (const std::string& text : options.within) input.within.add(text);
  for (const std::string& text : options.free) input.free.add(text);
  for (const std::string& text : options.home) input.home.add(text);
  result.error = read_remote(options.remote, input.remote);
  if (result.error.empty()) result.error = input.local.read(in, "standard input").value_or("");
  if (result.error.empty() && options.mode == "off" && !has_only_addresses(input.local))
    result.error = "standard input: --mode off takes addresses only, no prefixes and no ranges";
  if (!result.error.empty()) return result;
  result.read = input.local.entries;
  for (const auto& prefix : summarise_family<std::uint32_t>(input))
    result.prefixes.push_back(prefix.to_prefix().to_string());
  for (const auto& prefix : summarise_family<Uint128>(input))
    result.prefixes.push_back(prefix.to_prefix().to_string());
  return result;
}

}  // namespace untrombone::cli
