// SPDX-License-Identifier: GPL-2.0-or-later
// Random histories of hosts that come, go and are elsewhere, and of prefixes that others claim, against the ideal set
// by its definition: after every single event, IPv4 and IPv6, exact and cover.
#include <random>

#include <catch2/catch.hpp>

#include "agent/core/summary/word_trie.hpp"
#include "tests/scenario/summary_oracle.hpp"

namespace untrombone::core::summary {
namespace {

using testing::Oracle;

struct Shape {
  unsigned subnet_bits;  ///< the subnet holds two to the power of this many addresses
  unsigned spread;       ///< hosts are in one of so many clusters
  unsigned cluster;      ///< of so many addresses each
  unsigned shortest = 0;
  bool covers_unknown = false;
  bool mostly_full = false;
};

constexpr Shape kShapes[] = {
    {9, 1, 512},           {9, 1, 512, 0, false, true},
    {9, 1, 512, 0, true},  {9, 1, 512, 3, false, true},
    {9, 1, 512, 5, true},  {4, 1, 16, 0, false, true},
    {4, 1, 16, 0, true},   {6, 1, 64, 0, false, true},
    {7, 2, 64, 0, true},   {24, 20, 40},
    {24, 20, 40, 0, true}, {24, 20, 40, 9, true},
};

template <typename Bits>
Bits base_of() {
  if constexpr (sizeof(Bits) == 4) {
    return to_bits<Bits>(*IpAddress::parse("10.0.0.0"));
  } else {
    return to_bits<Bits>(*IpAddress::parse("2001:db8::"));
  }
}

/// A trie and its oracle, fed the same.
template <typename Bits>
class Twin {
 public:
  using Prefix = BitPrefix<Bits>;
  using Changes = typename WordTrie<Bits>::Changes;
  using Set = typename Oracle<Bits>::Set;

  Twin(const Shape& shape, unsigned seed)
      : shape_(shape),
        random_(seed),
        subnet_{base_of<Bits>(), kWidth<Bits> - shape.subnet_bits},
        shortest_(shape.shortest == 0 ? 0 : subnet_.length + shape.shortest),
        trie_(make_trie()),
        oracle_(subnet_, shortest_, shape.covers_unknown) {
    add_free(trie_);
    if (!shape.covers_unknown) {
      for (const Prefix& prefix : free_prefixes()) {
        for (Bits at = prefix.key;; ++at) {
          oracle_.free.insert(at);
          if (at == prefix.last()) break;
        }
      }
    }
    empty_nodes_ = trie_.node_count();
  }

  void step() {
    const Bits address = random_address();
    Changes changes;
    const bool marked = below(2) == 0;
    trie_.mark(address, marked);
    marked ? void(marked_.insert(address)) : void(marked_.erase(address));
    bool host_event = true;
    const unsigned dice = below(100);
    if (dice < 60) {
      const bool local = below(100) < (shape_.mostly_full ? 90U : 60U);
      if (oracle_.free.contains(address)) return;  // it may be no host
      if (local) set_remote(address, false, changes);
      trie_.set_local(address, local, changes);
      local ? void(oracle_.local.insert(address)) : void(oracle_.local.erase(address));
      host_event = changes.size() <= kWidth<Bits>;
    } else if (dice < 85) {
      if (oracle_.local.contains(address) || oracle_.free.contains(address)) return;
      set_remote(address, below(2) == 0, changes);
    } else {
      const auto prefix = Prefix::of(address, kWidth<Bits> - below(shape_.subnet_bits + 2));
      const bool claimed = below(3) != 0;
      trie_.set_claimed(prefix, claimed, changes);
      if (subnet_.contains(prefix)) {
        claimed ? void(oracle_.claimed.insert(prefix)) : void(oracle_.claimed.erase(prefix));
      }
      host_event = false;
    }
    apply(changes, host_event);
  }

  void check() const {
    const Set ideal = oracle_.ideal();
    REQUIRE(announced_ == ideal);
    REQUIRE(trie_.size() == ideal.size());
    Set dumped;
    trie_.for_each_top(subnet_, [&](const Prefix& prefix) { dumped.insert(prefix); });
    REQUIRE(dumped == ideal);
    std::set<Bits> marked;
    trie_.for_each_marked(subnet_, [&](Bits at) { marked.insert(at); });
    REQUIRE(marked == marked_);
    std::set<Bits> local;
    trie_.for_each_local(subnet_, [&](Bits at) { local.insert(at); });
    REQUIRE(local == oracle_.local);
    Oracle<Bits> theirs = oracle_;  // what a trie alone does not know, and the batch does
    theirs.unknown_is_theirs = true;
    const Set expected = theirs.ideal();
    REQUIRE(oracle_.batch() == std::vector<Prefix>(expected.begin(), expected.end()));
  }

  /// The same facts in another order, and all at once.
  void check_order_independence() {
    std::vector<Bits> hosts(oracle_.local.begin(), oracle_.local.end());
    std::shuffle(hosts.begin(), hosts.end(), random_);
    WordTrie<Bits> other = make_trie();
    add_free(other);
    Changes changes;
    for (const Prefix& prefix : oracle_.claimed) other.set_claimed(prefix, true, changes);
    for (const Bits host : hosts) other.set_local(host, true, changes);
    for (const Bits host : oracle_.remote) other.set_remote(host, true, changes);
    Set dumped;
    other.for_each_top(subnet_, [&](const Prefix& prefix) { dumped.insert(prefix); });
    CHECK(dumped == announced_);
    CHECK(other.size() == announced_.size());
  }

  void remove_all() {
    Changes changes;
    const auto hosts = oracle_.local;
    for (const Bits host : hosts) trie_.set_local(host, false, changes);
    for (const Bits host : marked_) trie_.mark(host, false);
    for (const Bits host : oracle_.remote) trie_.set_remote(host, false, changes);
    for (const Prefix& prefix : oracle_.claimed) trie_.set_claimed(prefix, false, changes);
    CHECK(trie_.size() == 0);
    CHECK(trie_.node_count() == empty_nodes_);
  }

 private:
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

  Bits random_address() {
    const std::uint64_t size = std::uint64_t{1} << shape_.subnet_bits;
    const std::uint64_t start = below(shape_.spread) * (size / shape_.spread);
    return static_cast<Bits>(subnet_.key + start + below(shape_.cluster));
  }

  WordTrie<Bits> make_trie() const { return {subnet_, shortest_, shape_.covers_unknown}; }
  std::vector<Prefix> free_prefixes() const {
    std::vector<Prefix> free{{subnet_.key, kWidth<Bits>}, {subnet_.last(), kWidth<Bits>}};
    if (shape_.subnet_bits == 9)
      free.push_back(Prefix::of(static_cast<Bits>(subnet_.key + 128), kWidth<Bits> - 7));
    return free;
  }
  void add_free(WordTrie<Bits>& trie) const {
    for (const Prefix& prefix : free_prefixes()) trie.add_free(prefix);
  }

  void set_remote(Bits address, bool remote, Changes& changes) {
    trie_.set_remote(address, remote, changes);
    remote ? void(oracle_.remote.insert(address)) : void(oracle_.remote.erase(address));
  }

  void apply(const Changes& changes, bool is_host_event) {
    bool removing = false;
    for (const auto& change : changes) {
      if (change.added) {
        if (is_host_event && !shape_.covers_unknown) REQUIRE_FALSE(removing);
        REQUIRE(announced_.insert(change.prefix).second);
      } else {
        removing = true;
        REQUIRE(announced_.erase(change.prefix) == 1);
      }
    }
    if (is_host_event && !shape_.covers_unknown) REQUIRE(changes.size() <= shape_.subnet_bits + 1);
  }

  Shape shape_;
  std::mt19937 random_;
  Prefix subnet_;
  unsigned shortest_;
  WordTrie<Bits> trie_;
  Oracle<Bits> oracle_;
  Set announced_;
  std::set<Bits> marked_;
  std::size_t empty_nodes_ = 0;
};

template <typename Bits>
void run(unsigned seeds, unsigned events) {
  for (std::size_t shape = 0; shape < std::size(kShapes); ++shape) {
    for (unsigned seed = 1; seed <= seeds; ++seed) {
      INFO("shape " << shape << ", seed " << seed);
      Twin<Bits> twin(kShapes[shape], seed);
      for (unsigned i = 0; i < events; ++i) {
        INFO("event " << i);
        twin.step();
        twin.check();
      }
      twin.check_order_independence();
      twin.remove_all();
    }
  }
}

TEST_CASE("summaries: IPv4: the set is ideal after every event, in any order, and memory comes back") {
  run<std::uint32_t>(8, 250);
}

TEST_CASE("summaries: IPv6: the set is ideal after every event, in any order, and memory comes back") {
  run<Uint128>(8, 250);
}

}  // namespace
}  // namespace untrombone::core::summary
