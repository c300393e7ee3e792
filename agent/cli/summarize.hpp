// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/settings.hpp"

namespace untrombone::cli {

/// What `untrombone summarize` is asked for. Prefixes are valid text.
struct SummarizeOptions {
  std::string mode = "exact";
  std::string remote;  ///< a file of addresses and prefixes that are elsewhere; empty: none
  std::vector<std::string> within;
  std::vector<std::string> free;
  std::vector<std::string> home;
  unsigned shortest = 0;
  unsigned shortest6 = 0;
};

struct SummarizeResult {
  std::string error;     ///< empty: it went well
  bool usage = false;    ///< the options contradict each other
  std::size_t read = 0;  ///< entries of the input
  std::vector<std::string> prefixes;
};

/// Addresses in, the fewest prefixes out: IPv4 before IPv6, by address.
[[nodiscard]] SummarizeResult summarize(const SummarizeOptions& options, std::istream& in);

}  // namespace untrombone::cli
