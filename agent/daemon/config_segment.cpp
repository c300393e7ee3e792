// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/config_segment.hpp"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "agent/daemon/config_duration.hpp"
#include "agent/daemon/config_values.hpp"

namespace untrombone::daemon {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr NumberRange kHosts{1, 1'000'000};
constexpr NumberRange kTries{1, 100};
constexpr std::array<std::string_view, 2> kDhcpChoices = {"pass", "local"};
constexpr std::array<std::string_view, 2> kFailChoices = {"open", "closed"};
constexpr NumberRange kRates{10, 1'000'000};
constexpr NumberRange kNewHosts{0, 1'000'000};
constexpr NumberRange kLengths4{0, 32};
constexpr NumberRange kLengths6{0, 128};
constexpr NumberRange kExternalLengths{16, 30};  // apart from 0
constexpr NumberRange kBudgets{1, 1'000'000};
constexpr NumberRange kVlans{1, 4094};
constexpr std::array<std::string_view, 4> kModes = {"off", "exact", "cover", "home"};

std::string join(const std::vector<core::IpPrefix>& prefixes) {
  std::vector<std::string> texts;
  texts.reserve(prefixes.size());
  for (const core::IpPrefix& prefix : prefixes) texts.push_back(prefix.to_string());
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// One [[segment]] while it is read.
class SegmentReader {
 public:
  SegmentReader(ConfigReport& report, const toml::table& table, Config& config)
      : config_(config),
        reader_(report, &table, "segment", fmt::format("segment #{}: ", config.segments.size() + 1), 1) {}

  void read() {
    reader_.read_text("name", adapter_.name, check_name);
    if (!adapter_.name.empty()) reader_.set_label(fmt::format("segment \"{}\": ", adapter_.name));
    core_.name = adapter_.name;
    reader_.check_keys();
    read_ports();
    read_addresses();
    read_detect();
    read_summarize();
    read_guard();
    check_against_others();
    config_.segments.push_back(std::move(adapter_));
    config_.core.segments.push_back(std::move(core_));
  }

 private:
  void read_ports() {
    reader_.read_text("bridge", adapter_.bridge, check_interface);
    adapter_.interface = adapter_.bridge;
    reader_.read_number("vlan", adapter_.vlan.value, kVlans);
    reader_.read_text("interface", adapter_.interface, check_interface);
    if (reader_.has("vrf")) reader_.read_text("vrf", adapter_.vrf.emplace(), check_vrf);
    reader_.read_list("dci-ports", adapter_.dci_ports, check_port_pattern);
    reader_.read_list("peer-ports", adapter_.peer_ports, check_port_pattern);
    for (std::size_t i = 0; i < adapter_.peer_ports.size(); ++i) {
      const std::string& port = adapter_.peer_ports[i];
      const auto& others = adapter_.dci_ports;
      if (std::find(others.begin(), others.end(), port) == others.end()) continue;
      reader_.fail_at("peer-ports", i,
                      fmt::format(R"("{}" is in dci-ports, too; expected a port in one of them)", port));
    }
  }

  void read_addresses() {
    reader_.read_list("subnets", core_.subnets, check_subnet);
    if (core_.subnets.empty()) reader_.fail("subnets", "is empty; expected at least one prefix");
    for (std::size_t i = 0; i < core_.subnets.size(); ++i)
      check_overlap(i, core_.subnets, i, "another subnet, ", "disjoint subnets");

    reader_.read_list("gateways", core_.gateways, check_address);
    if (core_.gateways.empty()) reader_.fail("gateways", "is empty; expected at least one address");
    for (std::size_t i = 0; i < core_.gateways.size(); ++i) {
      if (is_link_local_gateway(core_.gateways[i])) continue;
      if (const auto wrong = why_not_usable(core_.gateways[i])) reader_.fail_at("gateways", i, *wrong);
    }
    reader_.read_list("gateway-macs", core_.gateway_macs, check_mac);

    reader_.read_list("exclude", core_.exclude, check_prefix);
    for (std::size_t i = 0; i < core_.exclude.size(); ++i) {
      const core::IpPrefix& excluded = core_.exclude[i];
      const auto& subnets = core_.subnets;
      if (std::any_of(subnets.begin(), subnets.end(),
                      [&](const auto& subnet) { return subnet.contains(excluded); })) {
        continue;
      }
      reader_.fail_at("exclude", i,
                      fmt::format("{} is inside none of the subnets ({}); expected a part of one",
                                  excluded.to_string(), join(subnets)));
    }
  }

  void read_detect() {
    TableReader detect = reader_.child("detect");
    detect.check_keys();
    read_probe_address(detect);
    detect.read_duration("confirm", core_.confirm, {milliseconds(10), minutes(1)});
    detect.read_duration("refresh", core_.refresh, {seconds(1), hours(24)});
    detect.read_duration("silent-after", core_.silent_after, {seconds(1), hours(72)});
    detect.read_number("probe-rate", core_.probe_rate, kRates);
    detect.read_flag("sweep", core_.sweep);
    detect.read_duration("port-hold", core_.port_hold, {seconds(0), minutes(5)});
    detect.read_number("max-hosts", core_.max_hosts, kHosts);
    detect.read_number("max-ips-per-mac", core_.max_ips_per_mac, kHosts);
    detect.read_number("new-host-rate", core_.new_host_rate, kNewHosts);
    if (core_.silent_after <= core_.refresh) {
      detect.fail(
          detect.has("silent-after") ? "silent-after" : "refresh",
          fmt::format("silent-after ({}) is not longer than refresh ({}); expected time for a probe between",
                      format_duration(core_.silent_after), format_duration(core_.refresh)));
    }
    if (core_.confirm > core_.refresh) {
      detect.fail(detect.has("confirm") ? "confirm" : "refresh",
                  fmt::format("confirm ({}) is longer than refresh ({}); expected it to be shorter",
                              format_duration(core_.confirm), format_duration(core_.refresh)));
    }
  }

  void read_probe_address(TableReader& detect) {
    core::IpAddress address;
    detect.read_text("probe-address", address, check_address);
    if (!detect.has("probe-address")) return;
    adapter_.probe_address = address;
    if (core_.is_gateway(address)) {
      return detect.fail("probe-address",
                         fmt::format("{} is a gateway, which every site has; expected an address "
                                     "that exists at this site only",
                                     address.to_string()));
    }
    if (const auto wrong = why_not_usable(address)) detect.fail("probe-address", *wrong);
  }

  void read_summarize() {
    TableReader summarize = reader_.child("summarize");
    summarize.check_keys();
    auto mode = static_cast<std::size_t>(core_.mode);
    summarize.read_choice("mode", mode, kModes);
    core_.mode = static_cast<core::SummaryMode>(mode);
    read_home_blocks(summarize);
    summarize.read_number("shortest", core_.shortest, kLengths4);
    summarize.read_number("shortest6", core_.shortest6, kLengths6);
    summarize.read_duration("break-delay", core_.break_delay, {seconds(0), minutes(5)});
    summarize.read_duration("hold", core_.hold, {seconds(0), hours(1)});
    summarize.read_duration("linger", core_.linger, {seconds(0), hours(1)});
    summarize.read_flag("announce-subnet", core_.announce_subnet);
    summarize.read_number("budget", core_.budget, kBudgets);
    read_external_length(summarize);
  }

  void read_external_length(TableReader& summarize) {
    constexpr std::string_view kKey = "external-length";
    const auto& [low, high] = kExternalLengths;
    summarize.read_number(kKey, core_.external_length, {0, high});
    const std::int64_t length = core_.external_length;
    if (length == 0) return;
    if (length < low)
      return summarize.fail(kKey, fmt::format("{} is too short; expected 0, or {} to {}", length, low, high));
    for (const core::IpPrefix& subnet : core_.subnets) {
      if (!subnet.address().is_v4() || subnet.length() < length) continue;
      return summarize.fail(
          kKey,
          fmt::format("{} is not longer than {}: a block would be the interface's connected route, "
                      "which zebra prefers to ours; expected a longer one, or 0 and `network {}` at the "
                      "domain's border",
                      length, subnet.to_string(), subnet.to_string()));
    }
    if (core_.mode == core::SummaryMode::kHome) {
      return summarize.fail(
          kKey,
          "does not go with mode = \"home\": a visitor's block would draw the traffic of "
          "hosts that have no longer route; expected another mode, or 0 and `network` at the "
          "border of the blocks' home");
    }
    if (config_.sink == SinkKind::kKernelTable) {
      summarize.fail(kKey,
                     "needs tags, which the routes of a kernel table do not have; expected "
                     "sink = \"zapi\" or \"vtysh\", or 0");
    }
  }

  void read_home_blocks(TableReader& summarize) {
    summarize.read_list("home-blocks", core_.home_blocks, check_prefix);
    const auto& blocks = core_.home_blocks;
    if (core_.mode == core::SummaryMode::kHome && blocks.empty())
      summarize.fail("mode", "home without home-blocks; expected at least one block that is this site's");
    if (core_.mode != core::SummaryMode::kHome && !blocks.empty())
      summarize.fail("home-blocks", "is only for mode = \"home\"");
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (!core_.is_inside(blocks[i])) {
        summarize.fail_at(
            "home-blocks", i,
            fmt::format("{} is no part of a subnet ({}); expected a longer prefix inside one: the "
                        "subnet itself is the interface's connected route",
                        blocks[i].to_string(), join(core_.subnets)));
      }
      for (std::size_t other = 0; other < i; ++other) {
        if (!blocks[i].contains(blocks[other]) && !blocks[other].contains(blocks[i])) continue;
        summarize.fail_at("home-blocks", i,
                          fmt::format("{} overlaps {}; expected disjoint blocks", blocks[i].to_string(),
                                      blocks[other].to_string()));
      }
    }
  }

  void read_guard() {
    TableReader guard = reader_.child("guard");
    guard.check_keys();
    GuardConfig& config = adapter_.guard;
    guard.read_flag("enabled", config.enabled);
    guard.read_flag("fhrp", config.fhrp);
    guard.read_flag("ra", config.ra);
    std::size_t choice = 0;
    guard.read_choice("dhcp", choice, kDhcpChoices);
    config.dhcp = choice == 0 ? GuardDhcp::kPass : GuardDhcp::kLocal;
    choice = 0;
    guard.read_choice("fail", choice, kFailChoices);
    config.fail = choice == 0 ? GuardFail::kOpen : GuardFail::kClosed;
    guard.read_flag("adopt-macs", config.adopt_macs);
    guard.read_flag("strict-mac", config.strict_mac);
    if (config.adopt_macs && core_.gateway_macs.empty()) {
      guard.fail("adopt-macs", "is true without gateway-macs; expected the other sites' gateway MACs there");
    }
    guard.read_flag("greet", core_.greet);
    guard.read_number("greet-tries", core_.greet_tries, kTries);
  }

  void check_against_others() {
    for (std::size_t i = 0; i < config_.segments.size(); ++i) {
      const SegmentConfig& other = config_.segments[i];
      if (adapter_.name == other.name) reader_.fail("name", "another segment has it; expected a unique name");
      if (adapter_.interface == other.interface) {
        reader_.fail(reader_.has("interface") ? "interface" : "bridge",
                     fmt::format("{} is the interface of segment \"{}\", too; expected one of its own",
                                 adapter_.interface, other.name));
      }
      if (adapter_.bridge == other.bridge) check_shared_bridge(other);
      const auto& subnets = config_.core.segments[i].subnets;
      if (adapter_.vrf && other.vrf && adapter_.vrf != other.vrf)
        continue;  // the same address twice is two hosts
      const std::string owner = fmt::format("segment \"{}\", ", other.name);
      for (std::size_t s = 0; s < core_.subnets.size(); ++s) {
        check_overlap(s, subnets, subnets.size(), owner, "disjoint subnets, or another vrf in each");
      }
    }
  }

  /// Segments share a bridge, and its ports, by having VLANs of their own.
  void check_shared_bridge(const SegmentConfig& other) {
    if (adapter_.vlan && other.vlan && adapter_.vlan != other.vlan) return;
    if (adapter_.vlan && adapter_.vlan == other.vlan) {
      return reader_.fail("vlan",
                          fmt::format("{} of bridge {} is segment \"{}\", too; expected one of its own",
                                      adapter_.vlan.value, adapter_.bridge, other.name));
    }
    if (!adapter_.vlan && !other.vlan) {
      return reader_.fail(
          "bridge", fmt::format("{} is the bridge of segment \"{}\", too; expected one of its own, or a "
                                "vlan in each",
                                adapter_.bridge, other.name));
    }
    reader_.fail(
        adapter_.vlan ? "vlan" : "bridge",
        fmt::format("segment \"{}\" is on bridge {}, too, and {}; expected a vlan in each, or in none",
                    other.name, adapter_.bridge, other.vlan ? "has a vlan" : "has no vlan"));
  }

  /// Our subnet at `index` may not overlap one of the first `count` of `others`.
  void check_overlap(std::size_t index, const std::vector<core::IpPrefix>& others, std::size_t count,
                     std::string_view owner, std::string_view expected) {
    const core::IpPrefix& subnet = core_.subnets[index];
    for (std::size_t i = 0; i < count; ++i) {
      if (!subnet.contains(others[i]) && !others[i].contains(subnet)) continue;
      reader_.fail_at("subnets", index,
                      fmt::format("{} overlaps {}{}; expected {}", subnet.to_string(), owner,
                                  others[i].to_string(), expected));
    }
  }

  /// Guests of an IPv6 subnet usually know their router by its link-local address, which is in no subnet.
  [[nodiscard]] bool is_link_local_gateway(const core::IpAddress& address) const {
    return address.is_link_local() &&
           std::any_of(core_.subnets.begin(), core_.subnets.end(),
                       [](const core::IpPrefix& subnet) { return !subnet.address().is_v4(); });
  }

  /// Why an address of an edge cannot be `address`.
  [[nodiscard]] std::optional<std::string> why_not_usable(const core::IpAddress& address) const {
    const core::IpPrefix* subnet = core_.subnet_of(address);
    if (subnet == nullptr) {
      return fmt::format("{} is in none of the subnets ({})", address.to_string(), join(core_.subnets));
    }
    if (!subnet->is_reserved(address)) return std::nullopt;
    return fmt::format("{} is the network or broadcast address of {}; expected a host's", address.to_string(),
                       subnet->to_string());
  }

  Config& config_;
  TableReader reader_;
  SegmentConfig adapter_;
  core::SegmentSettings core_;
};

}  // namespace

void read_segment(ConfigReport& report, const toml::table& table, Config& config) {
  SegmentReader(report, table, config).read();
}

}  // namespace untrombone::daemon
