// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render_path.hpp"

#include <fmt/format.h>

#include "agent/cli/table.hpp"

namespace untrombone::cli {

std::string render_path(const Json& document, const Style& style) {
  const std::string head =
      fmt::format("{} as site {} sees it\n", text_at(document, "ip"), text_at(document, "site"));
  Table table({{"STEP"}, {"WHERE"}, {"BECAUSE"}});
  for (const Json& hop : array_at(document, "hops")) {
    const Colour colour = flag_at(hop, "detour").value_or(false) ? Colour::kRed : Colour::kPlain;
    table.add({{text_at(hop, "step")}, {text_at(hop, "where"), colour}, {text_at(hop, "why")}});
  }
  if (table.empty()) return head + "it is in none of the configured subnets\n";
  const bool trombone = flag_at(document, "trombone").value_or(false);
  return fmt::format("{}\n{}\n{}\n", head, table.render(style),
                     trombone ? paint(style, Colour::kRed, "it takes a detour") : "no detour");
}

}  // namespace untrombone::cli
