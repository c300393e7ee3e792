// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/guard_rules.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace untrombone::arp {
namespace {

/// What marks a frame from the DCI for its end at the next hook. Nothing that lives on ever carries it.
constexpr const char* kMark = "0x756e7472";  // "untr"

/// The ways in which a port belongs to a segment: with all its frames, with those without a tag, or with those of one
/// VLAN. Each has its own sets, and the same rules over them.
struct Flavour {
  std::string_view suffix;  ///< of the sets' names
  std::string_view only;    ///< which frames, where the set's key does not say it
  std::string_view type;    ///< of a set's key, after "iifname"
  std::string_view arp;     ///< what an ARP frame is known by
  std::string_view ip6;
};
constexpr Flavour kWholePort{"", "", "", "meta protocol arp", "meta protocol ip6"};
constexpr Flavour kUntagged{"_untagged", "ether type != { 8021q, 8021ad } ", "", "ether type arp",
                            "ether type ip6"};
constexpr Flavour kOneVlan{"_vlan", "", " . vlan id", "vlan type arp", "vlan type ip6"};
constexpr const Flavour* kFlavours[] = {&kWholePort, &kUntagged, &kOneVlan};

const Flavour& flavour_of(const GuardPort& port) {
  if (!port.vlan) return kWholePort;
  return *port.vlan == 0 ? kUntagged : kOneVlan;
}

/// A set or map of the guard, without the suffix of its flavour.
struct SetKind {
  std::string_view name;
  std::string_view rest;  ///< of its type, after the port
};
constexpr SetKind kSetKinds[] = {
    {"dci_ports", ""},
    {"gateways", " . arp daddr ip"},
    {"gateway_targets", " . @th,64,128"},
    {"gateway_sources", " . ip6 saddr"},
    {"ra_ports", ""},
    {"fhrp_ports", ""},
    {"dhcp_ports", ""},
    {"strict_ports", ""},
    {"strict_macs", " . ether saddr"},
    {"rewrites", " . ether daddr : ether daddr"},
};

bool is_map(const SetKind& kind) { return kind.rest.find(" : ") != std::string_view::npos; }

std::string set_name(std::string_view kind, const Flavour& flavour) {
  return fmt::format("{}{}", kind, flavour.suffix);
}

/// As one number without leading zeros: how nft writes an element of a set over raw payload.
std::string as_number(const core::IpAddress& address) {
  const std::string digits = fmt::format("{:02x}", fmt::join(address.octets(), ""));
  const auto first = digits.find_first_not_of('0');
  return "0x" + (first == std::string::npos ? "0" : digits.substr(first));
}

/// Collects elements under the names of the sets.
class Collector {
 public:
  explicit Collector(GuardSets& sets) : sets_(sets) {}

  void add(const GuardPort& port, std::string_view kind, const std::string& rest = {}) {
    if (!can_guard(port.name)) return;
    const Flavour& flavour = flavour_of(port);
    std::string key = port.name;
    if (port.vlan.value_or(0) != 0) key += fmt::format(" . {}", *port.vlan);
    if (!rest.empty()) key += " . " + rest;
    sets_[set_name(kind, flavour)].insert(std::move(key));
  }

 private:
  GuardSets& sets_;
};

void collect_dci_port(const GuardedSegment& segment, const GuardPort& port, Collector& out) {
  const bool guarded = !segment.gateways.empty() || segment.ra || segment.fhrp || segment.dhcp ||
                       segment.strict || !segment.strict_macs.empty();
  if (guarded) out.add(port, "dci_ports");
  for (const core::IpAddress& gateway : segment.gateways) {
    if (gateway.is_v4()) {
      out.add(port, "gateways", gateway.to_string());
    } else {
      out.add(port, "gateway_targets", as_number(gateway));
      out.add(port, "gateway_sources", gateway.to_string());
    }
  }
  if (segment.ra) out.add(port, "ra_ports");
  if (segment.fhrp) out.add(port, "fhrp_ports");
  if (segment.dhcp) out.add(port, "dhcp_ports");
  if (segment.strict) out.add(port, "strict_ports");
  for (const core::MacAddress& mac : segment.strict_macs) out.add(port, "strict_macs", mac.to_string());
}

/// An element as nft reads it: the port's name in quotes.
std::string quoted(const std::string& element) {
  const auto end = element.find(' ');
  const std::string name = element.substr(0, end);
  return fmt::format("\"{}\"{}", name, end == std::string::npos ? "" : element.substr(end));
}

template <typename Elements>
std::string list_of(const Elements& elements) {
  std::vector<std::string> texts;
  texts.reserve(elements.size());
  for (const std::string& element : elements) texts.push_back(quoted(element));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string render_set(const SetKind& kind, const Flavour& flavour, const GuardSets& sets) {
  const std::string name = set_name(kind.name, flavour);
  const auto found = sets.find(name);
  std::string elements;
  if (found != sets.end() && !found->second.empty())
    elements = fmt::format("    elements = {{ {} }}\n", list_of(found->second));
  return fmt::format("  {} {} {{\n    typeof iifname{}{}\n{}  }}\n", is_map(kind) ? "map" : "set", name,
                     flavour.type, kind.rest, elements);
}

/// One direction's view of a frame.
struct Direction {
  std::string_view name;       ///< of chains and counters
  std::string_view interface;  ///< which of the frame's interfaces is the DCI port
  std::string_view verdict;
};
constexpr Direction kFromDci{"from_dci", "iifname", "goto condemned"};
constexpr Direction kToDci{"to_dci", "oifname", "drop"};

std::string end_of(std::string_view what, const Direction& direction) {
  return fmt::format("counter name {}_{} {}\n", what, direction.name, direction.verdict);
}

/// nft 1.0.6 has no name for the target of a solicitation or advertisement: it is 128 bits at bit 64 of the transport
/// header.
std::string gateway_rules(const Flavour& flavour, const Direction& direction) {
  const std::string key = fmt::format("{}{}", direction.interface, flavour.type);
  const auto set = [&](std::string_view kind) { return set_name(kind, flavour); };
  const auto rule = [&](std::string_view protocol, std::string_view field, std::string_view kind,
                        std::string_view counter) {
    return fmt::format("    {} {} . {} @{} {}", protocol, key, field, set(kind), end_of(counter, direction));
  };
  const std::string ask = fmt::format("{} icmpv6 type nd-neighbor-solicit", flavour.ip6);
  const std::string either =
      fmt::format("{} icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }}", flavour.ip6);
  return rule(flavour.arp, "arp daddr ip", "gateways", "arp_target") +
         rule(flavour.arp, "arp saddr ip", "gateways", "arp_sender") +
         rule(either, "@th,64,128", "gateway_targets", "nd_target") +
         rule(ask, "ip6 saddr", "gateway_sources", "nd_sender");
}

std::string option_rules(const Flavour& flavour, const Direction& direction) {
  const std::string key = fmt::format("{}{}", direction.interface, flavour.type);
  std::string text;
  for (const std::string_view what : {"ra", "fhrp", "dhcp"})
    text += fmt::format("    {} @{} jump {}_{}\n", key, set_name(fmt::format("{}_ports", what), flavour),
                        what, direction.name);
  return text;
}

/// Only from the DCI: what the edge itself routes to a guest behind the DCI carries the gateway's MAC, too.
std::string strict_rules(const Flavour& flavour) {
  const std::string key = fmt::format("iifname{}", flavour.type);
  return fmt::format("    {0} . ether saddr @{1} {3}    {0} @{2} ether saddr @virtual_macs {3}", key,
                     set_name("strict_macs", flavour), set_name("strict_ports", flavour),
                     end_of("strict", kFromDci));
}

std::string render_direction(const Direction& direction) {
  std::string text;
  for (const Flavour* flavour : kFlavours) {
    text += fmt::format("  chain {}{} {{\n{}{}{}  }}\n", direction.name, flavour->suffix,
                        gateway_rules(*flavour, direction), option_rules(*flavour, direction),
                        direction.name == kFromDci.name ? strict_rules(*flavour) : "");
  }
  return text;
}

/// Router discovery and redirects; VRRP 2 and 3, which CARP looks like; HSRP 1, 2 and IPv6; GLBP; DHCP to everybody.
std::string render_options(const Direction& direction) {
  return fmt::format(R"(  chain ra_{0} {{
    meta protocol ip6 icmpv6 type {{ nd-router-solicit, nd-router-advert, nd-redirect }} {1}\
    meta protocol ip icmp type {{ router-solicitation, router-advertisement, redirect }} {1}\
  }}
  chain fhrp_{0} {{
    meta protocol ip ip daddr 224.0.0.18 ip protocol 112 {2}\
    meta protocol ip6 ip6 daddr ff02::12 meta l4proto 112 {2}\
    meta protocol ip ip daddr {{ 224.0.0.2, 224.0.0.102 }} udp dport {{ 1985, 3222 }} {2}\
    meta protocol ip6 ip6 daddr ff02::66 udp dport {{ 2029, 3222 }} {2}\
  }}
  chain dhcp_{0} {{
    meta protocol ip ether daddr & 01:00:00:00:00:00 != 00:00:00:00:00:00 udp dport {{ 67, 68 }} {3}\
    meta protocol ip6 ether daddr & 01:00:00:00:00:00 != 00:00:00:00:00:00 udp dport {{ 546, 547 }} {3}\
  }}
)",
                     direction.name, end_of("ra", direction), end_of("fhrp", direction),
                     end_of("dhcp", direction));
}

/// A line that ends in a backslash goes on in the next one, without it.
std::string joined(std::string text) {
  for (auto at = text.find("\n\\\n"); at != std::string::npos; at = text.find("\n\\\n", at))
    text.replace(at, 3, "\n");
  return text;
}

std::string render_hooks() {
  const auto dispatch = [](const Direction& direction) {
    std::string text;
    for (const Flavour* flavour : kFlavours)
      text += fmt::format("    {}{}{} @{} jump {}{}\n", flavour->only, direction.interface, flavour->type,
                          set_name("dci_ports", *flavour), direction.name, flavour->suffix);
    return text;
  };
  std::string rewrites;
  for (const Flavour* flavour : kFlavours)
    rewrites += fmt::format(
        "    {}ether daddr set iifname{} . ether daddr map @{} meta pkttype set host counter name "
        "rewritten\n",
        flavour->only, flavour->type, set_name("rewrites", *flavour));
  return fmt::format(R"(  chain arriving {{
    type filter hook prerouting priority 300; policy accept;
{0}{1}  }}
  chain bridged {{
    type filter hook forward priority filter; policy accept;
    meta mark {3} drop
{2}  }}
  chain received {{
    type filter hook input priority filter; policy accept;
    meta mark {3} drop
  }}
  chain sent {{
    type filter hook output priority filter; policy accept;
{2}  }}
)",
                     rewrites, dispatch(kFromDci), dispatch(kToDci), kMark);
}

std::string render_constants() {
  std::string text = R"(  set virtual_macs {
    type ether_addr
    flags interval
    elements = { 00:00:0c:07:ac:00-00:00:0c:07:ac:ff, 00:00:0c:9f:f0:00-00:00:0c:9f:ff:ff, \
                 00:00:5e:00:01:00-00:00:5e:00:02:ff, 00:05:73:a0:00:00-00:05:73:a0:0f:ff, \
                 00:07:b4:00:00:00-00:07:b4:00:ff:ff }
  }
)";
  for (const std::string& counter : guard_counters()) text += fmt::format("  counter {} {{}}\n", counter);
  text += fmt::format("  chain condemned {{\n    meta mark set {} accept\n  }}\n", kMark);
  return text;
}

std::string removal_of(std::string_view family) {
  return fmt::format("table {0} {1} {{}}\ndelete table {0} {1}\n", family, kGuardTable);
}

std::string element_command(std::string_view verb, const std::string& set,
                            const std::vector<std::string>& elements) {
  if (elements.empty()) return {};
  return fmt::format("{} element bridge {} {} {{ {} }}\n", verb, kGuardTable, set, list_of(elements));
}

}  // namespace

bool can_guard(std::string_view port_name) {
  return !port_name.empty() && port_name.find_first_of("\"*\\") == std::string_view::npos &&
         std::all_of(port_name.begin(), port_name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

GuardSets guard_sets(const std::vector<GuardedSegment>& segments) {
  GuardSets sets;
  Collector out(sets);
  for (const GuardedSegment& segment : segments) {
    for (const GuardPort& port : segment.dci_ports) collect_dci_port(segment, port, out);
    for (const GuardPort& port : segment.local_ports) {
      for (const MacRewrite& rewrite : segment.rewrites)
        out.add(port, "rewrites", fmt::format("{} : {}", rewrite.from.to_string(), rewrite.to.to_string()));
    }
  }
  return sets;
}

std::string render_guard(const GuardSets& sets) {
  std::string text = removal_of("bridge") + fmt::format("table bridge {} {{\n", kGuardTable);
  for (const Flavour* flavour : kFlavours) {
    for (const SetKind& kind : kSetKinds) text += render_set(kind, *flavour, sets);
  }
  text += render_constants();
  for (const Direction* direction : {&kFromDci, &kToDci})
    text += joined(render_options(*direction)) + render_direction(*direction);
  return text + render_hooks() + "}\n";
}

std::string render_guard_changes(const GuardSets& before, const GuardSets& after) {
  static const std::set<std::string> kNone;
  const auto elements_of = [](const GuardSets& sets, const std::string& name) -> const auto& {
    const auto found = sets.find(name);
    return found == sets.end() ? kNone : found->second;
  };
  std::string text;
  for (const Flavour* flavour : kFlavours) {
    for (const SetKind& kind : kSetKinds) {
      const std::string name = set_name(kind.name, *flavour);
      const auto& old_elements = elements_of(before, name);
      const auto& new_elements = elements_of(after, name);
      std::vector<std::string> gone;
      std::vector<std::string> added;
      std::set_difference(old_elements.begin(), old_elements.end(), new_elements.begin(), new_elements.end(),
                          std::back_inserter(gone));
      std::set_difference(new_elements.begin(), new_elements.end(), old_elements.begin(), old_elements.end(),
                          std::back_inserter(added));
      text += element_command("delete", name, gone) + element_command("add", name, added);
    }
  }
  return text;
}

std::string render_hand_overs(const std::vector<GuardedSegment>& segments) {
  std::set<std::string> devices;
  std::set<std::string> rules;
  for (const GuardedSegment& segment : segments) {
    if (!segment.hand_over || !can_guard(segment.hand_over->dci_port)) continue;
    for (const GuardPort& port : segment.local_ports) {
      if (!can_guard(port.name)) continue;
      devices.insert(quoted(port.name));
      rules.insert(
          fmt::format("    iifname \"{}\" ether daddr {} meta protocol {{ ip, ip6 }} fwd to \"{}\"\n",
                      port.name, segment.hand_over->mac.to_string(), segment.hand_over->dci_port));
    }
  }
  if (rules.empty()) return removal_of("netdev");
  return removal_of("netdev") + fmt::format(R"(table netdev {} {{
  chain arriving {{
    type filter hook ingress devices = {{ {} }} priority filter; policy accept;
{}  }}
}}
)",
                                            kGuardTable, fmt::join(devices, ", "), fmt::join(rules, ""));
}

std::string render_guard_removal() { return removal_of("bridge") + removal_of("netdev"); }

const std::vector<std::string>& guard_counters() {
  static const std::vector<std::string> kNames{
      "arp_target_from_dci", "arp_sender_from_dci", "nd_target_from_dci", "nd_sender_from_dci",
      "ra_from_dci",         "fhrp_from_dci",       "dhcp_from_dci",      "strict_from_dci",
      "arp_target_to_dci",   "arp_sender_to_dci",   "nd_target_to_dci",   "nd_sender_to_dci",
      "ra_to_dci",           "fhrp_to_dci",         "dhcp_to_dci",        "rewritten"};
  return kNames;
}

}  // namespace untrombone::arp
