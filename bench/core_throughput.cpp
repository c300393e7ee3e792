// SPDX-License-Identifier: GPL-2.0-or-later
// The core's speed on one core of the machine: events that are decoded from the kernel's bytes, judged, and whose route
// changes are encoded for zebra; allocations for each; and what the pacing of quiet hosts costs. No kernel, no sockets.
#include <sys/socket.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <array>
#include <chrono>
#include <cstring>
#include <ctime>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "agent/core/site.hpp"
#include "arp/frames.hpp"
#include "bgp/zapi/codec.hpp"
#include "netlink/messages.hpp"
#include "tests/unit/counting_allocator.hpp"

namespace untrombone::bench {
namespace {

using namespace std::chrono_literals;
// NOLINTNEXTLINE(google-build-using-namespace): the benchmark speaks the core's language
using namespace core;
using untrombone::testing::allocations;

constexpr SegmentId kSegment{0};
constexpr Ifindex kSvi{10};
constexpr Ifindex kBridge{10};
constexpr Ifindex kPort{11};
constexpr Ifindex kDciPort{14};

IpAddress address(unsigned host) {
  return IpAddress::v4({10, static_cast<std::uint8_t>(1 + (host >> 16U)),
                        static_cast<std::uint8_t>(host >> 8U), static_cast<std::uint8_t>(host)});
}
MacAddress guest_mac(unsigned host) {
  return {{0x02, 0x00, 0x5e, static_cast<std::uint8_t>(host >> 16U), static_cast<std::uint8_t>(host >> 8U),
           static_cast<std::uint8_t>(host)}};
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// RTM_NEWNEIGH of the bridge family as the kernel lays it out: ndmsg, NDA_LLADDR, NDA_MASTER.
using FdbBytes = std::array<std::byte, sizeof(nlmsghdr) + sizeof(ndmsg) + 12 + 8>;
FdbBytes fdb_bytes(Ifindex port, const MacAddress& mac) {
  FdbBytes bytes{};
  const nlmsghdr header{bytes.size(), RTM_NEWNEIGH, 0, 0, 0};
  ndmsg body{};
  body.ndm_family = AF_BRIDGE;
  body.ndm_ifindex = port.value;
  body.ndm_state = NUD_REACHABLE;
  const nlattr mac_attribute{sizeof(nlattr) + 6, NDA_LLADDR};
  const nlattr master_attribute{sizeof(nlattr) + 4, NDA_MASTER};
  std::byte* at = bytes.data();
  const auto put = [&at](const void* data, std::size_t size, std::size_t stride) {
    std::memcpy(at, data, size);
    at += stride;
  };
  put(&header, sizeof header, sizeof header);
  put(&body, sizeof body, sizeof body);
  put(&mac_attribute, sizeof mac_attribute, sizeof mac_attribute);
  put(mac.octets.data(), 6, 8);
  put(&master_attribute, sizeof master_attribute, sizeof master_attribute);
  put(&kBridge.value, 4, 4);
  return bytes;
}

SiteSettings settings_for_many() {
  SegmentSettings segment;
  segment.name = "bench";
  segment.subnets = {IpPrefix::parse("10.0.0.0/8").value()};
  segment.gateways = {IpAddress::parse("10.0.0.1").value()};
  segment.greet = false;
  segment.max_hosts = 2'000'000;
  segment.new_host_rate = 0;
  segment.probe_rate = 1'000'000;
  SiteSettings settings;
  settings.segments = {segment};
  settings.routes.max_routes = 2'000'000;
  settings.conflict.max_moves = 0;
  return settings;
}

/// Everything between the sockets, on virtual time.
class Core {
 public:
  explicit Core(unsigned hosts, std::uint32_t probe_rate = 1'000'000)
      : site_([&] {
          SiteSettings settings = settings_for_many();
          settings.segments.front().probe_rate = probe_rate;
          return settings;
        }()) {
    feed(InterfaceChanged{kSegment, kSvi, guest_mac(0xffffff), true});
    feed(PortChanged{kSegment, kPort, PortClass::kLocal, true});
    feed(PortChanged{kSegment, kDciPort, PortClass::kDci, true});
    feed(DumpStarted{});
    feed(DumpFinished{});
    pass(2s);
    for (unsigned host = 1; host <= hosts; ++host)
      feed(FrameSeen{kPort, FrameKind::kArpRequest, guest_mac(host), address(host), false});
  }

  void take_fdb(std::span<const std::byte> bytes) {
    const auto message = netlink::decode(bytes);
    const auto& entry = std::get<netlink::FdbMessage>(*message);
    feed(FdbSeen{entry.port, entry.mac, entry.remote});
  }
  void take_arp(Ifindex port, std::span<const std::byte> bytes) {
    const auto frame = arp::decode(bytes);
    feed(FrameSeen{port, FrameKind::kArpReply, frame->source, frame->sender_ip, false});
  }
  void feed(const Event& event) {
    site_.handle(event, now_, now_, actions_);
    encode();
  }
  /// Runs the deadlines; those who are asked answer, if `answers`.
  void pass(Duration by, bool answers = false) {
    const TimePoint until = now_ + by;
    while (site_.next_deadline() <= until) {
      now_ = std::max(now_, site_.next_deadline());
      site_.handle_time(now_, actions_);
      asked_ = actions_.probes;
      probes_ += asked_.size();
      encode();
      if (!answers) continue;
      for (const ProbeRequest& probe : asked_)
        take_arp(kPort, arp::encode(arp::make_probe(*probe.mac, probe.ip, MacAddress{}, probe.ip)));
    }
    now_ = until;
  }
  [[nodiscard]] std::size_t encoded() const { return encoded_; }
  [[nodiscard]] std::size_t probes() const { return probes_; }

 private:
  void encode() {
    for (const RouteChange& change : actions_.routes) {
      out_.clear();
      if (change.route) {
        bgp::zapi::encode_route_add(out_, release_, {201, 0}, change.key, *change.route);
      } else {
        bgp::zapi::encode_route_delete(out_, release_, {201, 0}, change.key);
      }
      encoded_ += 1;
    }
    actions_.clear();
  }

  Site site_;
  Actions actions_;
  bgp::zapi::Release release_ = bgp::zapi::known_releases().front();
  std::vector<std::byte> out_;
  std::vector<ProbeRequest> asked_;
  std::size_t encoded_ = 0;
  std::size_t probes_ = 0;
  TimePoint now_{1h};
};

struct Rate {
  double events_per_second = 0;
  double allocations_per_event = 0;
};

/// `round` handles `events` events; two rounds of warm-up, then so many that a measurement is long enough.
template <typename Round>
Rate measure(std::size_t events, Round round) {
  for (int i = 0; i < 2; ++i) round();
  const std::size_t rounds = std::max<std::size_t>(2, 2'000'000 / events);
  const std::size_t calls = allocations.calls;
  double seconds = 0;
  for (std::size_t i = 0; i < rounds; ++i) seconds += round();
  const auto total = static_cast<double>(rounds * events);
  return {total / seconds, static_cast<double>(allocations.calls - calls) / total};
}

void print(const char* what, unsigned hosts, const Rate& rate) {
  fmt::print("{:<34} {:>9} hosts {:>8.2f} M events/s {:>8.4f} allocations/event\n", what, hosts,
             rate.events_per_second / 1e6, rate.allocations_per_event);
}

void measure_events(unsigned hosts) {
  std::vector<FdbBytes> away;
  std::vector<FdbBytes> back;
  std::vector<arp::FrameBytes> replies;
  for (unsigned i = 0; i < hosts; ++i) {
    // In no order that a cache could like.
    const unsigned host = 1 + static_cast<unsigned>((static_cast<std::uint64_t>(i) * 7919U) % hosts);
    away.push_back(fdb_bytes(kDciPort, guest_mac(host)));
    back.push_back(fdb_bytes(kPort, guest_mac(host)));
    replies.push_back(
        arp::encode(arp::make_probe(guest_mac(host), address(host), std::nullopt, address(host))));
  }
  Core core(hosts);
  print("known hosts speak", hosts, measure(hosts, [&] {
          const double start = cpu_seconds();
          for (const auto& reply : replies) core.take_arp(kPort, reply);
          return cpu_seconds() - start;
        }));
  // Each leaves (lingering), comes back (fresh), and answers: three events, two routes encoded; then time passes.
  print("hosts leave, come back, answer", hosts, measure(std::size_t{3} * hosts, [&] {
          core.pass(2s, true);
          const double start = cpu_seconds();
          for (const auto& entry : away) core.take_fdb(entry);
          for (std::size_t i = 0; i < back.size(); ++i) {
            core.take_fdb(back[i]);
            core.take_arp(kPort, replies[i]);
          }
          return cpu_seconds() - start;
        }));
}

/// What the timers, the pacing and the answers of quiet hosts cost, without the system calls.
void measure_quiet(unsigned hosts) {
  Core core(hosts, 2000);
  core.pass(10min, true);  // spread by now
  const std::size_t probes = core.probes();
  const double start = cpu_seconds();
  core.pass(10min, true);
  const double share = (cpu_seconds() - start) / 600 * 100;
  fmt::print("{} quiet hosts: {:.0f} probes/s and as many answers, {:.3f} % of a core\n", hosts,
             static_cast<double>(core.probes() - probes) / 600, share);
}

void measure_memory(unsigned hosts) {
  const std::size_t before = allocations.bytes_held;
  const Core core(hosts);
  fmt::print("{} hosts: {:.0f} octets each, with MAC, timers and history\n", hosts,
             static_cast<double>(allocations.bytes_held - before) / hosts);
}

}  // namespace
}  // namespace untrombone::bench

int main() {
  for (const unsigned hosts : {1'000U, 10'000U, 100'000U, 1'000'000U})
    untrombone::bench::measure_events(hosts);
  untrombone::bench::measure_memory(100'000);
  untrombone::bench::measure_quiet(100'000);
}
