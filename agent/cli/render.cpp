// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agent/cli/render_explain.hpp"
#include "agent/cli/render_hosts.hpp"
#include "agent/cli/render_routes.hpp"
#include "agent/cli/render_status.hpp"

namespace untrombone::cli {

std::string_view command_of(DocumentKind kind) {
  switch (kind) {
    case DocumentKind::kStatus: return "status";
    case DocumentKind::kHosts: return "hosts";
    case DocumentKind::kRoutes: return "routes";
    case DocumentKind::kExplain: return "explain";
  }
  return "?";
}

std::optional<std::string> find_fault(DocumentKind kind, const Json& document) {
  const auto need = [&](std::string_view key, bool present) -> std::optional<std::string> {
    if (present) return std::nullopt;
    return fmt::format(R"(the answer to "{}" has no usable "{}")", command_of(kind), key);
  };
  const auto is_array = [&](std::string_view key) {
    const Json* found = find(document, key);
    return found != nullptr && found->is_array();
  };
  switch (kind) {
    case DocumentKind::kStatus: return need("segments", is_array("segments"));
    case DocumentKind::kHosts: return need("hosts", is_array("hosts"));
    case DocumentKind::kRoutes: return need("routes", is_array("routes"));
    case DocumentKind::kExplain: return need("found", flag_at(document, "found").has_value());
  }
  return std::nullopt;
}

std::string render(DocumentKind kind, const Json& document, const Style& style) {
  switch (kind) {
    case DocumentKind::kStatus: return render_status(document, style);
    case DocumentKind::kHosts: return render_hosts(document, style);
    case DocumentKind::kRoutes: return render_routes(document, style);
    case DocumentKind::kExplain: return render_explain(document, style);
  }
  return {};
}

bool has_findings(DocumentKind kind, const Json& document) {
  switch (kind) {
    case DocumentKind::kStatus: return !is_healthy(document);
    case DocumentKind::kExplain: return !flag_at(document, "found").value_or(false);
    case DocumentKind::kHosts:
    case DocumentKind::kRoutes: return false;
  }
  return false;
}

bool is_healthy(const Json& status) {
  if (const auto healthy = flag_at(status, "healthy")) return *healthy;
  const auto& segments = array_at(status, "segments");
  return text_at(object_at(status, "sink"), "state") == "synced" &&
         std::all_of(segments.begin(), segments.end(),
                     [](const Json& segment) { return text_at(segment, "state") == "ready"; });
}

}  // namespace untrombone::cli
