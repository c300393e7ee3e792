// SPDX-License-Identifier: GPL-2.0-or-later
// The summaries: updates per second, latency, bytes per host and changes per event of the engine and of the announcer.
#include <malloc.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <functional>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "agent/core/announcer.hpp"
#include "agent/core/summary/batch.hpp"
#include "agent/core/summary/word_trie.hpp"
#include "bench/workload.hpp"

namespace untrombone::bench {
namespace {

using core::summary::BitPrefix;
using core::summary::Uint128;
using core::summary::WordTrie;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The hosts of tenants, in the order in which they arrive.
std::vector<std::uint64_t> hosts_of_tenants(std::size_t count, std::mt19937_64& random) {
  std::vector<std::uint64_t> offsets;
  for (const Tenant& tenant : tenants(count, random)) {
    for (std::uint64_t i = 0; i < tenant.hosts; ++i) offsets.push_back(tenant.first + i);
  }
  std::shuffle(offsets.begin(), offsets.end(), random);
  return offsets;
}

std::vector<std::uint64_t> slaac(std::size_t count, std::mt19937_64& random) {
  std::vector<std::uint64_t> offsets(count);
  for (std::uint64_t& offset : offsets) offset = random();
  return offsets;
}

struct Latencies {
  std::vector<double> micros;
  [[nodiscard]] double percentile(double share) {
    std::sort(micros.begin(), micros.end());
    return micros[static_cast<std::size_t>(share * static_cast<double>(micros.size() - 1))];
  }
};

/// The smallest subnet that holds them.
unsigned host_bits(const std::vector<std::uint64_t>& offsets) {
  return static_cast<unsigned>(std::bit_width(*std::max_element(offsets.begin(), offsets.end())));
}

template <typename Bits>
BitPrefix<Bits> subnet_of(unsigned length) {
  if constexpr (sizeof(Bits) == sizeof(std::uint32_t)) {
    return {0x0a000000U, length};
  } else {
    return {core::summary::to_bits<Uint128>(*core::IpAddress::parse("2001:db8::")), length};
  }
}

/// All arrive, one by one; then a tenth goes and comes again, each timed.
template <typename Bits>
void engine(const std::string& name, const std::vector<std::uint64_t>& offsets, bool covers_unknown,
            unsigned subnet_length) {
  const auto subnet = subnet_of<Bits>(subnet_length);
  WordTrie<Bits> trie(subnet, subnet.length, covers_unknown);
  typename WordTrie<Bits>::Changes changes;
  std::size_t announced = 0;
  std::size_t most = 0;
  const auto start = Clock::now();
  for (const std::uint64_t offset : offsets) {
    changes.clear();
    trie.set_local(static_cast<Bits>(subnet.key + offset), true, changes);
    announced += changes.size();
    most = std::max(most, changes.size());
  }
  const double seconds = seconds_since(start);
  Latencies latencies;
  for (std::size_t i = 0; i < offsets.size() / 10; ++i) {
    for (const bool local : {false, true}) {
      changes.clear();
      const auto began = Clock::now();
      trie.set_local(static_cast<Bits>(subnet.key + offsets[i]), local, changes);
      latencies.micros.push_back(seconds_since(began) * 1e6);
    }
  }
  const auto hosts = static_cast<double>(offsets.size());
  fmt::print("  {:<28} {:>9} {:>8.2f} {:>9} {:>8.1f} {:>8.2f} ({:>2}) {:>7.2f} {:>7.2f}\n", name,
             offsets.size(), hosts / seconds / 1e6, trie.size(), static_cast<double>(trie.bytes()) / hosts,
             static_cast<double>(announced) / hosts, most, latencies.percentile(0.99),
             latencies.percentile(0.999));
}

/// What the program holds of the heap, as the allocator rounds it.
std::size_t heap_bytes() {
  const auto heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

/// The same through the announcer: what is announced, holds, acknowledgements a second later. Octets per route: what
/// the announcer holds beside the engine when all has settled.
void announcer(const std::string& name, const std::vector<std::uint64_t>& offsets, core::SummaryMode mode) {
  core::SegmentSettings segment;
  segment.subnets = {core::IpPrefix(*core::IpAddress::parse("10.0.0.0"), 32 - host_bits(offsets))};
  segment.mode = mode;
  segment.budget = 10'000'000;
  core::SiteSettings settings;
  settings.segments = {segment};
  core::Announcements out;
  core::TimePoint now{std::chrono::hours(1)};
  const auto step = std::chrono::nanoseconds(std::chrono::seconds(60)) / offsets.size();
  std::size_t changes = 0;
  std::vector<core::IpAddress> hosts;
  hosts.reserve(offsets.size());
  for (const std::uint64_t offset : offsets)
    hosts.push_back(core::summary::to_address(static_cast<std::uint32_t>(0x0a000000U + offset)));
  const std::size_t heap_before = heap_bytes();
  core::Announcer announcer(settings);
  const auto start = Clock::now();
  std::size_t events = 0;
  for (const core::IpAddress& ip : hosts) {
    now += step;
    announcer.set_host({0}, {ip, core::RouteClass::kSettled, false, now}, now, out);
    if (announcer.next_deadline() <= now) announcer.handle_time(now, out);
    ++events;
    changes += out.size();
    for (const core::Announcement& change : out) {
      if (change.route_class == core::RouteClass::kNone) continue;
      core::Announcements more;
      announcer.note({0}, change.prefix, core::RouteNote::kInstalled, now, more);
      ++events;
    }
    out.clear();
  }
  const double seconds = seconds_since(start);
  const core::TimePoint end = now + std::chrono::hours(3);
  while (announcer.next_deadline() <= end) {
    now = std::max(now, announcer.next_deadline());
    announcer.handle_time(now, out);
    changes += out.size();
    const core::Announcements taken = std::move(out);
    out.clear();
    for (const core::Announcement& change : taken) {
      if (change.route_class != core::RouteClass::kNone)
        announcer.note({0}, change.prefix, core::RouteNote::kInstalled, now, out);
    }
    changes += out.size();
    out.clear();
  }
  core::Announcements().swap(out);
  const auto* const routes = announcer.routes_of({0}, core::Family::kIpv4);
  const std::size_t with_engine = heap_bytes() - heap_before;
  const std::size_t beside_engine = with_engine - std::min(with_engine, routes->ideal().bytes());
  fmt::print("  {:<28} {:>9} {:>8.2f} {:>9} {:>9} {:>8.2f} {:>8.1f}\n", name, offsets.size(),
             static_cast<double>(events) / seconds / 1e6, routes->routes(), routes->ideal().size(),
             static_cast<double>(changes) / static_cast<double>(offsets.size()),
             static_cast<double>(beside_engine) / static_cast<double>(routes->routes()));
}

void run(const std::vector<std::size_t>& sizes) {
  fmt::print("the engine: M updates/s while all arrive; p99 and p99.9 in us of single updates then\n");
  fmt::print("  {:<28} {:>9} {:>8} {:>9} {:>8} {:>13} {:>7} {:>7}\n", "", "hosts", "M/s", "routes", "B/host",
             "changes (max)", "p99", "p99.9");
  for (const std::size_t size : sizes) {
    std::mt19937_64 random(1);
    const auto iid = scattered(size, random);
    const auto runs = hosts_of_tenants(size, random);
    const auto random6 = slaac(size, random);
    engine<std::uint32_t>("IPv4 60 %, exact", iid, false, 32 - host_bits(iid));
    engine<std::uint32_t>("IPv4 60 % of a part of a /8", iid, false, 8);
    engine<std::uint32_t>("IPv4 tenants, exact", runs, false, 32 - host_bits(runs));
    engine<std::uint32_t>("IPv4 60 %, cover", iid, true, 32 - host_bits(iid));
    engine<Uint128>("IPv6 60 %, exact", iid, false, 128 - host_bits(iid));
    engine<Uint128>("IPv6 60 % of a part of a /64", iid, false, 64);
    engine<Uint128>("IPv6 random /64, exact", random6, false, 64);
    engine<Uint128>("IPv6 random /64, cover", random6, true, 64);
  }
  fmt::print("\nthe announcer: hosts arrive settled within a minute, acknowledged at once; M events/s\n");
  fmt::print("  {:<28} {:>9} {:>8} {:>9} {:>9} {:>8} {:>8}\n", "", "hosts", "M/s", "announced", "ideal",
             "changes", "B/route");
  for (const std::size_t size : sizes) {
    std::mt19937_64 random(1);
    announcer("tenants, exact", hosts_of_tenants(size, random), core::SummaryMode::kExact);
    announcer("tenants, cover", hosts_of_tenants(size, random), core::SummaryMode::kCover);
    announcer("60 %, exact", scattered(size, random), core::SummaryMode::kExact);
  }
}

}  // namespace
}  // namespace untrombone::bench

int main(int argc, char** argv) {
  CLI::App app("Summaries: updates per second, bytes per host, changes per event");
  std::vector<std::size_t> sizes{10'000, 100'000, 1'000'000};
  app.add_option("--hosts", sizes, "numbers of hosts");
  CLI11_PARSE(app, argc, argv);
  untrombone::bench::run(sizes);
  return 0;
}
