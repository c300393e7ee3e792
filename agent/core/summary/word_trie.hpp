// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "agent/core/summary/bits.hpp"
#include "agent/core/summary/pool.hpp"

namespace untrombone::core::summary {

/// One prefix more or less in the ideal set.
template <typename Bits>
struct TrieChange {
  BitPrefix<Bits> prefix;
  bool added = false;
  bool operator==(const TrieChange&) const = default;
};

/// The ideal set of one subnet: the top-most admissible prefix above every local host, kept minimal over every change
/// (docs/summaries.md has the proof). A prefix is admissible when it lies in the subnet, is not shorter than
/// `min_length`, covers no bad address, and no prefix claimed elsewhere is equal to it or inside it. A host route
/// always is.
///
/// Bad are, unless `covers_unknown`, all addresses but local and free ones; with it, only those known to be remote.
///
/// A path-compressed trie whose leaves are words of 64 neighbouring addresses, one bit each: about a byte per host in
/// a dense subnet, 90 per host where they are scattered over a /64. One change costs the depth of the trie, and most
/// cost less: what leaves the rest of its word as it was is settled in the word, which a subnet of up to 2^21 addresses
/// finds without a search.
template <typename Bits>
class WordTrie {
 public:
  using Prefix = BitPrefix<Bits>;
  using Changes = std::vector<TrieChange<Bits>>;

  WordTrie(const Prefix& subnet, unsigned min_length, bool covers_unknown);

  /// Addresses that may be covered whoever has them. Only before anything else is set; no effect with
  /// `covers_unknown`.
  void add_free(const Prefix& prefix);

  /// Appends to `out` what differs then: additions first, each prefix once. Nothing to do is no change.
  void set_local(Bits address, bool local, Changes& out);
  /// Ignored unless `covers_unknown`.
  void set_remote(Bits address, bool remote, Changes& out);
  /// A prefix that another site announces. One that contains the subnet, or that is shorter than `min_length`, never
  /// matters and is ignored.
  void set_claimed(const Prefix& prefix, bool claimed, Changes& out);

  /// A bit per address for the owner of the trie; it changes no prefix.
  void mark(Bits address, bool marked);
  [[nodiscard]] bool is_marked(Bits address) const;
  [[nodiscard]] bool is_local(Bits address) const;

  /// Length of the top-most admissible prefix above `address`, which need not be local.
  [[nodiscard]] unsigned top_length(Bits address) const;
  [[nodiscard]] std::optional<Bits> first_local(const Prefix& within) const {
    Bits at = within.key;
    return next_local(at, within.last()) ? std::optional<Bits>(at) : std::nullopt;
  }
  /// The number of prefixes in the ideal set.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const {
    return nodes_.bytes() + keys_.bytes() + words_.bytes() + directory_.capacity() * sizeof(Ref);
  }
  [[nodiscard]] std::size_t node_count() const { return nodes_.size() + words_.size(); }

  /// Calls `visit(Prefix)` for each prefix of the ideal set that covers a local host of `within`, by address.
  template <typename Visit>
  void for_each_top(const Prefix& within, Visit visit) const {
    for (Bits at = within.key;;) {
      if (!next_local(at, within.last())) return;
      const Prefix top = Prefix::of(at, top_length(at));
      visit(top);
      if (top.last() >= within.last()) return;
      at = static_cast<Bits>(top.last() + 1);
    }
  }
  /// Calls `visit(Bits address)` for each local, or each marked address inside `within`, by address.
  template <typename Visit>
  void for_each_local(const Prefix& within, Visit visit) const {
    for_each_bit(within, &Word::local, visit);
  }
  template <typename Visit>
  void for_each_marked(const Prefix& within, Visit visit) const {
    for_each_bit(within, &Word::marked, visit);
  }
  /// The same for the host routes that are claimed, of the whole subnet.
  template <typename Visit>
  void for_each_claimed_host(Visit visit) const {
    for_each_bit(subnet_, &Word::claimed, visit);
  }

 private:
  /// 0: nothing. The highest bit tells a word from a node; the rest is its index + 1.
  using Ref = std::uint32_t;
  static constexpr Ref kWordFlag = 0x8000'0000U;
  static constexpr unsigned kWordBits = 6;
  static constexpr unsigned kWordLength = kWidth<Bits> - kWordBits;
  static constexpr unsigned kNone = kWidth<Bits> + 1;
  static constexpr unsigned kDirectoryBits = 15;  ///< 2^15 words: 128 KiB, for 2^21 addresses

  /// As two halves, so that a record with a 128-bit key needs no padding to sixteen octets.
  struct StoredKey {
    std::array<std::uint32_t, sizeof(Bits) / 4> parts{};
  };

  /// Its key is in keys_: the way down to a word needs none, and is the quicker the more nodes fit into the cache.
  struct Node {
    std::array<Ref, 2> child{};
    std::uint8_t length = 0;
    bool bad = false;        ///< it covers a bad address, or a claim is equal to it or inside
    bool has_local = false;  ///< it covers a local host
    bool clean : 1 = false;  ///< what has no record below it is not bad
    bool claimed : 1 = false;
    bool fixed : 1 = false;  ///< stays, whatever is below it: the root, a free prefix
  };
  /// 64 addresses. `groups` are the claimed prefixes shorter than a host: bit 1 is the whole word, 2 and 3 its halves,
  /// as in a heap. With a 128-bit key it fills a cache line, and lies in one.
  struct alignas(sizeof(Bits) == sizeof(Uint128) ? 64 : alignof(std::uint64_t)) Word {
    StoredKey key;
    std::uint64_t local = 0;
    std::uint64_t other = 0;  ///< free addresses; with covers_unknown, remote ones
    std::uint64_t claimed = 0;
    std::uint64_t groups = 0;
    std::uint64_t marked = 0;
  };
  /// From the root to a word, or to a node. Left uninitialised on purpose: it is made for every event.
  struct Path {
    std::array<std::uint32_t, kWidth<Bits> + 1> nodes;
    unsigned count = 0;
    Ref word = 0;
  };
  struct Top {
    unsigned length = 0;
    bool has_local = false;
    bool operator==(const Top&) const = default;
  };

  static StoredKey store(Bits key);
  static Bits load(const StoredKey& key);
  static bool is_word(Ref ref) { return (ref & kWordFlag) != 0; }
  static std::uint32_t index_of(Ref ref) { return (ref & ~kWordFlag) - 1; }
  static Ref ref_of(std::uint32_t index, bool word) { return (index + 1) | (word ? kWordFlag : 0U); }
  static std::uint64_t mask_in_word(Bits address, unsigned length);
  static std::uint64_t bit_in_word(Bits address) { return mask_in_word(address, kWidth<Bits>); }
  static unsigned group_of(Bits address, unsigned length);

  [[nodiscard]] Bits key_of(Ref ref) const;
  [[nodiscard]] unsigned length_of(Ref ref) const;
  [[nodiscard]] bool is_bad(Ref ref) const;
  [[nodiscard]] bool has_local(Ref ref) const;
  [[nodiscard]] std::uint64_t bad_in(const Word& word) const;
  [[nodiscard]] bool is_bad_group(const Word& word, Bits address, unsigned length) const;

  [[nodiscard]] std::size_t slot_of(Bits address) const;
  [[nodiscard]] Ref locate(Bits address) const;
  Bits descend(Bits address, Path& path) const;
  void cut(Path& path, unsigned common) const;
  void find(Bits address, Path& path) const;
  void ensure(const Prefix& target, Path& path);
  void complete(const Prefix& target, Bits key, Path& path);
  Ref make(const Prefix& prefix, bool clean);
  std::uint32_t split_edge(std::uint32_t parent, Ref below, Bits key, const Prefix& target);
  void refresh_node(std::uint32_t index);
  [[nodiscard]] bool brings_bad(const Node& node, Ref child) const;
  void refresh_above(Node& node, Ref below);
  void refresh(const Path& path);
  void prune(const Path& path);
  [[nodiscard]] bool is_void(const Word& word, bool clean) const;
  [[nodiscard]] const Word* find_word(Bits address) const;

  void set_bit(Bits address, std::uint64_t Word::*field, bool wanted, Changes& out);
  bool flip_inside(Ref ref, Bits address, std::uint64_t Word::*field, Changes& out);
  template <typename Edit>
  void change(const Path& path, Bits address, Edit edit, Changes& out);
  [[nodiscard]] Top look(const Path& path, Bits address) const;
  [[nodiscard]] unsigned top_down_to_end(const Path& path) const;
  [[nodiscard]] unsigned top_on(const Path& path, Bits address) const;
  [[nodiscard]] unsigned top_inside(const Word& word, Bits address) const;
  [[nodiscard]] bool has_local_on(const Path& path, Bits address, unsigned length) const;
  template <typename Siblings>
  void emit(Bits address, const Top& before, const Top& after, Siblings siblings, Changes& out);
  void emit_siblings(const Path& path, Bits address, unsigned above, unsigned below, bool added,
                     Changes& out);
  void emit_siblings_inside(const Word& word, Bits address, unsigned above, unsigned below, bool added,
                            Changes& out);
  void push(Bits address, unsigned length, bool added, Changes& out);

  bool next_local(Bits& at, Bits last) const;
  [[nodiscard]] Ref subtree(const Prefix& within) const;

  template <typename Visit>
  void for_each_bit(const Prefix& within, std::uint64_t Word::*field, Visit visit) const {
    std::vector<Ref> open{subtree(within)};
    while (!open.empty()) {
      const Ref ref = open.back();
      open.pop_back();
      if (ref == 0) continue;
      if (!is_word(ref)) {
        const Node& node = nodes_[index_of(ref)];
        open.push_back(node.child[1]);
        open.push_back(node.child[0]);
        continue;
      }
      const Word& word = words_[index_of(ref)];
      const Bits key = load(word.key);
      std::uint64_t bits = word.*field;
      if (within.length > kWordLength) bits &= mask_in_word(within.key, within.length);
      for (; bits != 0; bits &= bits - 1)
        visit(static_cast<Bits>(key | static_cast<Bits>(std::countr_zero(bits))));
    }
  }

  Prefix subnet_;
  unsigned min_length_;
  bool covers_unknown_;
  std::size_t size_ = 0;
  std::uint32_t root_ = 0;
  Pool<Node> nodes_;
  Pool<StoredKey> keys_;  ///< of the nodes: made and released with them, so the index is the same
  Pool<Word> words_;
  std::vector<Ref> directory_;  ///< every word by its place in the subnet; empty when the subnet is too large
};

extern template class WordTrie<std::uint32_t>;
extern template class WordTrie<Uint128>;

}  // namespace untrombone::core::summary
