// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render_hosts.hpp"

#include <fmt/format.h>

#include "agent/cli/quantity.hpp"
#include "agent/cli/table.hpp"

namespace untrombone::cli {
namespace {

struct Tally {
  std::size_t all = 0;
  std::size_t local = 0;
  std::size_t remote = 0;

  void count(std::string_view verdict) {
    ++all;
    if (verdict == "local") ++local;
    if (verdict == "remote") ++remote;
  }
  [[nodiscard]] std::string to_string() const {
    return fmt::format("{} host{}: {} local, {} remote, {} unknown\n", all, all == 1 ? "" : "s", local,
                       remote, all - local - remote);
  }
};

std::string age_at(const Json& host, std::string_view key, std::string_view otherwise) {
  const auto seconds = number_at(host, key);
  return seconds ? format_seconds(*seconds) : std::string(otherwise);
}

/// Its class, and how long an operator's claim keeps it.
std::string route_of(const Json& host) {
  const std::string route_class = text_at(host, "route_class", "none");
  const auto left = number_at(host, "expected_seconds");
  return left ? fmt::format("{}, claimed for {}", route_class, format_seconds(*left)) : route_class;
}

/// "tap11 (local)"; "-" when the place is not known.
std::string place_of(const Json& host) {
  const std::string port = text_at(host, "port");
  const std::string port_class = text_at(host, "port_class", "");
  return port_class.empty() ? port : fmt::format("{} ({})", port, port_class);
}

}  // namespace

std::string render_hosts(const Json& document, const Style& style) {
  Table table({{"ADDRESS"},
               {"VERDICT"},
               {"STATE"},
               {"SINCE", Align::kRight},
               {"HEARD", Align::kRight},
               {"ROUTE"},
               {"SEGMENT"},
               {"MAC"},
               {"PORT"},
               {"REASON"}});
  Tally tally;
  for (const Json& host : array_at(document, "hosts")) {
    const std::string verdict = text_at(host, "verdict");
    const std::string state = text_at(host, "state");
    tally.count(verdict);
    table.add({{text_at(host, "ip")},
               {verdict, colour_of(verdict)},
               {state, colour_of(state)},
               {age_at(host, "since_seconds", "-")},
               {age_at(host, "heard_seconds", "never")},
               {route_of(host)},
               {text_at(host, "segment")},
               {text_at(host, "mac")},
               {place_of(host)},
               {text_at(host, "reason")}});
  }
  if (table.empty()) return "no hosts\n";
  return fmt::format("{}\n{}", table.render(style), tally.to_string());
}

}  // namespace untrombone::cli
