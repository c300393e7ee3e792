// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "agent/audit/report.hpp"

namespace untrombone::audit {
namespace {

using Json = nlohmann::ordered_json;

// The picture, in pixels.
constexpr int kWidth = 960;
constexpr int kDot = 14;
constexpr int kColumns = 26;
constexpr int kBoxWidth = kColumns * kDot + 24;
constexpr int kTop = 96;
constexpr int kMargin = 10;
constexpr std::size_t kMostDots = 520;  // of one site; the rest is counted

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string text_at(const Json& object, const char* key, const char* otherwise = "-") {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string(otherwise);
}

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>untrombone audit</title>
<style>
 :root { --ink:#1c2733; --dim:#5f6f80; --line:#c9d3dc; --paper:#fff; --ok:#2f8f5b; --warning:#9a6700; --amber:#d99a10;
         --error:#c6392f; --away:#8aa0b4; --unknown:#b9c5cf; }
 @media (prefers-color-scheme: dark) { :root { --ink:#e4ebf2; --dim:#93a3b3; --line:#3a4856; --paper:#161d24;
         --ok:#4fb37f; --warning:#e0a82e; --amber:#e0a82e; --error:#f2705f; --unknown:#4a5966; --away:#7d93a8; } }
 body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
        margin: 2rem auto; padding: 0 1rem; }
 h1 { font-size: 1.4rem; margin: 0; } .dim, td.hint { color: var(--dim); }
 .picture { overflow-x: auto; } svg { width: 100%; min-width: 44rem; height: auto; margin: 1rem 0 .5rem; } svg text {
         fill: var(--ink); font: 13px system-ui, sans-serif; }
 svg text.dim { fill: var(--dim); } svg .box { fill: none; stroke: var(--line); stroke-width: 1.5; }
 svg .wire { stroke: var(--line); stroke-width: 3; } svg .cut { stroke: var(--ok); stroke-width: 3; }
 svg .leak { stroke: var(--error); stroke-width: 3; stroke-dasharray: 6 4; }
 .ok { fill: var(--ok); } .warning { fill: var(--amber); } .error { fill: var(--error); } .away { fill: var(--away); }
 .unknown { fill: var(--unknown); }
 table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .35rem .6rem
         .35rem 0; border-top: 1px solid var(--line); } th { border: 0; font-weight: 600; }
 td b { white-space: nowrap; } td.error b { color: var(--error); } td.warning b { color: var(--warning); }
 code { font-size: .85em; }
</style></head><body>
)";

/// One dot of the picture.
struct Dot {
  std::string title;
  std::string_view look;
  bool operator<(const Dot& other) const { return rank() < other.rank(); }
  /// What is wrong comes first, so that it is not among those that are only counted.
  [[nodiscard]] int rank() const { return look == "error" ? 0 : look == "warning" ? 1 : 2; }
};

class Picture {
 public:
  Picture(const Snapshot& snapshot, const Json& report) : snapshot_(snapshot) {
    for (const Json& finding : report["findings"]) {
      const std::string subject = text_at(finding, "subject");
      std::string& severity = severities_[subject.substr(0, subject.find('/'))];
      if (severity != "error") severity = text_at(finding, "severity");
      titles_[subject.substr(0, subject.find('/'))] += "\n" + text_at(finding, "id");
      if (text_at(finding, "id").starts_with("guard-")) guarded_ = false;
    }
    if (!snapshot.guard || !snapshot.guard->present) guarded_ = false;
  }

  [[nodiscard]] std::string render() const {
    std::vector<Dot> here;
    std::vector<Dot> away;
    for (const HostFact& host : snapshot_.hosts) {
      const bool remote = host.place() == Place::kRemote;
      (remote ? away : here).push_back(dot_of(host));
    }
    std::stable_sort(here.begin(), here.end());
    std::stable_sort(away.begin(), away.end());
    const int height = kTop + std::max(box_height(here), box_height(away)) + 40;
    const int right = kWidth - kBoxWidth - kMargin;
    const int foot = kBoxWidth * 3 / 4;  // of the wire, so that the text beside it has room
    const int middle = kTop + 30;
    std::string svg = fmt::format(
        R"(<svg viewBox="0 0 {} {}" role="img" aria-label="sites, hosts and findings">)", kWidth, height);
    svg += fmt::format(R"(<text x="{0}" y="20" text-anchor="middle">routed network</text>)", kWidth / 2);
    svg += fmt::format(R"(<path class="wire" fill="none" d="M{} {} L{} 32 L{} {}"/>)", kMargin + foot, kTop,
                       kWidth / 2, right + kBoxWidth - foot, kTop);
    svg += render_entry(kMargin);
    svg += fmt::format(R"(<path class="{}" d="M{} {} L{} {}"/>)", guarded_ ? "cut" : "leak",
                       kMargin + kBoxWidth, middle, right, middle);
    svg += fmt::format(R"(<text class="dim" x="{}" y="{}" text-anchor="middle">DCI</text>)", kWidth / 2,
                       middle - 26);
    svg += fmt::format(R"(<text class="dim" x="{}" y="{}" text-anchor="middle">guard {}</text>)", kWidth / 2,
                       middle - 10, guarded_ ? "closed" : "not closed");
    svg += render_site(kMargin, "site " + snapshot_.site, here);
    svg += render_site(right, "other sites", away);
    return "<div class=picture>" + svg + render_legend(height - 12) + "</svg></div>\n";
  }

 private:
  static std::string render_legend(int y) {
    constexpr std::array<std::array<std::string_view, 2>, 5> kLooks = {{{"ok", "here"},
                                                                        {"away", "at another site"},
                                                                        {"unknown", "nobody knows where"},
                                                                        {"warning", "a warning"},
                                                                        {"error", "an error"}}};
    std::string svg;
    int x = kMargin + 17;
    for (const auto& [look, meaning] : kLooks) {
      svg += fmt::format(
          R"(<circle class="{}" cx="{}" cy="{}" r="5"/><text class="dim" x="{}" y="{}">{}</text>)", look, x,
          y - 4, x + 12, y, meaning);
      x += 44 + static_cast<int>(meaning.size()) * 7;
    }
    return svg;
  }

  [[nodiscard]] Dot dot_of(const HostFact& host) const {
    const std::string ip = host.ip.to_string();
    Dot dot{ip + " " + host.mac.to_string() + " " + std::string(to_string(host.place())), "unknown"};
    if (host.place() == Place::kLocal) dot.look = "ok";
    if (host.place() == Place::kRemote) dot.look = "away";
    const auto severity = severities_.find(ip);
    if (severity != severities_.end()) {
      dot.look = severity->second == "error" ? "error" : "warning";
      dot.title += titles_.at(ip);
    }
    return dot;
  }

  static int box_height(const std::vector<Dot>& dots) {
    const auto shown = static_cast<int>(std::min(dots.size(), kMostDots));
    return 62 + std::max(1, (shown + kColumns - 1) / kColumns) * kDot;
  }

  [[nodiscard]] std::string render_entry(int x) const {
    const auto count = [](const auto& list) {
      return list ? std::to_string(list->size()) : std::string("?");
    };
    return fmt::format(R"(<text class="dim" x="{}" y="{}">{} routes in zebra, {} in the kernel</text>)",
                       x + 12, kTop - 10, count(snapshot_.rib), count(snapshot_.fib));
  }

  static std::string render_site(int x, const std::string& name, const std::vector<Dot>& dots) {
    std::string svg = fmt::format(R"(<rect class="box" rx="6" x="{}" y="{}" width="{}" height="{}"/>)", x,
                                  kTop, kBoxWidth, box_height(dots));
    svg += fmt::format(R"(<text x="{}" y="{}">{}</text>)", x + 12, kTop + 22, escaped(name));
    svg += fmt::format(R"(<text class="dim" x="{}" y="{}" text-anchor="end">{} hosts</text>)",
                       x + kBoxWidth - 12, kTop + 22, dots.size());
    for (std::size_t i = 0; i < std::min(dots.size(), kMostDots); ++i) {
      const int column = static_cast<int>(i) % kColumns;
      const int row = static_cast<int>(i) / kColumns;
      svg +=
          fmt::format(R"(<circle class="{}" cx="{}" cy="{}" r="5"><title>{}</title></circle>)", dots[i].look,
                      x + 12 + kDot / 2 + column * kDot, kTop + 44 + row * kDot, escaped(dots[i].title));
    }
    if (dots.size() > kMostDots) {
      svg += fmt::format(R"(<text class="dim" x="{}" y="{}">and {} more</text>)", x + 12,
                         kTop + box_height(dots) - 8, dots.size() - kMostDots);
    }
    return svg;
  }

  const Snapshot& snapshot_;
  std::map<std::string, std::string> severities_;  ///< the worst, by address
  std::map<std::string, std::string> titles_;
  bool guarded_ = true;
};

std::string render_findings(const Json& findings) {
  if (findings.empty()) return "<p>Nothing is wrong.</p>\n";
  std::string html = "<table><tr><th>finding</th><th>subject</th><th>expected</th><th>observed</th></tr>\n";
  for (const Json& finding : findings) {
    html += fmt::format(
        "<tr><td class=\"{}\"><b>{}</b><br><span class=dim>{}</span></td><td>{}</td><td>{}</td><td>{}<br>"
        "<code class=dim>{}</code></td></tr>\n",
        escaped(text_at(finding, "severity")), escaped(text_at(finding, "id")),
        escaped(text_at(finding, "segment", "no segment")), escaped(text_at(finding, "subject")),
        escaped(text_at(finding, "expected")), escaped(text_at(finding, "observed")),
        escaped(text_at(finding, "hint")));
  }
  return html + "</table>\n";
}

}  // namespace

std::string render_html(const Snapshot& snapshot, const Json& report) {
  const Json& findings = report["findings"];
  std::string html(kHead);
  html +=
      fmt::format("<h1>Site {}: {} finding{}</h1>\n<p class=dim>{}, {}</p>\n", escaped(snapshot.site),
                  findings.size(), findings.size() == 1 ? "" : "s", escaped(text_at(report, "at")),
                  snapshot.agent ? "with the agent's verdicts" : "without an agent: from the kernel alone");
  html += Picture(snapshot, report).render();
  html += render_findings(findings);
  return html + "</body></html>\n";
}

}  // namespace untrombone::audit
