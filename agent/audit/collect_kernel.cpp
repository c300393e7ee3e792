// SPDX-License-Identifier: GPL-2.0-or-later
#include <fnmatch.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <set>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "agent/audit/collect.hpp"
#include "netlink/dump.hpp"
#include "netlink/messages.hpp"

namespace untrombone::audit {
namespace {

using core::Family;
using core::Ifindex;
using netlink::LinkKind;
using netlink::LinkMessage;
using netlink::RouteSocket;

bool matches_any(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

/// What zebra calls its static routes in the kernel (zebra/rt_netlink.h); the others of ours are RTPROT_ZEBRA.
constexpr std::uint8_t kRtprotZebraStatic = 196;

struct StationKey {
  std::uint16_t segment;
  core::MacAddress mac;
  bool operator==(const StationKey&) const = default;
};
struct HostKey {
  std::uint16_t segment;
  core::IpAddress ip;
  bool operator==(const HostKey&) const = default;
};
std::size_t hash_value(const HostKey& key) { return core::hash_mix(hash_value(key.ip), key.segment); }
std::size_t hash_value(const StationKey& key) { return core::hash_mix(hash_value(key.mac), key.segment); }

/// Dumps links, forwarding database, neighbours and routes, in this order: each needs the one before.
class KernelReader {
 public:
  KernelReader(const daemon::Config& config, Snapshot& snapshot)
      : config_(config),
        snapshot_(snapshot),
        bridges_(config.segments.size()),
        interfaces_(config.segments.size()),
        tables_(config.segments.size(), RT_TABLE_MAIN) {
    for (const HostFact& host : snapshot.hosts) known_.insert({host.segment, host.ip});
  }

  boost::system::error_code read() {
    if (const auto error = dumper_.open()) return error;
    if (const auto error = read_links()) return error;
    if (const auto error = read_fdb()) return error;
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      if (const auto error = read_neighbours(family)) return error;
    }
    place_hosts();
    return read_routes();
  }

 private:
  /// A host that the agent knows keeps the agent's binding.
  void add_neighbour(std::uint16_t segment, const netlink::NeighbourMessage& neighbour) {
    if (!known_.insert({segment, neighbour.ip}).second) return;
    HostFact host;
    host.ip = neighbour.ip;
    host.mac = neighbour.mac;
    host.segment = segment;
    snapshot_.hosts.push_back(host);
  }

  boost::system::error_code read_links() {
    std::vector<LinkMessage> links;
    const auto error =
        visit_messages<LinkMessage>([](RouteSocket& socket) { return socket.request_links(); },
                                    [&links](const LinkMessage& link) { links.push_back(link); });
    for (std::size_t i = 0; i < config_.segments.size(); ++i) take_links(i, links);
    return error;
  }

  void take_links(std::size_t segment, const std::vector<LinkMessage>& links) {
    const daemon::SegmentConfig& config = config_.segments[segment];
    Ifindex master;
    for (const LinkMessage& link : links) {
      if (link.name == config.bridge) bridges_[segment] = link.index;
      if (link.name != config.interface) continue;
      interfaces_[segment] = link.index;
      master = link.master;
    }
    for (const LinkMessage& link : links) {
      if (master && link.index == master && link.kind == LinkKind::kVrf) {
        snapshot_.segments[segment].vrf = link.name;
        tables_[segment] = link.table;
      }
      if (!bridges_[segment] || link.master != bridges_[segment]) continue;
      const bool peer = matches_any(config.peer_ports, link.name);
      const bool dci = matches_any(config.dci_ports, link.name) || (link.kind == LinkKind::kVxlan && !peer);
      if (dci) {
        dci_.insert({segment, link.index});
        snapshot_.segments[segment].dci_ports.push_back(link.name);
      }
    }
  }

  boost::system::error_code read_fdb() {
    for (const Ifindex bridge : std::set<Ifindex>(bridges_.begin(), bridges_.end())) {
      if (!bridge) continue;
      const auto error = visit_messages<netlink::FdbMessage>(
          [bridge](RouteSocket& socket) { return socket.request_fdb(bridge); },
          [this](const netlink::FdbMessage& entry) { take_station(entry); });
      if (error) return error;
    }
    return {};
  }

  void take_station(const netlink::FdbMessage& entry) {
    for (std::uint16_t i = 0; i < bridges_.size(); ++i) {
      if (bridges_[i] != entry.bridge || config_.segments[i].vlan != entry.vlan) continue;
      const bool remote = entry.remote || dci_.count({i, entry.port}) != 0;
      places_[{i, entry.mac}] = remote ? Place::kRemote : Place::kLocal;
    }
  }

  boost::system::error_code read_neighbours(Family family) {
    return visit_messages<netlink::NeighbourMessage>(
        [family](RouteSocket& socket) { return socket.request_neighbours(family); },
        [this](const netlink::NeighbourMessage& neighbour) {
          for (std::uint16_t i = 0; i < interfaces_.size(); ++i) {
            const bool ours = interfaces_[i] && interfaces_[i] == neighbour.interface;
            if (!ours || (neighbour.state & NUD_FAILED) != 0) continue;
            if (!config_.core.segments[i].may_be_host(neighbour.ip)) continue;
            add_neighbour(i, neighbour);
          }
        });
  }

  boost::system::error_code read_routes() {
    snapshot_.fib.emplace();
    for (std::uint16_t i = 0; i < interfaces_.size(); ++i) {
      if (!interfaces_[i]) continue;
      for (const Family family : {Family::kIpv4, Family::kIpv6}) {
        for (const std::uint8_t protocol : {std::uint8_t{RTPROT_ZEBRA}, kRtprotZebraStatic}) {
          if (const auto error = read_routes(i, family, protocol)) return error;
        }
      }
    }
    return {};
  }

  boost::system::error_code read_routes(std::uint16_t segment, Family family, std::uint8_t protocol) {
    const auto error = visit_messages<netlink::RouteMessage>(
        [&](RouteSocket& socket) {
          return socket.request_routes(family, protocol, tables_[segment], interfaces_[segment]);
        },
        [&](const netlink::RouteMessage& route) {
          snapshot_.fib->push_back({route.prefix, segment, protocol == kRtprotZebraStatic});
        });
    const bool no_table = error == boost::system::errc::no_such_file_or_directory;  // of this family
    return no_table ? boost::system::error_code() : error;
  }

  template <typename Message, typename Visit>
  boost::system::error_code visit_messages(const netlink::Dumper::Request& request, const Visit& visit) {
    return dumper_.dump(request, [&visit](std::span<const std::byte> bytes) {
      const auto message = netlink::decode(bytes);
      if (message && std::holds_alternative<Message>(*message)) visit(std::get<Message>(*message));
    });
  }

  /// Where the database has the MAC of each host.
  void place_hosts() {
    for (HostFact& host : snapshot_.hosts) {
      const auto found = places_.find({host.segment, host.mac});
      if (found != places_.end()) host.kernel = found->second;
    }
  }

  const daemon::Config& config_;
  Snapshot& snapshot_;
  netlink::Dumper dumper_;
  std::vector<Ifindex> bridges_;
  std::vector<Ifindex> interfaces_;
  std::vector<std::uint32_t> tables_;              ///< routing tables of the interfaces
  std::set<std::pair<std::size_t, Ifindex>> dci_;  ///< ports that lead to other sites, by segment
  boost::unordered_flat_map<StationKey, Place> places_;
  boost::unordered_flat_set<HostKey> known_;
};

}  // namespace

void collect_kernel(const daemon::Config& config, Snapshot& snapshot) {
  if (const auto error = KernelReader(config, snapshot).read()) {
    snapshot.missing.emplace_back("kernel", "netlink: " + error.message());
    snapshot.fib.reset();
  }
}

}  // namespace untrombone::audit
