// SPDX-License-Identifier: GPL-2.0-or-later
#include <fnmatch.h>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/cli/doctor_checks.hpp"

namespace untrombone::cli {
namespace {

using netlink::LinkDetails;

const LinkDetails* find_link(const DoctorFacts& facts, const std::string& name) {
  const auto found = std::find_if(facts.links.begin(), facts.links.end(),
                                  [&](const LinkDetails& link) { return link.name == name; });
  return found == facts.links.end() ? nullptr : &*found;
}

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches(pattern, name); });
}

/// One segment against the links of the machine.
class SegmentDoctor {
 public:
  SegmentDoctor(const DoctorFacts& facts, const daemon::SegmentConfig& segment, std::vector<Check>& checks)
      : segment_(segment),
        bridge_(find_link(facts, segment.bridge)),
        interface_(find_link(facts, segment.interface)),
        checks_(checks) {
    if (bridge_ == nullptr) return;
    for (const LinkDetails& link : facts.links) {
      if (link.master == bridge_->index) ports_.push_back(&link);
    }
  }

  void check() {
    check_bridge();
    check_interface();
    if (bridge_ == nullptr) return;
    check_patterns("dci-ports", segment_.dci_ports, Severity::kError);
    check_patterns("peer-ports", segment_.peer_ports, Severity::kWarning);
    if (segment_.dci_ports.empty()) check_without_dci();
    for (const LinkDetails* port : ports_) {
      if (!matches_any(segment_.dci_ports, port->name)) continue;
      check_suppression(*port);
      check_mtu(*port);
    }
  }

 private:
  // NOLINTNEXTLINE(readability-function-size): a check has so many parts, and they are all texts
  void add(std::string_view id, const std::string& subject, std::string seen, std::string wanted, bool good,
           Severity otherwise, std::string_view why, std::string command) {
    checks_.push_back({std::string(id), good ? Severity::kOk : otherwise,
                       fmt::format("{}: {}", segment_.name, subject), std::move(seen), std::move(wanted),
                       std::string(why), std::move(command), std::nullopt});
  }

  void check_bridge() {
    const bool good = bridge_ != nullptr && bridge_->kind == "bridge";
    std::string seen = "does not exist";
    if (bridge_ != nullptr) seen = good ? fmt::format("{} ports", ports_.size()) : "is no bridge";
    add("segment-bridge", segment_.bridge, seen, "a bridge", good, Severity::kError,
        "the segment waits until it is there", fmt::format("ip -d link show {}", segment_.bridge));
  }

  void check_interface() {
    const bool good = interface_ != nullptr && interface_->up;
    std::string seen = "does not exist";
    if (interface_ != nullptr) seen = interface_->up ? "up" : "down";
    add("segment-interface", segment_.interface, seen, "up", good, Severity::kError,
        "routes of the segment's hosts point to it", fmt::format("ip link set {} up", segment_.interface));
  }

  void check_patterns(std::string_view key, const std::vector<std::string>& patterns, Severity otherwise) {
    for (const std::string& pattern : patterns) {
      std::vector<std::string_view> matched;
      std::vector<std::string_view> others;
      for (const LinkDetails* port : ports_) {
        (matches(pattern, port->name) ? matched : others).push_back(port->name);
      }
      const std::string seen = matched.empty() ? fmt::format("matches none of {}", fmt::join(others, ", "))
                                               : fmt::format("{}", fmt::join(matched, ", "));
      add("port-class", fmt::format("{} {}", key, pattern), seen, "matches a port of the bridge",
          !matched.empty(), otherwise, "a port of the wrong class makes every host behind it local here",
          fmt::format("bridge link show master {}", segment_.bridge));
    }
  }

  void check_without_dci() {
    add("port-class", "dci-ports", "none configured", "the ports that lead to other sites", false,
        Severity::kWarning, "every host of every port counts as local, at this site and at the others",
        fmt::format("bridge link show master {}", segment_.bridge));
  }

  void check_suppression(const LinkDetails& port) {
    const bool on = port.neigh_suppress.value_or(false);
    add("port-suppress", port.name, on ? "neigh_suppress on" : "neigh_suppress off", "neigh_suppress off",
        !on, Severity::kError, "it swallows the gratuitous ARPs by which a departure is seen",
        fmt::format("bridge link set dev {} neigh_suppress off", port.name));
  }

  /// Frames that a local port took and the DCI port does not: the bridge drops them without a word.
  void check_mtu(const LinkDetails& dci) {
    std::uint32_t largest = 0;
    std::string_view whose;
    for (const LinkDetails* port : ports_) {
      if (matches_any(segment_.dci_ports, port->name) || port->mtu <= largest) continue;
      largest = port->mtu;
      whose = port->name;
    }
    if (interface_ != nullptr && whose.empty()) {
      largest = interface_->mtu;
      whose = interface_->name;
    }
    add("dci-mtu", dci.name, std::to_string(dci.mtu), fmt::format("{} as {} has, or more", largest, whose),
        dci.mtu >= largest, Severity::kWarning,
        "the bridge drops larger frames at the DCI port without a word",
        fmt::format("ip link set {} mtu {}", dci.name, largest));
  }

  const daemon::SegmentConfig& segment_;
  const LinkDetails* bridge_;
  const LinkDetails* interface_;
  std::vector<const LinkDetails*> ports_;
  std::vector<Check>& checks_;
};

}  // namespace

void check_segments(const DoctorFacts& facts, std::vector<Check>& checks) {
  if (!facts.config) return;
  for (const daemon::SegmentConfig& segment : facts.config->segments) {
    SegmentDoctor(facts, segment, checks).check();
  }
}

}  // namespace untrombone::cli
