// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agent/cli/quantity.hpp"
#include "agent/cli/render_audit.hpp"
#include "agent/cli/render_doctor.hpp"
#include "agent/cli/render_explain.hpp"
#include "agent/cli/render_guard.hpp"
#include "agent/cli/render_hosts.hpp"
#include "agent/cli/render_moves.hpp"
#include "agent/cli/render_path.hpp"
#include "agent/cli/render_routes.hpp"
#include "agent/cli/render_status.hpp"

namespace untrombone::cli {

std::string_view command_of(DocumentKind kind) {
  switch (kind) {
    case DocumentKind::kStatus: return "status";
    case DocumentKind::kHosts: return "hosts";
    case DocumentKind::kRoutes: return "routes";
    case DocumentKind::kExplain: return "explain";
    case DocumentKind::kHostClaim: return "host-claim";
    case DocumentKind::kHostRelease: return "host-release";
    case DocumentKind::kHostClear: return "host-clear";
    case DocumentKind::kGuardShow: return "guard-show";
    case DocumentKind::kGuardOpen: return "guard-open";
    case DocumentKind::kGuardClose: return "guard-close";
    case DocumentKind::kGuardTest: return "guard-test";
    case DocumentKind::kReload: return "reload";
    case DocumentKind::kDoctor: return "doctor";
    case DocumentKind::kMoves: return "moves";
    case DocumentKind::kAudit: return "audit";
    case DocumentKind::kPath: return "path";
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
    case DocumentKind::kHostClaim: return need("claimed", flag_at(document, "claimed").has_value());
    case DocumentKind::kHostRelease: return need("released", flag_at(document, "released").has_value());
    case DocumentKind::kHostClear: return need("cleared", flag_at(document, "cleared").has_value());
    case DocumentKind::kGuardShow:
    case DocumentKind::kGuardOpen:
    case DocumentKind::kGuardClose: return need("segments", is_array("segments"));
    case DocumentKind::kGuardTest: return need("tests", is_array("tests"));
    case DocumentKind::kReload: return need("applied", flag_at(document, "applied").has_value());
    case DocumentKind::kDoctor: return need("checks", is_array("checks"));
    case DocumentKind::kMoves: return need("moves", is_array("moves"));
    case DocumentKind::kAudit: return need("findings", is_array("findings"));
    case DocumentKind::kPath: return need("hops", is_array("hops"));
  }
  return std::nullopt;
}

namespace {

std::string render_host_clear(const Json& document) {
  const std::string ip = text_at(document, "ip");
  const std::string site = text_at(document, "site");
  if (has_findings(DocumentKind::kHostClear, document))
    return fmt::format("{} is not frozen at site {}\n", ip, site);
  return fmt::format("the freeze of {} at site {} is over\n", ip, site);
}

std::string render_host_claim(const Json& document) {
  const std::string who = fmt::format("{} is", text_at(document, "ip"));
  const std::string site = text_at(document, "site");
  if (has_findings(DocumentKind::kHostClaim, document))
    return fmt::format("{} not claimed at site {}: {}\n", who, site, text_at(document, "reason"));
  const auto left = number_at(document, "expected_seconds");
  if (!left) return fmt::format("{} at site {} already\n", who, site);
  const std::string route_class = text_at(document, "route_class");
  return fmt::format("{} claimed at site {} for {}, {}\n", who, site, format_seconds(*left),
                     route_class == "none" ? "without a route: another site's summary covers it"
                                           : "its route is " + route_class);
}

std::string render_host_release(const Json& document) {
  const std::string ip = text_at(document, "ip");
  const std::string site = text_at(document, "site");
  if (has_findings(DocumentKind::kHostRelease, document))
    return fmt::format("{} is not claimed at site {}\n", ip, site);
  return fmt::format("the claim of {} at site {} is over\n", ip, site);
}

std::string render_reload(const Json& document) {
  if (has_findings(DocumentKind::kReload, document))
    return fmt::format("not applied, everything stays as it was: {}\n", text_at(document, "reason"));
  std::string text;
  const auto add = [&](std::string_view key, std::string_view label) {
    for (const Json& name : array_at(document, key))
      if (name.is_string()) text += fmt::format("{} {}\n", label, printable(name.get<std::string>()));
  };
  add("changed", "changed       ");
  add("needs_restart", "needs restart ");
  return text.empty() ? "nothing has changed\n" : text;
}

}  // namespace

std::string render(DocumentKind kind, const Json& document, const Style& style) {
  switch (kind) {
    case DocumentKind::kStatus: return render_status(document, style);
    case DocumentKind::kHosts: return render_hosts(document, style);
    case DocumentKind::kRoutes: return render_routes(document, style);
    case DocumentKind::kExplain: return render_explain(document, style);
    case DocumentKind::kHostClaim: return render_host_claim(document);
    case DocumentKind::kHostRelease: return render_host_release(document);
    case DocumentKind::kHostClear: return render_host_clear(document);
    case DocumentKind::kGuardShow:
    case DocumentKind::kGuardOpen:
    case DocumentKind::kGuardClose: return render_guard(document, style);
    case DocumentKind::kGuardTest: return render_guard_test(document, style);
    case DocumentKind::kReload: return render_reload(document);
    case DocumentKind::kDoctor: return render_doctor(document, style);
    case DocumentKind::kMoves: return render_moves(document, style);
    case DocumentKind::kAudit: return render_audit(document, style);
    case DocumentKind::kPath: return render_path(document, style);
  }
  return {};
}

bool has_findings(DocumentKind kind, const Json& document) {
  switch (kind) {
    case DocumentKind::kStatus: return !is_healthy(document);
    case DocumentKind::kExplain: return !flag_at(document, "found").value_or(false);
    case DocumentKind::kHostClaim: return !flag_at(document, "claimed").value_or(false);
    case DocumentKind::kHostRelease: return !flag_at(document, "released").value_or(false);
    case DocumentKind::kHostClear: return !flag_at(document, "cleared").value_or(false);
    case DocumentKind::kGuardShow: return !is_guard_closed(document);
    case DocumentKind::kGuardTest: return !flag_at(document, "passed").value_or(false);
    case DocumentKind::kReload: return !flag_at(document, "applied").value_or(false);
    case DocumentKind::kDoctor: return !flag_at(document, "fit").value_or(false);
    case DocumentKind::kAudit: return has_audit_findings(document);
    case DocumentKind::kPath: return flag_at(document, "trombone").value_or(false);
    case DocumentKind::kGuardOpen:
    case DocumentKind::kGuardClose:
    case DocumentKind::kHosts:
    case DocumentKind::kMoves:
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
