// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "agent/core/settings.hpp"
#include "agent/core/summary/word_trie.hpp"

namespace untrombone::core::summary {

/// One prefix more or less in the ideal set.
struct PrefixChange {
  IpPrefix prefix;
  bool added = false;
  bool operator==(const PrefixChange&) const = default;
};

/// The ideal set of one segment and address family: what would be announced if announcing cost nothing. Pure set
/// arithmetic without time; core::Announcer decides when.
///
/// The modes differ in what is admissible (docs/summaries.md). `home` is `exact` for addresses outside the home
/// blocks; for those inside the block itself is the one prefix, always. `cover` is `exact` inside a prefix that another
/// site announces: who is unknown there is that site's, and a longer prefix of ours would take him away from it.
class Summarizer {
 public:
  /// Of the subnets of `settings`, those of `family`. `mode` may differ from the configured one.
  Summarizer(const SegmentSettings& settings, Family family, SummaryMode mode);

  /// An address outside the subnets, or that may be no host, changes nothing. What changed is appended to `out`,
  /// additions first.
  void set_local(const IpAddress& address, bool local, std::vector<PrefixChange>& out);
  void set_remote(const IpAddress& address, bool remote, std::vector<PrefixChange>& out);
  /// A prefix that another site announces.
  void set_claimed(const IpPrefix& prefix, bool claimed, std::vector<PrefixChange>& out);

  /// A bit per address for the owner; it changes no prefix.
  void mark(const IpAddress& address, bool marked);
  [[nodiscard]] bool is_marked(const IpAddress& address) const;
  [[nodiscard]] bool is_local(const IpAddress& address) const;

  /// The prefix that the address belongs to; its host route outside the subnets.
  [[nodiscard]] IpPrefix top_of(const IpAddress& address) const;
  /// The first local address inside `within`, which is not shorter than its subnet.
  [[nodiscard]] std::optional<IpAddress> first_local(const IpPrefix& within) const;
  /// An address inside `within` that is neither local nor may be covered whoever has it. Only the first thousands are
  /// looked at.
  [[nodiscard]] std::optional<IpAddress> first_unknown(const IpPrefix& within) const;
  [[nodiscard]] bool is_home(const IpAddress& address) const;
  [[nodiscard]] SummaryMode mode() const { return mode_; }
  [[nodiscard]] Family family() const { return family_; }
  /// Prefixes in the ideal set; with home blocks, what the hosts inside them would need counts, too.
  [[nodiscard]] std::size_t size() const { return theirs_ ? size_ : own_size(); }
  [[nodiscard]] std::size_t bytes() const;

  /// By address: the local, or the marked, addresses inside `within`; the ideal set's prefixes that cover a local
  /// address of it. Home blocks are not among them.
  template <typename Visit>
  void for_each_local(const IpPrefix& within, Visit visit) const {
    for_each_trie(within, [&](const auto& trie, const auto& prefix) {
      trie.for_each_local(prefix, [&](auto bits) { visit(to_address(bits)); });
    });
  }
  template <typename Visit>
  void for_each_marked(const IpPrefix& within, Visit visit) const {
    for_each_trie(within, [&](const auto& trie, const auto& prefix) {
      trie.for_each_marked(prefix, [&](auto bits) { visit(to_address(bits)); });
    });
  }
  template <typename Visit>
  void for_each_top(const IpPrefix& within, Visit visit) const {
    for_each_own_top(within, [&](const IpPrefix& top) {
      if (!is_theirs(top.address())) return visit(top);
      theirs_->for_each_own_top(top.length() < within.length() ? within : top, visit);
    });
  }

 private:
  using Changes = std::vector<PrefixChange>;

  [[nodiscard]] bool is_inside_home(const IpPrefix& prefix) const;

  using Trie4 = WordTrie<std::uint32_t>;
  using Trie6 = WordTrie<Uint128>;
  struct Subnet {
    IpPrefix prefix;
    std::variant<Trie4, Trie6> trie;
  };

  template <typename Bits>
  [[nodiscard]] WordTrie<Bits> make_trie(const SegmentSettings& settings, const IpPrefix& subnet) const;
  [[nodiscard]] Subnet* subnet_of(const IpAddress& address);
  [[nodiscard]] const Subnet* subnet_of(const IpAddress& address) const;
  /// Calls `edit(trie, changes, tag)` for the subnet of `address` and appends what changed.
  template <typename Edit>
  void change(const IpAddress& address, std::vector<PrefixChange>& out, Edit edit);

  /// Is the address inside a prefix that another site announces, so that `theirs_` has its top?
  [[nodiscard]] bool is_theirs(const IpAddress& address) const { return is_theirs(address, address.bits()); }
  /// The same for prefixes shorter than that only.
  [[nodiscard]] bool is_theirs(const IpAddress& address, unsigned length) const;
  /// Runs `edit(summarizer, changes)` on both sets of tops, and appends what it does to the one that `address` is in.
  template <typename Edit>
  void change_both(const IpAddress& address, Changes& out, Edit edit);
  void count(std::span<const PrefixChange> changes);
  void set_their_prefix(const IpPrefix& prefix, bool claimed, Changes& out);
  void count_their_prefix(const IpPrefix& prefix, bool claimed);
  void make_theirs();
  void set_own_local(const IpAddress& address, bool local, Changes& out);
  void set_own_remote(const IpAddress& address, bool remote, Changes& out);
  void set_own_claimed(const IpPrefix& prefix, bool claimed, Changes& out);
  [[nodiscard]] IpPrefix own_top_of(const IpAddress& address) const;
  [[nodiscard]] std::size_t own_size() const;
  [[nodiscard]] std::vector<IpPrefix> tops_inside(const IpPrefix& prefix) const;

  template <typename Visit>
  void for_each_own_top(const IpPrefix& within, Visit visit) const {
    for_each_trie(within, [&](const auto& trie, const auto& prefix) {
      trie.for_each_top(prefix, [&](const auto& bits) {
        const IpPrefix top = bits.to_prefix();
        if (!is_inside_home(top)) visit(top);
      });
    });
  }
  template <typename Visit>
  void for_each_trie(const IpPrefix& within, Visit visit) const {
    for (const Subnet& subnet : subnets_) {
      if (!within.contains(subnet.prefix) && !subnet.prefix.contains(within)) continue;
      const IpPrefix part = within.length() < subnet.prefix.length() ? subnet.prefix : within;
      if (const auto* const trie = std::get_if<Trie4>(&subnet.trie)) {
        visit(*trie, BitPrefix<std::uint32_t>::of(part));
      } else {
        visit(std::get<Trie6>(subnet.trie), BitPrefix<Uint128>::of(part));
      }
    }
  }

  SegmentSettings settings_;
  SummaryMode mode_;
  Family family_;
  std::vector<IpPrefix> free_;
  std::vector<Subnet> subnets_;
  std::vector<IpPrefix> home_blocks_;

  // Mode `cover`, while others announce prefixes of several addresses in the subnets:
  boost::unordered_flat_set<IpPrefix> their_prefixes_;
  std::array<std::uint32_t, 129> their_lengths_{};
  std::unique_ptr<Summarizer> theirs_;  ///< the tops inside them: the same facts, mode `exact`
  std::size_t size_ = 0;
  Changes unused_;
  Trie4::Changes changes4_;
  Trie6::Changes changes6_;
};

}  // namespace untrombone::core::summary
