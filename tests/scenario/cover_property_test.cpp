// SPDX-License-Identifier: GPL-2.0-or-later
// Mode `cover` beside sites that announce prefixes of their own: random histories against the ideal set by its
// definition, after every single event, IPv4 and IPv6.
#include <random>

#include <catch2/catch.hpp>

#include "agent/core/summary/summarizer.hpp"
#include "tests/scenario/summary_oracle.hpp"

namespace untrombone::core::summary {
namespace {

using testing::Oracle;

constexpr unsigned kSubnetBits = 8;

IpPrefix subnet_of(Family family) {
  return IpPrefix(*IpAddress::parse(family == Family::kIpv4 ? "10.1.2.0" : "2001:db8::100"),
                  (family == Family::kIpv4 ? 32U : 128U) - kSubnetBits);
}

SegmentSettings settings_of(Family family, unsigned shortest) {
  SegmentSettings settings;
  settings.subnets = {subnet_of(family)};
  settings.gateways = {IpAddress(to_address(to_bits<std::uint32_t>(*IpAddress::parse("10.1.2.1"))))};
  settings.mode = SummaryMode::kCover;
  if (shortest != 0) {
    settings.shortest = shortest;
    settings.shortest6 = shortest + 96;
  }
  return settings;
}

/// A summarizer and its oracle, fed the same.
template <typename Bits>
class Twin {
 public:
  using Prefix = BitPrefix<Bits>;
  static constexpr Family kFamily = sizeof(Bits) == 4 ? Family::kIpv4 : Family::kIpv6;

  Twin(unsigned seed, unsigned shortest)
      : settings_(settings_of(kFamily, shortest)),
        random_(seed),
        subnet_(Prefix::of(subnet_of(kFamily))),
        shortest_(settings_.shortest_summary(settings_.subnets.front())),
        summarizer_(settings_, kFamily, SummaryMode::kCover),
        oracle_(subnet_, shortest_, true) {
    oracle_.unknown_is_theirs = true;
    for (unsigned i = 0; i <= subnet_.last() - subnet_.key; ++i) {
      const auto address = static_cast<Bits>(subnet_.key + i);
      const IpAddress ip = to_address(address);
      const bool free = settings_.subnets.front().is_reserved(ip) || settings_.gateways.front() == ip;
      if (free) oracle_.free.insert(address);
    }
  }

  void step() {
    const auto address = static_cast<Bits>(subnet_.key + below(1U << kSubnetBits));
    if (oracle_.free.contains(address)) return;
    std::vector<PrefixChange> changes;
    const unsigned dice = below(100);
    if (dice < 50) {
      const bool local = below(100) < 70;
      set(oracle_.remote, address, false);
      summarizer_.set_remote(to_address(address), false, changes);
      set(oracle_.local, address, local);
      summarizer_.set_local(to_address(address), local, changes);
    } else if (dice < 65) {
      if (oracle_.local.contains(address)) return;
      const bool remote = below(2) == 0;
      set(oracle_.remote, address, remote);
      summarizer_.set_remote(to_address(address), remote, changes);
    } else {
      // Mostly away again, so that the subnet is free of others at times.
      auto prefix = Prefix::of(address, kWidth<Bits> - below(kSubnetBits + 2));
      const bool claimed = below(3) == 0;
      if (!claimed && !oracle_.claimed.empty()) prefix = *oracle_.claimed.begin();
      if (subnet_.contains(prefix)) set(oracle_.claimed, prefix, claimed);
      summarizer_.set_claimed(prefix.to_prefix(), claimed, changes);
    }
    for (const PrefixChange& change : changes) {
      const auto prefix = Prefix::of(change.prefix);
      REQUIRE((change.added ? announced_.insert(prefix).second : announced_.erase(prefix) == 1));
    }
  }

  void check() const {
    const auto ideal = oracle_.ideal();
    REQUIRE(announced_ == ideal);
    REQUIRE(summarizer_.size() == ideal.size());
    std::vector<Prefix> dumped;
    summarizer_.for_each_top(settings_.subnets.front(),
                             [&](const IpPrefix& top) { dumped.push_back(Prefix::of(top)); });
    REQUIRE(dumped == std::vector<Prefix>(ideal.begin(), ideal.end()));
    for (const Bits host : oracle_.local)
      REQUIRE(ideal.contains(Prefix::of(summarizer_.top_of(to_address(host)))));
    REQUIRE(oracle_.batch() == dumped);
  }

 private:
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  template <typename Set, typename Value>
  static void set(Set& values, const Value& value, bool wanted) {
    wanted ? void(values.insert(value)) : void(values.erase(value));
  }

  SegmentSettings settings_;
  std::mt19937 random_;
  Prefix subnet_;
  unsigned shortest_;
  Summarizer summarizer_;
  Oracle<Bits> oracle_;
  typename Oracle<Bits>::Set announced_;
};

template <typename Bits>
void run(unsigned shortest) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    Twin<Bits> twin(seed, shortest);
    for (unsigned i = 0; i < 300; ++i) {
      INFO("event " << i);
      twin.step();
      twin.check();
    }
  }
}

TEST_CASE("cover: inside another site's prefix only what is known is covered, IPv4") {
  run<std::uint32_t>(0);
  run<std::uint32_t>(27);
}

TEST_CASE("cover: inside another site's prefix only what is known is covered, IPv6") {
  run<Uint128>(0);
  run<Uint128>(27);
}

}  // namespace
}  // namespace untrombone::core::summary
