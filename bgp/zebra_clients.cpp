// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/zebra_clients.hpp"

#include <charconv>

namespace untrombone::bgp {
namespace {

constexpr std::string_view kHead = "Client: ";
constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view line) {
  const std::size_t end = line.find_last_not_of(kBlanks);
  return end == std::string_view::npos ? std::string_view() : line.substr(0, end + 1);
}

/// "Redist:v4   12   3   1": additions and updates.
std::uint64_t additions(std::string_view counts) {
  std::uint64_t sum = 0;
  for (int column = 0; column < 2; ++column) {
    const std::size_t digits = counts.find_first_not_of(kBlanks);
    if (digits == std::string_view::npos) break;
    counts.remove_prefix(digits);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(counts.data(), counts.data() + counts.size(), value);
    if (error != std::errc{}) break;
    sum += value;
    counts.remove_prefix(static_cast<std::size_t>(end - counts.data()));
  }
  return sum;
}

}  // namespace

std::optional<ZebraClient> read_zebra_client(std::string_view text, std::string_view name) {
  std::optional<ZebraClient> client;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.starts_with(kHead)) {
      if (client) break;
      if (line.substr(kHead.size()) == name) client.emplace();
    }
    if (!client) continue;
    if (line.starts_with("Redist:v4")) client->redistributed4 = additions(line.substr(9));
    if (line.starts_with("Redist:v6")) client->redistributed6 = additions(line.substr(9));
  }
  return client;
}

}  // namespace untrombone::bgp
