// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/render_explain.hpp"

#include <optional>

#include <fmt/format.h>

#include "agent/cli/quantity.hpp"
#include "agent/cli/table.hpp"

namespace untrombone::cli {
namespace {

constexpr std::string_view kNoReason = "none";  // core::Reason::kNone

std::optional<std::string> age_at(const Json& object, std::string_view key) {
  const auto seconds = number_at(object, key);
  if (!seconds) return std::nullopt;
  return format_seconds(*seconds) + " ago";
}

/// "  label      text"
std::string fact(std::string_view label, std::string_view text) {
  return fmt::format("  {:<9}  {}\n", label, text);
}

/// An age as the last part of a sentence, or nothing.
std::string tail_age(const Json& object, std::string_view key, std::string_view before) {
  const auto age = age_at(object, key);
  return age ? fmt::format("{}{}", before, *age) : "";
}

/// "LOCAL here (site dc-b)" and its relatives.
std::string render_verdict(const Json& document, const Style& style) {
  const std::string site = text_at(document, "site");
  const std::string verdict = text_at(document, "verdict", "unknown");
  const std::string state = text_at(document, "state");
  if (verdict == "local") {
    const std::string_view doubt = state == "provisional" ? ", provisionally" : "";
    return fmt::format("{} here (site {}){}", paint(style, Colour::kGreen, "LOCAL"), site, doubt);
  }
  if (verdict == "remote") {
    const std::string_view doubt = state == "departing" ? ", its route lingers" : "";
    return fmt::format("{}, not at this site ({}){}", paint(style, Colour::kYellow, "REMOTE"), site, doubt);
  }
  return fmt::format("{} here (site {})", paint(style, Colour::kYellow, "UNKNOWN"), site);
}

std::string render_sentence(const Json& document, const Style& style) {
  const std::string ip = text_at(document, "ip");
  if (!flag_at(document, "found").value_or(false)) {
    const std::string detail = text_at(document, "detail", "");
    return fmt::format("{} is {} here (site {}){}{}\n", ip, paint(style, Colour::kRed, "NOT KNOWN"),
                       text_at(document, "site"), detail.empty() ? "" : ": ", detail);
  }
  const std::string reason = text_at(document, "reason", kNoReason);
  const std::string because = reason == kNoReason ? "" : fmt::format(": {}", reason);
  return fmt::format("{} is {}{}{}\n", ip, render_verdict(document, style), because,
                     tail_age(document, "since_seconds", because.empty() ? ", since " : ", "));
}

std::string render_state(const Json& document, const Style& style) {
  const std::string state = text_at(document, "state");
  const auto heard = age_at(document, "heard_seconds");
  return fact("state", fmt::format("{} since {}, {}", paint(style, colour_of(state), state),
                                   text_at(document, "since"),
                                   heard ? fmt::format("last heard {}", *heard) : "never heard itself"));
}

/// An operator claims it for this site ahead of its move.
std::string render_expectation(const Json& document) {
  const auto left = number_at(document, "expected_seconds");
  if (!left) return {};
  const bool bare = object_at(document, "route").empty();
  return fact("expected",
              fmt::format("an operator claims it for this site, for another {}{}", format_seconds(*left),
                          bare ? "; no route ahead of it, see the claims" : ""));
}

std::string name_evidence(const std::string& evidence) {
  if (evidence == "fdb") return "by the bridge's FDB";
  if (evidence == "arp") return "by an ARP frame";
  if (evidence == "arp-request") return "by an ARP request";
  if (evidence == "arp-reply") return "by an ARP reply";
  if (evidence == "rarp") return "by a RARP frame";
  if (evidence == "nd") return "by a neighbour discovery frame";
  return fmt::format("by {}", evidence);
}

std::string render_location(const Json& document) {
  const Json& location = object_at(document, "location");
  if (location.empty()) return fact("location", "no port is known for its MAC");
  const bool down = !flag_at(location, "up").value_or(true);
  const bool forgotten = !flag_at(location, "listed").value_or(true);
  return fact("location", fmt::format("port {} ({}{}), seen there {}{}{}", text_at(location, "port"),
                                      text_at(location, "class"), down ? ", down" : "",
                                      name_evidence(text_at(location, "evidence")),
                                      tail_age(location, "age_seconds", " "),
                                      forgotten ? "; the bridge has forgotten it since" : ""));
}

std::string render_latency(const Json& latency) {
  const auto sent = number_at(latency, "sent");
  const auto installed = number_at(latency, "installed");
  if (!sent && !installed) return {};
  std::string text = sent ? fmt::format("first frame to zebra's socket {}", format_microseconds(*sent))
                          : std::string("not written to zebra's socket yet");
  text += installed ? fmt::format(", to zebra's acknowledgement {}", format_microseconds(*installed))
                    : std::string(", zebra has not acknowledged it");
  return fact("", text);
}

std::string render_route(const Json& document, const Style& style) {
  const Json& route = object_at(document, "route");
  const Json& summary = object_at(document, "summary");
  if (route.empty() && !summary.empty())
    return fact("route", fmt::format("none of its own: {} stands for it", text_at(summary, "prefix")));
  if (route.empty()) {
    if (text_at(document, "verdict") != "local") return fact("route", "none; only a local host has one");
    return fact("route",
                paint(style, Colour::kRed, "none, although the host is local; see untrombone status"));
  }
  const std::string state = text_at(route, "state");
  const std::string age = tail_age(route, "age_seconds", "; changed ");
  const std::string why =
      find(route, "reason") == nullptr ? "" : fmt::format(" ({})", text_at(route, "reason"));
  const std::string vrf =
      find(route, "vrf") == nullptr ? "" : fmt::format(" in VRF {}", text_at(route, "vrf"));
  // A route that is being removed has no attributes any more.
  if (find(route, "class") == nullptr) {
    return fact("route", fmt::format("{}, {}{}", text_at(route, "prefix"),
                                     paint(style, colour_of(state), state), age));
  }
  std::string text = fact(
      "route", fmt::format("{} on {}{}, {}, {}{}{}", text_at(route, "prefix"), text_at(route, "interface"),
                           vrf, text_at(route, "class"), paint(style, colour_of(state), state), why, age));
  text += fact("", fmt::format("distance {}, metric {}, tag {}", text_at(route, "distance"),
                               text_at(route, "metric"), text_at(route, "tag")));
  return text + render_latency(object_at(route, "latency_us"));
}

/// The summary that stands for it, or is about to.
std::string render_summary(const Json& document, const Style& style) {
  const Json& route = object_at(document, "summary");
  if (route.empty()) return {};
  const Json& summary = object_at(route, "summary");
  const std::string state = text_at(route, "state");
  std::string text =
      fact("summary",
           fmt::format("{} on {}, {}, for {} hosts{}", text_at(route, "prefix"), text_at(route, "interface"),
                       paint(style, colour_of(state), state), text_at(route, "host_count", "0"),
                       tail_age(route, "age_seconds", "; changed ")));
  if (summary.empty()) return text;
  const auto due = number_at(summary, "due_seconds");
  text += fact("", fmt::format("{}{}", text_at(summary, "state"),
                               due ? fmt::format(", for another {}", format_seconds(*due)) : ""));
  text += fact("", fmt::format("not shorter: {}", text_at(summary, "why")));
  return text + fact("", fmt::format("split when {}", text_at(summary, "splits_when")));
}

/// The block that the outside knows it by.
std::string render_external(const Json& document) {
  const Json& block = object_at(document, "external");
  if (block.empty()) return {};
  const std::string counts = fmt::format("{} of its hosts here, {} elsewhere", text_at(block, "here", "0"),
                                         text_at(block, "elsewhere", "0"));
  const std::string route_class = text_at(block, "class");
  std::string_view what = "not announced yet";
  if (route_class == "external") what = "announced from here";
  if (route_class == "reserve") what = "in reserve here, behind the site with the majority";
  std::string text = fact("outside", fmt::format("{}, {}: {}", text_at(block, "prefix"), what, counts));
  const auto due = number_at(block, "due_seconds");
  return due ? text + fact("", fmt::format("{} in {}", text_at(block, "next_class"), format_seconds(*due)))
             : text;
}

std::string render_claims(const Json& document) {
  std::string text;
  for (const Json& claim : array_at(document, "claims")) {
    const std::string metric =
        find(claim, "metric") == nullptr ? "" : fmt::format(", metric {}", text_at(claim, "metric"));
    text += fact(text.empty() ? "claims" : "",
                 fmt::format("another site announces {}, {}{}, by {}; seen in {}{}", text_at(claim, "prefix"),
                             text_at(claim, "class"), metric, text_at(claim, "next_hop"),
                             text_at(claim, "seen_in"), tail_age(claim, "age_seconds", " ")));
  }
  return text;
}

std::string render_greeting(const Json& document, const Style& style) {
  const Json& greeting = object_at(document, "greeting");
  const std::string sent = text_at(greeting, "sent", "0");
  if (sent == "0") return fact("greeting", "none sent");
  const bool answered = flag_at(greeting, "answered").value_or(false);
  const auto latency = number_at(greeting, "first_latency_us");
  return fact(
      "greeting",
      fmt::format("{} sent{}, {}", sent,
                  latency ? fmt::format(", the first {} after the frame", format_microseconds(*latency)) : "",
                  answered ? "and the guest uses the local gateway"
                           : paint(style, Colour::kYellow, "but the guest has not used the local gateway")));
}

std::string render_guard(const Json& document, const Style& style) {
  const Json& guard = object_at(document, "guard");
  const std::string state = text_at(guard, "state");
  return fact("guard", fmt::format("{}; gateway {} is {} here{}", paint(style, colour_of(state), state),
                                   text_at(guard, "gateway"), text_at(guard, "gateway_mac"),
                                   state == "active" ? ", and its ARP stays off the DCI" : ""));
}

std::string render_history(const Json& document, const Style& style) {
  Table table({{"AGO", Align::kRight}, {"AT"}, {"FROM"}, {"TO"}, {"PORT"}, {"REASON"}});
  for (const Json& step : array_at(document, "history")) {
    const auto seconds = number_at(step, "ago_seconds");
    const std::string to = text_at(step, "to");
    table.add({{seconds ? format_seconds(*seconds) : "-"},
               {text_at(step, "at")},
               {text_at(step, "from")},
               {to, colour_of(to)},
               {text_at(step, "port")},
               {text_at(step, "reason")}});
  }
  return table.empty() ? "" : fmt::format("\nhistory, oldest first\n{}", table.render(style, "  "));
}

}  // namespace

std::string render_explain(const Json& document, const Style& style) {
  std::string text = render_sentence(document, style);
  if (flag_at(document, "found").value_or(false)) {
    const std::string binding =
        fmt::format("{} has MAC {} in segment {}", text_at(document, "ip"),
                    text_at(document, "mac", "(not known)"), text_at(document, "segment"));
    text += "\n" + fact("binding", binding);
    text += render_state(document, style) + render_expectation(document) + render_location(document) +
            render_route(document, style) + render_summary(document, style) + render_external(document) +
            render_claims(document) + render_greeting(document, style) + render_guard(document, style);
  }
  return text + render_history(document, style);
}

}  // namespace untrombone::cli
