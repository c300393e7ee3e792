// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/summary/summarizer.hpp"

#include <algorithm>

namespace untrombone::core::summary {

/// What may be covered whoever has it: addresses that can be no host's.
static std::vector<IpPrefix> free_prefixes(const SegmentSettings& settings) {
  std::vector<IpPrefix> free = settings.exclude;
  for (const IpAddress& gateway : settings.gateways) free.push_back(IpPrefix::host(gateway));
  for (const IpPrefix& subnet : settings.subnets) {
    for (const IpAddress& end : {subnet.address(), subnet.last()}) {
      if (subnet.is_reserved(end)) free.push_back(IpPrefix::host(end));
    }
  }
  return free;
}

template <typename Bits>
WordTrie<Bits> Summarizer::make_trie(const SegmentSettings& settings, const IpPrefix& subnet) const {
  const unsigned shortest = mode_ == SummaryMode::kOff ? kWidth<Bits> : settings.shortest_summary(subnet);
  WordTrie<Bits> trie(BitPrefix<Bits>::of(subnet), shortest, mode_ == SummaryMode::kCover);
  for (const IpPrefix& prefix : free_) {
    if (subnet.contains(prefix)) trie.add_free(BitPrefix<Bits>::of(prefix));
  }
  return trie;
}

Summarizer::Summarizer(const SegmentSettings& settings, Family family, SummaryMode mode)
    : settings_(settings), mode_(mode), family_(family), free_(free_prefixes(settings)) {
  for (const IpPrefix& subnet : settings.subnets) {
    if (subnet.address().family() != family) continue;
    if (family == Family::kIpv4) {
      subnets_.push_back({subnet, make_trie<std::uint32_t>(settings, subnet)});
    } else {
      subnets_.push_back({subnet, make_trie<Uint128>(settings, subnet)});
    }
  }
  if (mode != SummaryMode::kHome) return;
  for (const IpPrefix& block : settings.home_blocks) {
    if (block.address().family() == family) home_blocks_.push_back(block);
  }
}

const Summarizer::Subnet* Summarizer::subnet_of(const IpAddress& address) const {
  const auto found = std::find_if(subnets_.begin(), subnets_.end(),
                                  [&](const Subnet& subnet) { return subnet.prefix.contains(address); });
  return found == subnets_.end() ? nullptr : &*found;
}

Summarizer::Subnet* Summarizer::subnet_of(const IpAddress& address) {
  const auto found = std::find_if(subnets_.begin(), subnets_.end(),
                                  [&](const Subnet& subnet) { return subnet.prefix.contains(address); });
  return found == subnets_.end() ? nullptr : &*found;
}

template <typename Edit>
void Summarizer::change(const IpAddress& address, std::vector<PrefixChange>& out, Edit edit) {
  Subnet* const subnet = subnet_of(address);
  if (subnet == nullptr) return;
  const auto run = [&](auto& trie, auto& changes) {
    changes.clear();
    edit(trie, changes);
    for (const auto& one : changes) {
      const IpPrefix prefix = one.prefix.to_prefix();
      if (!is_inside_home(prefix)) out.push_back({prefix, one.added});
    }
  };
  if (auto* const trie = std::get_if<Trie4>(&subnet->trie)) {
    run(*trie, changes4_);
  } else {
    run(std::get<Trie6>(subnet->trie), changes6_);
  }
}

namespace {

template <typename Bits>
Bits bits_for(const WordTrie<Bits>& /*of its family*/, const IpAddress& address) {
  return to_bits<Bits>(address);
}

template <typename Bits>
BitPrefix<Bits> prefix_for(const WordTrie<Bits>& /*of its family*/, const IpPrefix& prefix) {
  return BitPrefix<Bits>::of(prefix);
}

}  // namespace

// ---- what can be set ---------------------------------------------------------------------------------------------

void Summarizer::set_own_local(const IpAddress& address, bool local, Changes& out) {
  change(address, out,
         [&](auto& trie, auto& changes) { trie.set_local(bits_for(trie, address), local, changes); });
}

void Summarizer::set_own_remote(const IpAddress& address, bool remote, Changes& out) {
  if (mode_ != SummaryMode::kCover) return;
  change(address, out,
         [&](auto& trie, auto& changes) { trie.set_remote(bits_for(trie, address), remote, changes); });
}

void Summarizer::set_own_claimed(const IpPrefix& prefix, bool claimed, Changes& out) {
  change(prefix.address(), out,
         [&](auto& trie, auto& changes) { trie.set_claimed(prefix_for(trie, prefix), claimed, changes); });
}

template <typename Edit>
void Summarizer::change_both(const IpAddress& address, Changes& out, Edit edit) {
  if (!theirs_) return edit(*this, out);
  const bool theirs = is_theirs(address);
  const auto before = static_cast<std::ptrdiff_t>(out.size());
  edit(*this, theirs ? unused_ : out);
  edit(*theirs_, theirs ? out : unused_);
  unused_.clear();
  count({out.begin() + before, out.end()});
}

void Summarizer::count(std::span<const PrefixChange> changes) {
  for (const PrefixChange& change : changes) size_ += change.added ? std::size_t{1} : ~std::size_t{0};
}

void Summarizer::set_local(const IpAddress& address, bool local, Changes& out) {
  change_both(address, out,
              [&](Summarizer& one, Changes& changes) { one.set_own_local(address, local, changes); });
}

void Summarizer::set_remote(const IpAddress& address, bool remote, Changes& out) {
  change_both(address, out,
              [&](Summarizer& one, Changes& changes) { one.set_own_remote(address, remote, changes); });
}

void Summarizer::set_claimed(const IpPrefix& prefix, bool claimed, Changes& out) {
  const Subnet* const subnet = subnet_of(prefix.address());
  if (subnet == nullptr || prefix.length() <= subnet->prefix.length()) return;
  if (mode_ == SummaryMode::kCover && !prefix.is_host()) return set_their_prefix(prefix, claimed, out);
  change_both(prefix.address(), out,
              [&](Summarizer& one, Changes& changes) { one.set_own_claimed(prefix, claimed, changes); });
}

// ---- inside what others announce -----------------------------------------------------------------------------------

bool Summarizer::is_theirs(const IpAddress& address, unsigned length) const {
  if (!theirs_) return false;
  while (length-- > 0) {
    if (their_lengths_[length] != 0 && their_prefixes_.contains(IpPrefix(address, length))) return true;
  }
  return false;
}

void Summarizer::make_theirs() {
  size_ = own_size();
  theirs_ = std::make_unique<Summarizer>(settings_, family_, SummaryMode::kExact);
  for (const Subnet& subnet : subnets_) {
    for_each_local(subnet.prefix, [&](const IpAddress& ip) { theirs_->set_own_local(ip, true, unused_); });
    std::visit(
        [&](const auto& trie) {
          trie.for_each_claimed_host(
              [&](auto bits) { theirs_->set_own_claimed(IpPrefix::host(to_address(bits)), true, unused_); });
        },
        subnet.trie);
  }
  unused_.clear();
}

void Summarizer::count_their_prefix(const IpPrefix& prefix, bool claimed) {
  if (claimed) {
    their_prefixes_.insert(prefix);
    ++their_lengths_[prefix.length()];
  } else {
    their_prefixes_.erase(prefix);
    --their_lengths_[prefix.length()];
  }
}

/// The tops that are not longer than `prefix` change as in any mode; those inside it are others than before, unless
/// they are theirs without it, too.
void Summarizer::set_their_prefix(const IpPrefix& prefix, bool claimed, Changes& out) {
  if (claimed == their_prefixes_.contains(prefix)) return;
  if (!theirs_) make_theirs();
  const std::vector<IpPrefix> before = tops_inside(prefix);
  count_their_prefix(prefix, claimed);
  const bool is_inside = is_theirs(prefix.address(), prefix.length());
  Changes own;
  set_own_claimed(prefix, claimed, own);
  Changes their;
  theirs_->set_own_claimed(prefix, claimed, their);
  Changes changes;
  for (const PrefixChange& change : is_inside ? their : own) {
    if (!prefix.contains(change.prefix)) changes.push_back(change);
  }
  const std::vector<IpPrefix> after = tops_inside(prefix);
  for (const IpPrefix& top : after) {
    if (!std::binary_search(before.begin(), before.end(), top)) changes.push_back({top, true});
  }
  for (const IpPrefix& top : before) {
    if (!std::binary_search(after.begin(), after.end(), top)) changes.push_back({top, false});
  }
  count(changes);
  std::stable_partition(changes.begin(), changes.end(),
                        [](const PrefixChange& change) { return change.added; });
  out.insert(out.end(), changes.begin(), changes.end());
  if (their_prefixes_.empty()) theirs_.reset();
}

/// The ideal set's prefixes inside `prefix`, by address.
std::vector<IpPrefix> Summarizer::tops_inside(const IpPrefix& prefix) const {
  std::vector<IpPrefix> tops;
  for_each_top(prefix, [&](const IpPrefix& top) {
    if (prefix.contains(top)) tops.push_back(top);
  });
  return tops;
}

void Summarizer::mark(const IpAddress& address, bool marked) {
  Subnet* const subnet = subnet_of(address);
  if (subnet == nullptr) return;
  std::visit([&](auto& trie) { trie.mark(bits_for(trie, address), marked); }, subnet->trie);
}

bool Summarizer::is_marked(const IpAddress& address) const {
  const Subnet* const subnet = subnet_of(address);
  return subnet != nullptr &&
         std::visit([&](const auto& trie) { return trie.is_marked(bits_for(trie, address)); }, subnet->trie);
}

bool Summarizer::is_local(const IpAddress& address) const {
  const Subnet* const subnet = subnet_of(address);
  return subnet != nullptr &&
         std::visit([&](const auto& trie) { return trie.is_local(bits_for(trie, address)); }, subnet->trie);
}

IpPrefix Summarizer::top_of(const IpAddress& address) const {
  return is_theirs(address) ? theirs_->own_top_of(address) : own_top_of(address);
}

IpPrefix Summarizer::own_top_of(const IpAddress& address) const {
  for (const IpPrefix& block : home_blocks_) {
    if (block.contains(address)) return block;
  }
  const Subnet* const subnet = subnet_of(address);
  if (subnet == nullptr) return IpPrefix::host(address);
  return {address, std::visit([&](const auto& trie) { return trie.top_length(bits_for(trie, address)); },
                              subnet->trie)};
}

bool Summarizer::is_home(const IpAddress& address) const {
  return std::any_of(home_blocks_.begin(), home_blocks_.end(),
                     [&](const IpPrefix& block) { return block.contains(address); });
}

bool Summarizer::is_inside_home(const IpPrefix& prefix) const {
  return std::any_of(home_blocks_.begin(), home_blocks_.end(),
                     [&](const IpPrefix& block) { return block.contains(prefix); });
}

std::optional<IpAddress> Summarizer::first_local(const IpPrefix& within) const {
  std::optional<IpAddress> found;
  for_each_trie(within, [&](const auto& trie, const auto& prefix) {
    const auto first = trie.first_local(prefix);
    if (first && !found) found = to_address(*first);
  });
  return found;
}

std::optional<IpAddress> Summarizer::first_unknown(const IpPrefix& within) const {
  constexpr unsigned kMost = 4096;
  std::optional<IpAddress> found;
  for_each_trie(within, [&](const auto& trie, const auto& prefix) {
    auto at = prefix.key;
    for (unsigned i = 0; i < kMost && !found; ++i, ++at) {
      const IpAddress ip = to_address(at);
      const bool is_free =
          std::any_of(free_.begin(), free_.end(), [&](const IpPrefix& free) { return free.contains(ip); });
      if (!is_free && !trie.is_local(at)) found = ip;
      if (at == prefix.last()) break;
    }
  });
  return found;
}

std::size_t Summarizer::own_size() const {
  std::size_t sum = 0;
  for (const Subnet& subnet : subnets_)
    sum += std::visit([](const auto& trie) { return trie.size(); }, subnet.trie);
  return sum;
}

std::size_t Summarizer::bytes() const {
  std::size_t sum = theirs_ ? theirs_->bytes() : 0;
  for (const Subnet& subnet : subnets_)
    sum += std::visit([](const auto& trie) { return trie.bytes(); }, subnet.trie);
  return sum;
}

}  // namespace untrombone::core::summary
